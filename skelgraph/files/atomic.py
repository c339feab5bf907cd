"""Files that are either the old one or the new one, whatever happens while they are written."""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_READ_ONLY = {errno.EROFS, errno.EACCES, errno.EPERM}


def write(path: Path, content: bytes | str) -> None:
    """Replaces ``path`` by ``content``: temporary file in the same folder, fsync, rename, fsync of the folder.

    Windows has no fsync of folders, and needs none: a rename there is in the journal of the file system.

    Raises:
        OSError: saying "disk full" or "read-only" where it is so; the old file is untouched.
    """
    data = content.encode() if isinstance(content, str) else content
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        _write_and_sync(temporary, data)
        os.replace(temporary, path)
        _sync_folder(path.parent)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise explained(error, path, len(data)) from error


def sweep(folder: Path) -> None:
    """Deletes what a killed :func:`write` left in a folder. Only for the owner of the folder."""
    for leftover in folder.glob(".*.*.tmp"):
        if leftover.is_file():
            leftover.unlink(missing_ok=True)


def explained(error: OSError, path: Path, size: int) -> OSError:
    """The error in words that say what to do."""
    if error.errno in _FULL:
        free = shutil.disk_usage(path.parent).free
        what = f"disk full (or over quota): {size} bytes to write, {free} free; the file that was there is untouched"
    elif error.errno in _READ_ONLY:
        what = "read-only: no permission to write here"
    else:
        return error
    return OSError(error.errno, what, str(path))


def _write_and_sync(path: Path, data: bytes) -> None:
    with open(path, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    if os.name == "nt":
        return  # Windows opens no folders
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
