"""Models and skeletons: ``skelgraph models``, ``show``, ``convert``, ``pack`` and ``export``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from skelgraph.cli import options
from skelgraph.cli.console import console
from skelgraph.cli.options import Changes, Folder, Force, Plugins, Which, Word, Words


def show(
    skeleton: Annotated[str, typer.Argument(help="A built-in skeleton's name or the path of a YAML file.")],
    out: Annotated[Folder, typer.Option(help="The picture; default NAME.png.")] = None,
) -> str:
    """Draw a skeleton, and describe it."""
    from skelgraph.skeleton.describe import describe
    from skelgraph.training.experiment import build_skeleton
    from skelgraph.viz.drawings.skeleton_drawing import draw_skeleton

    found = build_skeleton(skeleton)
    path = out or Path(f"{found.name}.png")
    draw_skeleton(found, path)
    return f"{describe(found)}\nPicture in {path}."


def pack(
    run: Annotated[Path, typer.Argument(help="A run folder or a checkpoint file.")],
    out: Annotated[Path, typer.Argument(help="The file to write: NAME.safetensors.")],
    changes: Changes = None,
    which: Which = None,
    force: Force = False,
    plugin: Plugins = None,
) -> object:
    """Write a run as one small file: half precision, no optimiser, and its error estimate fitted on the data named."""
    from skelgraph.lifting import packing

    chosen, plugins = options.choice(which), plugin or ()
    return packing.pack(run, out, changes or [], which=chosen, force=force, plugins=plugins)


def export(
    run: Annotated[str, typer.Argument(help="body, whole-body, a run folder or a checkpoint file.")],
    out: Annotated[Path, typer.Argument(help="The file to write, such as lifter.onnx.")],
    which: Which = None,
    plugin: Plugins = None,
) -> object:
    """Write a run's model as one ONNX file, from pixels to metres, and check it with ONNX Runtime."""
    from skelgraph.lifting import onnx_export

    return onnx_export.export(run, out, options.choice(which), plugin or ())


def convert(
    system: Annotated[str, typer.Argument(help="simple_baseline, sem_gcn, ...; a wrong name lists them.")],
    checkpoint: Annotated[Path, typer.Argument(help="The authors' file: .pt, .pth, .pth.tar or .safetensors.")],
    out: Annotated[Path, typer.Argument(help="The file to write: NAME.safetensors.")],
    arguments: Annotated[
        Words, typer.Argument(metavar="[key=value ...]", help="Such as heads=4, num_frames=7.")
    ] = None,
    skeleton: Annotated[str, typer.Option(help="The checkpoint's skeleton, by name or YAML file.")] = "HUMAN36M",
    force: Force = False,
) -> str:
    """Turn the authors' published checkpoint into one that skelgraph lifts with."""
    from skelgraph.training import config, systems
    from skelgraph.training.convert import convert as converted
    from skelgraph.training.experiment import build_skeleton

    given = config.changed(config.Section(), arguments or [])
    model = converted(system, checkpoint, out, build_skeleton(skeleton), force=force, **config.plain(given))
    parameters = f"{systems.count_parameters(model):,} parameters"
    return f"{type(model).__name__}, {parameters}, on {skeleton}\nwritten: {out}"


def models(
    name: Annotated[Word, typer.Argument(help="A model to describe, with its arguments.")] = None,
    markdown: Annotated[bool, typer.Option("--markdown", help="As the README has it.")] = False,
    plugin: Plugins = None,
) -> None:
    """List every system with its parameters and multiply-adds, or describe one model."""
    from skelgraph.training import systems

    if name is not None:
        signature, about = systems.describe(name, plugin or ())
        console.print(Text(name, style="bold"), Text(f"{signature}\n", style="dim"), Text(about), sep="\n")
    elif markdown:
        typer.echo(systems.markdown(systems.table()))
    else:
        head, *rows = systems.table()
        table = Table(*head, box=None, header_style="bold")
        for row in rows:
            table.add_row(*(Text(cell.replace("`", "")) for cell in row))
        console.print(table)
        console.print("skelgraph models NAME describes one, such as AMPose.", style="dim")
