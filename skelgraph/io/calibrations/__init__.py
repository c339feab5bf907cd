"""Calibrated cameras from files: one format per file, detected from content.

Errors name file, camera and field; nothing in a file is executed, and nothing that is missing is made up.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from skelgraph.errors import FormatError
from skelgraph.files.messages import nearest
from skelgraph.geometry.cameras import Camera
from skelgraph.io.calibrations import anipose, content, human36m, opencv, panoptic, plain, pose2sim
from skelgraph.io.calibrations.format import CalibrationFormat

__all__ = ["FORMATS", "UNITS", "CalibrationFormat", "read", "write"]

FORMATS: tuple[CalibrationFormat, ...] = (plain, panoptic, human36m, pose2sim, anipose, opencv)
"""The formats, asked in this order whether they match."""
UNITS: Mapping[str, float] = MappingProxyType({"m": 1.0, "cm": 0.01, "mm": 0.001})
"""Metres in each unit."""
write = plain.write


def read(
    path: str | Path,
    format: str | None = None,
    unit: str | None = None,
    image_size: tuple[int, int] | None = None,
) -> dict[str, Camera]:
    """The cameras of a calibration file, by name, in the file's order.

    Args:
        path: JSON, TOML, or OpenCV's YAML or XML; or a folder with EasyMocap's ``intri.yml`` and ``extri.yml``.
        format: the name of one of :data:`FORMATS`; default the first that the content looks like.
        unit: of the lengths in the file, one of :data:`UNITS`. Default the format's habit: m in Human3.6M, OpenCV and
            Pose2Sim, cm in Panoptic, mm in Anipose (its board's unit), and what the file says in plain JSON.
        image_size: width and height in px, for OpenCV's files that do not say.

    Raises:
        FileNotFoundError: if there is no such file or folder.
        FormatError: naming the file, the camera and the field, and what is wrong with it.
    """
    path = Path(path)
    held = content.read(path)
    found = _recognised(path, held) if format is None else _named(format)
    where = f"{path} ({found.NAME})"
    if unit is not None and unit not in UNITS:
        raise ValueError(f"unit={unit!r} is not known{nearest(unit, UNITS)}")
    try:
        cameras = found.read(held, UNITS[unit or found.UNIT], image_size)
    except ValueError as error:
        raise FormatError(f"{where}: {error}") from None
    if not cameras:
        raise FormatError(f"{where}: holds no camera")
    return {camera.name: camera for camera in cameras}


def _recognised(path: Path, held: content.Content) -> CalibrationFormat:
    found = next((each for each in FORMATS if each.matches(held)), None)
    if found is None:
        keys = ", ".join(repr(key)[:40] for key in list(held)[:6]) or "(none)"
        known = ", ".join(each.NAME for each in FORMATS)
        raise FormatError(f"{path}: no calibration format is known with the keys {keys}; those that are read: {known}")
    return found


def _named(format: str) -> CalibrationFormat:
    by_name = {each.NAME: each for each in FORMATS}
    if format.lower() not in by_name:
        raise ValueError(f"format={format!r} is not known{nearest(format, by_name)}")
    return by_name[format.lower()]
