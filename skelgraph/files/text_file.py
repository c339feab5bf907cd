"""Untrusted text files."""

from __future__ import annotations

from pathlib import Path

from skelgraph.errors import FormatError

MAX_BYTES = 1 << 28


def read(path: str | Path, max_bytes: int, expected: str = "text in UTF-8") -> str:
    """A file's text; a byte order mark is accepted, and every end of line becomes a newline.

    Args:
        path: the file.
        max_bytes: the most that is read.
        expected: what the file should be, for the message where it is not.

    Raises:
        FileNotFoundError: if there is no such file.
        FormatError: naming the file, if it is larger or not UTF-8.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such file")
    size = path.stat().st_size
    if size > max_bytes:
        raise FormatError(f"{path}: {size} bytes; at most {max_bytes} are read")
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise FormatError(f"{path}: not {expected}: byte {error.start} is no text") from None
    if "\0" in text:
        raise FormatError(f"{path}: not {expected}: byte {text.index(chr(0))} is zero")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def lines(path: str | Path) -> list[str]:
    """The lines of :func:`read` of a file of at most :data:`MAX_BYTES`."""
    return read(path, MAX_BYTES).split("\n")
