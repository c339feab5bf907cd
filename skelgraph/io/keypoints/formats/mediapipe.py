"""MediaPipe's pose landmarks, 33 joints of BlazePose, as shares of the image's width and height.

JSON: a list of frames. A frame is the list of its 33 landmarks ``{"x": 0.51, "y": 0.2, "z": -0.3, "visibility":
0.99}``, a list of such lists for several people, or an object with one of these under ``pose_landmarks`` or
``landmarks``; null or an empty list is a frame without anybody. A list of landmarks alone is one frame. With
``format="mediapipe"`` also an npy file, or an npz file with one such array, of [F, 33, 2 to 5]: x, y, z, visibility,
presence. The visibility is the confidence; without it landmarks that are NaN or at exactly (0, 0) are missing. z is not
read. The image size makes px of the shares.
Source: ai.google.dev, Pose landmark detection guide.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skelgraph.errors import FormatError
from skelgraph.files import json_file, npz
from skelgraph.poses.people import Detection, People
from skelgraph.skeleton.builtin import BLAZEPOSE

NAME = "mediapipe"
TAKES = frozenset({"JSON file", "npz file", "npy file"})
_COUNT = BLAZEPOSE.num_joints
_FIELDS = ("pose_landmarks", "landmarks")


def matches(path: Path, content: Any) -> bool:
    first = next((found for frame in _frames(content) if (found := _landmarks(frame))), None)
    return isinstance(first, list) and _is_point(first[0][0] if isinstance(first[0], list) and first[0] else first[0])


def read(path: Path, content: Any) -> People:
    """Reads landmarks; the keypoints are :attr:`Keypoints.normalised`.

    Raises:
        FormatError: naming the frame, person and landmark, for another number of landmarks, one without x and y, or
            values that are px already.
    """
    if isinstance(content, list):
        listed = [_people(frame, f"{path}: frame {f}") for f, frame in enumerate(_frames(content))]
    elif isinstance(content, dict):
        raise FormatError(f"{path}: not landmarks of MediaPipe: expected a list of frames")
    else:
        listed = [[Detection(None, joints)] for joints in _array(path)]
    return People.of(listed, BLAZEPOSE.joints, source=str(path), normalised=True)


def _frames(content: Any) -> list[Any]:
    if not isinstance(content, list):
        return []
    return [content] if content and _is_point(content[0]) else content


def _landmarks(frame: Any) -> Any:
    """The list of landmarks, or of people, of a frame."""
    return next((frame[f] for f in _FIELDS if f in frame), None) if isinstance(frame, dict) else frame


def _is_point(value: Any) -> bool:
    return isinstance(value, dict) and {"x", "y"} <= value.keys()


def _people(frame: Any, where: str) -> list[Detection]:
    if isinstance(frame, dict) and not any(field in frame for field in _FIELDS):
        raise FormatError(f"{where}: expected a list of landmarks, or an object with {' or '.join(map(repr, _FIELDS))}")
    found = _landmarks(frame)
    if found is not None and not isinstance(found, list):
        raise FormatError(f"{where}: expected a list of {_COUNT} landmarks, or null")
    several = found if found and isinstance(found[0], list) else [found] if found else []
    return [Detection(None, _person(one, f"{where}, person {i}")) for i, one in enumerate(several)]


def _person(points: Any, where: str) -> NDArray[np.float64]:
    """[33, 3]"""
    if not isinstance(points, list) or len(points) != _COUNT:
        count = len(points) if isinstance(points, list) else "no list of"
        raise FormatError(f"{where}: {count} landmarks; expected {_COUNT} of the body (hands and faces are not read)")
    rows = []
    for joint, point in zip(BLAZEPOSE.joints, points, strict=True):
        if not _is_point(point):
            raise FormatError(f"{where}, {joint}: expected an object with 'x' and 'y'")
        visibility = point.get("visibility")
        rows.append([point["x"], point["y"], 1.0 if visibility is None else visibility])
    values = json_file.numbers(rows, where)
    if values.shape != (_COUNT, 3):
        raise FormatError(f"{where}: expected one number for each x, y and visibility")
    return values


def _array(path: Path) -> NDArray[np.float64]:
    """[F, 33, 3]"""
    if npz.is_npy(path):
        found = {"the array": npz.read_npy(path)}
    else:
        found = {name: array for name, array in npz.read(path).items() if array.ndim == 3}
    name, array = next(iter(found.items()), ("", np.zeros(0)))
    if len(found) != 1 or array.dtype.kind not in "fiu" or array.ndim != 3 or array.shape[1] != _COUNT:
        shapes = ", ".join(f"{key} {each.dtype} {list(each.shape)}" for key, each in list(found.items())[:5])
        raise FormatError(f"{path}: expected one array of numbers [F, {_COUNT}, 2 to 5], found {shapes or 'none'}")
    if not 2 <= array.shape[2] <= 5:
        raise FormatError(f"{path}: {name} is {list(array.shape)}; expected [F, {_COUNT}, 2 to 5]")
    values = array.astype(np.float64)
    known = np.isfinite(values[..., :2]).all(axis=-1) & (values[..., :2] != 0).any(axis=-1)
    visibility = np.where(np.isfinite(values[..., 3]), values[..., 3], 0) if array.shape[2] > 3 else known
    return np.concatenate([values[..., :2], visibility[..., None]], axis=-1)
