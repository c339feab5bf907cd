"""Alignment of points: the best rotation (Kabsch) and the best similarity (Procrustes)."""

from __future__ import annotations

import torch
from torch import Tensor

from skelgraph.skeleton.bones import difference


def kabsch(covariance: Tensor) -> tuple[Tensor, Tensor]:
    r"""The rotation :math:`\arg\max_{\det R = 1} \mathrm{tr}(R^\top C)` (Kabsch 1976; Umeyama 1991).

    Args:
        covariance: C [..., D, D].

    Returns:
        R [..., D, D] and the trace that it reaches [...].
    """
    u, s, vh = torch.linalg.svd(covariance)
    sign = torch.ones_like(s)
    sign[..., -1] = torch.linalg.det(u @ vh).sign()
    return (u * sign.unsqueeze(-2)) @ vh, (s * sign).sum(-1)


def nearest_rotation(rest: Tensor, posed: Tensor, weights: Tensor) -> Tensor:
    r"""The rotations :math:`\arg\min_{\det R = 1} \sum_n w_n \lVert v_n - R o_n \rVert^2` (Kabsch 1976).

    The smallest turn where several are as good: with one vector the shortest that turns o to v.

    Args:
        rest: vectors o [N, 3].
        posed: vectors v [..., N, 3].
        weights: w [N].

    Returns:
        [..., 3, 3].
    """
    covariance = torch.einsum("n,...ni,nj->...ij", weights, posed, rest)
    # a trace of R in the sum to maximise, too small to matter but where nothing else decides
    prior = 1e-9 * (weights @ rest.square().sum(-1)).clamp_min(1e-9)
    return kabsch(covariance + prior * torch.eye(3, dtype=rest.dtype, device=rest.device))[0]


def procrustes(pred: Tensor, target: Tensor) -> Tensor:
    r"""Aligns each pose with its target by the best similarity :math:`\min_{s, R, t} \lVert s \hat y R + t - y \rVert`.

    Reflections are excluded (:math:`\det R = 1`; Umeyama 1991). A pose that no similarity can be fitted to (all points
    of it or of its target equal, or a value that is not finite) is returned as it is. Not for training: the gradient of
    an SVD has no bound.

    Args:
        pred: poses [..., J, D].
        target: poses of the same shape.

    Returns:
        Tensor [..., J, D] in the unit of ``target``.

    Raises:
        ValueError: if the shapes differ.
    """
    difference(pred, target)
    p, t = pred.double(), target.double()
    p_mean, t_mean = p.mean(-2, keepdim=True), t.mean(-2, keepdim=True)
    eps = 8 * torch.finfo(pred.dtype).eps
    fits = _has_extent(p, p - p_mean, eps) & _has_extent(t, t - t_mean, eps)
    p0, t0 = (torch.where(fits, x - mean, 0.0) for x, mean in ((p, p_mean), (t, t_mean)))
    rotation, trace = kabsch(p0.mT @ t0)
    squared = p0.square().sum((-2, -1), keepdim=True)
    scale = trace[..., None, None] / torch.where(fits, squared, 1.0)
    return torch.where(fits, scale * p0 @ rotation + t_mean, p).to(pred.dtype)


def _has_extent(x: Tensor, centered: Tensor, eps: float) -> Tensor:
    """Whether the points of each pose differ by more than rounding does, and are finite: [..., 1, 1]."""
    extent, size = (y.abs().amax((-2, -1), keepdim=True) for y in (centered, x))
    return (extent > eps * size) & torch.isfinite(size)
