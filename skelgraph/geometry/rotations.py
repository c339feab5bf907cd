"""Rotation matrices: right-handed, acting on column vectors, on free leading dimensions."""

from __future__ import annotations

import torch
from torch import Tensor


def about(axis: int, angle: Tensor) -> Tensor:
    """Rotations [..., 3, 3] by ``angle`` [...] rad about a coordinate axis: 0 x, 1 y, 2 z."""
    i, j = (axis + 1) % 3, (axis + 2) % 3
    matrix = angle.new_zeros(*angle.shape, 3, 3)
    cos, sin = torch.cos(angle), torch.sin(angle)
    matrix[..., axis, axis] = 1
    matrix[..., i, i] = cos
    matrix[..., j, j] = cos
    matrix[..., i, j] = -sin
    matrix[..., j, i] = sin
    return matrix


def about_x(angle: Tensor) -> Tensor:
    """Rotations [..., 3, 3] by ``angle`` [...] rad that turn y to z."""
    return about(0, angle)


def about_y(angle: Tensor) -> Tensor:
    """Rotations [..., 3, 3] by ``angle`` [...] rad that turn z to x."""
    return about(1, angle)


def about_z(angle: Tensor) -> Tensor:
    """Rotations [..., 3, 3] by ``angle`` [...] rad that turn x to y."""
    return about(2, angle)


def cross_matrix(vector: Tensor) -> Tensor:
    r"""The skew matrices :math:`[v]_\times` [..., 3, 3] with :math:`[v]_\times u = v \times u`, of vectors [..., 3]."""
    x, y, z = vector.unbind(-1)
    zero = torch.zeros_like(x)
    return torch.stack([zero, -z, y, z, zero, -x, -y, x, zero], -1).unflatten(-1, (3, 3))


def from_vector(vector: Tensor) -> Tensor:
    r"""Rodrigues' formula: rotations [..., 3, 3] about ``vector`` [..., 3] by its length in rad.

    .. math:: R = I + \sin\theta \, K + (1 - \cos\theta) K^2
    """
    angle = vector.norm(dim=-1, keepdim=True).clamp_min(1e-12)
    cross = cross_matrix(vector / angle)
    angle = angle[..., None]
    return (
        torch.eye(3, dtype=vector.dtype, device=vector.device)
        + torch.sin(angle) * cross
        + (1 - torch.cos(angle)) * (cross @ cross)
    )


def rotate(matrix: Tensor, points: Tensor) -> Tensor:
    """Points [..., P, 3] turned by one rotation [..., 3, 3] each."""
    return points @ matrix.transpose(-1, -2)


def to_euler_zxy(matrix: Tensor) -> Tensor:
    """Angles (z, x, y) [..., 3] in rad of rotations [..., 3, 3], R = R_z R_x R_y; y is 0 in gimbal lock."""
    sin_x = matrix[..., 2, 1]
    locked = sin_x.abs() > 1 - 1e-12
    z_locked = torch.atan2(matrix[..., 1, 0], matrix[..., 0, 0])
    z_free = torch.atan2(-matrix[..., 0, 1], matrix[..., 1, 1])
    y = torch.where(locked, 0, torch.atan2(-matrix[..., 2, 0], matrix[..., 2, 2]))
    return torch.stack([torch.where(locked, z_locked, z_free), torch.asin(sin_x.clamp(-1, 1)), y], -1)
