"""Where viewing rays meet: points nearest to several rays, fast and on any device."""

from __future__ import annotations

import torch
from torch import Tensor

_PARALLEL = 2e-5  # det(A), as of two rays half a degree apart
_FIRST_BEND, _FALL = 8.0, 0.7  # medians
_LEAST_SHARE = 0.001
_HUBER_STEPS, _GEMAN_STEPS = 3, 8
_BEND = 2.0  # medians
_NEAREST_M = 0.1
_TINY = 1e-30


def nearest(center: Tensor, direction: Tensor, weight: Tensor) -> tuple[Tensor, Tensor]:
    r"""The points nearest to all rays, :math:`\arg\min_X \sum_v w_v \lVert (I - d_v d_v^\top)(X - o_v) \rVert^2`.

    Args:
        center: o, [B, V, ..., 3].
        direction: d, unit vectors, [B, V, ..., 3].
        weight: w, [B, V, ...], 0 leaves a ray out.

    Returns:
        X [B, ..., 3], 0 where it is not decided; and whether it is [B, ...]: two rays that are not parallel.
    """
    weight = weight.to(center.dtype)
    weight = weight / weight.sum(1, keepdim=True).clamp_min(_TINY)
    w = weight.unsqueeze(-1)
    middle = (w * center).sum(1)
    apart = center - middle.unsqueeze(1)  # float32 loses less near 0
    across = apart - direction * (direction * apart).sum(-1, keepdim=True)
    with torch.autocast(center.device.type, enabled=False):  # bfloat16 would be off by centimetres
        A = torch.eye(3, dtype=w.dtype, device=w.device) - (w * direction).movedim(1, -1) @ direction.movedim(1, -2)
    b = (w * across).sum(1)
    rows = A.unbind(-2)
    adjugate = torch.stack([torch.linalg.cross(rows[i - 2], rows[i - 1]) for i in range(3)], -1)
    determinant = (rows[0] * adjugate[..., 0]).sum(-1)
    decided = (determinant > _PARALLEL) & ((weight > 0).sum(1) >= 2)
    point = (adjugate * b.unsqueeze(-2)).sum(-1) / torch.where(decided, determinant, 1.0).unsqueeze(-1)
    return torch.where(decided.unsqueeze(-1), point + middle, 0.0), decided


def nearest_robustly(
    center: Tensor, direction: Tensor, weight: Tensor, redescending: bool = False
) -> tuple[Tensor, Tensor, Tensor]:
    r"""As :func:`nearest`, of angles and not of distances, and of the rays that agree.

    Reweighted least squares (Holland and Welsch 1977). With Huber's loss, :math:`w = \min(1, b / a)`, rays that miss by
    an angle a pull no harder than those at b, twice the median of the clip's. A ``redescending`` loss, Geman and
    McClure's, :math:`w = (1 + a^2 / b^2)^{-2}` with b falling to the median, lets them go: what remains are the rays of
    a consensus.

    Args:
        center, direction, weight: as of :func:`nearest`.
        redescending: whether far rays stop pulling.

    Returns:
        As :func:`nearest`, and the last weights of the rays [B, V, ...].
    """
    points, decided = nearest(center, direction, weight)
    pull = weight
    for step in range(_HUBER_STEPS + redescending * _GEMAN_STEPS):
        to_point = points.unsqueeze(1) - center
        depth = (to_point * direction).sum(-1)
        angle = (to_point - direction * depth.unsqueeze(-1)).norm(dim=-1) / depth.clamp_min(_NEAREST_M)
        median = _median(angle, (weight > 0) & decided.unsqueeze(1)).clamp_min(1e-6)
        angle = angle / median.view(-1, *[1] * (angle.dim() - 1))
        if step < _HUBER_STEPS:
            share = _BEND / angle.clamp_min(_BEND)
        else:
            bend = max(1.0, _FIRST_BEND * _FALL ** (step - _HUBER_STEPS))
            share = (1 + (angle / bend).square()) ** -2
        pull = weight * share.clamp_min(_LEAST_SHARE) / depth.clamp_min(_NEAREST_M).square()
        points, decided = nearest(center, direction, pull)
    return points, decided, pull


def _median(values: Tensor, counted: Tensor) -> Tensor:
    """The median [B] of the values [B, ...] that count; 0 where none does."""
    values = torch.where(counted, values, torch.nan).flatten(1)
    return values.nanmedian(1).values.nan_to_num(0.0)
