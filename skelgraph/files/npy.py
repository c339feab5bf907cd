"""Reads npy files from strangers: a plain array or an error that names the file, never a pickle."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from skelgraph.files import npz

MAX_BYTES = 1 << 30


def is_npy(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(6) == b"\x93NUMPY"


def read(path: Path) -> NDArray[Any]:
    """The array in an npy file; numbers only. Its size is compared with the bytes there before it is allocated.

    Raises:
        ValueError: naming the file, if it is damaged, too large, or holds anything else.
    """
    size = path.stat().st_size
    if size > MAX_BYTES:
        raise ValueError(f"{path}: {size} bytes; an npy file may hold at most {MAX_BYTES}")
    try:
        with path.open("rb") as file:
            array = npz.content(file, size, "file")
    except npz.UNREADABLE as error:
        raise ValueError(f"{path}: not readable as npy: {error}") from None
    if array.dtype.kind not in "fiu":
        raise ValueError(f"{path}: not readable as npy: dtype {array.dtype} is not read; numbers are")
    return array
