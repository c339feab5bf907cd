"""``skelgraph data``: making data files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from skelgraph.cli.options import Force, Word


def mocap(
    folder: Annotated[Path, typer.Argument(help="Searched for .bvh and .c3d files, with all folders in it.")],
    out: Annotated[Path, typer.Argument(help="The file to write, NAME.npz, for data: {name: MotionCapture}.")],
    test: Annotated[Word, typer.Option(help="Subjects for the test split: 02,07; the others are trained on.")] = None,
    fps: Annotated[float, typer.Option(help="Frames per second to write; the nearest frames are taken.")] = 30.0,
    up: Annotated[str, typer.Option(help="The files' vertical: auto, y or z.")] = "auto",
    force: Force = False,
) -> object:
    """Turn motion capture of any making into one file to train on."""
    from skelgraph.datasets.mocap import motion_import

    subjects = test.split(",") if test else ()
    return motion_import.convert(folder, out, test=subjects, fps=fps, up=up, force=force)
