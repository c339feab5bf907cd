"""Alignment of poses (Procrustes)."""

from __future__ import annotations

import torch
from torch import Tensor

from skelgraph.skeleton.bones import difference


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
    u, s, vh = torch.linalg.svd(p0.mT @ t0)
    sign = torch.ones_like(s)
    sign[..., -1] = torch.linalg.det(u @ vh).sign()
    rotation = (u * sign.unsqueeze(-2)) @ vh
    squared = p0.square().sum((-2, -1), keepdim=True)
    scale = (s * sign).sum(-1)[..., None, None] / torch.where(fits, squared, 1.0)
    return torch.where(fits, scale * p0 @ rotation + t_mean, p).to(pred.dtype)


def _has_extent(x: Tensor, centered: Tensor, eps: float) -> Tensor:
    """Whether the points of each pose differ by more than rounding does, and are finite: [..., 1, 1]."""
    extent, size = (y.abs().amax((-2, -1), keepdim=True) for y in (centered, x))
    return (extent > eps * size) & torch.isfinite(size)
