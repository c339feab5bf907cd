"""OpenPose's JSON: a folder with one file a frame, or one such file.

``{"people": [{"pose_keypoints_2d": [x, y, c, ...], "hand_left_keypoints_2d": ..., "hand_right_keypoints_2d": ...,
"face_keypoints_2d": ..., "person_id": [-1]}]}``. The body is BODY_25 (75 numbers) or COCO-18 (54), a hand has 21
joints, the face 70: iBUG's 68 and the pupils (the last two), which are left out. Face and hands are named as in
COCO_WHOLEBODY, which has the same points in the same order. Missing points are 0, 0, 0. Source: OpenPose,
doc/02_output.md and faceParameters.hpp.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skelgraph.errors import FormatError
from skelgraph.files import json_file
from skelgraph.poses.people import Detection, People, track_id
from skelgraph.skeleton.builtin import OPENPOSE_BODY25, OPENPOSE_COCO18

_BODIES = {75: OPENPOSE_BODY25.joints, 54: OPENPOSE_COCO18.joints}
_EXTRAS = {  # field -> (numbers in the file, joint names)
    "face_keypoints_2d": (210, tuple(f"face_{i}" for i in range(68))),
    "hand_left_keypoints_2d": (63, tuple(f"left_hand_{i}" for i in range(21))),
    "hand_right_keypoints_2d": (63, tuple(f"right_hand_{i}" for i in range(21))),
}
NAME = "openpose"
TAKES = frozenset({"folder", "JSON file"})
_FRAME_BYTES, _MAX_FRAMES = 1 << 25, 1_000_000


def matches(path: Path, content: Any) -> bool:
    if not path.is_dir():
        return _is_frame(content)
    first = min(path.glob("*.json"), default=None)
    return first is not None and _is_frame(json_file.read(first, _FRAME_BYTES))


def read(path: Path, content: Any) -> People:
    """Reads a folder (``content`` None) in the order of its frame numbers, or the one frame in ``content``.

    Raises:
        FormatError: naming file and field, for other lengths than those above, or a folder of several videos.
    """
    frames = {path: content} if content is not None else {p: json_file.read(p, _FRAME_BYTES) for p in _ordered(path)}
    for file, frame in frames.items():
        if not _is_frame(frame):
            raise FormatError(f"{file}: not a frame of OpenPose: expected an object with a list 'people'")
    parts = _parts(frames)
    names = [name for _, joints in parts.values() for name in joints]
    listed = [
        [_person(entry, parts, f"{file}: person {i}") for i, entry in enumerate(frame["people"])]
        for file, frame in frames.items()
    ]
    return People.of(listed, names, source=str(path))


def _is_frame(content: Any) -> bool:
    if not isinstance(content, dict) or not isinstance(content.get("people"), list):
        return False
    return all(isinstance(entry, dict) and "pose_keypoints_2d" in entry for entry in content["people"])


def _ordered(folder: Path) -> list[Path]:
    """The frames of a folder by number: ``name_000000000012_keypoints.json`` is frame 12."""
    files = sorted(folder.glob("*.json"))
    if not files:
        raise FormatError(f"{folder}: holds no frames (*.json)")
    if len(files) > _MAX_FRAMES:
        raise FormatError(f"{folder}: {len(files)} frames; at most {_MAX_FRAMES} are read at once")
    keys = {}
    for file in files:
        found = re.fullmatch(r"(.*?)(\d+)((?:_keypoints)?\.json)", file.name)
        keys[file] = (found[1], int(found[2][-18:])) if found else (file.name, 0)
    videos = sorted({name for name, _ in keys.values()})
    if len(videos) > 1:
        raise FormatError(
            f"{folder}: holds the frames of {len(videos)} videos ({', '.join(videos[:3])}): one folder each"
        )
    return sorted(files, key=lambda file: keys[file])


def _parts(frames: Mapping[Path, Any]) -> dict[str, tuple[int, tuple[str, ...]]]:
    """field -> (numbers in the file, joint names) of what the frames hold."""
    found: dict[str, tuple[int, Path]] = {}
    for file, frame in frames.items():
        for entry in frame["people"]:
            for field in ("pose_keypoints_2d", *_EXTRAS):
                values = entry.get(field)
                length = len(values) if isinstance(values, list) else 0
                first, where = found.setdefault(field, (length, file)) if length else (length, file)
                if length != first:
                    raise FormatError(f"{file}: {field} has {length} numbers, but {first} in {where.name}")
    parts: dict[str, tuple[int, tuple[str, ...]]] = {}
    for field, (length, file) in found.items():
        joints = _BODIES.get(length) if field == "pose_keypoints_2d" else _EXTRAS[field][1]
        expected = "75 (BODY_25) or 54 (COCO-18)" if field == "pose_keypoints_2d" else str(_EXTRAS[field][0])
        if joints is None or (field in _EXTRAS and length != _EXTRAS[field][0]):
            raise FormatError(f"{file}: {field} has {length} numbers; expected {expected}")
        parts[field] = (length, joints)
    return parts


def _person(entry: Mapping[str, Any], parts: Mapping[str, tuple[int, tuple[str, ...]]], where: str) -> Detection:
    rows: list[NDArray[np.float64]] = []
    for field, (length, joints) in parts.items():
        values = json_file.numbers(entry.get(field) or [0.0] * length, f"{where}, {field}")
        if values.shape != (length,):
            raise FormatError(f"{where}, {field}: expected a flat list x, y, c, ... of {length} numbers")
        rows.append(values.reshape(-1, 3)[: len(joints)])
    track = entry.get("person_id")
    track = track[0] if isinstance(track, list) and len(track) == 1 else track
    return Detection(track_id(track), np.concatenate(rows) if rows else np.zeros((0, 3)))
