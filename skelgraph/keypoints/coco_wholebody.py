"""COCO and COCO-WholeBody annotation JSON: one image is one frame.

``{"images": [{"id", "width", "height"}], "annotations": [{"image_id", "keypoints" [17 x 3], "foot_kpts" [6 x 3],
"face_kpts" [68 x 3], "lefthand_kpts" [21 x 3], "righthand_kpts" [21 x 3], "face_valid", ...}]}``, flat lists
x, y, v with v = 0 for what is not labelled; an invalid part is missing. A file with ``keypoints`` alone is COCO.
Source: COCO-WholeBody, data_format.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from skelgraph import strict_json
from skelgraph.keypoints import people
from skelgraph.keypoints.keypoints import Keypoints
from skelgraph.skeletons import COCO, COCO_WHOLEBODY

_PARTS = {"keypoints": 17, "foot_kpts": 6, "face_kpts": 68, "lefthand_kpts": 21, "righthand_kpts": 21}


def matches(path: Path, content: Any) -> bool:
    entries = content.get("annotations") if isinstance(content, dict) else None
    if not isinstance(entries, list) or not entries or not isinstance(content.get("images"), list):
        return False
    return isinstance(entries[0], dict) and {"image_id", "keypoints"} <= entries[0].keys()


def read(path: Path, content: Any, person: int | None = None) -> Keypoints:
    """Reads an annotation file, images in the file's order.

    Raises:
        ValueError: naming the annotation and field, for other lengths than those above, images of different sizes, or
            an annotation of an image that is not listed.
    """
    if not matches(path, content):
        raise ValueError(f"{path}: not COCO annotations: expected 'images' and 'annotations' with 'keypoints'")
    frames: dict[int, list[people.Person]] = {}
    for i, image in enumerate(content["images"]):
        if not isinstance(image, dict) or not isinstance(image.get("id"), int) or image["id"] in frames:
            raise ValueError(f"{path}: images[{i}]: expected an object with a whole number 'id' of its own")
        frames[image["id"]] = []
    whole = any(part in entry for entry in content["annotations"] if isinstance(entry, dict) for part in _EXTRAS)
    for i, entry in enumerate(content["annotations"]):
        where = f"{path}: annotations[{i}]"
        if not isinstance(entry, dict) or not isinstance(entry.get("image_id"), int):
            raise ValueError(f"{where}: expected an object with a whole number 'image_id'")
        if entry["image_id"] not in frames:
            raise ValueError(f"{where}: its image_id {entry['image_id']} is not among the images")
        frames[entry["image_id"]].append(_person(entry, whole, where))
    names = (COCO_WHOLEBODY if whole else COCO).joints
    joints = people.choose(list(frames.values()), len(names), person, str(path))
    return Keypoints.of(joints, names, image_size=_image_size(content["images"], str(path)), source=str(path))


_EXTRAS = tuple(_PARTS)[1:]


def _person(entry: Mapping[str, Any], whole: bool, where: str) -> people.Person:
    rows = []
    for field, count in _PARTS.items() if whole else [("keypoints", 17)]:
        values = strict_json.numbers(entry.get(field) or [0.0] * 3 * count, f"{where}, {field}")
        if values.shape != (3 * count,):
            raise ValueError(
                f"{where}, {field}: {values.size} numbers; expected {3 * count}: x, y, v of {count} joints"
            )
        part = values.reshape(count, 3)
        if entry.get(field.replace("_kpts", "_valid")) is False:
            part[:, 2] = 0
        rows.append(part)
    return people.Person(people.track_id(entry.get("track_id")), np.concatenate(rows))


def _image_size(images: list[dict[str, Any]], source: str) -> tuple[float, float] | None:
    sizes = {(image.get("width"), image.get("height")) for image in images}
    if len(sizes) > 1:
        raise ValueError(f"{source}: its images differ in size ({len(sizes)} sizes); one video or one size at a time")
    width, height = next(iter(sizes), (None, None))
    if isinstance(width, int | float) and isinstance(height, int | float):
        return float(width), float(height)
    return None
