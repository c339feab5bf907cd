"""``skelgraph lift`` and ``skelgraph page``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from skelgraph.cli import options
from skelgraph.cli.console import frames_bar
from skelgraph.cli.options import Folder, Force, Plugins, Rate, Word


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
) -> object:
    """Lift 2D keypoints to 3D: numbers, a picture and a page to turn and play. Several cameras need --calibration."""
    from skelgraph.lifting.lift import lift as lifted
    from skelgraph.lifting.options import LiftOptions

    given: dict[str, Any] = {
        "checkpoint": checkpoint,
        "format": format,
        "image_size": options.size(image_size),
        "person": options.whom(person),
        "focal": focal,
        "fov": fov,
        "fps": fps,
        "refine": refine,
        "smooth": smooth,
        "flip": not no_flip,
        "write": write.split(",") if write else (),
        "axes": axes,
        "up": up,
        "trajectory": trajectory,
        "height": height,
        "truth": truth,
        "device": device,
        "force": force,
        "plugins": plugin or (),
    }
    with options.wrong_usage():
        LiftOptions(**given).check_cameras(len(keypoints), several=calibration is not None)
    with frames_bar() as progress:
        return lifted(keypoints, out, calibration, progress=progress, **given)


def page(
    poses: Annotated[list[Path], typer.Argument(help="Pose files, pose.npz: of several models, or of several people.")],
    out: Annotated[Path, typer.Option(help="The page to write, NAME.html.")],
    truth: Annotated[Folder, typer.Option(help="A pose npz of the same frames and joints as the first.")] = None,
    force: Force = False,
) -> str:
    """Overlay poses on one page, to compare models or to see people together."""
    from skelgraph.viz.page.compare import compare

    compare(poses, out, truth, force=force)
    return f"Page in {out}."
