"""Body shapes: stature and the lengths that go with it.

Segment lengths are fractions of stature after Drillis and Contini (1966), as tabled in Winter, "Biomechanics and Motor
Control of Human Movement"; each varies by a few per cent from person to person. Left and right are alike.
"""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor

from skelgraph.datasets.randomness import Style

SHAPE_COLUMNS = 48


class BodyShape(NamedTuple):
    """Lengths of N people in m, [N] each unless said otherwise."""

    stature: Tensor
    hip_width: Tensor  # half the distance between the hip joints
    thigh: Tensor
    shank: Tensor
    ankle_height: Tensor  # ankle joint above the sole
    foot: Tensor  # heel to big toe
    lower_trunk: Tensor  # mid-hip to mid-spine
    upper_trunk: Tensor  # mid-spine to the base of the neck
    shoulder_width: Tensor  # half the distance between the shoulder joints
    upper_arm: Tensor
    forearm: Tensor
    hand: Tensor  # wrist to the tip of the straight middle finger
    fingers: Tensor  # [N, 5] length of each finger over its usual share of the hand
    neck: Tensor  # base of the neck to the pivot of the head
    head: Tensor  # pivot of the head to the top of the skull
    face: Tensor  # [N, 16] traits of the face in -1..1, see face_model


def body_shapes(uniform: Tensor) -> BodyShape:
    """People of 1.45 to 2.0 m from uniform numbers [N, SHAPE_COLUMNS]: a bell-shaped stature, proportions about it."""
    style = Style(uniform)
    stature = 1.45 + 0.55 * style.between(0, 1, 3).mean(1)
    limb = style.between(0.95, 1.05)  # long-limbed people have long arms and legs

    def share(fraction: float, spread: float) -> Tensor:
        return fraction * stature * style.between(1 - spread, 1 + spread)

    trunk = 2 - limb
    head_scale = (stature / 1.7) ** 0.5 * style.between(0.95, 1.05)
    shape = BodyShape(
        stature=stature,
        hip_width=share(0.060, 0.18),
        thigh=share(0.245, 0.05) * limb,
        shank=share(0.246, 0.05) * limb,
        ankle_height=share(0.039, 0.10),
        foot=share(0.152, 0.06),
        lower_trunk=share(0.140, 0.06) * trunk,
        upper_trunk=share(0.150, 0.06) * trunk,
        shoulder_width=share(0.106, 0.14),
        upper_arm=share(0.176, 0.05) * limb,
        forearm=share(0.148, 0.05) * limb,
        hand=share(0.108, 0.05).clamp(0.161, 0.209),
        fingers=style.between(0.94, 1.06, 5),
        neck=share(0.083, 0.10),
        head=0.132 * head_scale,
        face=style.between(-1, 1, 16),
    )
    return _scaled_to_stature(shape)


def _scaled_to_stature(shape: BodyShape) -> BodyShape:
    """The shape with legs and trunk such that someone who stands straight is as tall as ``stature``."""
    rest = shape.ankle_height + shape.neck + shape.head
    stretch = (shape.stature - rest) / (shape.thigh + shape.shank + shape.lower_trunk + shape.upper_trunk)
    return shape._replace(
        thigh=shape.thigh * stretch,
        shank=shape.shank * stretch,
        lower_trunk=shape.lower_trunk * stretch,
        upper_trunk=shape.upper_trunk * stretch,
    )
