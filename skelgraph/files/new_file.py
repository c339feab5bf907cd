"""Files that may be written: of the right ending, and not there yet."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from skelgraph.errors import OutputExistsError
from skelgraph.files.messages import shortened


def new_file(path: str | Path, ending: str, force: bool) -> Path:
    """The path of a file that may be written.

    Args:
        ending: of its name, with the dot; capitals do not count.

    Raises:
        ValueError: if its name does not end so.
        OutputExistsError: if it is there and ``force`` is not given.
    """
    path = Path(path)
    if path.suffix.lower() != ending:
        raise ValueError(f"{path}: expected a name that ends in {ending}")
    refuse_existing([path], force)
    return path


def refuse_existing(paths: Iterable[Path], force: bool) -> None:
    """
    Raises:
        OutputExistsError: if one of the files is there and ``force`` is not given.
    """
    there = [path for path in paths if path.exists()]
    if there and not force:
        raise OutputExistsError(f"{shortened(there)}: already there; force=True overwrites, or give another name")
