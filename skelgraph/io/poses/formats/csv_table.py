"""CSV, one row a joint and frame: ``frame,time,joint,x,y,z`` and, where it is known, ``missing`` (0 or 1).

Positions are in m, times in s (empty where frames per second are unknown). The axes are those asked for: the file
cannot say which.
"""

from __future__ import annotations

import csv
import math
from pathlib import Path

import numpy as np

from skelgraph.errors import FormatError
from skelgraph.files import atomic, text_file
from skelgraph.files.new_file import new_file
from skelgraph.io.poses import output
from skelgraph.io.poses.output import WORLD
from skelgraph.poses.pose3d import Pose3D
from skelgraph.skeleton import Skeleton

HEADER = ("frame", "time", "joint", "x", "y", "z")

ENDING = ".csv"


def write(
    pose: Pose3D,
    path: str | Path,
    *,
    axes: str | None = None,
    force: bool = False,
) -> None:
    """Writes a pose with 9 digits, so that ``camera`` axes are read back exactly.

    Args:
        pose: F frames.
        path: a name that ends in .csv.
        axes: a preset of :mod:`skelgraph.geometry.axes`; default the pose's own, ``camera`` or ``world``.
        force: replace a file that is there.

    Raises:
        ValueError: for another ending, or axes that are unknown or not of such a pose.
        OutputExistsError: if the file is there and ``force`` is not given.
        OSError: disk full, read-only folder; nothing is written then.
    """
    path = new_file(path, ".csv", force)
    joints = output.points(pose, axes or (WORLD if pose.is_in_world else "camera"))
    names, missing = pose.skeleton.joints, pose.missing
    rows = [",".join((*HEADER, *(() if missing is None else ("missing",))))]
    for frame, places in enumerate(joints.tolist()):
        start = f"{frame},{'' if pose.fps is None else repr(frame / pose.fps)}"
        flags = [""] * len(names) if missing is None else [f",{int(flag)}" for flag in missing[frame]]
        for name, (x, y, z), flag in zip(names, places, flags, strict=True):
            rows.append(f"{start},{name},{x:.9g},{y:.9g},{z:.9g}{flag}")
    atomic.write(path, "\n".join(rows) + "\n")


def read(path: str | Path, skeleton: Skeleton | None = None, *, axes: str = "camera") -> Pose3D:
    """Reads what :func:`write` wrote; every frame must have the same joints in the same order.

    Args:
        path: the file.
        skeleton: whose joints to take, by name; default the file's joints, without bones.
        axes: those the file was written in.

    Raises:
        FileNotFoundError: if there is no such file.
        FormatError: naming the file and the line, for anything that does not fit.
    """
    path = Path(path)
    table = csv.reader(text_file.lines(path), strict=True)
    try:
        header, *rows = [(table.line_num, row) for row in table if row] or [(1, [])]
    except csv.Error as error:
        raise FormatError(f"{path}, line {table.line_num}: {error}") from None
    flagged = header[1] == [*HEADER, "missing"]
    if not flagged and header[1] != [*HEADER]:
        raise FormatError(f"{path}, line 1: the columns are {','.join(header[1])[:80]!r}; expected {','.join(HEADER)}")
    joints = [row[2] for _, row in rows if len(row) > 2 and row[0] == "0"] or [*(skeleton.joints if skeleton else ())]
    values = np.empty((len(rows), 5))
    for index, (line, row) in enumerate(rows):
        values[index] = _row(f"{path}, line {line}", row, index, joints, flagged)
    if not joints or len(rows) % len(joints):
        raise FormatError(f"{path}: {len(rows)} rows of {len(joints)} joints; expected each joint once a frame")
    table_of = values.reshape(-1, len(joints), 5)
    missing = table_of[..., 4] == 1 if flagged else None
    fps = _fps(path, table_of[:, 0, 3])
    return output.pose_of(path, joints, table_of[..., :3], axes=axes, fps=fps, missing=missing, skeleton=skeleton)


def _row(where: str, row: list[str], index: int, joints: list[str], flagged: bool) -> tuple[float, ...]:
    """x, y, z, time (NaN: none) and missing of a row."""
    if len(row) != len(HEADER) + flagged:
        raise FormatError(f"{where}: {len(row)} columns; expected {len(HEADER) + flagged}")
    if not joints:
        raise FormatError(f"{where}: frame {row[0][:20]!r}; expected frames to count from 0")
    frame, joint = divmod(index, len(joints))
    if (row[0], row[2]) != (str(frame), joints[joint]):
        found = f"frame {row[0][:20]!r}, joint {row[2][:64]!r}"
        raise FormatError(f"{where}: {found}; expected frame {frame}, joint {joints[joint]}")
    if flagged and row[6] not in ("0", "1"):
        raise FormatError(f"{where}: missing is {row[6][:20]!r}; expected 0 or 1")
    try:
        x, y, z, time = (float(text) for text in (*row[3:6], row[1] or "-1"))
    except ValueError as error:
        raise FormatError(f"{where}: {str(error)[:80]}") from None
    if not all(map(math.isfinite, (x, y, z, time))):
        raise FormatError(f"{where}: holds a number that is not finite")
    return x, y, z, time if row[1] else math.nan, float(flagged and row[6] == "1")


def _fps(path: Path, times: np.ndarray) -> float | None:
    if len(times) < 2 or np.isnan(times).all():
        return None
    steps = np.diff(times)
    if not (steps > 0).all() or np.ptp(steps) > 0.5 * steps.mean():
        raise FormatError(f"{path}: times do not rise by equal steps")
    return float((len(times) - 1) / (times[-1] - times[0]))
