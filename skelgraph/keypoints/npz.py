"""Our own npz layout, and plain arrays.

| array | shape | |
|---|---|---|
| ``keypoints`` | [F, J, 2] or [F, J, 3], or [F, P, J, 2 or 3] of P people | px; the third number is the confidence |
| ``confidence`` | [F, J] or [F, P, J] | optional, instead of the third number; 0 = missing |
| ``joints`` | [J] text | optional: joint names |
| ``skeleton`` | text | optional, instead of ``joints``: the name of a built-in skeleton |
| ``image_size`` | [2] | optional: width, height, px |
| ``fps`` | number | optional |

An npz with one array of such a shape under any other name is read as ``keypoints`` without names. NaN marks what is
missing. Object arrays (pickle) are refused.
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skelgraph import atomic, npz, skeletons
from skelgraph.keypoints import people
from skelgraph.keypoints.keypoints import Keypoints

_FIELDS = ("keypoints", "confidence", "joints", "skeleton", "image_size", "fps")


def matches(path: Path, content: Any) -> bool:
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(4) in (b"PK\3\4", b"PK\5\6")


def read(path: Path, content: Any = None, person: int | None = None) -> Keypoints:
    """Reads an npz in the layout above.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: naming the file and the array that does not fit.
    """
    arrays = npz.read(path)
    values = _keypoints(arrays, str(path))
    confidence = arrays.get("confidence")
    if confidence is not None and confidence.shape != values.shape[:-1]:
        raise ValueError(f"{path}: confidence {list(confidence.shape)} beside keypoints {list(values.shape)}")
    if values.ndim == 4:
        values, confidence = _one_of(values, confidence, person, str(path)), None
    elif person not in (None, 0):
        raise ValueError(f"{path}: there is no person {person}; the file holds one person, 0")
    size, fps = (_numbers(arrays, field, count, str(path)) for field, count in (("image_size", 2), ("fps", 1)))
    return Keypoints.of(
        values,
        _joints(arrays, str(path)),
        confidence=confidence,
        image_size=None if size is None else (size[0], size[1]),
        fps=None if fps is None else fps[0],
        source=str(path),
    )


def write(path: Path, keypoints: Keypoints) -> None:
    """Writes keypoints, atomically, in the layout above."""
    arrays: dict[str, Any] = {"keypoints": keypoints.xy, "confidence": keypoints.confidence}
    if keypoints.joints:
        arrays["joints"] = np.array(keypoints.joints)
    if keypoints.image_size is not None:
        arrays["image_size"] = np.array(keypoints.image_size)
    if keypoints.fps is not None:
        arrays["fps"] = np.array(keypoints.fps)
    content = io.BytesIO()
    np.savez_compressed(content, **arrays)
    atomic.write(path, content.getvalue())


def _keypoints(arrays: dict[str, NDArray[Any]], source: str) -> NDArray[Any]:
    if "keypoints" in arrays:
        fitting = ["keypoints"]
    else:
        rest = {name: array for name, array in arrays.items() if name not in _FIELDS}
        fitting = [name for name, array in rest.items() if array.ndim in (3, 4) and array.shape[-1] in (2, 3)]
    if len(fitting) != 1:
        listed = ", ".join(f"{name} {list(array.shape)}" for name, array in list(arrays.items())[:10])
        raise ValueError(
            f"{source}: no keypoints found: expected an array 'keypoints' [F, J, 2 or 3] "
            f"(or one such array only); the file holds {listed or 'nothing'}"
        )
    values = arrays[fitting[0]]
    if values.dtype.kind not in "fiu" or values.ndim not in (3, 4) or values.shape[-1] not in (2, 3):
        raise ValueError(
            f"{source}: {fitting[0]} is {values.dtype} {list(values.shape)}; expected numbers [F, J, 2 or 3] "
            "or [F, P, J, 2 or 3]"
        )
    return values


def _one_of(
    values: NDArray[Any], confidence: NDArray[Any] | None, person: int | None, source: str
) -> NDArray[np.float64]:
    values = values.astype(np.float64)
    if confidence is None:
        flat = values.reshape(len(values), -1, values.shape[-1])
        confidence = Keypoints.of(flat, source=source).confidence.reshape(values.shape[:-1])
    joints = np.concatenate([values[..., :2], confidence[..., None]], axis=-1)
    frames = [[people.Person(None, one) for one in frame] for frame in joints]
    return people.choose(frames, values.shape[2], person, source)


def _joints(arrays: dict[str, NDArray[Any]], source: str) -> tuple[str, ...]:
    if "joints" in arrays:
        if arrays["joints"].dtype.kind != "U" or arrays["joints"].ndim != 1:
            raise ValueError(f"{source}: joints is {arrays['joints'].dtype}; expected a list of names")
        return tuple(str(name) for name in arrays["joints"])
    if "skeleton" in arrays:
        try:
            return skeletons.get(str(arrays["skeleton"])).joints
        except ValueError as error:
            raise ValueError(f"{source}: {error}") from None
    return ()


def _numbers(arrays: dict[str, NDArray[Any]], field: str, count: int, source: str) -> list[float] | None:
    if field not in arrays:
        return None
    array = arrays[field]
    if array.dtype.kind not in "fiu" or array.size != count:
        raise ValueError(f"{source}: {field} is {array.dtype} {list(array.shape)}; expected {count} number(s)")
    return [float(number) for number in array.reshape(-1)]
