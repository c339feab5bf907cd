"""Reads untrusted npz and npy files: plain arrays or an error that names the file and the member, never a pickle."""

from __future__ import annotations

import math
import zipfile
import zlib
from os import PathLike
from pathlib import Path
from tokenize import TokenError
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from skelgraph.errors import FormatError

MAX_BYTES, MAX_MEMBERS, MAX_RATIO, MAX_HEADER = 2 << 30, 256, 200, 10_000
MAX_NPY_BYTES = 1 << 30
_RATIO_FROM_BYTES = 64 << 20  # small files of constants pack well and are harmless
_STORED_OR_DEFLATED = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
UNREADABLE = (
    *(zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError, ValueError, TypeError),
    *(SyntaxError, TokenError, MemoryError, OverflowError, IndexError, KeyError, AttributeError),
)


def read(path: str | PathLike[str], max_bytes: int = MAX_BYTES) -> dict[str, np.ndarray]:
    """Reads every array of an npz file; numbers, booleans and text only.

    Sizes are compared with the bytes that are there before anything is allocated.

    Args:
        path: the file.
        max_bytes: the most that all arrays together may take unpacked.

    Raises:
        FileNotFoundError: if there is no such file.
        FormatError: if it is no npz, is damaged, too large, or holds Python objects; names the file and the member.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such file")
    try:
        archive = zipfile.ZipFile(path)
    except UNREADABLE as error:
        raise FormatError(f"{path}: not an npz file ({error})") from None
    with archive:
        members = archive.infolist()
        _check_sizes(path, members, max_bytes)
        return {member.filename.removesuffix(".npy"): _array(path, archive, member) for member in members}


def _check_sizes(path: Path, members: list[zipfile.ZipInfo], max_bytes: int) -> None:
    if len(members) > MAX_MEMBERS:
        raise FormatError(f"{path}: {len(members)} members, at most {MAX_MEMBERS} are read")
    names = [member.filename for member in members]
    for name in names:
        if names.count(name) > 1:
            raise FormatError(f"{path}: member {name!r} is duplicated")
    total = sum(member.file_size for member in members)
    if total > max_bytes:
        raise FormatError(f"{path}: unpacks to {total} bytes, at most {max_bytes} are read")
    if total > _RATIO_FROM_BYTES and total > MAX_RATIO * path.stat().st_size:
        raise FormatError(f"{path}: unpacks to {total} bytes, more than {MAX_RATIO} times its own size")


def _array(path: Path, archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> np.ndarray:
    where = f"{path}: member {member.filename!r}"
    if not member.filename.endswith(".npy") or member.compress_type not in _STORED_OR_DEFLATED:
        raise FormatError(f"{where} is not an array as numpy saves it")
    try:
        with archive.open(member) as file:
            return content(file, member.file_size)
    except UNREADABLE as error:
        raise FormatError(f"{where} cannot be read: {error}") from None


def names(path: Path) -> tuple[str, ...]:
    """What the arrays are called, unread; empty where the archive is damaged: :func:`read` says so."""
    try:
        with zipfile.ZipFile(path) as archive:
            return tuple(name.removesuffix(".npy") for name in archive.namelist())
    except UNREADABLE:
        return ()


def is_npy(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(6) == b"\x93NUMPY"


def read_npy(path: Path) -> NDArray[Any]:
    """The array in an npy file; numbers only. Its size is compared with the bytes there before it is allocated.

    Raises:
        FormatError: naming the file, if it is damaged, too large, or holds anything else.
    """
    size = path.stat().st_size
    if size > MAX_NPY_BYTES:
        raise FormatError(f"{path}: {size} bytes; an npy file may hold at most {MAX_NPY_BYTES}")
    try:
        with path.open("rb") as file:
            array = content(file, size, "file")
    except UNREADABLE as error:
        raise FormatError(f"{path}: not readable as npy: {error}") from None
    if array.dtype.kind not in "fiu":
        raise FormatError(f"{path}: not readable as npy: dtype {array.dtype} is not read; numbers are")
    return array


def content(file: IO[bytes], size: int, what: str = "member") -> np.ndarray:
    """The array in npy format that fills the ``size`` bytes of an open file; numbers, booleans and text only.

    Raises:
        FormatError: for anything else, or another of :data:`UNREADABLE` where the header is damaged.
    """
    version = np.lib.format.read_magic(file)
    if version != (1, 0):
        raise FormatError(f"npy version {version}, expected (1, 0)")
    shape, fortran, dtype = np.lib.format.read_array_header_1_0(file, max_header_size=MAX_HEADER)
    if dtype.kind not in "fiubU" or dtype.itemsize == 0:
        raise FormatError(f"dtype {dtype} is not read; numbers, booleans and text are")
    expected, held = math.prod(shape) * dtype.itemsize, size - file.tell()
    if min(shape, default=0) < 0 or expected != held:
        raise FormatError(f"the header says {expected} bytes (shape {shape}, {dtype}), the {what} holds {held}")
    data = file.read()
    if len(data) != expected:
        raise FormatError(f"the header says {expected} bytes, {len(data)} came")
    return _checked_values(np.frombuffer(data, dtype).reshape(shape, order="F" if fortran else "C"))


def _checked_values(array: np.ndarray) -> np.ndarray:
    """A writable copy in the machine's byte order, free of bytes that are no boolean and no text."""
    array = array.astype(array.dtype.newbyteorder("="), order="C")
    if array.dtype.kind == "b" and (array.view(np.uint8) > 1).any():
        raise FormatError("bytes other than 0 and 1 in a boolean array")
    if array.dtype.kind == "U" and (np.atleast_1d(array).view(np.uint32) > 0x10FFFF).any():
        raise FormatError("bytes that are no text in a text array")
    return array
