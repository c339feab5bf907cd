"""Plain CSV with one header row, divided by commas, semicolons or tabs.

Long: a row is a point, with the columns ``frame``, ``joint``, ``x``, ``y`` (px), and optionally ``confidence`` and
``person``. Wide: a row is a person in a frame, with the columns ``JOINT_x``, ``JOINT_y`` and optionally
``JOINT_confidence`` for each joint, and optionally ``frame`` and ``person``; without ``frame`` rows are frames. The
order of the columns is free; ``conf``, ``score`` and ``likelihood`` mean ``confidence``; a first column without a name
(as pandas writes) is not read. ``frame`` holds whole numbers, those between that are not there are frames without
anybody (see :func:`frames.in_order`); ``person`` holds whole numbers, the track ids. An empty cell or NaN is missing;
without a confidence a point that is there has 1. Source: our own layout.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skelgraph.errors import FormatError
from skelgraph.files import csv_cells
from skelgraph.poses import frames
from skelgraph.poses.people import Detection, People, track_id

NAME = "csv"
TAKES = frozenset({"text file"})
_CONFIDENCE = ("confidence", "conf", "score", "likelihood")
_LONG = {"frame", "joint", "x", "y"}
_FEWEST_FILLED = 100  # one point in so many of frames x people x joints: below, the columns mean something else


class _Points:
    """The points of a table: frame, person (-1: none), joint and line of each, and its x, y, confidence."""

    def __init__(self) -> None:
        self.joints: dict[str, int] = {}
        self._places, self._values = array("q"), array("d")

    def add(self, who: tuple[int, int], joint: str, line: int, values: tuple[float, float, float]) -> None:
        self._places.extend((*who, self.joints.setdefault(joint, len(self.joints)), line))
        self._values.extend(values if all(map(math.isfinite, values)) else (0.0, 0.0, 0.0))

    def arrays(self) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """[N, 4] and [N, 3]"""
        return np.array(self._places).reshape(-1, 4), np.array(self._values).reshape(-1, 3)


def matches(path: Path, content: Any) -> bool:
    names = _names(next(iter(csv_cells.header(content)), []))
    return set(names) >= _LONG or bool(_wide_joints(names))


def read(path: Path, content: Any) -> People:
    """Reads a table.

    Raises:
        FormatError: naming the line and column, for a column that is unknown or missing, a cell that is no number, or a
            point that is duplicated.
    """
    source = str(path)
    table = csv_cells.rows(content, source)
    names = _names(next(table, (0, []))[1])
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise FormatError(f"{source}: the column {twice[0][:64]!r} is duplicated")
    if set(names) >= _LONG:
        points = _long(table, names, source)
    else:
        points = _wide(table, names, source)
    return _people(points, source)


def _names(row: Sequence[str]) -> list[str]:
    """Column names in our words: those of the table in small letters, joints as they are."""
    names = []
    for cell in row:
        joint, _, last = cell.rpartition("_")
        last = "confidence" if last.lower() in _CONFIDENCE else last.lower()
        fixed = last in ("x", "y", "confidence") or (not joint and last in ("frame", "joint", "person"))
        names.append((f"{'_'.join(joint.split())}_{last}" if joint else last) if fixed else cell)
    return names


def _wide_joints(names: Sequence[str]) -> dict[str, tuple[int, int, int | None]]:
    """joint -> columns of x, y and confidence, of those that have x and y."""
    place = {name: i for i, name in enumerate(names)}
    joints = [name[:-2] for name in names if name.endswith("_x") and name[:-2] + "_y" in place]
    return {j: (place[f"{j}_x"], place[f"{j}_y"], place.get(f"{j}_confidence")) for j in joints if j}


def _long(table: Any, names: Sequence[str], source: str) -> _Points:
    place = {name: i for i, name in enumerate(names)}
    unknown = [name for i, name in enumerate(names) if name not in {*_LONG, "confidence", "person"} and (i or name)]
    if unknown:
        raise FormatError(f"{source}: column {unknown[0][:64]!r}; expected frame, joint, x, y, confidence, person")
    columns = (place["x"], place["y"], place.get("confidence"))
    points = _Points()
    for line, row in table:
        joint = "_".join(row[place["joint"]].split())
        who = _who(row, place, f"{source}, line {line}", 0)
        points.add(who, joint, line, _values(row, columns, f"{source}, line {line}, frame {who[0]}, joint", joint))
    return points


def _wide(table: Any, names: Sequence[str], source: str) -> _Points:
    joints = _wide_joints(names)
    place = {name: i for i, name in enumerate(names)}
    known = {"frame", "person"} | {f"{joint}_{last}" for joint in joints for last in ("x", "y", "confidence")}
    unknown = [name for i, name in enumerate(names) if name not in known and (i or name)]
    if unknown or not joints:
        what = f"column {unknown[0][:64]!r}" if unknown else "no joints"
        raise FormatError(f"{source}: {what}; expected JOINT_x, JOINT_y, JOINT_confidence, frame and person only")
    points = _Points()
    for count, (line, row) in enumerate(table):
        who = _who(row, place, f"{source}, line {line}", count)
        where = f"{source}, line {line}, frame {who[0]}, joint"
        for joint, columns in joints.items():
            points.add(who, joint, line, _values(row, columns, where, joint))
    return points


def _who(row: Sequence[str], place: Mapping[str, int], where: str, count: int) -> tuple[int, int]:
    """Frame and person of a row; -1 for no person."""
    frame = csv_cells.whole(row[place["frame"]], f"{where}, column frame") if "frame" in place else count
    if "person" not in place:
        return frame, -1
    who = csv_cells.whole(row[place["person"]], f"{where}, column person")
    if who < 0:
        raise FormatError(f"{where}, column person: expected a whole number from 0, found {who}")
    return frame, who


def _values(
    row: Sequence[str], columns: tuple[int, int, int | None], where: str, joint: str
) -> tuple[float, float, float]:
    x, y, c = (
        1.0 if column is None else csv_cells.number_or_nan(row[column], f"{where} {joint[:64]!r}, {name}")
        for name, column in zip(("x", "y", "confidence"), columns, strict=True)
    )
    return x, y, c


def _people(points: _Points, source: str) -> People:
    places, values = points.arrays()
    names = tuple(points.joints)
    numbers, frame = np.unique(places[:, 0], return_inverse=True)
    tracks, track = np.unique(places[:, 1], return_inverse=True)
    order, count = frames.in_order(numbers.tolist(), source)
    frames.check_points(count, len(names), len(tracks), source)
    if count * len(names) * len(tracks) > _FEWEST_FILLED * (len(values) + 1000):
        raise FormatError(
            f"{source}: {len(values)} points of {len(names)} joints of {len(tracks)} people in {count} frames: too few "
            "to be keypoints; are the columns frame, joint and person what they should be?"
        )
    frame = np.array([order[number] for number in numbers.tolist()], dtype=np.int64)[frame]
    person_frame = frame * len(tracks) + track
    cell = person_frame * len(names) + places[:, 2]
    _check_twice(cell, places, names, source)
    grid = np.zeros((count, len(tracks), len(names), 3))
    grid.reshape(-1, 3)[cell] = values
    there = np.zeros((count, len(tracks)), dtype=bool)
    there.reshape(-1)[person_frame] = True
    ids = [track_id(number) for number in tracks.tolist()]
    listed = [[Detection(ids[p], grid[f, p]) for p in np.flatnonzero(there[f])] for f in range(count)]
    return People.of(listed, names, source=source)


def _check_twice(cell: NDArray[np.int64], places: NDArray[np.int64], names: Sequence[str], source: str) -> None:
    order = np.argsort(cell, kind="stable")
    again = order[1:][np.diff(cell[order]) == 0]
    if again.size:
        number, track, joint, line = places[again.min()].tolist()
        who = "" if track < 0 else f", person {track}"
        raise FormatError(f"{source}, line {line}: frame {number}{who}, joint {names[joint][:64]!r} is duplicated")
