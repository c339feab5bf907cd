"""A hand of 21 joints: wrist, then thumb, index, middle, ring and little finger from knuckle to tip.

The left hand, hanging at rest beside the body: fingers point to -y (down), the thumb side is +z (forward), the palm
looks to -x (the body). The right hand is its mirror image in x. Bone shares after Buryanov and Kotiuk (2010),
"Proportions of hand segments".
"""

from __future__ import annotations

import torch
from torch import Tensor

# knuckle (CMC of the thumb, MCP of the fingers) from the wrist: distal, to the thumb side, to the palm; in hand lengths
_KNUCKLE = (
    (0.130, 0.115, 0.055),
    (0.500, 0.130, 0.0),
    (0.485, 0.020, -0.010),
    (0.450, -0.080, 0.0),
    (0.405, -0.165, 0.020),
)
_PHALANGES = (
    (0.250, 0.180, 0.140),
    (0.225, 0.130, 0.110),
    (0.250, 0.150, 0.115),
    (0.232, 0.145, 0.115),
    (0.182, 0.105, 0.105),
)
_POINTING = ((0.72, 0.60, 0.34), (1.0, 0.05, 0.0), (1.0, 0.0, 0.0), (1.0, -0.04, 0.0), (1.0, -0.09, 0.0))
_CURLING = ((0.15, -0.60, 0.78), (0.0, -0.08, 1.0), (0.0, 0.0, 1.0), (0.0, 0.10, 1.0), (0.0, 0.18, 1.0))


def _in_body_axes(rows: tuple[tuple[float, ...], ...]) -> Tensor:
    distal, thumbward, palmar = torch.tensor(rows).unbind(-1)
    return torch.stack([-palmar, -distal, thumbward], -1)


_BASE = _in_body_axes(_KNUCKLE)  # [5, 3]
_FORWARD = torch.nn.functional.normalize(_in_body_axes(_POINTING), dim=-1)
_CURL = _in_body_axes(_CURLING)
_CURL = torch.nn.functional.normalize(_CURL - (_CURL * _FORWARD).sum(-1, keepdim=True) * _FORWARD, dim=-1)
_SIDE = torch.linalg.cross(_CURL, _FORWARD)  # to the thumb side of a straight finger
_LENGTHS = torch.tensor(_PHALANGES)


def hand(length: Tensor, fingers: Tensor, flexion: Tensor, spread: Tensor) -> Tensor:
    """Joints [..., 21, 3] in m of left hands at rest, the wrist at the origin.

    Each finger is a chain in a plane, which ``spread`` turns about the normal of the palm.

    Args:
        length: wrist to the tip of the straight middle finger, m, [...].
        fingers: length of each finger over its usual share, [..., 5].
        flexion: bend of the three joints of each finger, rad, [..., 5, 3].
        spread: of each finger to the thumb side, rad, [..., 5].
    """
    bend = flexion.cumsum(-1)[..., None]  # [..., 5, 3, 1]
    forward = torch.cos(spread)[..., None] * _FORWARD + torch.sin(spread)[..., None] * _SIDE  # [..., 5, 3]
    phalanges = torch.cos(bend) * forward[..., None, :] + torch.sin(bend) * _CURL[:, None, :]  # [..., 5, 3, 3]
    phalanges = phalanges * (fingers[..., None] * _LENGTHS)[..., None]
    chain = torch.cat([_BASE[:, None, :].expand(*phalanges.shape[:-2], 1, 3), phalanges], -2).cumsum(-2)
    joints = torch.cat([torch.zeros_like(chain[..., 0, :1, :]), chain.flatten(-3, -2)], -2)  # [..., 21, 3]
    return joints * length[..., None, None]
