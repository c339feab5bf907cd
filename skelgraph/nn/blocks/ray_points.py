"""Points that several rays meet in, and what betrays their noise."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from skelgraph.geometry import rays
from skelgraph.skeleton import Skeleton
from skelgraph.skeleton.bones import bones, safe_norm

_LEAST_SPREAD = 1e-5  # m
_UNSEEN_SPREAD = 0.2  # m, how far off a joint may be that fewer than two views see
_REACH = (1, 2, 4)  # frames
_FARTHEST = 20.0  # spreads
_BODY_M = 1.5
NUM_FEATURES = 3 + 3 + 1 + 1 + 3 * (3 + len(_REACH))


class RayPoints(NamedTuple):
    """Points of B clips and what is known of their faults."""

    points: Tensor  # [B, T, J, 3] m, world; those that no two rays meet in are filled in
    to_smooth: Tensor  # [B, T, J, 3] m, from there to the median of five frames, at most 20 spreads
    to_consensus: Tensor  # [B, T, J, 3] m, and to where the rays of a consensus meet
    scale: Tensor  # [B, T, J, 1] m, how far off the points may be
    features: Tensor  # [B, T, J, NUM_FEATURES]


def misses(x: Tensor, points: Tensor, met: Tensor) -> tuple[Tensor, Tensor]:
    """How rays miss points: from each point to the nearest on each ray [B, V, T, J, 3], m, and the median length [B].

    Args:
        x: model input [B, V, T, J, 9], see :func:`skelgraph.nn.inputs.multiview_input`.
        points: m, world, [B, T, J, 3].
        met: the points that count for the median, bool [B, T, J].
    """
    seen = x[..., 2] > 0
    across = -rays.miss(x[..., 3:6], x[..., 6:], points)[0] * seen.unsqueeze(-1)
    median = rays.median_of(across.norm(dim=-1), seen & met.unsqueeze(1))
    return across, median.nan_to_num(_UNSEEN_SPREAD).clamp_min(_LEAST_SPREAD)


def describe(points: Tensor, met: Tensor, consensus: Tensor, spread: Tensor, skeleton: Skeleton) -> RayPoints:
    """Fills in the points that were not met, and tells what betrays noise in units of the clip's ``spread``.

    Bones that change their length, points that jump from frame to frame, rays that are not of the consensus. What is
    filled in is the median of the joint's five frames around, else of all frames, else of all joints. What is 1.5 m
    from the frame's median joint was not met.

    Args:
        points: m, world, [B, T, J, 3].
        met: which of them rays met in, bool [B, T, J].
        consensus: other points [B, T, J, 3], of rays that agree.
        spread: the median by which rays miss points, m, [B].
        skeleton: J joints.
    """
    spread = spread[:, None, None, None]
    frame = rays.nan_median(torch.where(met.unsqueeze(-1), points.detach(), torch.nan), 2, keepdim=True)
    met = met & ((points - frame).norm(dim=-1) < _BODY_M)
    known = torch.where(met.unsqueeze(-1), points.detach(), torch.nan)
    middle = rays.nan_median(known.flatten(1, 2), 1).nan_to_num(0.0)[:, None, None]
    usual = rays.nan_median(known, 1, keepdim=True)
    usual = torch.where(usual.isfinite(), usual, middle)
    smooth = rays.nan_median(functional.pad(known.movedim(1, -1), (2, 2), value=torch.nan).unfold(-1, 5, 1), -1)
    smooth = smooth.movedim(-1, 1)
    smooth = torch.where(smooth.isfinite(), smooth, usual)
    points = torch.where(met.unsqueeze(-1), points, smooth)
    vectors = bones(points, skeleton.parents)
    length = safe_norm(vectors, keepdim=True)
    stretch = (length - rays.nan_median(length, 1, keepdim=True)) * vectors / length.clamp_min(1e-3)
    to_smooth = _at_most(smooth - points, _FARTHEST * spread)
    to_consensus = _at_most(torch.where(met.unsqueeze(-1), consensus - points, 0), _FARTHEST * spread)
    faults = torch.cat([stretch, to_smooth, to_consensus, *(_jump(points, reach) for reach in _REACH)], -1)
    scale = torch.where(met.unsqueeze(-1), spread, _UNSEEN_SPREAD)
    known_or_not = met.unsqueeze(-1).to(points)
    features = torch.cat([points - middle, vectors, known_or_not, scale.log() / 5, torch.asinh(faults / spread)], -1)
    return RayPoints(points, to_smooth, to_consensus, scale, features)


def _at_most(x: Tensor, length: Tensor) -> Tensor:
    """Vectors [..., 3] shortened to a length [..., 1]."""
    return x * (length / safe_norm(x, keepdim=True).clamp_min(1e-9)).clamp(max=1)


def _jump(points: Tensor, reach: int) -> Tensor:
    """From each point to the middle of those ``reach`` frames before and after, [B, T, J, 3]; 0 at the ends."""
    if points.size(1) <= 2 * reach:
        return torch.zeros_like(points)
    inner = (points[:, : -2 * reach] + points[:, 2 * reach :]) / 2 - points[:, reach:-reach]
    return functional.pad(inner, (0, 0, 0, 0, reach, reach))
