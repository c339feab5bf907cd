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

from skelgraph.errors import FormatError
from skelgraph.files import atomic, npz
from skelgraph.io.keypoints import arrays
from skelgraph.io.keypoints.formats import videopose3d
from skelgraph.poses.keypoints import Keypoints
from skelgraph.poses.people import People
from skelgraph.skeleton import builtin

NAME = "npz"
TAKES = frozenset({"npz file"})
_FIELDS = ("keypoints", "confidence", "joints", "skeleton", "image_size", "fps")


def matches(path: Path, content: Any) -> bool:
    return not videopose3d.matches(path, content)


def read(path: Path, content: Any) -> People:
    """Reads an npz in the layout above.

    Raises:
        FileNotFoundError: if there is no such file.
        FormatError: naming the file and the array that does not fit.
    """
    found = npz.read(path)
    values = _keypoints(found, str(path))
    confidence = found.get("confidence")
    if confidence is not None and (confidence.shape != values.shape[:-1] or confidence.dtype.kind not in "fiub"):
        raise FormatError(
            f"{path}: confidence {confidence.dtype} {list(confidence.shape)} beside keypoints {list(values.shape)}; "
            "expected a number for each point"
        )
    if confidence is not None and values.shape[-1] == 3:
        raise FormatError(f"{path}: confidence is given twice: as the third column of keypoints and by itself")
    with np.errstate(over="ignore"):
        values = values.astype(np.float64)
    certain = arrays.confidence_of(values, str(path)) if confidence is None else confidence.astype(np.float64)
    points = arrays.with_confidence(values, certain)
    points = points if points.ndim == 4 else points[:, None]
    size, fps = arrays.size_and_fps(found, str(path))
    return People.by_place(points, _joints(found, str(path)), image_size=size, fps=fps, source=str(path))


def write(path: Path, keypoints: Keypoints) -> None:
    """Writes keypoints, atomically, in the layout above.

    Raises:
        FormatError: if they are normalised and their image size is not known.
    """
    keypoints = keypoints.in_pixels()
    fields: dict[str, Any] = {"keypoints": keypoints.xy, "confidence": keypoints.confidence}
    if keypoints.joints:
        fields["joints"] = np.array(keypoints.joints)
    if keypoints.image_size is not None:
        fields["image_size"] = np.array(keypoints.image_size)
    if keypoints.fps is not None:
        fields["fps"] = np.array(keypoints.fps)
    content = io.BytesIO()
    np.savez_compressed(content, **fields)
    atomic.write(path, content.getvalue())


def _keypoints(found: dict[str, NDArray[Any]], source: str) -> NDArray[Any]:
    if "keypoints" in found:
        fitting = ["keypoints"]
    else:
        rest = {name: array for name, array in found.items() if name not in _FIELDS}
        fitting = [name for name, array in rest.items() if array.ndim in (3, 4) and array.shape[-1] in (2, 3)]
    if len(fitting) != 1:
        listed = ", ".join(f"{name} {list(array.shape)}" for name, array in list(found.items())[:10])
        raise FormatError(
            f"{source}: no keypoints found: expected an array 'keypoints' [F, J, 2 or 3] "
            f"(or one such array only); the file holds {listed or 'nothing'}"
        )
    values = found[fitting[0]]
    if values.dtype.kind not in "fiu" or values.ndim not in (3, 4) or values.shape[-1] not in (2, 3):
        raise FormatError(
            f"{source}: {fitting[0]} is {values.dtype} {list(values.shape)}; expected numbers [F, J, 2 or 3] "
            "or [F, P, J, 2 or 3]"
        )
    return values


def _joints(found: dict[str, NDArray[Any]], source: str) -> tuple[str, ...]:
    if "joints" in found:
        if found["joints"].dtype.kind != "U" or found["joints"].ndim != 1:
            raise FormatError(f"{source}: joints is {found['joints'].dtype}; expected a list of names")
        return tuple(str(name) for name in found["joints"])
    if "skeleton" in found:
        try:
            return builtin.get(str(found["skeleton"])).joints
        except ValueError as error:
            raise FormatError(f"{source}: {error}") from None
    return ()
