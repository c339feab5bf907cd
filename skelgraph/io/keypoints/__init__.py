"""2D keypoints from files: one format per file in ``formats/``, detected from content."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

from skelgraph.errors import FormatError
from skelgraph.files.messages import nearest
from skelgraph.io.keypoints import sniff
from skelgraph.io.keypoints.format import KeypointFormat
from skelgraph.io.keypoints.formats import (
    alphapose,
    coco,
    coco_wholebody,
    deeplabcut,
    h3wb,
    keypoint_table,
    mediapipe,
    mmpose,
    npz,
    openpose,
    video,
    videopose3d,
    yolo,
)
from skelgraph.poses.keypoints import Keypoints
from skelgraph.poses.people import People

__all__ = ["FORMATS", "KeypointFormat", "Keypoints", "People", "read", "read_all", "read_people"]

FORMATS: tuple[KeypointFormat, ...] = (
    npz,
    videopose3d,
    coco_wholebody,
    coco,
    h3wb,
    alphapose,
    mmpose,
    mediapipe,
    openpose,
    yolo,
    deeplabcut,
    keypoint_table,
    video,
)
"""The formats, asked in this order whether they match. A video holds no keypoints: they are detected in it."""


def read(
    path: str | Path,
    format: str | None = None,
    person: int | Literal["largest"] | None = None,
    image_size: tuple[float, float] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Keypoints:
    """Reads one person's keypoints.

    Args:
        path, format, image_size, progress: as of :func:`read_people`.
        person: which person, where a frame holds more than one, see :meth:`People.choose`: the track id where the file
            has them, else from 0 by first appearance, followed from frame to frame; by place in arrays and tables that
            hold people in columns.

    Raises:
        FileNotFoundError: if there is no such file or folder.
        SeveralPeopleError: if a frame holds several people and none is chosen.
        ValueError: naming the file and what is wrong with it.

    Example:
        >>> keypoints = read("walk.json", person=3)  # doctest: +SKIP
        >>> keypoints.xy.shape  # doctest: +SKIP
        (200, 17, 2)
    """
    return read_people(path, format, image_size, progress).choose(person)


def read_all(
    path: str | Path,
    format: str | None = None,
    image_size: tuple[float, float] | None = None,
) -> list[Keypoints]:
    """Reads everybody's keypoints, each over all frames of the file, missing where not there.

    Args:
        path, format, image_size: as of :func:`read_people`.

    Returns:
        One per person, by :attr:`Keypoints.person`, which rises and is what :func:`read` takes as ``person``.

    Raises:
        FileNotFoundError, ValueError: as :func:`read`.
    """
    return read_people(path, format, image_size).everybody()


def read_people(
    path: str | Path,
    format: str | None = None,
    image_size: tuple[float, float] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> People:
    """Reads everybody in a file, once.

    Args:
        path: a file, a folder of OpenPose or YOLO frames, or a video (see :mod:`video`).
        format: the name of one of :data:`FORMATS`; default the first that the content looks like.
        image_size: width and height in px, in place of the file's. MediaPipe and YOLO write shares of it: without it
            their keypoints stay :attr:`Keypoints.normalised`, and :func:`skelgraph.poses.adapt.adapt` makes them px.
        progress: called for every frame of a video with the frames done and the frames in all.

    Raises:
        FileNotFoundError: if there is no such file or folder.
        FormatError: naming the file and what is wrong with it.
    """
    path = Path(path)
    found, content = _recognised(path, format)
    people = video.read(path, content, progress) if found is video else found.read(path, content)
    return dataclasses.replace(people, format=found.NAME, image_size=image_size or people.image_size)


def _recognised(path: Path, format: str | None) -> tuple[KeypointFormat, Any]:
    """The format of a file and its content."""
    if not path.exists():
        raise FileNotFoundError(f"{path}: no such file or folder")
    given = None if format is None else _named(format)
    kind = video.KIND if video.is_video(path) else sniff.kind(path)
    if given is not None and kind not in given.TAKES:
        takes = " or a ".join(sorted(given.TAKES))
        raise FormatError(f"{path}: is {_a(kind)}, which the format {given.NAME} is not; expected {_a(takes)}")
    content = sniff.content(path, kind)
    fitting = (each for each in FORMATS if kind in each.TAKES and each.matches(path, content))
    found = given or next(fitting, None)
    if found is None:
        known = ", ".join(each.NAME for each in FORMATS)
        raise FormatError(f"{path}: {_what(kind, content)}; formats that are read: {known}")
    return found, content


def _named(format: str) -> KeypointFormat:
    by_name = {each.NAME: each for each in FORMATS}
    name = format.lower().replace("_", "-")
    if name not in by_name:
        raise ValueError(f"format={format!r} is not known{nearest(name, by_name)}")
    return by_name[name]


def _a(words: str) -> str:
    return f"an {words}" if words.startswith("np") else f"a {words}"


def _what(kind: str, content: Any) -> str:
    if kind == "folder":
        return "the folder holds no OpenPose frames (*.json with 'people') and no YOLO frames (*.txt)"
    if kind == "npy file":
        return "an npy file does not say what it holds: give format='mediapipe', or save an npz with 'keypoints'"
    if isinstance(content, str):
        return (
            "neither npz nor JSON, nor CSV with the columns frame, joint, x, y or JOINT_x, JOINT_y, nor a table of "
            f"DeepLabCut or labels of YOLO; it begins {content[:40]!r}"
        )
    if isinstance(content, dict):
        return f"no format is known with the keys {', '.join(repr(key)[:40] for key in list(content)[:6]) or '(none)'}"
    return f"no format is known of {'an empty list' if content == [] else 'such a list'}"
