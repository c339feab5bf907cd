"""2D keypoints from files: one format a file, recognised by content.

A format is a module with ``TAKES``, what it can be (of :data:`sniff.KINDS`), ``matches(path, content)`` and
``read(path, content, person)``. ``content`` is the parsed JSON of a JSON file, the text of a text file, the names of
the arrays in an npz file, and None for a folder, an npy file or a video.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from pathlib import Path
from types import MappingProxyType, ModuleType
from typing import Any

from skelgraph.io.keypoints import sniff
from skelgraph.io.keypoints.formats import (
    alphapose,
    coco,
    coco_wholebody,
    csv_table,
    deeplabcut,
    h3wb,
    mediapipe,
    mmpose,
    npz,
    openpose,
    video,
    videopose3d,
    yolo,
)
from skelgraph.poses import people
from skelgraph.poses.keypoints import Keypoints

__all__ = ["FORMATS", "Keypoints", "read", "read_all"]

FORMATS: Mapping[str, ModuleType] = MappingProxyType(
    {
        "npz": npz,
        "videopose3d": videopose3d,
        "coco-wholebody": coco_wholebody,
        "coco": coco,
        "h3wb": h3wb,
        "alphapose": alphapose,
        "mmpose": mmpose,
        "mediapipe": mediapipe,
        "openpose": openpose,
        "yolo": yolo,
        "deeplabcut": deeplabcut,
        "csv": csv_table,
    }
)
_READ: Mapping[str, ModuleType] = MappingProxyType({**FORMATS, "video": video})
"""A video holds no keypoints: they are found in it."""


def read(
    path: str | Path,
    format: str | None = None,
    person: int | None = None,
    image_size: tuple[float, float] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Keypoints:
    """Reads one person's keypoints.

    Args:
        path: a file, a folder of OpenPose or YOLO frames, or a video (see :mod:`video`).
        format: one of :data:`FORMATS` or ``video``; default what the content looks like.
        person: which person, where a frame holds more than one: the track id where the file has them, else from 0 by
            first appearance, followed from frame to frame; by place in arrays and tables that hold people in columns.
        image_size: width and height in px, in place of the file's. MediaPipe and YOLO write shares of it: without it
            their keypoints stay :attr:`Keypoints.normalised`, and :func:`adapt.adapt` makes them px.
        progress: called for every frame of a video with the frames done and the frames in all.

    Raises:
        FileNotFoundError: if there is no such file or folder.
        ValueError: naming the file and what is wrong with it.
    """
    path, name, content = _recognised(path, format)
    more = {"progress": progress} if name == "video" else {}
    return _finished(_READ[name].read(path, content, person, **more), name, person, image_size)


def read_all(
    path: str | Path,
    format: str | None = None,
    image_size: tuple[float, float] | None = None,
) -> list[Keypoints]:
    """Reads everybody's keypoints, each over all frames of the file, missing where not there.

    Args:
        path, format, image_size: as of :func:`read`.

    Returns:
        One a person, by :attr:`Keypoints.person`, which rises and is what :func:`read` takes as ``person``: track ids
        where the file has them, else as people are numbered there.

    Raises:
        FileNotFoundError, ValueError: as :func:`read`.
    """
    path, name, content = _recognised(path, format)
    ids: tuple[int, ...] = (0,)
    try:
        _READ[name].read(path, content, people.EVERYONE)
    except people.Present as present:
        ids = present.ids
    return [_finished(_READ[name].read(path, content, person), name, person, image_size) for person in ids]


def _recognised(path: str | Path, format: str | None) -> tuple[Path, str, Any]:
    """The path, the name of its format and its content."""
    path = Path(path)
    if not path.exists():
        raise FileNotFoundError(f"{path}: no such file or folder")
    name = None if format is None else _known(format)
    kind = video.KIND if video.is_video(path) else sniff.kind(path)
    if name is not None and kind not in _READ[name].TAKES:
        takes = " or a ".join(sorted(_READ[name].TAKES))
        raise ValueError(f"{path}: is {_a(kind)}, which the format {name} is not; expected {_a(takes)}")
    content = sniff.content(path, kind)
    if name is None:
        fitting = (key for key, module in _READ.items() if kind in module.TAKES and module.matches(path, content))
        name = next(fitting, None)
    if name is None:
        raise ValueError(f"{path}: {_what(kind, content)}; formats that are read: {', '.join(_READ)}")
    return path, name, content


def _finished(found: Keypoints, name: str, person: int | None, image_size: tuple[float, float] | None) -> Keypoints:
    found = dataclasses.replace(found, format=name, person=person)
    return found if image_size is None else dataclasses.replace(found.in_pixels(image_size), image_size=image_size)


def _known(format: str) -> str:
    name = format.lower().replace("_", "-")
    if name not in _READ:
        near = get_close_matches(name, _READ, 1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise ValueError(f"--format {format!r} is not known{hint}; it can be {', '.join(_READ)}")
    return name


def _a(words: str) -> str:
    return f"an {words}" if words.startswith("np") else f"a {words}"


def _what(kind: str, content: Any) -> str:
    if kind == "folder":
        return "the folder holds no OpenPose frames (*.json with 'people') and no YOLO frames (*.txt)"
    if kind == "npy file":
        return "an npy file does not say what it holds: insist on --format mediapipe, or save an npz with 'keypoints'"
    if isinstance(content, str):
        return (
            "neither npz nor JSON, nor CSV with the columns frame, joint, x, y or JOINT_x, JOINT_y, nor a table of "
            f"DeepLabCut or labels of YOLO; it begins {content[:40]!r}"
        )
    if isinstance(content, dict):
        return f"no format is known with the keys {', '.join(repr(key)[:40] for key in list(content)[:6]) or '(none)'}"
    return f"no format is known of {'an empty list' if content == [] else 'such a list'}"
