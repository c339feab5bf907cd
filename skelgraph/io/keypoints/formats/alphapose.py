"""AlphaPose's JSON: a flat list of people, each with its image.

``[{"image_id": "12.jpg", "category_id": 1, "keypoints": [x, y, c, ...], "score": 2.9, "box": [x, y, w, h],
"idx": 3}]``: 17 joints are COCO, 26 Halpe's body, 136 Halpe's whole body and 133 COCO-WholeBody. Frames are ordered by
the numbers in ``image_id`` (see :func:`frames.in_order`); ``idx`` is the track id. In old versions confidences of COCO
models go up to 6: what is above 1 is cut off to 1, not divided by 6, as nothing in a file says which version wrote it.
With ``--format open`` AlphaPose writes OpenPose's layout. Source: AlphaPose, doc/output.md; Halpe-FullBody, README.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from skelgraph.errors import FormatError
from skelgraph.files import json_file
from skelgraph.io.keypoints.formats import coco, coco_wholebody
from skelgraph.poses import frames
from skelgraph.poses.people import Detection, People, track_id
from skelgraph.skeleton.builtin import COCO, COCO_WHOLEBODY, HALPE26

NAME = "alphapose"
TAKES = frozenset({"JSON file"})
_FACE_AND_HANDS = COCO_WHOLEBODY.joints[23:]
JOINTS: Mapping[int, tuple[str, ...]] = MappingProxyType(
    {
        17: COCO.joints,
        26: HALPE26.joints,
        133: COCO_WHOLEBODY.joints,
        136: (*HALPE26.joints, *_FACE_AND_HANDS),
    }
)


def matches(path: Path, content: Any) -> bool:
    first = content[0] if isinstance(content, list) and content else None
    if not isinstance(first, dict) or not {"image_id", "keypoints", "score"} <= first.keys():
        return False
    return "keypoint_scores" not in first and not any(
        module.matches(path, content) for module in (coco, coco_wholebody)
    )


def read(path: Path, content: Any) -> People:
    """Reads a result file.

    Raises:
        FormatError: naming the entry and field, for another number of joints, or one that changes within the file.
    """
    if not isinstance(content, list) or not content:
        raise FormatError(
            f"{path}: not a result of AlphaPose: expected a list of people with 'image_id' and 'keypoints'"
        )
    for i, entry in enumerate(content):
        if not isinstance(entry, dict) or not isinstance(entry.get("image_id"), str | int):
            raise FormatError(f"{path}: entry [{i}]: expected an object with an 'image_id', a name or a whole number")
    place, count = frames.in_order([entry["image_id"] for entry in content], str(path))
    listed: list[list[Detection]] = [[] for _ in range(count)]
    joints: tuple[str, ...] = ()
    for i, entry in enumerate(content):
        where = f"{path}: entry [{i}] (image {str(entry['image_id'])[:64]})"
        values = json_file.numbers(entry.get("keypoints"), f"{where}, keypoints")
        known = JOINTS.get(values.size // 3) if values.ndim == 1 and values.size % 3 == 0 else None
        if known is None:
            expected = ", ".join(f"{3 * k} ({k} joints)" for k in JOINTS)
            raise FormatError(
                f"{where}, keypoints: {values.size} numbers; expected a flat list x, y, c, ... of {expected}"
            )
        if joints and known != joints:
            raise FormatError(f"{where}, keypoints: {len(known)} joints, but {len(joints)} in the entries before")
        joints = known
        listed[place[entry["image_id"]]].append(Detection(_track(entry.get("idx")), values.reshape(-1, 3)))
    return People.of(listed, joints, source=str(path))


def _track(value: object) -> int | None:
    """``idx`` is a number or, from some trackers, a (nested) list of one."""
    for _ in range(2):
        value = value[0] if isinstance(value, list) and len(value) == 1 else value
    whole = isinstance(value, float) and value.is_integer()
    return track_id(int(value) if whole and isinstance(value, float) else value)
