"""What a keypoint format is."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

from skelgraph.poses.people import People


class KeypointFormat(Protocol):
    """A module in ``formats/``, listed in :data:`skelgraph.io.keypoints.FORMATS`.

    ``content`` is the parsed JSON of a JSON file, the text of a text file, the names of the arrays in an npz file, and
    None for a folder, an npy file or a video.
    """

    @property
    def NAME(self) -> str:
        """What ``format=`` calls it."""

    @property
    def TAKES(self) -> frozenset[str]:
        """What it can be, of :data:`skelgraph.io.keypoints.sniff.KINDS`."""

    def matches(self, path: Path, content: Any) -> bool:
        """Whether content of a kind that it takes looks like this format."""

    def read(self, path: Path, content: Any) -> People:
        """Everybody in the file, read and followed from frame to frame once.

        Raises:
            FormatError: naming the file and the place in it, for anything that does not fit.
        """
