"""H3WB's JSON, 133 joints of COCO-WholeBody: one sample is one frame.

``{"0": {"keypoints_2d": {"0": {"x": 512.1, "y": 430.8}, ..., "132": ...}, "keypoints_3d": ..., "image_path", "bbox"}}``
in px; the README spells ``keypont_2d``. Frames are ordered by the samples' numbers (see :func:`frames.in_order`). There
is no confidence: a joint that is absent, null or at exactly (0, 0) is missing, the others have 1. The 3D keypoints are
not read. Source: wholebody3d, README.md and utils/utils.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skelgraph.errors import FormatError
from skelgraph.files import json_file
from skelgraph.poses import frames
from skelgraph.poses.people import Detection, People
from skelgraph.skeleton.builtin import COCO_WHOLEBODY

NAME = "h3wb"
TAKES = frozenset({"JSON file"})
_FIELDS = ("keypoints_2d", "keypoint_2d", "keypont_2d")
_JOINTS = tuple(str(joint) for joint in range(133))


def matches(path: Path, content: Any) -> bool:
    first = next(iter(content.values()), None) if isinstance(content, dict) else None
    return isinstance(first, dict) and any(isinstance(first.get(field), dict) for field in _FIELDS)


def read(path: Path, content: Any) -> People:
    """Reads a file of samples.

    Raises:
        FormatError: naming the sample and joint, for a sample without 2D keypoints, an unknown joint, or a point
            without x and y.
    """
    if not isinstance(content, dict) or not content:
        raise FormatError(f"{path}: not H3WB's: expected an object of samples with 'keypoints_2d'")
    place, count = frames.in_order(content, str(path))
    frames.check_points(count, len(_JOINTS), 1, str(path))
    listed: list[list[Detection]] = [[] for _ in range(count)]
    for sample, entry in content.items():
        listed[place[sample]].append(Detection(None, _sample(entry, f"{path}: sample {sample[:64]!r}")))
    return People.of(listed, COCO_WHOLEBODY.joints, source=str(path))


def _sample(entry: Any, where: str) -> NDArray[np.float64]:
    """[133, 3]"""
    field = next((field for field in _FIELDS if isinstance(entry, dict) and field in entry), None)
    points = entry[field] if field else None
    if not isinstance(points, dict):
        raise FormatError(f"{where}: expected an object 'keypoints_2d' of joints 0 to 132")
    unknown = points.keys() - set(_JOINTS)
    if unknown:
        raise FormatError(f"{where}, {field}: has a joint {min(unknown)[:40]!r}; expected 0 to 132")
    rows = [_point(points.get(joint), f"{where}, {field}, joint {joint}") for joint in _JOINTS]
    xy = json_file.numbers(rows, f"{where}, {field}")
    if xy.shape != (len(_JOINTS), 2):
        raise FormatError(f"{where}, {field}: expected one number for each x and y")
    return np.concatenate([xy, (xy != 0).any(axis=1, keepdims=True)], axis=1)


def _point(point: Mapping[str, Any] | None, where: str) -> list[Any]:
    if point is None:
        return [0.0, 0.0]
    if not isinstance(point, dict) or not {"x", "y"} <= point.keys():
        raise FormatError(f"{where}: expected an object with 'x' and 'y'")
    pair = [point["x"], point["y"]]
    return [0.0, 0.0] if None in pair else pair
