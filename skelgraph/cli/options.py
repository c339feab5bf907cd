"""Options that several commands have, and what is typed for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, Optional

import typer

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


def check_cameras(
    files: Sequence[str], calibration: Path | None, alone: Mapping[str, object], several: Mapping[str, object]
) -> None:
    """Refuses options of ``lift`` that mean nothing for one camera, or for several.

    Args:
        files: of keypoints.
        calibration: of several cameras.
        alone: values of options for one camera, by name; None or False where not given.
        several: values of options for several, likewise.

    Raises:
        typer.BadParameter: naming the option.
    """
    given, useless = (
        ", ".join(f"--{name}" for name, value in options.items() if value not in (None, False))
        for options in (alone, several)
    )
    if calibration is not None and given:
        raise typer.BadParameter(f"{given}: is for one camera; with --calibration leave it out")
    if calibration is None and len(files) > 1:
        raise typer.BadParameter(f"{len(files)} files: of several cameras? Then give --calibration FILE; else one file")
    if calibration is None and useless:
        raise typer.BadParameter(f"{useless}: is for several cameras, with --calibration")
