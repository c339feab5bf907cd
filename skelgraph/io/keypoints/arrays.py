"""What the formats that are arrays have in common."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skelgraph.errors import FormatError
from skelgraph.poses.keypoints import Keypoints


def visible(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Confidence [..., J] of points [..., J, 2 or 3]: the third number, else 0 where not finite or at (0, 0)."""
    if values.shape[-1] == 3:
        return np.where(np.isfinite(values[..., 2]), values[..., 2], 0)
    return (np.isfinite(values).all(axis=-1) & (values != 0).any(axis=-1)).astype(np.float64)


def with_confidence(values: NDArray[np.float64], confidence: NDArray[np.float64]) -> NDArray[np.float64]:
    """Points [..., J, 3] of points [..., J, 2 or more] and their confidence [..., J]."""
    return np.concatenate([values[..., :2], confidence[..., None]], axis=-1)


def confidence_of(values: NDArray[np.float64], source: str) -> NDArray[np.float64]:
    """As :func:`visible`, but many points at (0, 0) without a confidence are refused, as :meth:`Keypoints.of` does."""
    if values.shape[-1] == 3:
        return values[..., 2]
    flat = values.reshape(len(values), -1, 2)
    return Keypoints.of(flat, source=source).confidence.reshape(values.shape[:-1]).astype(np.float64)


def size_and_fps(found: Mapping[str, NDArray[Any]], source: str) -> tuple[tuple[float, float] | None, float | None]:
    """The arrays ``image_size`` (width, height) and ``fps``, where they are there.

    Raises:
        FormatError: naming the array, if it does not hold two numbers or one.
    """
    size, fps = (_numbers(found, field, count, source) for field, count in (("image_size", 2), ("fps", 1)))
    return None if size is None else (size[0], size[1]), None if fps is None else fps[0]


def _numbers(found: Mapping[str, NDArray[Any]], field: str, count: int, source: str) -> list[float] | None:
    if field not in found:
        return None
    array = found[field]
    if array.dtype.kind not in "fiu" or array.size != count:
        raise FormatError(f"{source}: {field} is {array.dtype} {list(array.shape)}; expected {count} number(s)")
    return [float(number) for number in array.reshape(-1)]
