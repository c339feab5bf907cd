"""The mapping in a calibration file: JSON, TOML, or the YAML and XML of OpenCV, detected from its first characters."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from skelgraph.errors import FormatError
from skelgraph.files import json_file, text_file
from skelgraph.io.calibrations import file_storage

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

Content = dict[str, Any]
MAX_BYTES = 4_000_000
_PAIR = ("intri", "extri")
_SUFFIXES = (".yml", ".yaml", ".xml")


def read(path: Path) -> Content:
    """The content of a file, or of EasyMocap's pair of files in a folder, as one mapping.

    Raises:
        FileNotFoundError: if there is no such file or folder.
        FormatError: naming the file, if it is larger than 4 MB, no text, or holds no plain mapping.
    """
    if path.is_dir():
        return _pair(path)
    text = text_file.read(path, MAX_BYTES)
    value = parse(text, str(path))
    if not isinstance(value, dict):
        raise FormatError(f"{path}: expected a mapping of names to values, not a {type(value).__name__}")
    return value


def parse(text: str, source: str) -> Any:
    """The content of a text; ``source`` names it in errors."""
    start = text.lstrip()
    if start.startswith("{"):
        return json_file.parse(text, source)
    if start.startswith("<"):
        return file_storage.parse_xml(text, source)
    if start.startswith(("%YAML", "---")) or "!!opencv-matrix" in text:
        return file_storage.parse_yaml(text, source)
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise FormatError(f"{source}: not read as TOML: nested too deep") from None
    except ValueError as error:
        raise FormatError(
            f"{source}: neither JSON nor OpenCV's YAML or XML, and not readable as TOML: {error}"
        ) from None


def _pair(folder: Path) -> Content:
    """``intri`` and ``extri`` together, which only have the cameras' names in common."""
    found = {stem: [folder / f"{stem}{s}" for s in _SUFFIXES if (folder / f"{stem}{s}").is_file()] for stem in _PAIR}
    if not all(found.values()):
        raise FormatError(f"{folder}: is a folder without intri.yml and extri.yml (EasyMocap); give the file itself")
    intrinsic, extrinsic = (read(found[stem][0]) for stem in _PAIR)
    twice = sorted(set(intrinsic) & set(extrinsic) - {"names"})
    if twice:
        raise FormatError(f"{folder}: {twice[0]!r} is in both intri and extri")
    if "names" in intrinsic and "names" in extrinsic and intrinsic["names"] != extrinsic["names"]:
        raise FormatError(f"{folder}: intri names {intrinsic['names']} and extri {extrinsic['names']}")
    return {**intrinsic, **extrinsic}
