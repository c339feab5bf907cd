"""Reads C3D, the binary files of biomechanics, by way of the library ezc3d (the extra ``c3d``)."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import numpy as np

from skelgraph.errors import FormatError, MissingExtraError
from skelgraph.files import text_file
from skelgraph.poses.motion import Motion

ENDING = ".c3d"
PER_M = {"m": 1, "cm": 100, "mm": 1000}
_MAGIC, _BIG_ENDIAN = 0x50, b"\x56"


def read(path: str | Path, *, end_sites: bool = False) -> Motion:
    """Reads the points of a C3D, without bones; NaN where there is no valid measurement.

    The file is parsed by a library in C++: open untrusted files with care.

    Args:
        path: the file.
        end_sites: makes no difference, as there are no bones.

    Raises:
        FileNotFoundError: if there is no such file.
        FormatError: naming the file, if it is no C3D or is cut off.
        MissingExtraError: if ezc3d is not installed.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such file")
    with path.open("rb") as head:
        start = head.read(2)
    if len(start) < 2 or start[1] != _MAGIC or path.stat().st_size > text_file.MAX_BYTES:
        raise FormatError(f"{path}: not a C3D file, or larger than {text_file.MAX_BYTES} bytes")
    library = ezc3d_library()
    try:
        file = library.c3d(str(path))
        values, unit, fps = _points(file, path)
    except (OSError, RuntimeError, KeyError, IndexError, TypeError, MemoryError) as error:
        raise FormatError(f"{path}: cannot be read as C3D: {error}") from None
    names = tuple(str(name) for name in file["parameters"]["POINT"]["LABELS"]["value"])[: values.shape[1]]
    values[~np.isfinite(values).all(-1)] = np.nan
    return Motion(names, (-1,) * len(names), values, fps, unit)


def _points(file: Any, path: Path) -> tuple[np.ndarray, str, float]:
    """Points [F, J, 3] in the file's unit, the unit, and the rate."""
    parameters, points = file["parameters"]["POINT"], np.asarray(file["data"]["points"], dtype=np.float64)
    expected = _frames_in_header(path)
    if points.shape[-1] < expected:
        raise FormatError(f"{path}: {points.shape[-1]} frames, but the header says {expected}: it is cut off")
    unit, (fps,) = str(parameters["UNITS"]["value"][0]).strip(), parameters["RATE"]["value"]
    if unit not in PER_M or not 0 < fps < 1e6:
        raise FormatError(f"{path}: unit {unit[:20]!r}, {fps:g} frames per second; expected m, cm or mm, and above 0")
    return points[:3].T.copy(), unit, float(fps)


def _frames_in_header(path: Path) -> int:
    """The number of frames of the header, which ezc3d corrects without a word; 0 in files of big-endian machines."""
    with path.open("rb") as file:
        header = file.read(512)
        file.seek(512 * (header[0] - 1) + 3)
        processor = file.read(1)
    first, last = (int.from_bytes(header[at : at + 2], "little") for at in (6, 8))
    return 0 if processor == _BIG_ENDIAN else last - first + 1


def ezc3d_library() -> Any:
    """
    Raises:
        MissingExtraError: if it is not installed; names the extra.
    """
    try:
        return importlib.import_module("ezc3d")
    except ImportError as error:
        raise MissingExtraError(f"C3D needs ezc3d: pip install 'skelgraph[c3d]' ({error})") from None
