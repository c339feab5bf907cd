"""Lifting what several calibrated cameras saw: one pose in the world, by triangulation or by a trained network."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from skelgraph.errors import CheckpointError
from skelgraph.geometry import axes, triangulation
from skelgraph.geometry.cameras import Camera
from skelgraph.io import calibrations, keypoints
from skelgraph.lifting import output_files, weights
from skelgraph.lifting.lifter import Progress
from skelgraph.lifting.options import LiftOptions
from skelgraph.lifting.summary import ViewsSummary
from skelgraph.motion import smoothing
from skelgraph.multiview.body_refinement import refine_body
from skelgraph.multiview.pairing import pair
from skelgraph.multiview.recording import Recording
from skelgraph.multiview.up_axis import up_axis
from skelgraph.nn.inputs import RAY_CHANNELS, multiview_input
from skelgraph.nn.models import PoseModel
from skelgraph.nn.output import as_output
from skelgraph.poses.keypoints import Keypoints
from skelgraph.poses.pose3d import Pose3D
from skelgraph.skeleton import Skeleton
from skelgraph.training import experiment
from skelgraph.training.checkpoint import load_run

_LEAST_CONFIDENCE = 0.3
_THRESHOLD = 15 / 1145
_POINTS_AT_A_TIME = 1 << 16


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
        how = f"triangulated by RANSAC (to {_threshold(found.cameras):.0f} px) and refined"
    return f"{how}, then as one body" if refine else how


def lift_found(
    found: Recording,
    up: str,
    model: PoseModel | None = None,
    *,
    refine: bool = False,
    progress: Progress | None = None,
) -> Pose3D:
    """The pose of a recording, gaps in it interpolated.

    Args:
        found: what the cameras saw.
        up: the world's axis that points up.
        model: as of :func:`lift_views`; default RANSAC and refinement.
        refine: moves the joints to the keypoints that agree, bones keeping their length:
            :func:`skelgraph.multiview.body_refinement.refine_body`.
        progress: as of :func:`lift_views`.

    Raises:
        ValueError: if no two cameras see the same joint and agree, or the model gives what is not finite.
    """
    px, confidence = found.keypoints, found.confidence
    trusted = torch.where(confidence < _LEAST_CONFIDENCE, 0.0, confidence)
    if model is None:
        points = _triangulated(found.cameras, px.double(), trusted, progress)
        guessed = np.asarray(np.isnan(points).any(-1))
        joints = filled(points, found.skeleton)
    else:
        turn = torch.from_numpy(axes.z_up(up))
        cameras = found.cameras.in_turned_world(turn)
        joints = (lift_views(model, cameras, px, confidence, progress=progress).double() @ turn).numpy()
        guessed = ((confidence > 0).sum(0) < 2).numpy()
    if not np.isfinite(joints).all():
        what = (
            "gives values that are not finite" if model is not None else "no two cameras see the same joint and agree"
        )
        raise ValueError(f"{', '.join(view.source for view in found.views)}: {what}")
    if refine:
        bones, threshold = found.skeleton.bones, _threshold(found.cameras)
        joints = refine_body(found.cameras, torch.from_numpy(joints), px, trusted, bones, threshold).numpy()
    off = triangulation.reprojection_error(found.cameras, torch.from_numpy(joints), px.double())
    error_px = torch.where(trusted > 0, off, torch.nan).float().numpy()
    view = axes.level_view(found.cameras.R[0].numpy(), up)
    return Pose3D.in_world(
        *(joints, found.skeleton, up, view),
        fps=found.fps,
        missing=guessed,
        cameras=found.cameras.names,
        error_px=error_px,
    )


@torch.no_grad()
def lift_views(
    model: PoseModel,
    cameras: Camera,
    keypoints: Tensor,
    confidence: Tensor,
    chunk: int | None = None,
    progress: Progress | None = None,
) -> Tensor:
    """Joints in the world by a model for several views, each frame in the middle of those around it.

    The first and the last frame are repeated at the ends. How many frames are done at once plays no part in the result.

    Args:
        model: called with what :func:`multiview_input` gives, [B, V, T, J, 9], T its ``num_frames``, gives [B, T, J, 3]
            m.
        cameras: V of them; z is up in their world, as in the models' training data.
        keypoints: [V, F, J, 2] px as filmed.
        confidence: [V, F, J], 0 = missing.
        chunk: frames at once, which bounds memory; default by views and joints.
        progress: called after every chunk with the frames done and the frames in all.

    Returns:
        [F, J, 3] m.
    """
    views, count, joints = confidence.shape
    length = model.num_frames
    chunk = chunk or max(1, _POINTS_AT_A_TIME // (views * joints * length))
    around = torch.arange(length) - length // 2
    where = next((each.device for each in model.parameters()), torch.device("cpu"))
    result = torch.zeros(count, joints, 3)
    for first in range(0, count, chunk):
        frames = torch.arange(first, min(first + chunk, count))
        window = (frames[:, None] + around).clamp(0, count - 1)
        low, high = int(window.min()), int(window.max()) + 1
        x = multiview_input(cameras, keypoints[:, low:high].float(), confidence[:, low:high].float())
        clips = x[:, window - low].movedim(0, 1).to(where)  # [B, V, T, J, 9]
        result[frames] = as_output(model(clips)).pose[:, length // 2].float().cpu()
        if progress is not None:
            progress(int(frames[-1]) + 1, count)
    return result


def filled(points: NDArray[np.float64], skeleton: Skeleton) -> NDArray[np.float64]:
    """Points [F, J, 3] m with gaps (NaN) interpolated over time, beyond the ends held.

    The mean of the origin joints is interpolated where it stands, the others relative to it, so that a joint that is
    lost walks on with the person. A joint that is found in no frame is put where the nearest joint along the bones is.
    All NaN if nothing is found.
    """
    path = points[:, list(skeleton.origin)].mean(axis=1)
    if not np.isfinite(path).any():
        seen = np.isfinite(points).all(-1, keepdims=True)
        with np.errstate(invalid="ignore"):
            path = np.where(seen, points, 0).sum(axis=1) / seen.sum(axis=1)
    path = _interpolated(path[:, None])
    result = path + _interpolated(points - path)
    found = np.isfinite(result).all(axis=(0, 2))
    for joint in np.flatnonzero(~found) if found.any() else ():
        hops = skeleton.hops(int(joint)).numpy()
        result[:, joint] = result[:, int(np.where(found, hops, np.inf).argmin())]
    return result


def _triangulated(cameras: Camera, px: Tensor, confidence: Tensor, progress: Progress | None) -> NDArray[np.float64]:
    """[F, J, 3] m of px [V, F, J, 2], NaN where no two cameras agree; some frames at a time, which bounds memory."""
    views, count, joints = confidence.shape
    chunk, done = max(1, _POINTS_AT_A_TIME // (views * joints)), []
    for first in range(0, count, chunk):
        part, seen = px[:, first : first + chunk], confidence[:, first : first + chunk]
        start = triangulation.ransac(cameras, part, seen, _threshold(cameras))
        done.append(triangulation.refine(cameras, start, part, seen).points.numpy())
        if progress is not None:
            progress(min(first + chunk, count), count)
    return np.concatenate(done) if done else np.zeros((0, joints, 3))


def _interpolated(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """[F, J, 3] with each joint's gaps filled linearly; NaN where it is never found."""
    result, frames = points.copy(), np.arange(len(points))
    for joint in range(points.shape[1]):
        good = np.flatnonzero(np.isfinite(points[:, joint]).all(-1))
        if 0 < good.size < len(frames):
            for axis in range(3):
                result[:, joint, axis] = np.interp(frames, good, points[good, joint, axis])
    return result


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


def _threshold(cameras: Camera) -> float:
    """px by which keypoints may miss a joint's projection: 15 at the focal length of Human3.6M's cameras."""
    return _THRESHOLD * float(cameras.f.mean())


__all__ = ["filled", "lift_found", "lift_recording", "lift_views"]
