"""Where viewing rays meet: points nearest to several rays, fast and on any device."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

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
    # No matrix product: in bfloat16 or TF32 it would be off by centimetres.
    outer = ((w * direction).unsqueeze(-1) * direction.unsqueeze(-2)).sum(1)
    A = torch.eye(3, dtype=w.dtype, device=w.device) - outer
    b = (w * across).sum(1)
    rows = A.unbind(-2)
    adjugate = torch.stack([torch.linalg.cross(rows[i - 2], rows[i - 1]) for i in range(3)], -1)
    determinant = (rows[0] * adjugate[..., 0]).sum(-1)
    decided = (determinant > _PARALLEL) & ((weight > 0).sum(1) >= 2)
    point = (adjugate * b.unsqueeze(-2)).sum(-1) / torch.where(decided, determinant, 1.0).unsqueeze(-1)
    return torch.where(decided.unsqueeze(-1), point + middle, 0.0), decided


class Agreement(NamedTuple):
    """Where rays meet when those that agree pull the most."""

    points: Tensor  # X [B, ..., 3], 0 where it is not decided
    decided: Tensor  # [B, ...]
    pull: Tensor  # the weights of the rays, [B, V, ...]


def nearest_robustly(center: Tensor, direction: Tensor, weight: Tensor) -> Agreement:
    r"""As :func:`nearest`, of angles and not of distances, with Huber's loss.

    Reweighted least squares (Holland and Welsch 1977): :math:`w = \min(1, b / a)`, so that rays that miss by an angle a
    pull no harder than those at b, twice the median of the clip's.

    Args:
        center, direction, weight: as of :func:`nearest`.
    """
    found = Agreement(*nearest(center, direction, weight), weight)
    for _ in range(_HUBER_STEPS):
        found = _reweighted(center, direction, weight, found, lambda angle: _BEND / angle.clamp_min(_BEND))
    return found


def consensus(center: Tensor, direction: Tensor, weight: Tensor, start: Agreement) -> Agreement:
    r"""Goes on from :func:`nearest_robustly` with a loss that lets far rays go: what remains are those of a consensus.

    Geman and McClure's, :math:`w = (1 + a^2 / b^2)^{-2}`, with b falling to the median of the clip's angles.

    Args:
        center, direction, weight: as of :func:`nearest`.
        start: what :func:`nearest_robustly` found.
    """
    found = start
    for step in range(_GEMAN_STEPS):
        bend = max(1.0, _FIRST_BEND * _FALL**step)
        found = _reweighted(center, direction, weight, found, partial(_geman_mcclure, bend=bend))
    return found


def miss(center: Tensor, direction: Tensor, points: Tensor) -> tuple[Tensor, Tensor]:
    """From each ray's nearest point to the points [B, ..., 3]: [B, V, ..., 3]; and how far along the ray that is."""
    to_point = points.unsqueeze(1) - center
    depth = (to_point * direction).sum(-1)
    return to_point - direction * depth.unsqueeze(-1), depth


def median_of(values: Tensor, counted: Tensor) -> Tensor:
    """The median [B] of the values [B, ...] that count; NaN where none does."""
    return nan_median(torch.where(counted, values, torch.nan).flatten(1), 1)


def nan_median(values: Tensor, dim: int, keepdim: bool = False) -> Tensor:
    """As ``values.nanmedian(dim).values``, which on CUDA has no deterministic implementation."""
    middle = ((~values.isnan()).sum(dim, keepdim=True) - 1).clamp_min(0) // 2
    median = values.sort(dim).values.gather(dim, middle)
    return median if keepdim else median.squeeze(dim)


def _geman_mcclure(angle: Tensor, bend: float) -> Tensor:
    return (1 + (angle / bend).square()) ** -2


def _reweighted(
    center: Tensor, direction: Tensor, weight: Tensor, found: Agreement, share: Callable[[Tensor], Tensor]
) -> Agreement:
    """One step: ``share`` of the angles, in medians, is what the rays pull with."""
    across, depth = miss(center, direction, found.points)
    angle = across.norm(dim=-1) / depth.clamp_min(_NEAREST_M)
    median = median_of(angle, (weight > 0) & found.decided.unsqueeze(1)).nan_to_num(0.0).clamp_min(1e-6)
    shares = share(angle / median.view(-1, *[1] * (angle.dim() - 1))).clamp_min(_LEAST_SHARE)
    pull = weight * shares / depth.clamp_min(_NEAREST_M).square()
    return Agreement(*nearest(center, direction, pull), pull)
