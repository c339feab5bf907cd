"""C3D, the binary files of biomechanics, by way of the library ezc3d (the extra ``c3d``)."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skelgraph.files import atomic
from skelgraph.files.new_file import new_file
from skelgraph.io.motions import c3d as motions_c3d
from skelgraph.io.motions.c3d import PER_M, ezc3d_library
from skelgraph.io.poses import output
from skelgraph.poses.pose3d import Pose3D
from skelgraph.skeleton import Skeleton

ENDING = ".c3d"
MAX_FRAMES, MAX_POINTS = 65_535, 255


def write(
    pose: Pose3D,
    path: str | Path,
    *,
    axes: str | None = None,
    unit: str = "mm",
    force: bool = False,
) -> None:
    """Writes a pose as points of 32-bit floats; joints that were missing are written as they were guessed.

    Args:
        pose: F frames, 1 to 65,535 (the header counts with 16 bits), with frames per second.
        path: a name that ends in .c3d.
        axes: a preset of :mod:`skelgraph.geometry.axes`; default ``opensim``.
        unit: m, cm or mm.
        force: replace a file that is there.

    Raises:
        MissingExtraError: if the extra is not installed.
        ValueError: for another ending, unknown axes or unit, no frames per second, too
            few or too many frames or joints.
        OutputExistsError: if the file is there and ``force`` is not given.
        OSError: disk full, read-only folder; nothing is written then.
    """
    path = new_file(path, ".c3d", force)
    if unit not in PER_M:
        raise ValueError(f"{path}: unit {unit!r}; expected m, cm or mm")
    fps, names = output.rate(pose, path), pose.skeleton.joints
    if pose.num_frames > MAX_FRAMES or len(names) > MAX_POINTS:
        size = f"{pose.num_frames} frames of {len(names)} joints"
        raise ValueError(f"{path}: {size}; a C3D holds at most {MAX_FRAMES} frames of {MAX_POINTS} points")
    joints = output.points(pose, axes or "opensim") * PER_M[unit]
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
    """Reads the points of a C3D as :func:`skelgraph.io.motions.c3d.read`; missing ones are put to 0.

    Args:
        path: the file.
        skeleton: whose joints to take, by name; default the file's points, without bones.
        axes: those the file was written in.

    Raises:
        FileNotFoundError, FormatError, MissingExtraError: as :func:`skelgraph.io.motions.c3d.read`.
    """
    motion = motions_c3d.read(path)
    missing: NDArray[np.bool_] = np.asarray(np.isnan(motion.positions).any(-1))
    places = np.where(missing[..., None], 0, motion.positions / PER_M[motion.unit])
    return output.pose_of(
        *(Path(path), motion.names, places), axes=axes, fps=motion.fps, missing=missing, skeleton=skeleton
    )
