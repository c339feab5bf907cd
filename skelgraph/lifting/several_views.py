"""Lifting the files of several calibrated cameras to one pose in their world."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from skelgraph.errors import CheckpointError
from skelgraph.io import calibrations, keypoints
from skelgraph.lifting import output_files, weights
from skelgraph.lifting.lifter import Progress
from skelgraph.lifting.options import LiftOptions
from skelgraph.lifting.views_lifter import lift_found, threshold_px
from skelgraph.lifting.views_summary import ViewsSummary
from skelgraph.motion import smoothing
from skelgraph.multiview.pairing import pair
from skelgraph.multiview.recording import Recording
from skelgraph.multiview.up_axis import up_axis
from skelgraph.nn.inputs import RAY_CHANNELS
from skelgraph.poses.keypoints import Keypoints
from skelgraph.skeleton import Skeleton
from skelgraph.training import experiment
from skelgraph.training.checkpoint import load_run


class _Network(NamedTuple):
    model: Any  # an nn.Module and a PoseModel
    skeleton: Skeleton
    name: str


def lift_recording(
    files: Sequence[str | Path],
    calibration: str | Path,
    out: str | Path,
    options: LiftOptions | None = None,
    progress: Progress | None = None,
) -> ViewsSummary:
    """Lifts one file per camera to one pose in the world, see :func:`skelgraph.lift`.

    Args:
        files: see :func:`skelgraph.multiview.pairing.pair`.
        calibration: see :func:`skelgraph.io.calibrations.read`.
        out: the folder to write into.
        options: those for several cameras.
        progress: called with the frames done and the frames in all.

    Raises:
        ValueError: if something does not fit; names the file, or the two files that do not go together.
    """
    options = options or LiftOptions()
    options.check_cameras(len(files), several=True)
    cameras, out = calibrations.read(calibration), Path(out)
    paired = pair(files, cameras, calibration)
    names = output_files.names(["pose"], options.write)
    output_files.check([*paired.values(), Path(calibration)], out, names, options.force)
    network = None if options.checkpoint is None else _load(options.checkpoint, options)
    views, crowded = _read(paired, options, progress)
    found = Recording.of(views, cameras, None if network is None else network.skeleton, force=options.force)
    options.check_rate(found.fps, found.views[0].source)
    axis, tilt = up_axis(found.cameras) if options.up is None else (options.up, None)
    start = time.perf_counter()
    model = None if network is None else network.model
    world = lift_found(found, axis, model, refine=options.refine, progress=progress)
    moved = None
    if options.smooth and world.fps is not None:
        world, moved = smoothing.smooth(world)
    seconds = time.perf_counter() - start
    method = "RANSAC" if network is None else network.name
    return ViewsSummary(
        calibration=Path(calibration),
        num_cameras=len(cameras),
        recording=found,
        crowded=crowded,
        world=world,
        tilt_deg=tilt,
        by=_how(found, network, options.refine),
        smoothed=moved,
        outputs=output_files.write_world(out, world, found, options.write, options.axes, method),
        seconds=seconds,
    )


def _how(found: Recording, network: _Network | None, refine: bool) -> str:
    """What lifted, in words."""
    if network is not None:
        how = f"lifted by {network.name}"
    else:
        how = f"triangulated by RANSAC (to {threshold_px(found.cameras):.0f} px) and refined"
    return f"{how}, then as one body" if refine else how


def _load(checkpoint: str | Path, options: LiftOptions) -> _Network:
    model, skeleton, _ = load_run(weights.find(checkpoint), plugins=options.plugins)
    if (model.input_kind, model.in_channels) != ("views", RAY_CHANNELS):
        raise CheckpointError(
            f"checkpoint={str(checkpoint)!r}: {type(model).__name__} is no model for several calibrated cameras; give "
            "one that is, or none: then the joints are triangulated"
        )
    return _Network(model.to(experiment.torch_device(options.device)), skeleton, type(model).__name__)


def _read(
    paired: Mapping[str, Path], options: LiftOptions, progress: Progress | None
) -> tuple[dict[str, Keypoints], tuple[str, ...]]:
    """The keypoints of each camera, and which files hold several people of whom the largest was taken."""
    views, crowded = {}, []
    for name, path in paired.items():
        people = keypoints.read_people(path, options.format, progress=progress)
        view = people.choose(options.person if isinstance(options.person, int) else "largest")
        views[name] = view if options.fps is None else dataclasses.replace(view, fps=options.fps)
        if options.person is None and people.crowded.size:
            crowded.append(f"{path} holds {len(people.ids)} people; taken: {view.person}, the largest in the picture")
    return views, tuple(crowded)


__all__ = ["lift_recording"]
