"""TRC, the marker files of OpenSim and Pose2Sim: tab-separated text, one line a frame."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from skelgraph.errors import FormatError
from skelgraph.files import atomic, text_file
from skelgraph.files.new_file import new_file
from skelgraph.io.poses import output
from skelgraph.poses.pose3d import Pose3D
from skelgraph.skeleton import Skeleton

_FIELDS = (
    *("DataRate", "CameraRate", "NumFrames", "NumMarkers"),
    *("Units", "OrigDataRate", "OrigDataStartFrame", "OrigNumFrames"),
)
_PER_M = {"m": 1, "mm": 1000}
_DECIMALS = {"m": 6, "mm": 3}
MAX_MARKERS, MAX_FRAMES = 1000, 1_000_000

ENDING = ".trc"


def write(
    pose: Pose3D,
    path: str | Path,
    *,
    axes: str | None = None,
    unit: str = "m",
    names: Mapping[str, str] | None = None,
    force: bool = False,
) -> None:
    """Writes a pose, each joint a marker, to 1 µm; joints that were missing are written as they were guessed.

    OpenSim pairs markers with those of a model by name: where they are called otherwise there, give ``names``.

    Args:
        pose: F frames, at least one, with frames per second.
        path: a name that ends in .trc.
        axes: a preset of :mod:`skelgraph.geometry.axes`; default ``opensim``.
        unit: m or mm.
        names: markers' names by joint, such as ``{"right_hip": "RHip"}``; other joints keep theirs.
        force: replace a file that is there.

    Raises:
        ValueError: for another ending, unknown axes or unit, names that are unknown or duplicated, no frames per
            second or no frames.
        OutputExistsError: if the file is there and ``force`` is not given.
        OSError: disk full, read-only folder; nothing is written then.
    """
    path = new_file(path, ".trc", force)
    if unit not in _PER_M:
        raise ValueError(f"{path}: unit {unit!r}; expected m or mm")
    fps, markers = output.rate(pose, path), _markers(pose.skeleton, names)
    joints = output.points(pose, axes or "opensim") * _PER_M[unit]
    frames, decimals = pose.num_frames, _DECIMALS[unit]
    values = (f"{fps:.9g}", f"{fps:.9g}", frames, len(markers), unit, f"{fps:.9g}", 1, frames)
    lines = [
        f"PathFileType\t4\t(X/Y/Z)\t{path.name.translate({9: '_', 10: '_', 13: '_'})}",
        "\t".join(_FIELDS),
        "\t".join(map(str, values)),
        "Frame#\tTime\t" + "\t\t\t".join(markers) + "\t\t",
        "\t\t" + "\t".join(f"X{i}\tY{i}\tZ{i}" for i in range(1, len(markers) + 1)),
        "",
    ]
    for frame, row in enumerate(joints.reshape(frames, -1).tolist()):
        lines.append(f"{frame + 1}\t{frame / fps:.9g}\t" + "\t".join(f"{value:.{decimals}f}" for value in row))
    atomic.write(path, "\n".join(lines) + "\n")


def _markers(skeleton: Skeleton, names: Mapping[str, str] | None) -> list[str]:
    for joint, name in (names or {}).items():
        skeleton.index(joint)
        if not name or any(character.isspace() for character in name):
            raise ValueError(f"marker name {name!r} of {joint}: expected text without spaces")
    markers = [(names or {}).get(joint, joint) for joint in skeleton.joints]
    twice = sorted({name for name in markers if markers.count(name) > 1})
    if twice:
        raise ValueError(f"marker names are duplicated: {', '.join(twice[:5])}")
    return markers


def read(path: str | Path, skeleton: Skeleton | None = None, *, axes: str = "opensim") -> Pose3D:
    """Reads a TRC of m or mm; empty cells and NaN are missing markers, which are put to 0.

    Args:
        path: the file.
        skeleton: whose joints to take, by name; default the file's markers, without bones.
        axes: those the file was written in.

    Raises:
        FileNotFoundError: if there is no such file.
        FormatError: naming the file and the line, for anything that does not fit.
    """
    path = Path(path)
    lines = text_file.lines(path)
    fps, frames, count, unit = _head(path, lines)
    cells = [cell.strip() for cell in lines[3].split("\t")]
    markers = [cell for cell in cells[2:] if cell]
    if cells[:2] != ["Frame#", "Time"] or len(markers) != count:
        raise FormatError(f"{path}, line 4: {len(markers)} markers; expected Frame#, Time and {count} markers")
    rows = [(number, line) for number, line in enumerate(lines[5:], 6) if line.strip()]
    if len(rows) != frames:
        raise FormatError(f"{path}: NumFrames is {frames}, but there are {len(rows)} lines of data")
    values = np.empty((frames, count, 3))
    for index, (number, line) in enumerate(rows):
        values[index] = _row(f"{path}, line {number}", line, count)
    missing = np.asarray(np.isnan(values).any(-1))
    values = np.where(missing[..., None], 0, values / _PER_M[unit])
    return output.pose_of(path, markers, values, axes=axes, fps=fps, missing=missing, skeleton=skeleton)


def _head(path: Path, lines: list[str]) -> tuple[float, int, int, str]:
    """Rate, number of frames, number of markers and unit."""
    if len(lines) < 6 or lines[0].split("\t")[:3] != ["PathFileType", "4", "(X/Y/Z)"]:
        raise FormatError(f"{path}, line 1: expected 'PathFileType 4 (X/Y/Z)', tab-separated")
    fields = dict(zip(lines[1].split("\t"), (cell.strip() for cell in lines[2].split("\t")), strict=False))
    try:
        fps, frames, count, unit = (
            float(fields["DataRate"]),
            int(fields["NumFrames"]),
            int(fields["NumMarkers"]),
            fields["Units"],
        )
    except KeyError as error:
        raise FormatError(f"{path}, line 2: {error} is missing") from None
    except ValueError as error:
        raise FormatError(f"{path}, line 3: {str(error)[:80]}") from None
    if not 0 < fps < 1e6 or not 0 <= frames <= MAX_FRAMES or not 0 < count <= MAX_MARKERS or unit not in _PER_M:
        raise FormatError(
            f"{path}, line 3: DataRate {fps:g}, NumFrames {frames}, NumMarkers {count}, Units {unit[:20]!r}; expected "
            f"a rate above 0, at most {MAX_FRAMES} frames, 1 to {MAX_MARKERS} markers, m or mm"
        )
    return fps, frames, count, unit


def _row(where: str, line: str, count: int) -> NDArray[np.float64]:
    """Markers [M, 3] of a line, NaN where empty."""
    cells = line.split("\t")
    if any(cell.strip() for cell in cells[2 + 3 * count :]) or len(cells) < 2:
        raise FormatError(f"{where}: {len(cells)} columns; expected {2 + 3 * count}")
    texts = [cell.strip() or "nan" for cell in cells[2 : 2 + 3 * count]]
    try:
        row = [float(text) for text in texts] + [math.nan] * (3 * count - len(texts))
    except ValueError as error:
        raise FormatError(f"{where}: {str(error)[:80]}") from None
    if any(map(math.isinf, row)):
        raise FormatError(f"{where}: holds a number that is not finite")
    return np.array(row).reshape(count, 3)
