"""MMPose's prediction JSON, of its demos (with ``meta_info``) and of its Inferencer (without).

``{"meta_info": {"keypoint_id2name": {"0": "nose", ...}, ...}, "instance_info": [{"frame_id": 0, "instances":
[{"keypoints": [[x, y], ...], "keypoint_scores": [...], "track_id": 3}]}]}``; for an image ``instance_info`` is the list
of instances itself. The Inferencer writes the list alone. Joint names are read from ``meta_info``; without it 17 are
COCO and 133 COCO-WholeBody. Source: mmpose, demo/inferencer_demo.py and demo/topdown_demo_with_mmdet.py.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from skelgraph.errors import FormatError
from skelgraph.files import json_file
from skelgraph.poses.people import Detection, People, track_id
from skelgraph.skeleton.builtin import COCO, COCO_WHOLEBODY

NAME = "mmpose"
TAKES = frozenset({"JSON file"})
_BY_COUNT = {17: COCO.joints, 133: COCO_WHOLEBODY.joints}
_HUMAN36M = {"root": "hip", "left_foot": "left_ankle", "right_foot": "right_ankle", "neck_base": "neck"}
_FINGERS = ("thumb", "forefinger", "middle_finger", "ring_finger", "pinky_finger")


def matches(path: Path, content: Any) -> bool:
    entries = content.get("instance_info") if isinstance(content, dict) else content
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        return False
    if isinstance(content, dict) and not entries:
        return True
    return bool(entries) and ("instances" in entries[0] or {"keypoints", "keypoint_scores"} <= entries[0].keys())


def read(path: Path, content: Any) -> People:
    """Reads a prediction file.

    Raises:
        FormatError: naming the frame and field, for an unknown number of joints, or keypoints that are not 2D.
    """
    if not matches(path, content):
        raise FormatError(f"{path}: not a prediction of MMPose: expected 'instance_info' or a list of instances")
    entries = content["instance_info"] if isinstance(content, dict) else content
    frames = _frames(entries, str(path))
    count = _count(frames, str(path))
    meta = content.get("meta_info") if isinstance(content, dict) else None
    names = _names(meta if isinstance(meta, dict) else {}, count, str(path))
    listed = [
        [_person(entry, count, f"{path}: frame {f}, instance {i}") for i, entry in enumerate(frame)]
        for f, frame in enumerate(frames)
    ]
    return People.of(listed, names, source=str(path))


def _frames(entries: Sequence[Mapping[str, Any]], source: str) -> list[list[Mapping[str, Any]]]:
    if entries and "instances" not in entries[0]:
        return [list(entries)]
    frames = [entry.get("instances") for entry in entries]
    numbers = [entry.get("frame_id", f) for f, entry in enumerate(entries)]
    for f, (frame, number) in enumerate(zip(frames, numbers, strict=True)):
        if not isinstance(frame, list) or not all(isinstance(one, dict) and "keypoints" in one for one in frame):
            raise FormatError(f"{source}: frame {f}: expected a list 'instances' of objects with 'keypoints'")
        if not isinstance(number, int) or (f and number <= numbers[f - 1]):
            raise FormatError(f"{source}: entry {f} has frame_id {number!r}; expected whole numbers that rise")
    return [list(frame) for frame in frames if frame is not None]


def _count(frames: Sequence[Sequence[Mapping[str, Any]]], source: str) -> int:
    for f, frame in enumerate(frames):
        for one in frame:
            if isinstance(one["keypoints"], list):
                return len(one["keypoints"])
            raise FormatError(f"{source}: frame {f}: keypoints must be a list of [x, y]")
    raise FormatError(f"{source}: no person in any of the {len(frames)} frames")


def _person(entry: Mapping[str, Any], count: int, where: str) -> Detection:
    xy = json_file.numbers(entry["keypoints"], f"{where}, keypoints")
    if xy.shape == (count, 3):
        raise FormatError(f"{where}: keypoints have three numbers each: this is a 3D prediction; give the 2D one")
    scores = json_file.numbers(entry.get("keypoint_scores", [1.0] * count), f"{where}, keypoint_scores")
    if xy.shape != (count, 2) or scores.shape != (count,):
        raise FormatError(
            f"{where}: keypoints {list(xy.shape)} and scores {list(scores.shape)}; expected [{count}, 2] and [{count}]"
        )
    return Detection(track_id(entry.get("track_id")), np.concatenate([xy, scores[:, None]], axis=1))


def _names(meta: Mapping[str, Any], count: int, source: str) -> tuple[str, ...]:
    listed = meta.get("keypoint_id2name")
    if isinstance(listed, dict):
        theirs = [listed.get(str(i)) for i in range(count)]
        if len(listed) != count or not all(isinstance(name, str) for name in theirs):
            raise FormatError(f"{source}: {count} keypoints, but meta_info names {len(listed)}")
        names = [str(name) for name in theirs]
        return tuple(_ours(name, human36m="root" in names) for name in names)
    if count not in _BY_COUNT:
        raise FormatError(
            f"{source}: {count} keypoints and no names (meta_info.keypoint_id2name); without names 17 are read as COCO "
            "and 133 as COCO-WholeBody"
        )
    return _BY_COUNT[count]


def _ours(name: str, human36m: bool) -> str:
    """Our word for a joint that MMPose names."""
    word = re.sub(r"[\s-]+", "_", name.strip().lower())
    if found := re.fullmatch(r"(left|right)_hand_root", word):
        return f"{found[1]}_hand_0"
    if found := re.fullmatch(rf"(left|right)_({'|'.join(_FINGERS)})_?([1-4])", word):
        return f"{found[1]}_hand_{4 * _FINGERS.index(found[2]) + int(found[3])}"
    return _HUMAN36M.get(word, word) if human36m else word
