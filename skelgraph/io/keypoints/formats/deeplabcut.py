"""DeepLabCut's CSV: three header rows, ``scorer``, ``bodyparts`` and ``coords``, four with ``individuals``.

``coords`` are x, y in px and, of predictions, likelihood, which is the confidence; without it a point that is not empty
is seen. Each row below is a frame, in the file's order; what stands before the first x (frame number, image) is not
read. Joint names are the file's, blanks become ``_``: only those that are called as in a skeleton of ours are found by
name. Individuals are people, by place, in the file's order. Source: DeepLabCut, docs, Helper functions and standard
data output.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skelgraph.errors import FormatError
from skelgraph.files import csv_cells
from skelgraph.poses import frames
from skelgraph.poses.people import People

NAME = "deeplabcut"
TAKES = frozenset({"text file"})
_COORDS = {"x": 0, "y": 1, "likelihood": 2}


class _Columns(NamedTuple):
    """joints and individuals by name, and for each column its number, individual, joint, and place in x, y, c."""

    joints: tuple[str, ...]
    individuals: tuple[str, ...]
    places: tuple[tuple[int, int, int, int], ...]


def matches(path: Path, content: Any) -> bool:
    start = csv_cells.header(content, lines=4)
    names = [row[0].lower() for row in start if row]
    return names[:3] == ["scorer", "bodyparts", "coords"] or names == ["scorer", "individuals", "bodyparts", "coords"]


def read(path: Path, content: Any) -> People:
    """Reads a table.

    Raises:
        FormatError: naming the line and column, for other header rows, a joint without x and y, or a cell that is no
            number.
    """
    if not isinstance(content, str) or not matches(path, content):
        raise FormatError(f"{path}: not DeepLabCut's: expected header rows 'scorer', 'bodyparts' and 'coords'")
    table = csv_cells.rows(content, str(path))
    head: dict[str, list[str]] = {}
    while "coords" not in head:
        row = next(table)[1]
        head[row[0].lower()] = row
    columns = _columns(head, str(path))
    size = (len(columns.individuals), len(columns.joints), 3)
    frames.check_points(1, size[1], size[0], str(path))
    found: list[NDArray[np.float64]] = []
    for line, row in table:
        frame = np.full(size, np.nan)
        for column, one, joint, place in columns.places:
            where = f"{path}, line {line}, column {column + 1} ({columns.joints[joint]})"
            frame[one, joint, place] = csv_cells.number_or_nan(row[column], where)
        found.append(frame)
        frames.check_points(len(found), size[1], size[0], str(path))
    values = np.array(found).reshape(-1, *size)
    if not any(place == 2 for *_, place in columns.places):
        values[..., 2] = 1
    values[~np.isfinite(values).all(axis=-1)] = 0
    names = columns.individuals if len(columns.individuals) > 1 else ()
    return People.by_place(values, columns.joints, source=str(path), names=names)


def _columns(head: dict[str, list[str]], source: str) -> _Columns:
    coords = [cell.lower() for cell in head["coords"]]
    first = coords.index("x") if "x" in coords else len(coords)
    parts = ["_".join(cell.split()) for cell in head["bodyparts"]]
    owners = head.get("individuals", [""] * len(parts))
    joints, individuals = dict.fromkeys(parts[first:]), dict.fromkeys(owners[first:])
    joint_of = {name: i for i, name in enumerate(joints)}
    one_of = {name: i for i, name in enumerate(individuals)}
    places = []
    for column in range(first, len(coords)):
        if coords[column] not in _COORDS:
            raise FormatError(
                f"{source}: row coords, column {column + 1}: {coords[column][:40]!r}; expected x, y or likelihood"
            )
        places.append((column, one_of[owners[column]], joint_of[parts[column]], _COORDS[coords[column]]))
    _check(places, tuple(joints), source)
    return _Columns(tuple(joints), tuple(individuals), tuple(places))


def _check(places: list[tuple[int, int, int, int]], joints: tuple[str, ...], source: str) -> None:
    if not places:
        raise FormatError(f"{source}: row coords has no x: expected x, y, likelihood for each body part")
    found: dict[tuple[int, int], list[int]] = {}
    for _, one, joint, place in places:
        found.setdefault((one, joint), []).append(place)
    likelihood = any(2 in group for group in found.values())
    for (_, joint), group in found.items():
        if sorted(group) != ([0, 1, 2] if likelihood else [0, 1]):
            expected = "x, y and likelihood" if likelihood else "x and y"
            raise FormatError(f"{source}: body part {joints[joint][:64]!r}: expected one column each of {expected}")
