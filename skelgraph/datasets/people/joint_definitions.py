"""Where a joint is: every system that measures people puts hips, spine, neck and head elsewhere in the body."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import normalize

from skelgraph.datasets.randomness import Style
from skelgraph.skeleton import Skeleton

DEFINITION_COLUMNS = 48


class _Range(NamedTuple):
    """How far a joint may be off, to the person's side (left and right alike, outwards), up, and ahead, in m."""

    trunk: str
    out: float
    up: float
    ahead: float


_RANGES = {
    "hip": _Range("pelvis", 0, 0.06, 0.04),
    "spine": _Range("pelvis", 0, 0.09, 0.06),
    "thorax": _Range("chest", 0, 0.06, 0.04),
    "neck": _Range("chest", 0, 0.08, 0.10),
    "head": _Range("chest", 0, 0.12, 0.10),
    "left_hip": _Range("pelvis", 0.04, 0.07, 0.03),
    "left_shoulder": _Range("chest", 0.03, 0.04, 0.03),
    "left_knee": _Range("pelvis", 0.015, 0.015, 0.015),
    "left_ankle": _Range("pelvis", 0.01, 0.02, 0.02),
    "left_elbow": _Range("chest", 0.015, 0.015, 0.015),
    "left_wrist": _Range("chest", 0.01, 0.01, 0.01),
}
_ALWAYS = ("left_hip", "right_hip", "left_shoulder", "right_shoulder")


def redefine(joints: Tensor, skeleton: Skeleton, uniform: Tensor, share: float) -> Tensor:
    """Moves the joints of some bodies to other places in the body, the same for left and right.

    Each joint moves by up to some centimetres (hips 7, spine 9, neck 10, head 12) in the axes of pelvis or chest, which
    hips, shoulders and the way between them give.

    Args:
        joints: [N, J, 3] m, y up.
        skeleton: J joints, found by name.
        uniform: numbers in [0, 1), [N, DEFINITION_COLUMNS], that fix what is measured.
        share: how probably a body is changed.

    Raises:
        ValueError: if the skeleton has no hips or shoulders by name.
    """
    absent = [name for name in _ALWAYS if name not in skeleton.joints]
    if absent:
        raise ValueError(f"skeleton {skeleton.name!r} has no {', '.join(absent)}: its joints cannot be defined anew")
    style = Style(uniform)
    changed = style.happens(share)[:, None, None]
    left_hip, right_hip, left_shoulder, right_shoulder = (joints[:, skeleton.index(name)] for name in _ALWAYS)
    up = left_shoulder + right_shoulder - left_hip - right_hip
    axes = {"pelvis": _axes(left_hip - right_hip, up), "chest": _axes(left_shoulder - right_shoulder, up)}
    offset = torch.zeros_like(joints)
    for name, (trunk, *most) in _RANGES.items():
        move = style.between(-1, 1, 3) * torch.tensor(most)
        for joint, side in ((name, 1.0), (name.replace("left", "right"), -1.0)):
            if joint in skeleton.joints and (side > 0 or joint != name):
                own = move * torch.tensor([side, 1.0, 1.0])
                offset[:, skeleton.index(joint)] = (axes[trunk] @ own.unsqueeze(-1)).squeeze(-1)
    return joints + offset * changed


def _axes(left: Tensor, up: Tensor) -> Tensor:
    """Columns left, up, ahead: [N, 3, 3]."""
    y = normalize(up, dim=-1)
    x = normalize(left - (left * y).sum(-1, keepdim=True) * y, dim=-1)
    return torch.stack([x, y, torch.linalg.cross(x, y)], -1)
