"""Calibrated cameras from files: one format a file, recognised by content.

A format is a module with ``UNIT``, what its lengths are in unless the reader is told, ``matches(content)`` and
``read(content, metres, image_size)``. ``content`` is the mapping that the file holds, whatever it is written in.

Errors name file, camera and field; nothing in a file is executed, and nothing that is missing is made up.
"""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from types import MappingProxyType, ModuleType

from skelgraph.geometry.cameras import Camera
from skelgraph.io.calibrations import anipose, content, human36m, opencv, panoptic, plain, pose2sim

__all__ = ["FORMATS", "UNITS", "read", "write"]

FORMATS: Mapping[str, ModuleType] = MappingProxyType(
    {
        "plain": plain,
        "panoptic": panoptic,
        "human36m": human36m,
        "pose2sim": pose2sim,
        "anipose": anipose,
        "opencv": opencv,
    }
)
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
        format: one of :data:`FORMATS`; default what the content looks like.
        unit: of the lengths in the file, one of :data:`UNITS`. Default the format's habit: m in Human3.6M, OpenCV and
            Pose2Sim, cm in Panoptic, mm in Anipose (its board's unit), and what the file says in plain JSON.
        image_size: width and height in px, for OpenCV's files that do not say.

    Raises:
        FileNotFoundError: if there is no such file or folder.
        ValueError: naming the file, the camera and the field, and what is wrong with it.
    """
    path = Path(path)
    held = content.read(path)
    name = _recognised(path, held) if format is None else _known(format)
    module = FORMATS[name]
    if unit is not None and unit not in UNITS:
        raise ValueError(f"unit {unit!r} is not known; it can be {', '.join(UNITS)}")
    try:
        cameras = module.read(held, UNITS[unit or module.UNIT], image_size)
    except ValueError as error:
        raise ValueError(f"{path} ({name}): {error}") from None
    if not cameras:
        raise ValueError(f"{path} ({name}): holds no camera")
    return {camera.name: camera for camera in cameras}


def _recognised(path: Path, held: content.Content) -> str:
    fitting = next((name for name, module in FORMATS.items() if module.matches(held)), None)
    if fitting is None:
        keys = ", ".join(repr(key)[:40] for key in list(held)[:6]) or "(none)"
        raise ValueError(
            f"{path}: no calibration format is known with the keys {keys}; those that are read: {', '.join(FORMATS)}"
        )
    return fitting


def _known(format: str) -> str:
    name = format.lower()
    if name not in FORMATS:
        near = get_close_matches(name, FORMATS, 1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise ValueError(f"format {format!r} is not known{hint}; it can be {', '.join(FORMATS)}")
    return name
