"""Motions from files: one format per file, by the ending of the name."""

from __future__ import annotations

from pathlib import Path

from skelgraph.files.messages import nearest
from skelgraph.io.motions import bvh, c3d
from skelgraph.io.motions.format import MotionFormat
from skelgraph.poses.motion import Motion

__all__ = ["FORMATS", "Motion", "MotionFormat", "read_motion"]

FORMATS: tuple[MotionFormat, ...] = (bvh, c3d)


def read_motion(path: str | Path, *, end_sites: bool = False) -> Motion:
    """Reads a motion.

    Args:
        path: a name that ends in .bvh, read by forward kinematics, or in .c3d, whose points come without bones.
        end_sites: give end sites too, each as ``PARENT_end``.

    Raises:
        FileNotFoundError: if there is no such file.
        FormatError: naming the file and the line, for anything that does not fit.
        MissingExtraError: for a .c3d, if ezc3d is not installed.
        ValueError: for another ending.

    Example:
        >>> motion = read_motion("walk.bvh")  # doctest: +SKIP
        >>> motion.positions[:, motion.names.index("Hips")]  # doctest: +SKIP
    """
    readers = {each.ENDING: each for each in FORMATS}
    ending = Path(path).suffix.lower()
    if ending not in readers:
        raise ValueError(f"{path}: no motion format ends in {ending!r}{nearest(ending, readers)}")
    return readers[ending].read(path, end_sites=end_sites)
