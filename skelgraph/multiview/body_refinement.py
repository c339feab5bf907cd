"""Refining points in the world as one body: robust reprojection errors, and bones that keep their length."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from skelgraph.geometry.cameras import Camera

_STRETCH, _PRIOR = 0.7, 0.1  # of what a shift across the view counts
_STEPS = 15
_DAMPING = 1e-3
_ENTRIES_AT_ONCE = 1 << 23
_SHORTEST_M, _NEAREST_M = 1e-3, 0.1


def refine_body(
    cameras: Camera,
    points: Tensor,
    px: Tensor,
    confidence: Tensor,
    bones: Sequence[tuple[int, int]],
    threshold: float = 15.0,
) -> Tensor:
    r"""Moves the joints of each frame to the least

    .. math:: \sum_{v, j} c\, \tau^2 \rho\!\left(\frac{\lVert \pi_v(X_j) - x_{vj} \rVert}{\tau}\right) +
        \sum_b \big(0.7\, s\, (\lVert X_{b_1} - X_{b_2} \rVert - L_b)\big)^2 +
        \sum_j (0.1\, s\, \lVert X_j - X^0_j \rVert)^2, \quad \rho(e) = \frac{e^2}{1 + e^2}

    with :math:`L_b` the median over the frames of the bone's length in the points given, and s = f / z, what a metre
    across the view is in pixels. Frames do not know of one another but for these lengths: nothing is smoothed in time.
    For detectors that are right in most views and far off in others; where noise is the same everywhere, and larger
    than ``threshold``, a trained network's points are better as they are. Reweighted (Geman and McClure's loss)
    Gauss-Newton steps on all joints of a frame at once.

    Args:
        cameras: V of them.
        points: world, metres, [F, J, 3], all finite.
        px: pixels as filmed, [V, F, J, 2].
        confidence: [V, F, J], 0 = missing.
        bones: pairs of joints.
        threshold: tau, px, above which an error pulls less and less.

    Returns:
        [F, J, 3], in float64.

    Raises:
        ValueError: if a point is not finite, or the shapes do not fit.
    """
    start, px, confidence = points.double(), px.to(points.device).double(), confidence.to(points.device).double()
    cameras = cameras.to(start)
    if not start.isfinite().all():
        raise ValueError("points must be finite: fill in joints that were not found")
    if px.shape != (len(cameras), *start.shape[:2], 2) or confidence.shape != px.shape[:-1]:
        raise ValueError(
            f"px must be {[len(cameras), *start.shape[:2], 2]} and confidence as long, found {list(px.shape)} and "
            f"{list(confidence.shape)}"
        )
    ends = torch.tensor(bones, dtype=torch.long, device=start.device).reshape(-1, 2)
    usual = (start[:, ends[:, 0]] - start[:, ends[:, 1]]).norm(dim=-1).median(0).values
    chunk = max(1, _ENTRIES_AT_ONCE // (3 * start.size(1)) ** 2)
    parts = zip(start.split(chunk), px.split(chunk, 1), confidence.split(chunk, 1), strict=True)
    return torch.cat([_refined(cameras, x, seen, weight, ends, usual, threshold) for x, seen, weight in parts])


def _refined(
    cameras: Camera,
    start: Tensor,
    px: Tensor,
    confidence: Tensor,
    ends: Tensor,
    usual: Tensor,
    threshold: float,
) -> Tensor:
    scale = _pixels_per_metre(cameras, start)
    prior = (_PRIOR * scale).square()
    x = start
    for _ in range(_STEPS):
        A, b = _seen(cameras, x, px, confidence, threshold)
        A, b = _stretched(A, b, x, ends, usual, _STRETCH * scale)
        A.diagonal(dim1=-2, dim2=-1).add_(prior[:, None]).mul_(1 + _DAMPING)
        b = b + (prior[:, None, None] * (x - start)).flatten(1)
        x = x - torch.linalg.solve(A, b).view_as(x)
    return x


def _pixels_per_metre(cameras: Camera, points: Tensor) -> Tensor:
    """The mean of f / z over the cameras, [F]."""
    depth = cameras.to_camera(points.mean(1)[None])[..., 2].clamp_min(_NEAREST_M)  # [V, F]
    return (cameras.f.mean(-1, keepdim=True) / depth).mean(0)


def _seen(cameras: Camera, x: Tensor, px: Tensor, confidence: Tensor, threshold: float) -> tuple[Tensor, Tensor]:
    """The normal equations of the reprojection errors, [F, 3 J, 3 J] and [F, 3 J]."""
    frames, joints = x.shape[:2]
    local = cameras.to_camera(x[None])
    error = cameras.project(local) - px
    counts = (confidence > 0) & error.isfinite().all(-1)
    error = torch.where(counts[..., None], error, 0)
    jacobian = torch.where(counts[..., None, None], cameras.project_jacobian(local), 0)
    jacobian = cameras.directions_to_world(jacobian)
    pull = torch.where(counts, confidence, 0) * (1 + error.square().sum(-1) / threshold**2) ** -2
    blocks = (pull[..., None, None] * (jacobian.mT @ jacobian)).sum(0)  # [F, J, 3, 3]
    right = (pull[..., None] * (jacobian.mT @ error[..., None])[..., 0]).sum(0)
    A = x.new_zeros(frames, joints, 3, joints, 3)
    every = torch.arange(joints, device=x.device)
    A[:, every, :, every] = blocks.transpose(0, 1)
    return A.view(frames, 3 * joints, 3 * joints), right.flatten(1)


def _stretched(A: Tensor, b: Tensor, x: Tensor, ends: Tensor, usual: Tensor, weight: Tensor) -> tuple[Tensor, Tensor]:
    """Adds the normal equations of the bones' stretch, [F, 3 J, 3 J] and [F, 3 J]."""
    frames, joints = x.shape[:2]
    bone = x[:, ends[:, 0]] - x[:, ends[:, 1]]
    length = bone.norm(dim=-1, keepdim=True).clamp_min(_SHORTEST_M)
    along = x.new_zeros(frames, len(ends), joints, 3)
    each = torch.arange(len(ends), device=x.device)
    along[:, each, ends[:, 0]] = bone / length
    along[:, each, ends[:, 1]] = -bone / length
    jacobian = weight[:, None, None] * along.flatten(2)  # [F, bones, 3 J]
    stretch = weight[:, None] * (length[..., 0] - usual)
    return A + jacobian.mT @ jacobian, b + (jacobian.mT @ stretch[..., None])[..., 0]
