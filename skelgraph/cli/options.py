"""Options that several commands have, and what is typed for them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, Literal, Optional

import typer

from skelgraph.errors import MissingExtraError

# typer on Python 3.10 reads Optional, not "| None"
Words = Optional[list[str]]  # noqa: UP045
Folder = Optional[Path]  # noqa: UP045
Word = Optional[str]  # noqa: UP045
Rate = Optional[float]  # noqa: UP045
Changes = Annotated[Words, typer.Argument(metavar="[key=value ...]", help="Changes, such as train.epochs=1.")]
Force = Annotated[bool, typer.Option("--force", help="Overwrite the output.")]
Plugins = Annotated[Words, typer.Option("--plugin", help="A package whose __all__ adds models, datasets, losses, ...")]
Which = Annotated[Word, typer.Option("--which", help="last or best checkpoint; default the last.")]


def choice(which: str | None) -> Any:
    """``--which``, checked."""
    if which not in (None, "last", "best"):
        raise typer.BadParameter(f"--which {which}: expected last or best")
    return which


def size(text: str | None) -> tuple[int, int] | None:
    """``--image-size`` as width and height."""
    if text is None:
        return None
    width, _, height = text.lower().partition("x")
    if not (width.isdigit() and height.isdigit()):
        raise typer.BadParameter(f"--image-size {text}: expected WIDTHxHEIGHT, such as 1920x1080")
    return int(width), int(height)


def whom(person: str | None) -> int | Literal["all"] | None:
    """``--person`` as a number or ``all``."""
    if person is None or person == "all":
        return None if person is None else "all"
    if not person.isdigit():
        raise typer.BadParameter(f"--person {person}: expected a number or all")
    return int(person)


@contextmanager
def wrong_usage() -> Iterator[None]:
    """A ``ValueError`` inside is about what was typed, not about files: the program ends as for an unknown option."""
    try:
        yield
    except MissingExtraError:
        raise
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
