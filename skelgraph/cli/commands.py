"""The command line: each command calls one function."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from rich.table import Table
from rich.text import Text

from skelgraph.cli import options as command_line
from skelgraph.cli.options import Changes, Folder, Plugins, Rate, Which, Word, Words, console

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="From 2D keypoints to 3D poses with graph networks, on any skeleton.",
)
data_app = typer.Typer(no_args_is_help=True, help="Make data files.")
app.add_typer(data_app, name="data")


@app.command()
def train(
    experiment: Annotated[Folder, typer.Argument(help="A YAML file.", show_default=False)] = None,
    changes: Changes = None,
    out: Annotated[Folder, typer.Option(help="Folder of the run; default runs/FILE.")] = None,
    resume: Annotated[Folder, typer.Option(help="Go on with the run in this folder; nothing else is needed.")] = None,
    variant: Annotated[Word, typer.Option(help="Train only this variant of the file.")] = None,
    seeds: Annotated[Word, typer.Option(help="Train once with each seed: 0,1.")] = None,
    plugin: Plugins = None,
) -> None:
    """Train an experiment and evaluate it. Ctrl-C saves and says how to go on."""
    from skelgraph.training import config, variants
    from skelgraph.training import train as training
    from skelgraph.training.progress import ConsoleProgress

    options: dict[str, Any] = {
        "progress": ConsoleProgress(console),
        "variant": variant,
        "plugins": command_line.plugins(plugin),
    }
    if resume is not None:
        if experiment is not None or out is not None or seeds is not None:
            raise typer.BadParameter(
                "--resume finds everything in the run's folder; give it without experiment or --out"
            )
        folder = training.resume(resume, **options)
    elif experiment is None:
        raise typer.BadParameter("give an experiment, such as experiments/X.yaml, or --resume RUN")
    else:
        overrides = [*(changes or []), *([f"train.seeds=[{seeds}]"] if seeds is not None else [])]
        settings = config.read(experiment, overrides)
        folder = training.fit(settings, out or Path("runs") / experiment.stem, **options)
    command_line.show_table(variants.read_table(folder).cells())
    console.print(f"Results are in {folder}.", highlight=False)


@app.command()
def evaluate(
    run: Annotated[Path, typer.Argument(help="A run folder or a checkpoint file.")],
    changes: Changes = None,
    which: Which = None,
    device: Annotated[Word, typer.Option(help="cpu, cuda, cuda:1; default as trained.")] = None,
    plugin: Plugins = None,
) -> None:
    """Evaluate a run on its test split: every metric per part, joint and action, the mean pose beside it."""
    from skelgraph.training import metric_tables
    from skelgraph.training.evaluate import evaluate as measure

    chosen = command_line.choice(which)
    metrics = measure(run, which=chosen, overrides=changes or [], device=device, plugins=command_line.plugins(plugin))
    for by in ("overall", "views", "h3wb", "parts", "joints", "actions"):
        if by == "overall" or metrics.get(by):
            console.print(metric_tables.metrics_table(metrics, by), "")


@app.command()
def show(
    skeleton: Annotated[str, typer.Argument(help="A built-in skeleton's name or the path of a YAML file.")],
    out: Annotated[Folder, typer.Option(help="The picture; default NAME.png.")] = None,
) -> None:
    """Draw a skeleton, and describe it."""
    from skelgraph.skeleton.describe import describe
    from skelgraph.training.experiment import build_skeleton
    from skelgraph.viz.drawings.skeleton_drawing import draw_skeleton

    found = build_skeleton(skeleton)
    path = out or Path(f"{found.name}.png")
    draw_skeleton(found, path)
    console.print(Text(describe(found)))
    console.print(f"Picture in {path}.", highlight=False)


@app.command()
def lift(
    keypoints: Annotated[
        list[str],
        typer.Argument(help="A file or folder of 2D keypoints, or a video; of several cameras one each, or NAME=FILE."),
    ],
    out: Annotated[Path, typer.Option(help="Folder for pose.npz, pose.json, pose.png and pose.html.")],
    calibration: Annotated[Folder, typer.Option(help="Of several cameras: where they are.")] = None,
    checkpoint: Annotated[
        Word, typer.Option(help="body, whole-body, a run folder or a checkpoint file; default by the keypoints.")
    ] = None,
    format: Annotated[Word, typer.Option(help="Format of the keypoint file; default by its content.")] = None,
    image_size: Annotated[Word, typer.Option(help="WIDTHxHEIGHT in pixels, where the file has none.")] = None,
    person: Annotated[Word, typer.Option(help="Which person of the file, or all; default the largest.")] = None,
    focal: Annotated[Rate, typer.Option(help="Focal length in pixels, where you know it.")] = None,
    fov: Annotated[Rate, typer.Option(help="Horizontal field of view in degrees, in place of --focal.")] = None,
    fps: Annotated[Rate, typer.Option(help="Frames per second, where the file does not say it.")] = None,
    refine: Annotated[
        bool, typer.Option("--refine", help="Of several cameras: move joints to keypoints that agree, bones rigid.")
    ] = False,
    smooth: Annotated[bool, typer.Option("--smooth", help="Filter over time, and say how far joints moved.")] = False,
    no_flip: Annotated[bool, typer.Option("--no-flip", help="Faster: do not average with the mirrored input.")] = False,
    write: Annotated[Word, typer.Option(help="Further files: bvh,trc,csv,c3d.")] = None,
    axes: Annotated[Word, typer.Option(help="Their axes: camera, blender, unity, opensim, world.")] = None,
    up: Annotated[Word, typer.Option(help="The axis of the calibration's world that points up: z, y, -y, ...")] = None,
    trajectory: Annotated[
        bool, typer.Option("--trajectory", help="Move the person in them: an estimate; needs --focal or --fov.")
    ] = False,
    height: Annotated[Rate, typer.Option(help="The person's height in metres, for --trajectory.")] = None,
    truth: Annotated[Folder, typer.Option(help="A pose npz of the same frames to compare with.")] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or cuda:1.")] = "auto",
    force: Annotated[bool, typer.Option("--force", help="Overwrite outputs, and lift what looks wrong.")] = False,
    plugin: Plugins = None,
) -> None:
    """Lift 2D keypoints to 3D: numbers, a picture and a page to turn and play. Several cameras need --calibration."""
    from skelgraph.lifting import several_views
    from skelgraph.lifting import single_view as lifting

    who, plugins, further = command_line.whom(person), command_line.plugins(plugin), write.split(",") if write else ()
    shared: dict[str, Any] = {"checkpoint": checkpoint, "format": format, "force": force, "device": device}
    shared |= {"write": further, "into": axes, "smooth": smooth, "fps": fps, "plugins": plugins, "person": who}
    alone: dict[str, Any] = {"focal": focal, "fov": fov, "trajectory": trajectory, "height": height, "truth": truth}
    command_line.check_cameras(
        keypoints,
        calibration,
        {**alone, "image-size": image_size, "no-flip": no_flip, "person all": who == "all"},
        {"up": up, "refine": refine},
    )
    with command_line.frames_bar() as progress:
        summary: Any
        if calibration is not None:
            summary = several_views.lift_recording(
                keypoints, calibration, out, up=up, refine=refine, progress=progress, **shared
            )
        else:
            alone |= {"image_size": command_line.size(image_size), "flip": not no_flip}
            summary = lifting.lift(keypoints[0], out, progress=progress, **shared, **alone)
    console.print(Text(str(summary)))


@app.command()
def page(
    poses: Annotated[list[Path], typer.Argument(help="Pose files, pose.npz: of several models, or of several people.")],
    out: Annotated[Path, typer.Option(help="The page to write, NAME.html.")],
    truth: Annotated[Folder, typer.Option(help="A pose npz of the same frames and joints as the first.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite the page.")] = False,
) -> None:
    """Overlay poses on one page, to compare models or to see people together."""
    from skelgraph.viz.page.compare import compare

    compare(poses, out, truth, force=force)
    console.print(f"Page in {out}.", highlight=False)


@app.command()
def pack(
    run: Annotated[Path, typer.Argument(help="A run folder or a checkpoint file.")],
    out: Annotated[Path, typer.Argument(help="The file to write: NAME.safetensors.")],
    changes: Changes = None,
    which: Which = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite the output.")] = False,
    plugin: Plugins = None,
) -> None:
    """Write a run as one small file: half precision, no optimiser, and its error estimate fitted on the data named."""
    from skelgraph.lifting import packing

    chosen, plugins = command_line.choice(which), command_line.plugins(plugin)
    summary = packing.pack(run, out, changes or [], which=chosen, force=force, plugins=plugins)
    console.print(Text(str(summary)))


@app.command()
def export(
    run: Annotated[str, typer.Argument(help="body, whole-body, a run folder or a checkpoint file.")],
    out: Annotated[Path, typer.Argument(help="The file to write, such as lifter.onnx.")],
    which: Which = None,
    plugin: Plugins = None,
) -> None:
    """Write a run's model as one ONNX file, from pixels to metres, and check it with ONNX Runtime."""
    from skelgraph.lifting import onnx_export as exporting

    summary = exporting.export(run, out, command_line.choice(which), command_line.plugins(plugin))
    console.print(Text(str(summary)))


@app.command()
def convert(
    system: Annotated[str, typer.Argument(help="simple_baseline, sem_gcn, ...; a wrong name lists them.")],
    checkpoint: Annotated[Path, typer.Argument(help="The authors' file: .pt, .pth, .pth.tar or .safetensors.")],
    out: Annotated[Path, typer.Argument(help="The file to write: NAME.safetensors.")],
    arguments: Annotated[
        Words, typer.Argument(metavar="[key=value ...]", help="Such as heads=4, num_frames=7.")
    ] = None,
    skeleton: Annotated[str, typer.Option(help="The checkpoint's skeleton, by name or YAML file.")] = "HUMAN36M",
    force: Annotated[bool, typer.Option("--force", help="Overwrite the output.")] = False,
) -> None:
    """Turn the authors' published checkpoint into one that skelgraph lifts with."""
    from skelgraph.training import config, systems
    from skelgraph.training.convert import convert as converted
    from skelgraph.training.experiment import build_skeleton

    given = config.Section()
    for change in arguments or []:
        given = config.apply(given, change)
    model = converted(system, checkpoint, out, build_skeleton(skeleton), force=force, **config.plain(given))
    parameters = f"{systems.count_parameters(model):,} parameters"
    console.print(Text(f"{type(model).__name__}, {parameters}, on {skeleton}\nwritten: {out}"))


@app.command()
def models(
    name: Annotated[Word, typer.Argument(help="A model to describe, with its arguments.")] = None,
    markdown: Annotated[bool, typer.Option("--markdown", help="As the README has it.")] = False,
    plugin: Plugins = None,
) -> None:
    """List every system with its parameters and multiply-adds, or describe one model."""
    from skelgraph.training import systems

    if name is not None:
        signature, about = systems.describe(name, command_line.plugins(plugin))
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


@data_app.command()
def mocap(
    folder: Annotated[Path, typer.Argument(help="Searched for .bvh and .c3d files, with all folders in it.")],
    out: Annotated[Path, typer.Argument(help="The file to write, NAME.npz, for data: {name: MotionCapture}.")],
    test: Annotated[Word, typer.Option(help="Subjects for the test split: 02,07; the others are trained on.")] = None,
    fps: Annotated[float, typer.Option(help="Frames per second to write; the nearest frames are taken.")] = 30.0,
    up: Annotated[str, typer.Option(help="The files' vertical: auto, y or z.")] = "auto",
    force: Annotated[bool, typer.Option("--force", help="Overwrite the output.")] = False,
) -> None:
    """Turn motion capture of any making into one file to train on."""
    from skelgraph.datasets.mocap import motion_import

    subjects = test.split(",") if test else ()
    summary = motion_import.convert(folder, out, test=subjects, fps=fps, up=up, force=force)
    console.print(Text(str(summary)))


@app.command()
def doctor(device: Annotated[str, typer.Option(help="Where to test: auto, cpu, cuda or cuda:1.")] = "auto") -> None:
    """Look at this installation and test it in seconds: versions, devices, extras, data. Exits 1 if it fails."""
    from skelgraph.cli import doctor as doctoring

    found = doctoring.examine(device)
    table = Table("", "", "found", box=None, header_style="bold")
    for row in (*found.rows, ("self-test", "passed" if found.ok else "FAILED", found.test)):
        table.add_row(*map(Text, row))
    console.print(table)
    if not found.ok:
        raise ValueError(f"the self-test failed: {found.test}")


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Runs a command. Exits 0; 1 with one line that says what is wrong; 2 for wrong usage; 75 when stopped."""
    from skelgraph.training.signals import EXIT_CODE, Interrupted

    try:
        warnings.showwarning = command_line.show_warning
        app(arguments, prog_name="skelgraph")
    except Interrupted as error:
        command_line.complain(str(error))
        sys.exit(EXIT_CODE)
    except (ValueError, OSError, FloatingPointError) as error:
        command_line.complain(f"error: {error}")
        sys.exit(1)
    sys.exit(0)
