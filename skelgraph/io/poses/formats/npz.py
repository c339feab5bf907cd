"""The package's own npz, see :meth:`skelgraph.poses.pose3d.Pose3D.save`."""

from __future__ import annotations

from pathlib import Path

from skelgraph.files.new_file import new_file, refuse_existing
from skelgraph.io.poses.output import WORLD
from skelgraph.poses.pose3d import Pose3D

ENDING = ".npz"


def write(pose: Pose3D, path: str | Path, *, axes: str | None = None, force: bool = False) -> None:
    """Writes a pose as :meth:`Pose3D.save` does.

    Args:
        axes: the pose's own, ``camera`` or ``world``, if any.

    Raises:
        ValueError: for another ending, or other axes.
        OutputExistsError: if the file or its ``.json`` is there and ``force`` is not given.
        OSError: disk full, read-only folder; nothing is written then.
    """
    path = new_file(path, ENDING, force)
    own = WORLD if pose.is_in_world else "camera"
    if axes not in (None, own):
        raise ValueError(f"{path}: axes={axes!r}: an npz holds a pose in its own axes, {own!r}")
    refuse_existing([path.with_suffix(".json")], force)
    pose.save(path)
