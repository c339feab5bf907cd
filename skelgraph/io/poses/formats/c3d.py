"""C3D, the binary files of biomechanics, by way of the library ezc3d (the extra ``c3d``)."""

from __future__ import annotations

import errno
import importlib
import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from skelgraph.errors import FormatError, MissingExtraError
from skelgraph.files import atomic, text_file
from skelgraph.files.new_file import new_file
from skelgraph.io.poses import output
from skelgraph.poses.pose3d import Pose3D
from skelgraph.skeleton import Skeleton

_PER_M = {"m": 1, "cm": 100, "mm": 1000}
MAX_FRAMES, MAX_POINTS = 65_535, 255
_MAGIC, _BIG_ENDIAN = 0x50, b"\x56"


def write(
    pose: Pose3D,
    path: str | Path,
    *,
    axes: str = "opensim",
    unit: str = "mm",
    root_estimate: ArrayLike | None = None,
    force: bool = False,
) -> None:
    """Writes a pose as points of 32-bit floats; joints that were missing are written as they were guessed.

    Args:
        pose: F frames, 1 to 65,535 (the header counts with 16 bits), with frames per second.
        path: a name that ends in .c3d.
        axes: a preset of :mod:`skelgraph.geometry.axes`.
        unit: m, cm or mm.
        root_estimate: [F, 3] m, camera axes: an estimate of the root's place to move the joints by.
        force: replace a file that is there.

    Raises:
        MissingExtraError: if the extra is not installed.
        ValueError: for another ending, unknown axes or unit, no frames per second, too
            few or too many frames or joints.
        OutputExistsError: if the file is there and ``force`` is not given.
        OSError: disk full, read-only folder; nothing is written then.
    """
    path = new_file(path, ".c3d", force)
    if unit not in _PER_M:
        raise ValueError(f"{path}: unit {unit!r}; expected m, cm or mm")
    fps, names = output.rate(pose, path), pose.skeleton.joints
    if pose.num_frames > MAX_FRAMES or len(names) > MAX_POINTS:
        size = f"{pose.num_frames} frames of {len(names)} joints"
        raise ValueError(f"{path}: {size}; a C3D holds at most {MAX_FRAMES} frames of {MAX_POINTS} points")
    joints = output.points(pose, axes, root_estimate) * _PER_M[unit]
    library = ezc3d_library()
    file = library.c3d()
    parameters = file["parameters"]["POINT"]
    parameters["RATE"]["value"], parameters["UNITS"]["value"] = [fps], (unit,)
    parameters["LABELS"]["value"] = names
    file["data"]["points"] = np.concatenate([joints, np.ones((*joints.shape[:2], 1))], -1).T
    draft = path.with_name(f".{path.name}.{os.getpid()}.tmp.c3d")  # ezc3d gives every file this ending
    try:
        file.write(str(draft))
        _check_whole(library, draft, joints)
        atomic.write(path, draft.read_bytes())
    except OSError as error:
        raise atomic.explained(error, path, joints.size * 4) from error
    finally:
        draft.unlink(missing_ok=True)


def _check_whole(library: Any, draft: Path, joints: np.ndarray) -> None:
    """ezc3d says nothing where a folder is missing or a disk full: reads the file and compares."""
    if not draft.parent.is_dir():
        raise FileNotFoundError(errno.ENOENT, "no such folder", str(draft.parent))
    try:
        written = np.asarray(library.c3d(str(draft))["data"]["points"])[:3].T
    except (OSError, RuntimeError):
        written = np.empty(0)
    if written.shape != joints.shape or not np.allclose(written, joints, rtol=1e-6, atol=1e-6):
        raise OSError(errno.ENOSPC, "not written whole", str(draft))


def read(path: str | Path, skeleton: Skeleton | None = None, *, axes: str = "opensim") -> Pose3D:
    """Reads the points of a C3D; points without a valid measurement are missing and put to 0.

    The file is parsed by a library in C++: open untrusted files with care.

    Args:
        path: the file.
        skeleton: whose joints to take, by name; default the file's points, without bones.
        axes: those the file was written in.

    Raises:
        FileNotFoundError: if there is no such file.
        FormatError: naming the file, if it is no C3D or is cut off.
        MissingExtraError: if the extra is not installed.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such file")
    with path.open("rb") as head:
        start = head.read(2)
    if len(start) < 2 or start[1] != _MAGIC or path.stat().st_size > text_file.MAX_BYTES:
        raise FormatError(f"{path}: not a C3D file, or larger than {text_file.MAX_BYTES} bytes")
    library = ezc3d_library()
    try:
        file = library.c3d(str(path))
        values, unit, fps = _points(file, path)
    except (OSError, RuntimeError, KeyError, IndexError, TypeError, MemoryError) as error:
        raise FormatError(f"{path}: cannot be read as C3D: {error}") from None
    names = [str(name) for name in file["parameters"]["POINT"]["LABELS"]["value"]][: values.shape[1]]
    missing = ~np.isfinite(values).all(-1)
    values = np.where(missing[..., None], 0, values / _PER_M[unit])
    return output.pose_of(path, names, values, axes=axes, fps=fps, missing=missing, skeleton=skeleton)


def _points(file: Any, path: Path) -> tuple[np.ndarray, str, float]:
    """Points [F, J, 3] in the file's unit, the unit, and the rate."""
    parameters, points = file["parameters"]["POINT"], np.asarray(file["data"]["points"], dtype=np.float64)
    told = _frames_told(path)
    if points.shape[-1] < told:
        raise FormatError(f"{path}: {points.shape[-1]} frames, but the header says {told}: it is cut off")
    unit, (fps,) = str(parameters["UNITS"]["value"][0]).strip(), parameters["RATE"]["value"]
    if unit not in _PER_M or not 0 < fps < 1e6:
        raise FormatError(f"{path}: unit {unit[:20]!r}, {fps:g} frames per second; expected m, cm or mm, and above 0")
    return points[:3].T, unit, float(fps)


def _frames_told(path: Path) -> int:
    """The number of frames of the header, which ezc3d corrects without a word; 0 in files of big-endian machines."""
    with path.open("rb") as file:
        header = file.read(512)
        file.seek(512 * (header[0] - 1) + 3)
        processor = file.read(1)
    first, last = (int.from_bytes(header[at : at + 2], "little") for at in (6, 8))
    return 0 if processor == _BIG_ENDIAN else last - first + 1


def ezc3d_library() -> Any:
    """
    Raises:
        MissingExtraError: if it is not installed; names the extra.
    """
    try:
        return importlib.import_module("ezc3d")
    except ImportError as error:
        raise MissingExtraError(f"C3D needs ezc3d: pip install 'skelgraph[c3d]' ({error})") from None
