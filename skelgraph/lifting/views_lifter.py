"""Lifting in memory what several calibrated cameras saw: by triangulation or by a trained network."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from skelgraph.geometry import axes, triangulation
from skelgraph.geometry.cameras import Camera
from skelgraph.lifting.gaps import filled
from skelgraph.lifting.lifter import Progress
from skelgraph.multiview.body_refinement import refine_body
from skelgraph.multiview.recording import Recording
from skelgraph.nn.inputs import multiview_input
from skelgraph.nn.models import PoseModel
from skelgraph.nn.output import as_output
from skelgraph.nn.prediction import device_of
from skelgraph.poses.pose3d import Pose3D

_LEAST_CONFIDENCE = 0.3
_THRESHOLD = 15 / 1145
_POINTS_AT_A_TIME = 1 << 16


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
        bones, threshold = found.skeleton.bones, threshold_px(found.cameras)
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
    where = device_of(model)
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


def _triangulated(cameras: Camera, px: Tensor, confidence: Tensor, progress: Progress | None) -> NDArray[np.float64]:
    """[F, J, 3] m of px [V, F, J, 2], NaN where no two cameras agree; some frames at a time, which bounds memory."""
    views, count, joints = confidence.shape
    chunk, done = max(1, _POINTS_AT_A_TIME // (views * joints)), []
    for first in range(0, count, chunk):
        part, seen = px[:, first : first + chunk], confidence[:, first : first + chunk]
        start = triangulation.ransac(cameras, part, seen, threshold_px(cameras))
        done.append(triangulation.refine(cameras, start, part, seen).points.numpy())
        if progress is not None:
            progress(min(first + chunk, count), count)
    return np.concatenate(done) if done else np.zeros((0, joints, 3))


def threshold_px(cameras: Camera) -> float:
    """px by which keypoints may miss a joint's projection: 15 at the focal length of Human3.6M's cameras."""
    return _THRESHOLD * float(cameras.f.mean())


__all__ = ["lift_found", "lift_views", "threshold_px"]
