"""What a calibration format is."""

from __future__ import annotations

from typing import Any, Protocol

from skelgraph.geometry.cameras import Camera


class CalibrationFormat(Protocol):
    """A module in this folder, listed in :data:`skelgraph.io.calibrations.FORMATS`.

    ``content`` is the mapping that the file holds, whatever it is written in.
    """

    @property
    def NAME(self) -> str:
        """What ``format=`` calls it."""

    @property
    def UNIT(self) -> str:
        """Of its lengths, where ``unit=`` is not given; a key of :data:`skelgraph.io.calibrations.UNITS`."""

    def matches(self, content: dict[str, Any]) -> bool:
        """Whether the content looks like this format."""

    def read(self, content: dict[str, Any], metres: float, image_size: tuple[int, int] | None) -> list[Camera]:
        """The cameras, in the order of the file.

        Args:
            metres: in the unit of its lengths.
            image_size: width and height in px, for files that do not say it.

        Raises:
            ValueError: naming camera and field, for anything that does not fit.
        """
