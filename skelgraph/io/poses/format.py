"""What a pose format is."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from skelgraph.poses.pose3d import Pose3D


class PoseFormat(Protocol):
    """A module in ``formats/``, listed in :data:`skelgraph.io.poses.FORMATS`; it may have options of its own."""

    @property
    def ENDING(self) -> str:
        """Of the names of such files, in small letters, with the dot."""

    def write(self, pose: Pose3D, path: str | Path, *, axes: str | None = None, force: bool = False) -> None:
        """Writes a pose, whole or not at all.

        Args:
            pose: F frames; joints are written where they are if the root is known.
            path: a name with this ending.
            axes: a preset of :mod:`skelgraph.geometry.axes`, or ``world``; default what readers of the format expect.
            force: replace a file that is there.

        Raises:
            ValueError: for another ending, or axes or a pose that the format cannot hold.
            OutputExistsError: if the file is there and ``force`` is not given.
            OSError: disk full, read-only folder; nothing is written then.
        """
