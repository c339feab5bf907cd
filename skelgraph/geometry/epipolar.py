"""What two views of one point have to do with each other."""

from __future__ import annotations

import torch
from torch import Tensor

from skelgraph.geometry.cameras import Camera
from skelgraph.geometry.rotations import cross_matrix


def fundamental(camera: Camera, other: Camera) -> Tensor:
    r"""F ``[..., 3, 3]`` with :math:`x'^\top F x = 0` for the pixels x and x' of one point, without distortion
    (Hartley and Zisserman 2004, section 9.2.2), of the cameras' dtype and device.

    .. math:: F = K'^{-\top} [R' (T - T')]_\times R' R^\top K^{-1}
    """
    R = other.R @ camera.R.mT
    across = cross_matrix((other.R @ (camera.T - other.T)[..., None])[..., 0])
    return torch.linalg.inv(other.K).mT @ across @ R @ torch.linalg.inv(camera.K)


def epipolar_distance(camera: Camera, px: Tensor, other: Camera, other_px: Tensor) -> Tensor:
    r"""How far two views of a point are from being of one point, to first order (Sampson; Hartley and Zisserman 2004,
    section 11.4.3).

    .. math:: d = \frac{x'^\top F x}{\sqrt{(F x)_1^2 + (F x)_2^2 + (F^\top x')_1^2 + (F^\top x')_2^2}}

    Args:
        camera, other: two single cameras in different places.
        px, other_px: ``[..., 2]`` without distortion.

    Returns:
        ``[...]`` px, with a sign; NaN where a keypoint is.
    """
    F = fundamental(camera.to(torch.float64), other.to(torch.float64)).to(px)
    one, two = (torch.cat([each, torch.ones_like(each[..., :1])], -1) for each in (px, other_px))
    line, line_back = one @ F.mT, two @ F
    return (two * line).sum(-1) / torch.cat([line[..., :2], line_back[..., :2]], -1).norm(dim=-1)
