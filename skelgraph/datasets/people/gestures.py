"""What the upper body does in any motion: arms, hands, head and face."""

from __future__ import annotations

import torch
from torch import Tensor

from skelgraph.datasets.people.kinematics import Posture
from skelgraph.datasets.randomness import Style

_QUARTER = torch.pi / 2


def relaxed(phase: Tensor, style: Style) -> Posture:
    """Someone who stands, with hands, head and face doing anything; the motions replace the rest."""
    n = phase.shape[0]
    zero = phase.new_zeros
    flexion, spread = hands(phase, style)
    return Posture(
        pelvis=zero(n, 4),
        spine=torch.stack([style.sway(phase, low, high) for low, high in ((-8, 20), (-10, 10), (-14, 14))], -1),
        neck=torch.stack([style.sway(phase, low, high) for low, high in ((-22, 30), (-15, 15), (-45, 45))], -1),
        clavicle=torch.stack([style.sway(phase, 0, 12, 2), style.sway(phase, -6, 10, 2)], -1),
        shoulder=torch.stack([style.degrees(30, 100, 2), style.degrees(4, 20, 2), style.degrees(-10, 40, 2)], -1),
        elbow=style.sway(phase, 5, 40, 2),
        forearm=style.sway(phase, -15, 60, 2),
        wrist=torch.stack([style.sway(phase, -30, 35, 2), style.sway(phase, -20, 12, 2)], -1),
        fingers=flexion,
        spread=spread,
        hip=zero(n, 2, 3),
        knee=zero(n, 2),
        ankle=zero(n, 2),
        toes=zero(n, 2),
        face=expression(phase, style),
        path=zero(n, 2),
    )


def hands(phase: Tensor, style: Style) -> tuple[Tensor, Tensor]:
    """Flexion [N, 2, 5, 3] and spread [N, 2, 5]: fingers close together, each with a will of its own.

    The three joints of a finger bend together, as its tendons make them; a fist has no room to spread.
    """
    grip = style.sway(phase, 0, 57.3, 2)[..., None]  # 0 open to 1 closed
    own = style.between(-0.25, 0.25, 2, 5)
    alone = style.happens(0.12, 2, 5)  # pointing, counting, the thumb held up
    closure = torch.where(alone, 1 - grip, grip + own).clamp(0, 1)
    knuckle = style.between(-0.15, 0.15, 2, 5)
    most = torch.deg2rad(torch.tensor([80.0, 95.0, 68.0]))
    offset = torch.stack([knuckle, -knuckle, torch.zeros_like(knuckle)], -1) * 1.2
    fingers = closure[..., None] * most + offset
    thumb = torch.stack([closure[..., 0] * 0.55 - 0.05, closure[..., 0] * 0.8, closure[..., 0] * 1.0], -1)
    fan = torch.tensor([0.6, 1.0, 0.1, -0.6, -1.2])
    spread = style.degrees(-4, 14, 2)[..., None] * fan + style.degrees(-3, 3, 2, 5)
    return torch.cat([thumb[:, :, None], fingers[:, :, 1:]], 2), spread * (1 - 0.8 * closure)


def expression(phase: Tensor, style: Style) -> Tensor:
    """Jaw, blink, smile, brow [N, 4] in 0..1: mostly a shut mouth and open eyes."""
    turns = phase[:, None] * style.between(1, 3, 4) + style.between(0, 1, 4)
    most = style.between(0, 1, 4) ** torch.tensor([2.0, 3.0, 1.0, 1.0])
    return most * (0.5 + 0.5 * torch.sin(2 * torch.pi * turns))


Ranges = tuple[tuple[float, float], ...]


def arms(posture: Posture, phase: Tensor, style: Style, at_rest: Ranges, free: float) -> Posture:
    """Arms that move between a pose at rest and a target anywhere in reach.

    Args:
        posture: what the arms are replaced in.
        phase: one to and fro a unit, [N].
        style: of the person.
        at_rest: degrees (low, high) of plane, elevation, inward rotation of the shoulder, and of the elbow.
        free: how probably an arm has a target of its own, rather than a second pose at rest.
    """
    rest, other = (torch.stack([style.degrees(low, high, 2) for low, high in at_rest], -1) for _ in range(2))
    alike = style.happens(0.35)[:, None, None]
    target = torch.stack([style.degrees(a, b, 2) for a, b in ((-30, 115), (20, 150), (-40, 65), (0, 125))], -1)
    target = torch.where(style.happens(free, 2)[..., None], target, other)
    rest, target = (torch.where(alike, pose[:, :1], pose) for pose in (rest, target))
    weight = 0.5 - 0.5 * torch.cos(2 * torch.pi * (phase + style.between(0, 1)))[:, None, None]
    pose = rest + (target - rest) * weight
    raised = (pose[..., 1] - _QUARTER).clamp_min(0)
    clavicle = posture.clavicle + torch.stack([0.2 * raised, torch.zeros_like(raised)], -1)
    return posture._replace(shoulder=pose[..., :3], elbow=pose[..., 3], clavicle=clavicle)
