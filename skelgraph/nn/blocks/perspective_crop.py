"""Keypoints as a camera would have them that looks straight at the person and fits them in."""

from typing import NamedTuple

import torch
from torch import Tensor

ASSUMED_FOCAL = 1.1  # f/w where it is not known: that of a phone or webcam with some 49 degrees across
_SMALLEST = 1e-3


class PerspectiveCrop(NamedTuple):
    """Keypoints of B poses in the image plane of a camera turned to them, in units of their spread there."""

    points: Tensor  # [B, J, 2], 0 where missing
    confidence: Tensor  # [B, J, 1]
    where: Tensor  # [B, 5]: is f known, log f/w, the direction x/z and y/z of the person, log of the spread
    rotation: Tensor  # [B, 3, 3] from the camera's axes to those of the turned one


def perspective_crop(x: Tensor) -> PerspectiveCrop:
    r"""Turns the camera to the middle of the keypoints seen, :math:`q \sim R K^{-1} u`, and scales by their spread.

    The principal point is taken for the image's middle. As perspective crop layers do (Yu et al., "PCLs: Geometry-aware
    Neural Reconstruction of 3D Pose with Perspective Crop Layers", CVPR 2021), but of keypoints.

    Args:
        x: model input [B, J, C] of 2, 3 or 4 channels, see ``skelgraph.nn.inputs.model_input``. With 2
            channels a keypoint at (0, 0) is missing.
    """
    xy = x[..., :2]
    confidence = x[..., 2:3] if x.size(-1) > 2 else (xy != 0).any(-1, keepdim=True).to(x)
    given = x[..., 3].amax(-1) if x.size(-1) > 3 else torch.zeros_like(x[:, 0, 0])
    known = given > 0
    focal = torch.where(known, given, ASSUMED_FOCAL)
    seen = (confidence > 0).to(x)
    rays = xy / (2 * focal[:, None, None])  # [B, J, 2], at depth 1
    center = _mean(rays, seen)
    rotation = turn_to(center)
    turned = rotate(torch.cat([rays, torch.ones_like(seen)], -1), rotation.mT)
    plane = turned[..., :2] / turned[..., 2:].clamp_min(_SMALLEST)
    points, _, spread = spread_out(plane, seen)
    where = torch.stack([known.to(x), focal.log(), *center.unbind(-1), spread.log()], -1)
    return PerspectiveCrop(points, confidence, where, rotation)


def spread_out(points: Tensor, seen: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Points [B, J, 2] from their mean in units of their spread, that mean [B, 2] and that spread [B].

    Only those ``seen`` [B, J, 1] (1 or 0) count; the others are 0.
    """
    middle = _mean(points, seen)
    apart = (points - middle.unsqueeze(1)) * seen
    spread = (apart.square().sum((1, 2)) / seen.sum((1, 2)).clamp_min(1)).clamp_min(_SMALLEST**2).sqrt()
    return apart / spread[:, None, None], middle, spread


def turn_to(center: Tensor) -> Tensor:
    """Rotations [B, 3, 3] that bring the ray (x, y, 1) of ``center`` [B, 2] to the optical axis, without roll."""
    x, y = center.unbind(-1)
    one, zero = torch.ones_like(x), torch.zeros_like(x)
    level = (1 + x.square()).sqrt()
    length = (level.square() + y.square()).sqrt()
    yaw = torch.stack([one, zero, -x, zero, level, zero, x, zero, one], -1).view(-1, 3, 3) / level[:, None, None]
    pitch = torch.stack([length, zero, zero, zero, level, -y, zero, y, level], -1).view(-1, 3, 3)
    return rotate(pitch / length[:, None, None], yaw)


def rotate(x: Tensor, rotation: Tensor) -> Tensor:
    """Rows [B, J, 3] times matrices [B, 3, 3], in full precision also where TF32 or autocast rounds products."""
    return (x.unsqueeze(-1) * rotation.unsqueeze(-3)).sum(-2)


def _mean(points: Tensor, seen: Tensor) -> Tensor:
    return (points * seen).sum(1) / seen.sum(1).clamp_min(1)
