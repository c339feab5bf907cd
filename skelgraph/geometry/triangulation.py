"""Points in the world from what several calibrated cameras see: DLT, RANSAC over views, refinement.

Cameras are ``[V]``, pixels ``[V, ..., 2]`` in their order, and confidence ``[V, ...]``; whatever stands between is
frames, persons, joints, and all of them are done at once. A keypoint that is NaN, or whose confidence is 0 or NaN, is
not seen. A joint that fewer than two views see is NaN, and so is one that comes out behind a camera that sees it;
``views`` says of how many views each was made. The world is in metres.
"""

from __future__ import annotations

import itertools
from typing import NamedTuple

import torch
from torch import Tensor

from skelgraph.geometry.cameras import Camera

MIN_BASELINE = 1e-6
"""Metres between two camera centres, below which they see no depth."""
_DEGENERATE = 1e-10
_DAMPING, _LEAST_DAMPING, _MOST_DAMPING = 1e-3, 1e-12, 1e8


class Triangulated(NamedTuple):
    """Points and how well they fit."""

    points: Tensor
    """World, metres, [..., 3]; NaN where too few views see or agree."""
    error: Tensor
    """Mean distance in px of the keypoints of the used views to the point's projections, [...]; NaN as ``points``."""
    used: Tensor
    """The views that the point was made of, boolean, [V, ...]; none where ``points`` is NaN."""

    @property
    def views(self) -> Tensor:
        """How many views each point was made of, [...]; 0 where it is NaN."""
        return self.used.sum(0)


def dlt(P: Tensor, px: Tensor, weight: Tensor | None = None) -> Tensor:
    r"""The direct linear transform: :math:`\min_{\lVert X \rVert = 1} \sum_v \lVert w_v (u_v P_v^3 - P_v^1) X \rVert^2`
    and the same with :math:`v_v, P_v^2` (Hartley and Zisserman 2004, section 12.2; OpenCV's ``triangulatePoints``).

    Args:
        P: projection matrices ``[V, 3, 4]``.
        px: ``[V, ..., 2]`` without distortion.
        weight: ``[V, ...]``, by which a view's two equations are multiplied, or ``[V, ..., 2]``, each its own; 0 leaves
            them out. Default 1.

    Returns:
        ``[..., 3]`` in the unit of P; NaN where fewer than two views count, or they leave the point undecided.
    """
    seen = px.isfinite().all(-1, keepdim=True)
    weight = torch.ones_like(px) if weight is None else weight if weight.dim() == px.dim() else weight[..., None]
    weight, px = torch.where(seen, weight, 0.0), torch.where(seen, px, 0.0)
    shape = (len(P), *[1] * (px.dim() - 2), 1, 4)
    rows = px[..., None] * P[:, 2].reshape(shape) - P[:, :2].reshape(*shape[:-2], 2, 4)
    rows = (weight[..., None] * rows).movedim(0, -3).flatten(-3, -2)
    _, singular, basis = torch.linalg.svd(rows, full_matrices=False)
    point = basis[..., 3, :]
    decided = ((weight > 0).any(-1).sum(0) >= 2) & (singular[..., 2] > _DEGENERATE * singular[..., 0])
    return torch.where(decided[..., None], point[..., :3] / point[..., 3:], torch.nan)


def triangulate(cameras: Camera, px: Tensor, confidence: Tensor | None = None) -> Triangulated:
    """The point of every joint from all views that see it, by :func:`dlt` weighted with the confidence.

    Args:
        cameras: V of them, at least two, not all in one place.
        px: ``[V, ..., 2]`` pixels as the cameras saw them, with distortion.
        confidence: ``[V, ...]``; default 1.

    Raises:
        ValueError: if there are fewer than two cameras, they are all in one place, the shapes do not fit the cameras,
            or a confidence is negative.
    """
    cameras, px64, weight = _checked(cameras, px, confidence)
    ideal, weight = _undistorted(cameras, px64, weight)
    points = dlt(cameras.P, ideal, weight)
    return _finished(cameras, points, px64, weight, weight > 0, px.dtype)


def ransac(
    cameras: Camera,
    px: Tensor,
    confidence: Tensor | None = None,
    threshold: float = 15.0,
    min_views: int = 2,
    max_pairs: int = 64,
) -> Triangulated:
    """As :func:`triangulate`, from the views that agree: which the best pair of views predicts to ``threshold`` px.

    Every pair of views (up to 11 cameras) is tried for every joint; the best has the most views within the threshold,
    then the least error in them. With more cameras, ``max_pairs`` pairs, the same ones each time.

    Args:
        cameras, px, confidence: as of :func:`triangulate`.
        threshold: px, the most by which a keypoint may miss the projection of the point.
        min_views: how many views must agree, at least 2; with fewer the joint is NaN.
        max_pairs: the most pairs to try.

    Raises:
        ValueError: as :func:`triangulate`, or for a threshold that is not positive, or ``min_views`` below 2.
    """
    if not threshold > 0 or min_views < 2 or max_pairs < 1:
        raise ValueError(
            f"threshold must be positive px, min_views at least 2 and max_pairs at least 1; "
            f"found {threshold}, {min_views}, {max_pairs}"
        )
    cameras, px64, weight = _checked(cameras, px, confidence)
    P, (ideal, weight) = cameras.P, _undistorted(cameras, px64, weight)
    best = torch.zeros_like(weight, dtype=torch.bool)
    best_score = torch.zeros_like(weight[0])
    for pair in _pairs(len(cameras), max_pairs):
        guess = dlt(P[pair], ideal[pair], (weight[pair] > 0).to(weight))
        error = reprojection_error(cameras, guess, px64)
        close = (error < threshold) & (weight > 0)
        # Views first: the mean of the errors within the threshold is below it, so it only decides between equals.
        score = close.sum(0) - torch.where(close, error, 0.0).sum(0) / (threshold * close.sum(0).clamp(min=1))
        better = score > best_score
        best, best_score = torch.where(better, close, best), torch.where(better, score, best_score)
    best = best & (best.sum(0) >= min_views)
    points = dlt(P, ideal, torch.where(best, weight, 0.0))
    return _finished(cameras, points, px64, weight, best, px.dtype)


def refine(
    cameras: Camera, found: Triangulated, px: Tensor, confidence: Tensor | None = None, steps: int = 10
) -> Triangulated:
    r"""Moves each point to the least :math:`\sum_v w_v^2 \lVert \pi_v(X) - x_v \rVert^2` over the views it was made of.

    Levenberg and Marquardt's method on all points at once, with distortion; DLT's own error has no such unit. A step
    that makes a point's error larger is not taken, so no point gets worse.

    Args:
        cameras, px, confidence: as of :func:`triangulate`.
        found: where to start, and which views to use.
        steps: how many steps.
    """
    cameras, px64, weight = _checked(cameras, px, confidence)
    weight = torch.where(found.used, weight, 0.0)
    x = found.points.to(px64)
    damping = torch.full_like(x[..., 0], _DAMPING)
    eye = torch.eye(3, dtype=x.dtype, device=x.device)
    cost = _cost(cameras, x, px64, weight)
    for _ in range(steps):
        residual, jacobian = _linearised(cameras, x, px64, weight)
        A, b = (jacobian.mT @ jacobian).sum(0), (jacobian.mT @ residual[..., None]).sum(0)
        step = torch.linalg.solve_ex(_damped(A, damping, eye), b)[0][..., 0]
        moved = x - step.nan_to_num(0.0, 0.0, 0.0)
        new_cost = _cost(cameras, moved, px64, weight)
        better = new_cost < cost
        x, cost = torch.where(better[..., None], moved, x), torch.where(better, new_cost, cost)
        damping = torch.where(better, damping / 10, damping * 10).clamp(_LEAST_DAMPING, _MOST_DAMPING)
    return _finished(cameras, x, px64, weight, found.used, px.dtype)


def reprojection_error(cameras: Camera, points: Tensor, px: Tensor) -> Tensor:
    """Distance in px from each keypoint to the projection of its point.

    Args:
        cameras: V of them.
        points: world, metres, ``[..., 3]``.
        px: ``[V, ..., 2]``.

    Returns:
        ``[V, ...]`` px; NaN where the keypoint or the point is, or the point is behind the camera.
    """
    return (_projected(cameras, points) - px).norm(dim=-1)


def _checked(cameras: Camera, px: Tensor, confidence: Tensor | None) -> tuple[Camera, Tensor, Tensor]:
    """Cameras and pixels in float64, and weights that are 0 where nothing was seen."""
    if len(cameras.shape) != 1 or len(cameras) < 2:
        found = f"only {cameras.name!r}" if len(cameras.names) == 1 else f"cameras {list(cameras.shape)}"
        raise ValueError(f"a point in space takes at least two cameras [V], found {found}")
    centers = cameras.T
    if (centers - centers[0]).norm(dim=-1).max() < MIN_BASELINE:
        names = ", ".join(map(repr, cameras.names)) or len(cameras)
        raise ValueError(f"the cameras {names} are all in one place, {centers[0].tolist()} m: they see no depth")
    if px.dim() < 2 or px.shape[0] != len(cameras) or px.shape[-1] != 2:
        raise ValueError(f"px must be [V, ..., 2] with V = {len(cameras)} cameras, found {list(px.shape)}")
    px64 = px.to(torch.float64)
    seen = px64.isfinite().all(-1)
    cameras = cameras.to(px64)
    if confidence is None:
        return cameras, px64, seen.to(px64)
    if confidence.shape != px.shape[:-1]:
        raise ValueError(f"confidence must be {list(px.shape[:-1])} as px, found {list(confidence.shape)}")
    weight = confidence.to(px64).nan_to_num(0.0)
    if (weight < 0).any():
        raise ValueError(f"confidence must not be negative, found {weight.min().item():g}")
    return cameras, px64, torch.where(seen, weight, 0.0)


def _undistorted(cameras: Camera, px: Tensor, weight: Tensor) -> tuple[Tensor, Tensor]:
    """Pixels without distortion, and weights that are 0 where the lens cannot have shown that pixel."""
    ideal = cameras.undistort(px)
    return ideal, torch.where(ideal.isfinite().all(-1), weight, 0.0)


def _projected(cameras: Camera, points: Tensor) -> Tensor:
    return cameras.project(cameras.to_camera(points[None]))


def _pairs(views: int, most: int) -> list[list[int]]:
    pairs = [list(pair) for pair in itertools.combinations(range(views), 2)]
    if len(pairs) <= most:
        return pairs
    chosen = torch.randperm(len(pairs), generator=torch.Generator().manual_seed(0))[:most]
    return [pairs[i] for i in sorted(chosen.tolist())]


def _finished(
    cameras: Camera, points: Tensor, px: Tensor, weight: Tensor, used: Tensor, dtype: torch.dtype
) -> Triangulated:
    """Points with the error in the used views; NaN, and no view used, where one of those has the point behind it."""
    used = used & (weight > 0)
    error = torch.where(used, reprojection_error(cameras, points, px), 0.0).sum(0)
    found = error.isfinite() & used.any(0)
    used, points = used & found, torch.where(found[..., None], points, torch.nan)
    return Triangulated(points.to(dtype), (error / used.sum(0)).to(dtype), used)


def _cost(cameras: Camera, x: Tensor, px: Tensor, weight: Tensor) -> Tensor:
    """Sum of squares a point; infinite where the point is behind a camera that sees it."""
    cost = torch.where(weight > 0, weight * reprojection_error(cameras, x, px), 0.0).square().sum(0)
    return torch.where(cost.isnan(), torch.inf, cost)


def _linearised(cameras: Camera, x: Tensor, px: Tensor, weight: Tensor) -> tuple[Tensor, Tensor]:
    """Weighted residuals [V, ..., 2] and their derivatives by the point, [V, ..., 2, 3]."""
    jacobian, w = cameras.project_jacobian(cameras.to_camera(x[None])), weight[..., None]
    residual = torch.where(w > 0, w * (_projected(cameras, x) - px), 0.0)
    jacobian = torch.where(w[..., None] > 0, w[..., None] * jacobian, 0.0)
    return residual, cameras.directions_to_world(jacobian)


def _damped(A: Tensor, damping: Tensor, eye: Tensor) -> Tensor:
    """Marquardt's scaling: the diagonal times ``1 + damping``, and never quite singular."""
    return A + torch.diag_embed(A.diagonal(dim1=-2, dim2=-1) * damping[..., None]) + 1e-12 * eye
