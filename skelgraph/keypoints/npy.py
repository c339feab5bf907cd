"""Reads npy files from strangers: a plain array or an error that names the file, never a pickle."""

from __future__ import annotations

import math
from pathlib import Path
from tokenize import TokenError
from typing import Any

import numpy as np
from numpy.typing import NDArray

MAX_BYTES, MAX_HEADER = 1 << 30, 10_000
_UNREADABLE = (ValueError, TypeError, SyntaxError, TokenError, EOFError, MemoryError, OverflowError, KeyError)


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
            version = np.lib.format.read_magic(file)
            if version != (1, 0):
                raise ValueError(f"npy version {version}, expected (1, 0)")
            shape, fortran, dtype = np.lib.format.read_array_header_1_0(file, max_header_size=MAX_HEADER)
            if dtype.kind not in "fiu" or dtype.itemsize == 0:
                raise ValueError(f"dtype {dtype} is not read; numbers are")
            held, expected = size - file.tell(), math.prod(shape) * dtype.itemsize
            if min(shape, default=0) < 0 or held != expected:
                raise ValueError(f"the header says {expected} bytes (shape {shape}, {dtype}), the file holds {held}")
            array = np.frombuffer(file.read(), dtype).reshape(shape, order="F" if fortran else "C")
    except _UNREADABLE as error:
        raise ValueError(f"{path}: not readable as npy: {error}") from None
    return array.astype(array.dtype.newbyteorder("="), order="C")
