"""What a path holds, by its first bytes, and its content for the formats to look at."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from skelgraph.errors import FormatError
from skelgraph.files import json_file, npz, text_file

KINDS = ("folder", "npz file", "npy file", "JSON file", "text file")
MAX_TEXT_BYTES = 1 << 28


def kind(path: Path) -> str:
    """One of :data:`KINDS`."""
    if path.is_dir():
        return "folder"
    if not path.is_file():
        raise FormatError(f"{path}: neither a file nor a folder")
    with path.open("rb") as file:
        start = file.read(64)
    if start[:4] in (b"PK\3\4", b"PK\5\6"):
        return "npz file"
    if start[:6] == b"\x93NUMPY":
        return "npy file"
    return "JSON file" if start.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] in (b"{", b"[") else "text file"


def content(path: Path, kind: str) -> Any:
    """The parsed JSON, the text, the names of the arrays in an npz, or None.

    Raises:
        FormatError: naming the file, for ill-formed JSON, or what is neither npz, JSON nor text.
    """
    if kind == "JSON file":
        return json_file.read(path)
    if kind == "text file":
        return text_file.read(path, MAX_TEXT_BYTES, "npz, JSON or text in UTF-8")
    return npz.names(path) if kind == "npz file" else None
