"""Bones, normals and distances: functions on [..., J, D] with gradients that stay finite."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import torch
from torch import Tensor

COLLINEAR = 1e-4
"""Sine of the angle between two edges of a triangle below which its normal counts as undefined."""


def _index(indices: tuple[int, ...], device: torch.device) -> Tensor:
    return torch.tensor(indices, dtype=torch.long, device=device)


@lru_cache(maxsize=256)
def _kept_index(indices: tuple[int, ...], device: torch.device) -> Tensor:
    """Kept on the device: a training step copies nothing. Never an inference tensor: autograd must save it."""
    with torch.inference_mode(False):
        return _index(indices, device)


def _pick(x: Tensor, joints: Sequence[int]) -> Tensor:
    index = _index if torch.compiler.is_compiling() else _kept_index
    return x.index_select(-2, index(tuple(joints), x.device))


def difference(pred: Tensor, target: Tensor) -> Tensor:
    r""":math:`\hat y - y`, of two poses [..., J, D] whose shapes must agree: nothing is broadcast.

    Raises:
        ValueError: if the shapes differ or there is nothing to compare.
    """
    if pred.shape != target.shape:
        raise ValueError(f"pred is {list(pred.shape)} but target is {list(target.shape)}; expected the same shape")
    if pred.dim() < 2 or not pred.numel():
        raise ValueError(f"pred and target are {list(pred.shape)}; expected [..., J, D] with at least one pose")
    return pred - target


def safe_norm(x: Tensor, dim: int = -1, keepdim: bool = False) -> Tensor:
    r""":math:`\lVert x \rVert_2` over ``dim``, whose gradient at 0 is 0 instead of NaN."""
    squared = (x * x).sum(dim, keepdim)
    zero = squared == 0
    return torch.where(zero, 1.0, squared).sqrt().masked_fill(zero, 0.0)


def bones(x: Tensor, parents: Sequence[int]) -> Tensor:
    r"""Bone vectors :math:`x_i - x_{p(i)}`, 0 at roots.

    Args:
        x: poses [..., J, D].
        parents: the index of each joint's parent, -1 for a root.

    Returns:
        Tensor [..., J, D] in the unit of ``x``.

    Raises:
        ValueError: if ``x`` has not one joint for each of ``parents``.
    """
    if x.dim() < 2 or x.size(-2) != len(parents):
        raise ValueError(f"x is {list(x.shape)} but parents name {len(parents)} joints; expected [..., J, D]")
    return x - _pick(x, [i if p == -1 else p for i, p in enumerate(parents)])


def bone_lengths(x: Tensor, parents: Sequence[int]) -> Tensor:
    """Lengths of :func:`bones`: [..., J] in the unit of ``x``, 0 at roots and for bones without length."""
    return safe_norm(bones(x, parents))


def parent_distance(x: Tensor, parents: Sequence[int]) -> Tensor:
    r"""Distance to the parent :math:`D_i = \lVert x_i - x_{p(i)} \rVert` (Wen et al. 2024, eq. 2), 0 at roots.

    Returns:
        Tensor [..., J, 1] in the unit of ``x``: a further channel for [..., J, C] inputs.
    """
    return bone_lengths(x, parents).unsqueeze(-1)


def normals(x: Tensor, triangles: Sequence[tuple[int, int, int]]) -> Tensor:
    r"""Unit normals :math:`\frac{u \times v}{\lVert u \times v \rVert}` of triangles (a, b, c), u = b - a, v = c - b.

    A triangle whose edges are collinear (the sine of their angle is below :data:`COLLINEAR`) or have no length has no
    normal: it gets 0 and no gradient.

    Args:
        x: poses [..., J, 3].
        triangles: M triples of joints.

    Returns:
        Tensor [..., M, 3] without unit.

    Raises:
        ValueError: if there are no triangles or ``x`` is not three-dimensional.
    """
    if not triangles or x.dim() < 2 or x.size(-1) != 3:
        raise ValueError(f"x is {list(x.shape)} with {len(triangles)} triangles; expected [..., J, 3] and at least one")
    a, b, c = (_pick(x, corners) for corners in zip(*triangles, strict=True))
    u, v = b - a, c - b
    cross = torch.linalg.cross(u, v)
    area, bound = safe_norm(cross, keepdim=True), COLLINEAR * safe_norm(u, keepdim=True) * safe_norm(v, keepdim=True)
    flat = (area <= bound).detach()
    return torch.where(flat, 0.0, cross) / torch.where(flat, 1.0, area)


def center_on(x: Tensor, joints: Sequence[int]) -> Tensor:
    r""":math:`x - \frac{1}{|O|} \sum_{o \in O} x_o`: poses [..., J, D] relative to the mean of some joints.

    Raises:
        ValueError: if ``joints`` is empty.
    """
    if not joints:
        raise ValueError("no joints to center on; expected at least one index")
    return x - _pick(x, joints).mean(-2, keepdim=True)
