"""2D keypoints from files: one format a file, recognised by content.

A format is a module with ``matches(path, content)`` and ``read(path, content, person)``, where ``content`` is the
parsed JSON of a JSON file and None otherwise.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from types import MappingProxyType, ModuleType
from typing import Any

from skelgraph import strict_json
from skelgraph.keypoints import coco_wholebody, mmpose, npz, openpose
from skelgraph.keypoints.keypoints import Keypoints

__all__ = ["FORMATS", "Keypoints", "read"]

FORMATS: Mapping[str, ModuleType] = MappingProxyType(
    {"npz": npz, "coco-wholebody": coco_wholebody, "mmpose": mmpose, "openpose": openpose}
)


def read(path: str | Path, format: str | None = None, person: int | None = None) -> Keypoints:
    """Reads one person's keypoints.

    Args:
        path: a file, or a folder of OpenPose frames.
        format: one of :data:`FORMATS`; default what the content looks like.
        person: which person, where a frame holds more than one: the track id where the file has them, else the place
            in the file's order, from 0.

    Raises:
        FileNotFoundError: if there is no such file or folder.
        ValueError: naming the file and what is wrong with it.
    """
    path = Path(path)
    if not path.exists():
        raise FileNotFoundError(f"{path}: no such file or folder")
    name = None if format is None else _known(format)
    content = None if path.is_dir() or npz.matches(path, None) or name == "npz" else _json(path)
    if name is None:
        name = next((key for key, module in FORMATS.items() if module.matches(path, content)), None)
    if name is None:
        raise ValueError(f"{path}: {_what(path, content)}; formats that are read: {', '.join(FORMATS)}")
    if path.is_dir() and name != "openpose":
        raise ValueError(f"{path}: is a folder, which the format {name} is not; give the file")
    if content is None and not path.is_dir() and name != "npz":
        raise ValueError(f"{path}: is an npz file, which the format {name} is not")
    return dataclasses.replace(FORMATS[name].read(path, content, person), format=name)


def _known(format: str) -> str:
    name = format.lower().replace("_", "-")
    if name not in FORMATS:
        near = get_close_matches(name, FORMATS, 1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise ValueError(f"--format {format!r} is not known{hint}; it can be {', '.join(FORMATS)}")
    return name


def _json(path: Path) -> Any:
    with path.open("rb") as file:
        start = file.read(64).removeprefix(b"\xef\xbb\xbf").lstrip()
    if start[:1] not in (b"{", b"["):
        raise ValueError(f"{path}: neither npz nor JSON; formats that are read: {', '.join(FORMATS)}")
    return strict_json.read(path)


def _what(path: Path, content: Any) -> str:
    if path.is_dir():
        return "the folder holds no OpenPose frames (*.json with 'people')"
    if isinstance(content, dict):
        return f"no format is known with the keys {', '.join(repr(key)[:40] for key in list(content)[:6]) or '(none)'}"
    return f"no format is known of {'an empty list' if content == [] else 'such a list'}"
