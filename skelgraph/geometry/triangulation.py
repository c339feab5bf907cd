"""Points in the world from what several calibrated cameras see: DLT, RANSAC over views, refinement, bundle adjustment.

Pixels are ``[V, ..., 2]``, the views in the cameras' order, and confidence ``[V, ...]``; whatever stands between is
frames, persons, joints, and all of them are done at once. A keypoint that is NaN, or whose confidence is 0 or NaN, is
not seen. A joint that fewer than two views see is NaN, and so is one that comes out behind a camera that sees it;
``views`` says of how many views each was made. The world is in metres.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Sequence
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


def triangulate(cameras: Sequence[Camera], px: Tensor, confidence: Tensor | None = None) -> Triangulated:
    """The point of every joint from all views that see it, by :func:`dlt` weighted with the confidence.

    Args:
        cameras: at least two, not all in one place.
        px: ``[V, ..., 2]`` pixels as the cameras saw them, with distortion.
        confidence: ``[V, ...]``; default 1.

    Raises:
        ValueError: if there are fewer than two cameras, they are all in one place, the shapes do not fit the cameras,
            or a confidence is negative.
    """
    px64, weight = _checked(cameras, px, confidence)
    ideal, weight = _undistorted(cameras, px64, weight)
    points = dlt(_matrices(cameras, px64), ideal, weight)
    return _finished(cameras, points, px64, weight, weight > 0, px.dtype)


def ransac(
    cameras: Sequence[Camera],
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
    px64, weight = _checked(cameras, px, confidence)
    P, (ideal, weight) = _matrices(cameras, px64), _undistorted(cameras, px64, weight)
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
    cameras: Sequence[Camera], found: Triangulated, px: Tensor, confidence: Tensor | None = None, steps: int = 10
) -> Triangulated:
    r"""Moves each point to the least :math:`\sum_v w_v^2 \lVert \pi_v(X) - x_v \rVert^2` over the views it was made of.

    Levenberg and Marquardt's method on all points at once, with distortion; DLT's own error has no such unit. A step
    that makes a point's error larger is not taken, so no point gets worse.

    Args:
        cameras, px, confidence: as of :func:`triangulate`.
        found: where to start, and which views to use.
        steps: how many steps.
    """
    px64, weight = _checked(cameras, px, confidence)
    weight = torch.where(found.used, weight, 0.0)
    x = found.points.to(torch.float64)
    damping = torch.full_like(x[..., 0], _DAMPING)
    eye = torch.eye(3, dtype=x.dtype, device=x.device)
    cost = _cost(cameras, x, px64, weight)
    for _ in range(steps):
        residual, slope = _linearised(cameras, x, px64, weight)
        slope = torch.stack([slope[v] @ camera.R.to(x) for v, camera in enumerate(cameras)])
        A, b = (slope.mT @ slope).sum(0), (slope.mT @ residual[..., None]).sum(0)
        step = torch.linalg.solve_ex(_damped(A, damping, eye), b)[0][..., 0]
        moved = x - step.nan_to_num(0.0, 0.0, 0.0)
        new_cost = _cost(cameras, moved, px64, weight)
        better = new_cost < cost
        x, cost = torch.where(better[..., None], moved, x), torch.where(better, new_cost, cost)
        damping = torch.where(better, damping / 10, damping * 10).clamp(_LEAST_DAMPING, _MOST_DAMPING)
    return _finished(cameras, x, px64, weight, found.used, px.dtype)


def bundle(
    cameras: Sequence[Camera], found: Triangulated, px: Tensor, confidence: Tensor | None = None, steps: int = 20
) -> tuple[list[Camera], Triangulated]:
    r"""Bundle adjustment: as :func:`refine`, and the cameras' R and T with the points; lenses stay as they are.

    Levenberg and Marquardt's method with the points eliminated (Schur complement; Triggs et al. 2000, section 6.1).
    Pixels alone say neither where the world's origin is nor how large it is: the first camera stays where it is, and so
    does its distance to the farthest one. For some thousand points: the matrix that is solved is 6 V square.

    Args:
        cameras, found, px, confidence: as of :func:`refine`.
        steps: how many steps.

    Returns:
        The cameras and the points.

    Raises:
        ValueError: as :func:`triangulate`, or if the points cannot fix the cameras: fewer equations than unknowns.
    """
    px64, weight = _checked(cameras, px, confidence)
    weight = torch.where(found.used, weight, 0.0).flatten(1)
    known = (weight > 0).sum(0) >= 2
    known &= _cost(cameras, found.points.to(px64).reshape(-1, 3), px64.flatten(1, -2), weight).isfinite()
    x, target, weight = found.points.to(px64).reshape(-1, 3)[known], px64.flatten(1, -2)[:, known], weight[:, known]
    unknowns, equations = 6 * len(cameras) - 7 + 3 * len(x), 2 * int((weight > 0).sum())
    if equations < unknowns:
        raise ValueError(f"bundle: {equations} equations of {len(x)} points for {unknowns} unknowns: too few keypoints")
    rig, damping = list(cameras), _DAMPING
    cost = float(_cost(rig, x, target, weight).sum())
    for _ in range(steps):
        turn, move, step = _bundle_step(rig, x, target, weight, damping)
        moved = [_moved(camera, *change) for camera, change in zip(rig, zip(turn, move, strict=True), strict=True)]
        moved, step_x = _same_scale(cameras, moved, x - step)
        new_cost = float(_cost(moved, step_x, target, weight).sum())
        better = new_cost < cost
        if better:
            rig, x, cost = moved, step_x, new_cost
        damping = min(max(damping / 10 if better else damping * 10, _LEAST_DAMPING), _MOST_DAMPING)
    points = torch.full_like(px64[0, ..., :1].expand(*px64.shape[1:-1], 3), torch.nan).reshape(-1, 3)
    points[known] = x
    weight = torch.where(found.used, _checked(cameras, px, confidence)[1], 0.0)
    return rig, _finished(rig, points.reshape(*px64.shape[1:-1], 3), px64, weight, found.used, px.dtype)


def reprojection_error(cameras: Sequence[Camera], points: Tensor, px: Tensor) -> Tensor:
    """Distance in px from each keypoint to the projection of its point.

    Args:
        cameras: V of them.
        points: world, metres, ``[..., 3]``.
        px: ``[V, ..., 2]``.

    Returns:
        ``[V, ...]`` px; NaN where the keypoint or the point is, or the point is behind the camera.
    """
    return (_projected(cameras, points) - px).norm(dim=-1)


def _checked(cameras: Sequence[Camera], px: Tensor, confidence: Tensor | None) -> tuple[Tensor, Tensor]:
    """Pixels in float64 and weights that are 0 where nothing was seen."""
    if len(cameras) < 2:
        there = f"only {cameras[0].name!r}" if cameras else "none"
        raise ValueError(f"a point in space takes at least two cameras, found {there}")
    centres = torch.stack([camera.T for camera in cameras])
    if (centres - centres[0]).norm(dim=-1).max() < MIN_BASELINE:
        names = ", ".join(repr(camera.name) for camera in cameras)
        raise ValueError(f"the cameras {names} are all in one place, {centres[0].tolist()} m: they see no depth")
    if px.dim() < 2 or px.shape[0] != len(cameras) or px.shape[-1] != 2:
        raise ValueError(f"px must be [V, ..., 2] with V = {len(cameras)} cameras, found {list(px.shape)}")
    px64 = px.to(torch.float64)
    seen = px64.isfinite().all(-1)
    if confidence is None:
        return px64, seen.to(px64)
    if confidence.shape != px.shape[:-1]:
        raise ValueError(f"confidence must be {list(px.shape[:-1])} as px, found {list(confidence.shape)}")
    weight = confidence.to(px64).nan_to_num(0.0)
    if (weight < 0).any():
        raise ValueError(f"confidence must not be negative, found {weight.min().item():g}")
    return px64, torch.where(seen, weight, 0.0)


def _matrices(cameras: Sequence[Camera], like: Tensor) -> Tensor:
    return torch.stack([camera.P for camera in cameras]).to(like)


def _undistorted(cameras: Sequence[Camera], px: Tensor, weight: Tensor) -> tuple[Tensor, Tensor]:
    """Pixels without distortion, and weights that are 0 where the lens cannot have shown that pixel."""
    ideal = torch.stack([camera.undistort(view) for camera, view in zip(cameras, px, strict=True)])
    return ideal, torch.where(ideal.isfinite().all(-1), weight, 0.0)


def _projected(cameras: Sequence[Camera], points: Tensor) -> Tensor:
    return torch.stack([camera.project(camera.to_camera(points)) for camera in cameras])


def _pairs(views: int, most: int) -> list[list[int]]:
    pairs = [list(pair) for pair in itertools.combinations(range(views), 2)]
    if len(pairs) <= most:
        return pairs
    chosen = torch.randperm(len(pairs), generator=torch.Generator().manual_seed(0))[:most]
    return [pairs[i] for i in sorted(chosen.tolist())]


def _finished(
    cameras: Sequence[Camera], points: Tensor, px: Tensor, weight: Tensor, used: Tensor, dtype: torch.dtype
) -> Triangulated:
    """Points with the error in the used views; NaN, and no view used, where one of those has the point behind it."""
    used = used & (weight > 0)
    error = torch.where(used, reprojection_error(cameras, points, px), 0.0).sum(0)
    found = error.isfinite() & used.any(0)
    used, points = used & found, torch.where(found[..., None], points, torch.nan)
    return Triangulated(points.to(dtype), (error / used.sum(0)).to(dtype), used)


def _cost(cameras: Sequence[Camera], x: Tensor, px: Tensor, weight: Tensor) -> Tensor:
    """Sum of squares a point; infinite where the point is behind a camera that sees it."""
    cost = torch.where(weight > 0, weight * reprojection_error(cameras, x, px), 0.0).square().sum(0)
    return torch.where(cost.isnan(), torch.inf, cost)


def _linearised(cameras: Sequence[Camera], x: Tensor, px: Tensor, weight: Tensor) -> tuple[Tensor, Tensor]:
    """Weighted residuals [V, ..., 2] and their derivatives by the point in the camera's frame, [V, ..., 2, 3]."""
    slope = torch.stack([camera.project_slope(camera.to_camera(x)) for camera in cameras])
    w = weight[..., None]
    residual = torch.where(w > 0, w * (_projected(cameras, x) - px), 0.0)
    return residual, torch.where(w[..., None] > 0, w[..., None] * slope, 0.0)


def _damped(A: Tensor, damping: Tensor | float, eye: Tensor) -> Tensor:
    """Marquardt's scaling: the diagonal times ``1 + damping``, and never quite singular."""
    damping = torch.as_tensor(damping, dtype=A.dtype, device=A.device)
    return A + torch.diag_embed(A.diagonal(dim1=-2, dim2=-1) * damping[..., None]) + 1e-12 * eye


def _bundle_step(
    cameras: Sequence[Camera], x: Tensor, px: Tensor, weight: Tensor, damping: float
) -> tuple[Tensor, Tensor, Tensor]:
    """Turns [V, 3] and moves [V, 3] of the cameras' frames and steps [N, 3] of the points, all to be subtracted."""
    views = len(cameras)
    residual, slope = _linearised(cameras, x, px, weight)
    inside = torch.stack([camera.to_camera(x) for camera in cameras])
    # x_cam -> x_cam + w x x_cam + m: the derivative by (w, m) is [-[x_cam]_x, 1].
    by_camera = torch.cat([slope @ -_cross(inside), slope], -1)  # [V, N, 2, 6]
    by_camera = torch.cat([torch.zeros_like(by_camera[:1]), by_camera[1:]])  # the first camera stays
    by_point = torch.stack([slope[v] @ camera.R.to(x) for v, camera in enumerate(cameras)])  # [V, N, 2, 3]
    eye = torch.eye(6, dtype=x.dtype, device=x.device)
    U = _damped((by_camera.mT @ by_camera).sum(1), damping, eye)  # [V, 6, 6]
    U[0] = eye
    inverse = torch.linalg.inv(_damped((by_point.mT @ by_point).sum(0), damping, eye[:3, :3]))  # [N, 3, 3]
    W = by_camera.mT @ by_point  # [V, N, 6, 3]
    b = (by_point.mT @ residual[..., None]).sum(0)  # [N, 3, 1]
    a = (by_camera.mT @ residual[..., None]).sum(1)  # [V, 6, 1]
    S = torch.block_diag(*U) - torch.einsum("vnij,njk,wnlk->viwl", W, inverse, W).reshape(6 * views, 6 * views)
    right = (a - (W @ inverse @ b).sum(1)).reshape(-1)
    change = torch.linalg.solve(S, right).reshape(views, 6)
    step = (inverse @ (b - (W.mT @ change[:, None, :, None]).sum(0)))[..., 0]
    return change[:, :3], change[:, 3:], step


def _moved(camera: Camera, turn: Tensor, move: Tensor) -> Camera:
    rotation = torch.linalg.matrix_exp(_cross(-turn)).cpu()
    R = rotation @ camera.R
    return dataclasses.replace(camera, R=R, T=R.mT @ (rotation @ (camera.R @ camera.T) + move.cpu()))


def _same_scale(before: Sequence[Camera], cameras: Sequence[Camera], x: Tensor) -> tuple[list[Camera], Tensor]:
    """The world scaled about the first camera, which changes no pixel: the farthest camera keeps its distance."""
    centre = before[0].T
    other = max(range(len(before)), key=lambda v: float((before[v].T - centre).norm()))
    scale = (before[other].T - centre).norm() / (cameras[other].T - centre).norm()
    rig = [dataclasses.replace(camera, T=centre + scale * (camera.T - centre)) for camera in cameras]
    return rig, centre.to(x) + scale.to(x) * (x - centre.to(x))


def _cross(v: Tensor) -> Tensor:
    """[v]_x of ``[..., 3]``: ``[v]_x u = v x u``."""
    x, y, z = v.unbind(-1)
    zero = torch.zeros_like(x)
    return torch.stack([zero, -z, y, z, zero, -x, -y, x, zero], -1).unflatten(-1, (3, 3))
