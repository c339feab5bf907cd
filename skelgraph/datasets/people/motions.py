"""Parametric motions: a phase and a style in, joint angles out. The style fixes a way of moving; the phase runs."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from skelgraph.datasets.people.gestures import arms, relaxed
from skelgraph.datasets.people.kinematics import Posture, within_limits
from skelgraph.datasets.randomness import Style

STYLE_COLUMNS = 320
Motion = Callable[[Tensor, Style], Posture]

_HANGING = ((10, 105), (3, 25), (-15, 40), (3, 45))
_IN_THE_LAP = ((60, 105), (12, 50), (10, 65), (35, 105))
_LOOSE = ((-10, 110), (5, 80), (-20, 60), (5, 110))


def walking(phase: Tensor, style: Style) -> Posture:
    """Steps to a stride a unit of phase, from a stroll to a jog, on a bent path; arms swing against the legs."""
    posture = relaxed(phase, style)
    cycle = 2 * torch.pi * (phase[:, None] + torch.tensor([0.0, 0.5]))  # the thigh is foremost at 0
    reach = style.degrees(12, 34)[:, None]
    lift, brisk = style.degrees(38, 75)[:, None], style.between(0, 1)[:, None]
    swing = 0.06 + 0.1 * brisk + reach * torch.cos(cycle)
    knee = 0.1 + lift * _bump(cycle + 1.35) + (0.12 + 0.15 * brisk) * _bump(cycle - 0.8)
    ankle = 0.05 - style.degrees(8, 24)[:, None] * _bump(cycle - 3.5) + 0.12 * _bump(cycle - 2.4)
    width = style.degrees(0, 5)[:, None].expand_as(swing)
    arm = -style.degrees(5, 38)[:, None] * torch.cos(cycle) + 0.05
    outward = style.degrees(-4, 14, 2)
    hanging = torch.stack([style.degrees(65, 100, 2), arm, style.degrees(0, 30, 2)], -1)
    busy = arms(posture, phase, style, _HANGING, 0.6)
    swings = style.happens(0.7, 2)
    twist = style.degrees(2, 9) * torch.sin(2 * torch.pi * phase)
    bend = style.between(-0.7, 0.7)  # of the path, per leg length
    gone = 4 * torch.sin(reach[:, 0]) * phase
    lean = style.degrees(-2, 10) + 0.1 * brisk[:, 0]
    sideways = style.degrees(0, 4) * torch.cos(2 * torch.pi * phase)
    spine = posture.spine * 0.5 + torch.stack([0 * twist, -sideways, -2 * twist], -1)
    return posture._replace(
        pelvis=torch.stack([bend * gone + twist, sideways, lean * 0.4, 0 * lean], -1),
        spine=spine,
        shoulder=torch.where(swings[..., None], hanging, busy.shoulder),
        elbow=torch.where(swings, style.degrees(5, 40, 2) + 0.6 * brisk + 0.3 * arm, busy.elbow),
        hip=torch.stack([swing + 0.4 * lean[:, None], width, outward], -1),
        knee=knee,
        ankle=ankle,
        toes=0.6 * _bump(cycle - 3.1),
        path=_arc(bend, gone),
    )


def reaching(phase: Tensor, style: Style) -> Posture:
    """Stands, bends or squats and reaches with one or both arms, anywhere from the floor to overhead."""
    posture = arms(relaxed(phase, style), phase, style, _HANGING, 0.85)
    depth = 0.5 - 0.5 * torch.cos(2 * torch.pi * (phase + style.between(0, 1)))
    squat = (style.between(-0.6, 1) * depth).clamp_min(0)
    stoop = (style.between(-0.5, 1) * depth).clamp_min(0)
    pelvis_forward = 1.1 * stoop + 0.4 * squat
    thigh = style.degrees(-4, 14, 2) + squat[:, None] * style.degrees(40, 95)[:, None]
    knee = style.degrees(2, 16, 2) + (thigh - 0.2).clamp_min(0) + squat[:, None] * style.degrees(10, 35)[:, None]
    spine = posture.spine + torch.stack([0.7 * stoop, 0 * stoop, style.degrees(-35, 35) * depth], -1)
    turned = torch.stack([0 * depth, style.degrees(-6, 6) * depth, pelvis_forward, 0 * depth], -1)
    neck = posture.neck - torch.stack([0.5 * stoop, 0 * stoop, 0 * stoop], -1)
    return _standing_on(posture._replace(pelvis=turned, spine=spine, neck=neck, knee=knee), thigh, style)


def sitting(phase: Tensor, style: Style) -> Posture:
    """Sits on a chair, on the floor with the legs out, or cross-legged; hands in the lap or free."""
    posture = arms(relaxed(phase, style), phase, style, _IN_THE_LAP, 0.45)
    slouch = style.sway(phase, -22, 22)
    kind = style.between(0, 1)[:, None]
    on_floor, crossed = kind > 0.72, kind > 0.86
    thigh = style.degrees(68, 100, 2)
    knee = thigh + style.sway(phase, -45, 25, 2)
    thigh = torch.where(on_floor, style.degrees(85, 100, 2) + style.degrees(0, 30, 2), thigh)
    knee = torch.where(on_floor, (thigh - _RIGHT_ANGLE).clamp_min(0.05) * 2.2, knee)
    apart, outward = style.degrees(-4, 22, 2), style.degrees(-8, 20, 2)
    thigh = torch.where(crossed, style.degrees(88, 108, 2), thigh)
    knee = torch.where(crossed, style.degrees(115, 140, 2), knee)
    apart = torch.where(crossed, style.degrees(28, 44, 2), apart)
    outward = torch.where(crossed, style.degrees(28, 48, 2), outward)
    zero = torch.zeros_like(slouch)
    return posture._replace(
        pelvis=torch.stack([zero, style.degrees(-4, 4), slouch, zero], -1),
        spine=posture.spine + torch.stack([style.degrees(0, 28), zero, zero], -1),
        hip=torch.stack([thigh + slouch[:, None], apart, outward], -1),
        knee=knee,
        ankle=torch.where(on_floor, style.degrees(-35, 5, 2), knee - thigh + style.degrees(-22, 8, 2)),
    )


def kneeling(phase: Tensor, style: Style) -> Posture:
    """Kneels upright, on the heels, or on one knee; the shank of a kneeling leg lies on the floor."""
    posture = arms(relaxed(phase, style), phase, style, _LOOSE, 0.45)
    lean = style.sway(phase, -8, 40)
    sink = style.sway(phase, -8, 50)[:, None]
    thigh = sink + style.degrees(-4, 4, 2)
    left_first = style.happens(0.5)[:, None]
    one_knee = style.happens(0.4)[:, None] & torch.cat([left_first, ~left_first], 1)
    tucked = style.happens(0.4, 2)
    ankle = torch.where(tucked, style.degrees(5, 25, 2), style.degrees(-74, -62, 2))
    knee = thigh + torch.deg2rad(torch.where(tucked, 106.0, 96.0))  # the toes hold the ankle off the floor
    # the foot in front is flat, its knee as high above it as the hip above the other knee allows
    in_front = torch.acos((torch.cos(sink) - 1.02).clamp(-1, 1)) + style.degrees(-3, 6, 2)
    room = torch.where(one_knee.any(1), 2.15 - in_front.amax(1), lean)  # before the thigh meets the belly
    lean = torch.minimum(lean, room)
    shank = style.degrees(-15, 15, 2)
    zero = torch.zeros_like(lean)
    return posture._replace(
        pelvis=torch.stack([zero, style.degrees(-5, 5), lean, zero], -1),
        hip=torch.stack(
            [
                torch.where(one_knee, in_front, thigh) + lean[:, None],
                style.degrees(0, 18, 2),
                style.degrees(-8, 15, 2),
            ],
            -1,
        ),
        knee=torch.where(one_knee, in_front + shank, knee),
        ankle=torch.where(one_knee, shank, ankle),
        toes=torch.where(tucked & ~one_knee, style.degrees(35, 58, 2), style.degrees(0, 8, 2)),
    )


def lying(phase: Tensor, style: Style) -> Posture:
    """Lies on the back, the front or a side, legs straight or drawn up."""
    posture = arms(relaxed(phase, style), phase, style, _LOOSE, 0.35)
    side = torch.floor(style.between(0, 4))  # back, left side, front, right side
    spin = side * _RIGHT_ANGLE + style.sway(phase, -18, 18)
    bent = style.happens(0.5)[:, None].expand(-1, 2)
    drawn_up = torch.where(bent & (side != 2)[:, None], style.sway(phase, 20, 95, 2), style.sway(phase, -5, 12, 2))
    knee = torch.where(bent, style.sway(phase, 40, 125, 2), style.sway(phase, 2, 20, 2))
    zero = torch.zeros_like(spin)
    plane = posture.shoulder[..., :1]  # arms keep out of the floor: forward on the back, sideways on the front
    plane = torch.where((side == 2)[:, None, None], 0.15 * plane, plane.clamp_min(0))
    return posture._replace(
        shoulder=torch.cat([plane, posture.shoulder[..., 1:]], -1),
        pelvis=torch.stack([zero, zero, style.degrees(-98, -82), spin], -1),
        hip=torch.stack([drawn_up, style.degrees(-3, 18, 2), style.degrees(-12, 25, 2)], -1),
        knee=knee,
        ankle=style.sway(phase, -45, -5, 2),
        neck=posture.neck * torch.tensor([0.6, 0.6, 1.0]),
    )


def turning(phase: Tensor, style: Style) -> Posture:
    """Turns on the spot in small steps; the head leads, the trunk follows."""
    posture = arms(relaxed(phase, style), phase, style, _HANGING, 0.4)
    way = style.degrees(60, 170) * torch.where(style.happens(0.5), 1.0, -1.0)  # per unit of phase
    pace = 1 - torch.cos(2 * torch.pi * phase)
    heading = way * (phase - torch.sin(2 * torch.pi * phase) / (2 * torch.pi))
    lead = way * pace * 0.10
    step = 4 * torch.pi * (phase[:, None] + torch.tensor([0.0, 0.25]))
    lifted = _bump(step) * pace[:, None] * 0.5
    thigh = style.degrees(-3, 10, 2) + lifted * style.degrees(8, 28)[:, None]
    knee = style.degrees(3, 14, 2) + lifted * style.degrees(20, 50)[:, None]
    spin_of_leg = torch.sin(step) * lead[:, None] * torch.tensor([1.0, -1.0])
    zero = torch.zeros_like(lead)
    turned = posture._replace(
        pelvis=torch.stack([heading, style.degrees(-4, 4), style.degrees(-4, 8), zero], -1),
        spine=posture.spine + torch.stack([zero, zero, lead], -1),
        neck=posture.neck * 0.7 + torch.stack([zero, zero, 1.5 * lead], -1),
        knee=knee,
    )
    standing = _standing_on(turned, thigh, style)
    return standing._replace(hip=standing.hip + torch.stack([0 * thigh, 0 * thigh, 0.8 * spin_of_leg], -1))


def _standing_on(posture: Posture, thigh: Tensor, style: Style) -> Posture:
    """Legs by the angle of the thighs [N, 2] to the vertical and the posture's knees, with the soles flat."""
    lean = posture.pelvis[:, 2, None]
    hip = torch.stack([thigh + lean, style.degrees(0, 14, 2), style.degrees(-4, 22, 2)], -1)
    return posture._replace(hip=hip, ankle=posture.knee - thigh)


def _bump(angle: Tensor) -> Tensor:
    """A smooth peak of 1 at 0, low for most of the circle."""
    return (0.5 + 0.5 * torch.cos(angle)) ** 3


def _arc(bend: Tensor, gone: Tensor) -> Tensor:
    """Where a path that turns ``bend`` rad a unit leads after ``gone`` units: to the left, forward; [N, 2]."""
    bend = torch.where(bend.abs() < 1e-3, 1e-3, bend)
    return torch.stack([1 - torch.cos(bend * gone), torch.sin(bend * gone)], -1) / bend[:, None]


_RIGHT_ANGLE = torch.pi / 2

MOTIONS: dict[str, Motion] = {
    "walking": walking,
    "reaching": reaching,
    "sitting": sitting,
    "kneeling": kneeling,
    "lying": lying,
    "turning": turning,
}
# units of phase in a second, (slowest, fastest)
TEMPO: dict[str, tuple[float, float]] = {
    "walking": (0.7, 1.1),
    "reaching": (0.2, 0.4),
    "sitting": (0.15, 0.3),
    "kneeling": (0.15, 0.3),
    "lying": (0.15, 0.3),
    "turning": (0.25, 0.45),
}


def perform(action: str, phase: Tensor, uniform: Tensor) -> Posture:
    """Postures of one motion at ``phase`` [N] in style ``uniform`` [N, STYLE_COLUMNS], within joint limits."""
    return within_limits(MOTIONS[action](phase, Style(uniform)))
