"""What a motion format is."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from skelgraph.poses.motion import Motion


class MotionFormat(Protocol):
    """A module in this folder, listed in :data:`skelgraph.io.motions.FORMATS`."""

    @property
    def ENDING(self) -> str:
        """Of the names of such files, in small letters, with the dot."""

    def read(self, path: str | Path, *, end_sites: bool = False) -> Motion:
        """The motion in a file.

        Args:
            end_sites: give end sites too, each as ``PARENT_end``.

        Raises:
            FileNotFoundError: if there is no such file.
            FormatError: naming the file and the line, for anything that does not fit.
            MissingExtraError: if the library that reads it is not installed.
        """
