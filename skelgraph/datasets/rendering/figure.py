"""What people look like in rendered pictures: limbs as capsules, clothes, and what is behind them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional

GROUPS = ("hair", "skin", "shirt", "jacket", "sleeves", "trousers", "shins", "shoes")
"""What has one colour each; the jacket is open, sleeves are its own or bare, shins the trousers' or bare."""

Point = dict[str, float]

_SIDES = ("left", "right")
_HAIR_BACK_M, _HAIR_UP_M, _FRONT_M = 0.04, 0.02, 0.05
_SECTORS = 12  # of the circle of hues; every third is the test's
_SKIN = ((0.98, 0.84, 0.72), (0.36, 0.23, 0.16))
_HAIR = ((0.06, 0.05, 0.04), (0.72, 0.58, 0.34))


def _between(a: str, b: str, share: float) -> Point:
    return {a: 1 - share, b: share}


def _limbs() -> dict[str, tuple[Point, Point, float, str]]:
    """Ends as weighted sums of joints, radius in m, group. A share beyond 1 goes past the second joint."""
    limbs = {
        "hair": (_between("neck", "head", 0.3), _between("neck", "head", 0.65), 0.10, "hair"),
        "head": (_between("neck", "head", 0.2), _between("neck", "head", 0.6), 0.095, "skin"),
        "neck": ({"thorax": 1.0}, {"neck": 1.0}, 0.055, "skin"),
        "shoulders": ({"left_shoulder": 1.0}, {"right_shoulder": 1.0}, 0.06, "jacket"),
        "chest": ({"spine": 1.0}, {"thorax": 1.0}, 0.12, "jacket"),
        "front": (_between("spine", "hip", 0.3), _between("spine", "thorax", 0.9), 0.10, "shirt"),
        "pelvis": (_between("left_hip", "right_hip", 0.15), _between("left_hip", "right_hip", 0.85), 0.11, "trousers"),
    }
    for side in _SIDES:
        hip, knee, ankle, toe, shoulder, elbow, wrist = (
            f"{side}_{joint}" for joint in ("hip", "knee", "ankle", "toe", "shoulder", "elbow", "wrist")
        )
        limbs |= {
            f"{side}_flank": (_between(hip, "spine", 0.4), _between(shoulder, "thorax", 0.4), 0.095, "jacket"),
            f"{side}_upper_arm": ({shoulder: 1.0}, {elbow: 1.0}, 0.05, "jacket"),
            f"{side}_forearm": ({elbow: 1.0}, {wrist: 1.0}, 0.04, "sleeves"),
            f"{side}_hand": ({wrist: 1.0}, _between(elbow, wrist, 1.35), 0.04, "skin"),
            f"{side}_thigh": ({hip: 1.0}, {knee: 1.0}, 0.078, "trousers"),
            f"{side}_shin": ({knee: 1.0}, {ankle: 1.0}, 0.052, "shins"),
            f"{side}_foot": ({ankle: 1.0}, _between(ankle, toe, 1.3), 0.045, "shoes"),
        }
    return limbs


LIMBS = _limbs()
RADIUS = torch.tensor([radius for _, _, radius, _ in LIMBS.values()])
"""Of each limb, m, ``[K]``."""
GROUP = torch.tensor([GROUPS.index(group) for _, _, _, group in LIMBS.values()])
"""Index of each limb's group, ``[K]``."""


def limb_ends(joints: Tensor, names: Sequence[str]) -> Tensor:
    """The ends of each limb's axis, ``[..., 2, K, 3]`` m, of bodies ``[..., J, 3]`` in any right-handed frame.

    Raises:
        ValueError: if a joint that the limbs hang on is not among ``names``.
    """
    weights = torch.zeros(2, len(LIMBS), len(names))
    for k, (first, last, _, _) in enumerate(LIMBS.values()):
        for i, point in enumerate((first, last)):
            for joint, weight in point.items():
                if joint not in names:
                    raise ValueError(f"a body to render needs the joint {joint}; there are {', '.join(names)}")
                weights[i, k, names.index(joint)] = weight
    ends = (weights.to(joints).flatten(0, 1) @ joints).unflatten(-2, (2, -1))
    left, right, thorax, head = (
        joints[..., names.index(joint), :] for joint in ("left_shoulder", "right_shoulder", "thorax", "head")
    )
    up = functional.normalize(head - thorax, dim=-1)
    front = functional.normalize(torch.linalg.cross(left - right, up), dim=-1)
    ends[..., list(LIMBS).index("hair"), :] += (_HAIR_UP_M * up - _HAIR_BACK_M * front).unsqueeze(-2)
    ends[..., list(LIMBS).index("front"), :] += _FRONT_M * front.unsqueeze(-2)
    return ends


def clothes(count: int, split: Literal["train", "test"], random: torch.Generator) -> Tensor:
    """Colours of each group ``[N, G, 3]``; no hue of one split's clothes is in the other's."""
    shirt = paints((count,), split, random, (0, 0.15), (0.85, 1))
    jacket, trousers, shoes = paints((3, count), split, random, (0.4, 1), (0.25, 0.75))
    shade = torch.rand(2, count, 1, generator=random)
    skin, hair = (
        torch.lerp(torch.tensor(one), torch.tensor(other), each)
        for (one, other), each in zip((_SKIN, _HAIR), shade, strict=True)
    )
    bare = torch.rand(2, count, 1, generator=random) < 0.4
    sleeves, shins = torch.where(bare[0], skin, jacket), torch.where(bare[1], skin, trousers)
    return torch.stack([hair, skin, shirt, jacket, sleeves, trousers, shins, 0.6 * shoes], 1)


def paints(
    shape: tuple[int, ...],
    split: Literal["train", "test"],
    random: torch.Generator,
    saturation: tuple[float, float],
    value: tuple[float, float],
) -> Tensor:
    """Colours ``[*shape, 3]`` of the split's share of the hues, saturation and value from one bound to the other."""
    sectors = [i for i in range(_SECTORS) if (i % 3 == 0) == (split == "test")]
    sector = torch.tensor(sectors)[torch.randint(len(sectors), shape, generator=random)]
    u = torch.rand(3, *shape, 1, generator=random)
    hue = (sector.unsqueeze(-1) + u[0]) / _SECTORS
    s, v = (low + (high - low) * each for (low, high), each in zip((saturation, value), u[1:], strict=True))
    k = (torch.tensor([5.0, 3.0, 1.0]) + 6 * hue) % 6  # of red, green and blue
    return v * (1 - s * torch.minimum(k, 4 - k).clamp(0, 1))


def backgrounds(count: int, size: int, split: Literal["train", "test"], random: torch.Generator) -> Tensor:
    """Pictures of nobody, uint8 ``[N, 3, size, size]``: plain, a gradient, blocks or noise, a quarter each."""
    kind = torch.randint(4, (count,), generator=random)
    made = torch.empty(count, 3, size, size, dtype=torch.uint8)
    for number, (cells, mode) in enumerate(((1, "nearest"), (2, "bilinear"), (7, "nearest"), (size // 4, "bilinear"))):
        chosen = (kind == number).nonzero().squeeze(1)
        grid = paints((len(chosen), cells, cells), split, random, (0, 0.6), (0.05, 0.5)).movedim(-1, 1)
        contrast = 0.7 * torch.rand(len(chosen), 1, 1, 1, generator=random)
        grid = torch.lerp(grid[:, :, :1, :1], grid, contrast)
        corners = None if mode == "nearest" else True
        large = functional.interpolate(grid, size=(size, size), mode=mode, align_corners=corners)
        made[chosen] = large.mul_(255).round_().to(torch.uint8)
    return made
