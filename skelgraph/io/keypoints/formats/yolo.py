"""YOLO's pose labels and predictions: a folder of txt files, one a frame, or one such file.

A line is a person: ``class cx cy w h`` and 17 times ``x y`` or ``x y v``, then, of predictions, the confidence of the
box and the track id, where they were asked for; all but class and id are shares of the image's width and height, which
the image size makes px. Joints are COCO's, v (0, 1, 2, or a confidence) is the confidence, a point at exactly (0, 0) is
missing. A single number behind the points is the track id if it is whole and above 0 in every such line, else the
confidence of the box. Frames are ordered by the numbers in the names (see :func:`frames.in_order`), as Ultralytics
writes no file for a frame without anybody; ``classes.txt`` is passed over. Source: docs.ultralytics.com, Pose datasets;
``Results.save_txt``.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from skelgraph.errors import FormatError
from skelgraph.files import csv_cells, text_file
from skelgraph.poses import frames
from skelgraph.poses.people import Detection, People, track_id
from skelgraph.skeleton.builtin import COCO

NAME = "yolo"
TAKES = frozenset({"folder", "text file"})
_BOX, _JOINTS = 5, COCO.num_joints
_LENGTHS = {_BOX + 2 * _JOINTS: 2, _BOX + 3 * _JOINTS: 3}  # numbers in a line -> in a joint
_FRAME_BYTES, _LOOKED_AT = 1 << 22, 100


def matches(path: Path, content: Any) -> bool:
    """Whether the first line that is not empty has as many numbers as a person."""
    if content is not None:
        return _is_person(content)
    files = _files(path)[:_LOOKED_AT]
    texts = (text_file.read(file, _FRAME_BYTES) for file in files)
    return _is_person(next((text for text in texts if text.strip()), ""))


def read(path: Path, content: Any) -> People:
    """Reads a folder, or the one frame in ``content``; the keypoints are :attr:`Keypoints.normalised`.

    Raises:
        FormatError: naming the file and line, for lines of another length, anything that is no number, or values that
            are px already.
    """
    files = _files(path) if content is None else [path]
    if not files:
        raise FormatError(f"{path}: holds no frames (*.txt)")
    if len(files) > frames.MAX_FRAMES:
        raise FormatError(f"{path}: {len(files)} frames; at most {frames.MAX_FRAMES} are read at once")
    place, count = frames.in_order([file.stem for file in files], str(path))
    rows: list[tuple[int, list[float]]] = []
    for file in files:
        text = text_file.read(file, _FRAME_BYTES) if content is None else content
        rows += [(place[file.stem], row) for row in _rows(text, file)]
    width = {next(size for size in sorted(_LENGTHS, reverse=True) if len(row) >= size) for _, row in rows}
    if len(width) > 1:
        raise FormatError(f"{path}: some of its lines have 2 numbers a joint and some 3")
    base = next(iter(width), 0)
    ones = [row[base] for _, row in rows if len(row) == base + 1]
    ids = all(value >= 1 and value.is_integer() for value in ones)
    listed: list[list[Detection]] = [[] for _ in range(count)]
    for frame, row in rows:
        listed[frame].append(_person(row, base, ids))
    return People.of(listed, COCO.joints, source=str(path), normalised=True)


def _files(folder: Path) -> list[Path]:
    return sorted(file for file in folder.glob("*.txt") if file.name != "classes.txt" and file.is_file())


def _is_person(text: str) -> bool:
    line = text.lstrip()[:5000].split("\n", 1)[0]
    numbers = [csv_cells.is_number(word) for word in line.split()]
    return all(numbers) and any(0 <= len(numbers) - size <= 2 for size in _LENGTHS)


def _rows(text: str, file: Path) -> list[list[float]]:
    rows = []
    for i, line in enumerate(text.splitlines(), start=1):
        words = line.split()
        if not words:
            continue
        if not any(0 <= len(words) - size <= 2 for size in _LENGTHS):
            raise FormatError(
                f"{file}, line {i}: {len(words)} numbers; expected {' or '.join(map(str, _LENGTHS))} (class, box and "
                f"{_JOINTS} joints x y or x y v) and up to 2 more (confidence, track id)"
            )
        row = [csv_cells.number(word, f"{file}, line {i}, number {n}") for n, word in enumerate(words, start=1)]
        rows.append(row)
    return rows


def _person(row: Sequence[float], base: int, ids: bool) -> Detection:
    points = np.array(row[_BOX:base]).reshape(_JOINTS, _LENGTHS[base])
    seen = (points[:, :2] != 0).any(axis=1)
    confidence = np.where(seen, points[:, 2] if points.shape[1] == 3 else 1.0, 0.0)
    more = row[base:]
    track = more[-1] if len(more) == 2 or (more and ids) else None
    whole = track is not None and track.is_integer()
    joints = np.column_stack([points[:, :2], confidence])
    return Detection(track_id(int(track)) if whole and track is not None else None, joints)
