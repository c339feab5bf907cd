"""A face of 68 landmarks (the iBUG order) that moves with the head, drawn by a few curves.

Head axes: x to the person's left, y up, z forward; the origin is midway between the ears. Each person has 16 traits in
-1..1; an expression opens the jaw, shuts the eyes, smiles and lifts the brows. Proportions are those of a mean adult.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from skelgraph.geometry.rotations import about_x

EAR = (0.074, -0.002, 0.0)  # the left ear, m
NUM_TRAITS = 16
_JAW_HINGE = (-0.005, 0.015)  # height and depth of the axis that the jaw turns about, m


class Expression(NamedTuple):
    """Each [N], 0 at rest and 1 at the full."""

    jaw: Tensor
    blink: Tensor
    smile: Tensor
    brow: Tensor


def face(traits: Tensor, expression: Expression) -> Tensor:
    """Landmarks [N, 68, 3] in m in head axes, of people with ``traits`` [N, 16]."""
    trait = [t[:, None] for t in traits.unbind(-1)]
    jaw, blink, smile, brow = (e[:, None] for e in expression)
    rows = torch.cat([_jaw(trait), _brows(trait, brow), _nose(trait), _eyes(trait, blink), _mouth(trait, smile)], 1)
    opened = _open(rows, jaw * 0.28)
    scale = torch.stack([1 + 0.05 * traits[:, 0], torch.ones_like(jaw[:, 0]), 1 + 0.03 * traits[:, 2]], -1)
    size = 0.001 * (1 + 0.06 * traits[:, 15])  # the curves are in mm
    return opened * (scale * size[:, None])[:, None, :]


def _points(x: Tensor, y: Tensor, z: Tensor) -> Tensor:
    return torch.stack(torch.broadcast_tensors(x, y, z), -1)


def _jaw(trait: list[Tensor]) -> Tensor:
    """17 points from the right ear along the jaw to the left."""
    t = torch.linspace(-1, 1, 17)
    angle = 0.5 * torch.pi * t
    x = 76 * angle.sin().abs() ** (0.95 - 0.15 * trait[3]) * t.sign()
    y = 31 - (135 + 7 * trait[1]) * angle.cos() - 10 * (torch.pi * t).sin().abs() ** 1.5
    z = 24 + (64 + 4 * trait[2]) * angle.cos().clamp_min(0) ** 3.6
    return _points(x, y, z)


def _brows(trait: list[Tensor], raised: Tensor) -> Tensor:
    """Five points each, the right brow from outside in, the left one from inside out."""
    s = torch.linspace(0, 1, 5)
    x = -64 + 50 * s - 2 * trait[6]
    y = 38 + 2.5 * trait[4] + 6 * raised + (3 + 2 * trait[5]) * (torch.pi * s * 0.7).sin()
    z = 98 - 37 * (1 - s) ** 2.3
    right = _points(x, y, z)
    return torch.cat([right, _mirrored(right, [4, 3, 2, 1, 0])], 1)


def _nose(trait: list[Tensor]) -> Tensor:
    """Four points down the bridge to the tip, five below it from right to left."""
    s = torch.linspace(0, 1, 4)
    length, protrusion = 37 + 3 * trait[9], 24 + 3 * trait[10]
    bridge = _points(torch.zeros(4), 22 - length * s, 97 + protrusion * s**0.9)
    t = torch.linspace(-1, 1, 5)
    below = _points((12 + 2 * trait[11]) * t, 6 - length + 6 * t**2, 82 + protrusion - 4 * t.abs())
    return torch.cat([bridge, below], 1)


def _eyes(trait: list[Tensor], blink: Tensor) -> Tensor:
    """Six points each around the lids, from the corner on the image's left, over the top."""
    half_width = 13.5 + trait[7]
    half_height = (4.5 + trait[8]) * (1 - 0.9 * blink)
    across = torch.tensor([-1.0, -0.38, 0.38, 1.0, 0.38, -0.38])
    above = torch.tensor([0.0, 1.0, 1.0, 0.2, -0.8, -0.8])
    depth = torch.tensor([76.5, 82.0, 84.0, 82.5, 83.0, 81.5])
    right = _points(across * half_width - 31.5 - 1.5 * trait[6], 16.5 + above * half_height, depth)
    return torch.cat([right, _mirrored(right, [3, 2, 1, 0, 5, 4])], 1)


def _mouth(trait: list[Tensor], smile: Tensor) -> Tensor:
    """Twelve points around the lips, eight around the opening, both from the right corner over the top."""
    width, lips = 24.5 + 2.5 * trait[12] + 5 * smile, 1 + 0.25 * trait[14]
    middle = -53.5 - 3 * trait[13]
    corner = torch.tensor([1.0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0])
    x = torch.tensor([-1, -0.57, -0.28, 0, 0.28, 0.57, 1, 0.55, 0.28, 0, -0.28, -0.55])
    y = torch.tensor([0.5, 8, 10, 9, 10, 8, 0.5, -8, -10, -10.5, -10, -8])
    z = torch.tensor([88.0, 100, 104, 105, 104, 100, 88, 97, 99.5, 100.5, 99.5, 97])
    outer = _points(x * width, middle + y * lips + 5 * smile * corner, z)
    corner = torch.tensor([1.0, 0, 0, 0, 1, 0, 0, 0])
    x = torch.tensor([-0.87, -0.22, 0, 0.22, 0.87, 0.23, 0, -0.23])
    y = torch.tensor([0.5, 3, 3, 3, 0.5, -2, -2.5, -2])
    z = torch.tensor([86.0, 96.5, 97.5, 96.5, 86, 98, 98.5, 98])
    inner = _points(x * width, middle + y * lips + 5 * smile * corner, z)
    return torch.cat([outer, inner], 1)


def _open(points: Tensor, angle: Tensor) -> Tensor:
    """Turns each point about the hinge of the jaw by its share of ``angle`` [N, 1] rad."""
    height, depth = _JAW_HINGE
    hinge = torch.tensor([0.0, 1000 * height, 1000 * depth])
    turn = about_x(angle * _JAW_SHARE)  # [N, 68, 3, 3]
    return hinge + (turn @ (points - hinge)[..., None])[..., 0]


def _mirrored(points: Tensor, order: list[int]) -> Tensor:
    return points[:, order] * torch.tensor([-1.0, 1.0, 1.0])


def _jaw_share() -> Tensor:
    share = torch.zeros(68)
    share[:17] = 1 - torch.linspace(-1, 1, 17).abs() ** 3
    share[[48, 54, 60, 64]] = 0.4
    share[[55, 56, 57, 58, 59, 65, 66, 67]] = torch.tensor([0.85, 0.95, 1, 0.95, 0.85, 0.95, 1, 0.95])
    return share


_JAW_SHARE = _jaw_share()
