"""COCO keypoint JSON, 17 joints: annotations and detection results.

Annotations: ``{"images": [{"id", "width", "height"}], "annotations": [{"image_id", "keypoints": [x, y, v, ...]}]}``,
one image is one frame, in the file's order. v is 0 where nothing is labelled, 1 for a hidden and 2 for a visible joint;
both of these are read as confidence 1. Results: a list ``[{"image_id": 7, "category_id": 1, "keypoints": [51 numbers],
"score"}]``, frames in the order of their image ids (see :func:`frames.in_order`). ``track_id`` is used where every
entry has one. Source: cocodataset.org, Data format and Results format.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from skelgraph.errors import FormatError
from skelgraph.files import json_file
from skelgraph.poses import frames
from skelgraph.poses.people import Detection, People, track_id
from skelgraph.skeleton.builtin import COCO

NAME = "coco"
TAKES = frozenset({"JSON file"})
EXTRAS = ("foot_kpts", "face_kpts", "lefthand_kpts", "righthand_kpts")
_PARTS = {"keypoints": 17}


def matches(path: Path, content: Any) -> bool:
    found = entries(content)
    if not found or any(part in entry for entry in found if isinstance(entry, dict) for part in EXTRAS):
        return False
    if isinstance(content, dict):
        return True
    values = found[0]["keypoints"]
    ours = isinstance(found[0]["image_id"], int) and not {"idx", "box"} & found[0].keys()
    return ours and isinstance(values, list) and len(values) == 51


def read(path: Path, content: Any) -> People:
    """Reads annotations or results.

    Raises:
        FormatError: naming the entry and field, for other lengths than 51, images of different sizes, or an annotation
            of an image that is not listed.
    """
    return read_entries(path, content, _PARTS, COCO.joints)


def entries(content: Any) -> list[Any] | None:
    """The annotations or results of COCO and COCO-WholeBody, None if it is neither."""
    found = content.get("annotations") if isinstance(content, dict) else content
    if isinstance(content, dict) and not isinstance(content.get("images"), list):
        return None
    if not isinstance(found, list) or not found or not isinstance(found[0], dict):
        return None
    return found if {"image_id", "keypoints"} <= found[0].keys() else None


def read_entries(path: Path, content: Any, parts: Mapping[str, int], joints: Sequence[str]) -> People:
    """Reads the given parts (field -> number of joints) of annotations or results."""
    found = entries(content)
    if not found:
        raise FormatError(
            f"{path}: not COCO: expected 'images' and 'annotations' with 'keypoints', or a list of results with "
            "'image_id' and 'keypoints'"
        )
    images = content["images"] if isinstance(content, dict) else None
    place, count = _frames(found, images, path)
    listed: list[list[Detection]] = [[] for _ in range(count)]
    for i, entry in enumerate(found):
        where = f"{path}: {'entry ' if images is None else 'annotations'}[{i}]"
        if entry["image_id"] not in place:
            raise FormatError(f"{where}: its image_id {entry['image_id']} is not among the images")
        listed[place[entry["image_id"]]].append(_person(entry, parts, where))
    return People.of(listed, joints, image_size=_image_size(images or [], str(path)), source=str(path))


def _frames(found: list[Any], images: list[Any] | None, path: Path) -> tuple[Mapping[str | int, int], int]:
    for i, entry in enumerate(found):
        if not isinstance(entry, dict) or not isinstance(entry.get("image_id"), int):
            where = "annotations" if images is not None else "entry "
            raise FormatError(f"{path}: {where}[{i}]: expected an object with a whole number 'image_id'")
    if images is None:
        return frames.in_order([entry["image_id"] for entry in found], str(path))
    place: dict[str | int, int] = {}
    for i, image in enumerate(images):
        if not isinstance(image, dict) or not isinstance(image.get("id"), int) or image["id"] in place:
            raise FormatError(f"{path}: images[{i}]: expected an object with a whole number 'id' of its own")
        place[image["id"]] = i
    return place, len(place)


def _person(entry: Mapping[str, Any], parts: Mapping[str, int], where: str) -> Detection:
    rows = []
    for field, count in parts.items():
        values = json_file.numbers(entry.get(field) or [0.0] * 3 * count, f"{where}, {field}")
        if values.shape != (3 * count,):
            raise FormatError(
                f"{where}, {field}: {values.size} numbers; expected {3 * count}: x, y, v of {count} joints"
            )
        part = values.reshape(count, 3)
        if entry.get(field.replace("_kpts", "_valid")) is False:
            part[:, 2] = 0
        rows.append(part)
    return Detection(track_id(entry.get("track_id")), np.concatenate(rows))


def _image_size(images: Sequence[Mapping[str, Any]], source: str) -> tuple[float, float] | None:
    sizes = [[image.get("width"), image.get("height")] for image in images]
    different = sum(size != sizes[0] for size in sizes)
    if different:
        raise FormatError(f"{source}: {different} of its images differ in size from the first; one size at a time")
    width, height = sizes[0] if sizes else (None, None)
    if isinstance(width, int | float) and isinstance(height, int | float):
        return float(width), float(height)
    return None
