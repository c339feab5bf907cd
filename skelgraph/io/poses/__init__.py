"""3D poses to files: one format per file in ``formats/``, by the ending of the name."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from skelgraph.files.messages import nearest
from skelgraph.geometry import axes as presets
from skelgraph.io.motions.c3d import ezc3d_library
from skelgraph.io.poses.format import PoseFormat
from skelgraph.io.poses.formats import bvh, c3d, csv_table, npz, trc
from skelgraph.io.poses.output import WORLD
from skelgraph.poses.pose3d import Pose3D

__all__ = ["FORMATS", "WORLD", "PoseFormat", "check_axes", "check_endings", "write"]

FORMATS: tuple[PoseFormat, ...] = (csv_table, bvh, trc, c3d, npz)


def write(pose: Pose3D, path: str | Path, *, axes: str | None = None, force: bool = False) -> None:
    """Writes a pose in the format that the file's ending names: .csv, .bvh, .trc, .c3d or .npz.

    Args:
        pose: F frames; where its root is known, joints are written where they are.
        path: the file.
        axes: a preset of :mod:`skelgraph.geometry.axes`; default what the format's readers expect: ``y_up`` for .bvh,
            ``opensim`` for .trc and .c3d, the pose's own for .csv and .npz, which hold a pose in a world as
            ``axes="world"`` does: in the axes of the calibration.
        force: replace a file that is there.

    Raises:
        ValueError: for another ending, and as the format's own ``write``.
        OutputExistsError: if the file is there and ``force`` is not given.
        OSError: disk full, read-only folder; nothing is written then.

    Example:
        >>> write(Pose3D.load("walk/pose.npz"), "walk.bvh")  # doctest: +SKIP
    """
    formats = {each.ENDING: each for each in FORMATS}
    ending = Path(path).suffix.lower()
    if ending not in formats:
        raise ValueError(f"{path}: no pose format ends in {ending or 'nothing'!r}{nearest(ending, formats)}")
    formats[ending].write(pose, path, axes=axes, force=force)


def check_endings(endings: Sequence[str]) -> None:
    """Checks before any work whether files can be written.

    Args:
        endings: csv, bvh, trc, c3d.

    Raises:
        ValueError: for an unknown ending.
        MissingExtraError: for a format whose library is not installed.
    """
    known = [each.ENDING[1:] for each in FORMATS if each is not npz]
    unknown = [ending for ending in endings if ending not in known]
    if unknown:
        raise ValueError(f"write={unknown[0]!r} is not known{nearest(unknown[0], known)}")
    if "c3d" in endings:
        ezc3d_library()


def check_axes(axes: str | None, endings: Sequence[str], *, in_world: bool) -> None:
    """Checks before any work whether poses can be written in axes.

    Args:
        axes: as of :func:`write`.
        endings: of the files to be written.
        in_world: whether the poses are in the world of a calibration.

    Raises:
        ValueError: if they cannot.
    """
    if in_world and axes == "camera":
        raise ValueError(f"axes='camera': there are several; give axes={WORLD!r} for the calibration's own, or none")
    if in_world and axes == WORLD and "bvh" in endings:
        raise ValueError("axes='world': BVH is y up; leave axes out, and only csv is in the calibration's axes")
    if axes is not None and not (in_world and axes == WORLD):
        presets.get(axes)
