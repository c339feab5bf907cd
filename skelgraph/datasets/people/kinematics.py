"""Forward kinematics of the internal body model: a shape and a posture in, all its landmarks out.

Body axes: x to the person's left, y up, z forward. Arms and legs are both reckoned as left ones (``[N, 2]``, left then
right, same signs) and the right ones mirrored, so that left and right are alike by construction.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from skelgraph.datasets.people.body_shape import BodyShape
from skelgraph.datasets.people.face_model import EAR, Expression, face
from skelgraph.datasets.people.hand_model import hand
from skelgraph.geometry.rotations import about_x, about_y, about_z, rotate

_TRUNK = ("hip", "spine", "thorax", "neck", "head_top", "head_center", "left_ear", "right_ear")
_ARM = ("shoulder", "elbow", "wrist", *(f"hand_{i}" for i in range(21)))
_LEG = ("hip", "knee", "ankle", "heel", "big_toe", "small_toe")
HEEL, BALL = (0.0, 0.0, -0.27), (0.0, 0.0, 0.48)  # of the foot's length
ANKLE_ABOVE_BALL = 0.85  # of the ankle's height
_MIRROR = torch.tensor([[[1.0, 1.0, 1.0]], [[-1.0, 1.0, 1.0]]])  # [2, 1, 3]

LANDMARKS: tuple[str, ...] = (
    *_TRUNK,
    *(f"{side}_{joint}" for side in ("left", "right") for joint in _ARM),
    *(f"{side}_{joint}" for side in ("left", "right") for joint in _LEG),
    *(f"face_{i}" for i in range(68)),
    "left_eye",
    "right_eye",
)


class Posture(NamedTuple):
    """Joint angles in rad. A second dimension of 2 is (left, right)."""

    pelvis: Tensor  # [N, 4] heading to the left, lean to the right, lean forward, spin about the body's own axis
    spine: Tensor  # [N, 3] bend forward, bend to the right, turn to the left
    neck: Tensor  # [N, 3] as the spine
    clavicle: Tensor  # [N, 2, 2] up, forward
    shoulder: Tensor  # [N, 2, 3] plane of elevation (0 sideways, 90 degrees forward), elevation, inward rotation
    elbow: Tensor  # [N, 2] flexion
    forearm: Tensor  # [N, 2] pronation
    wrist: Tensor  # [N, 2, 2] flexion to the palm, deviation to the thumb
    fingers: Tensor  # [N, 2, 5, 3] flexion, thumb first, knuckle first
    spread: Tensor  # [N, 2, 5] of the fingers, to the thumb side
    hip: Tensor  # [N, 2, 3] flexion, abduction, outward rotation
    knee: Tensor  # [N, 2] flexion
    ankle: Tensor  # [N, 2] toes up
    toes: Tensor  # [N, 2] toes up against the foot
    face: Tensor  # [N, 4] jaw, blink, smile, brow in 0..1, see face_model
    path: Tensor  # [N, 2] way gone over the ground to the left and forward, in leg lengths


class Frames(NamedTuple):
    """How the segments of N bodies are turned: rotations from their own axes, of the trunk into the world [N, 3, 3], of
    the limbs (left, right) into the chest or, for legs, the pelvis [N, 2, 3, 3]. The right ones are mirrored."""

    pelvis: Tensor
    lower_trunk: Tensor
    chest: Tensor
    neck: Tensor
    head: Tensor
    clavicle: Tensor
    upper_arm: Tensor
    forearm: Tensor
    palm: Tensor
    thigh: Tensor
    shank: Tensor
    foot: Tensor
    toes: Tensor


# (low, high) in degrees, by last dimension where they differ; after Kapandji, "The Physiology of the Joints".
# The ankle takes in what the midfoot gives when the back of the foot lies on the floor.
LIMITS: dict[str, tuple[tuple[float, float], ...]] = {
    "spine": ((-25, 75), (-30, 30), (-40, 40)),
    "neck": ((-45, 45), (-35, 35), (-70, 70)),
    "clavicle": ((-5, 25), (-15, 20)),
    "shoulder": ((-40, 125), (-50, 165), (-70, 90)),
    "elbow": ((0, 145),),
    "forearm": ((-80, 85),),
    "wrist": ((-60, 70), (-30, 20)),
    "fingers": ((-15, 90), (0, 105), (-5, 80)),
    "spread": ((-18, 18),),
    "hip": ((-25, 125), (-20, 50), (-40, 50)),
    "knee": ((0, 150),),
    "ankle": ((-75, 28),),
    "toes": ((-10, 60),),
}


def within_limits(posture: Posture) -> Posture:
    """The posture with every angle brought within LIMITS."""
    clamped = {}
    for name, bounds in LIMITS.items():
        angles = getattr(posture, name)
        low, high = torch.deg2rad(torch.tensor(bounds)).unbind(-1)
        clamped[name] = angles.clamp(low, high) if len(bounds) > 1 else angles.clamp(low.item(), high.item())
    return posture._replace(**clamped)


def frames(posture: Posture) -> Frames:
    """How the joint angles turn the segments."""
    heading, right, forward, spin = posture.pelvis.unbind(-1)
    pelvis = about_y(heading) @ about_z(-right) @ about_x(forward) @ about_y(spin)
    lower_trunk = pelvis @ _bend(posture.spine)
    chest = lower_trunk @ _bend(posture.spine)
    neck = chest @ _bend(posture.neck)
    head = neck @ _bend(posture.neck)
    up, ahead = posture.clavicle.unbind(-1)
    plane, elevation, inward = posture.shoulder.unbind(-1)
    upper_arm = about_y(-plane) @ about_z(elevation) @ about_y(plane - inward)
    forearm = upper_arm @ about_x(-posture.elbow)
    flexion, abduction, outward = posture.hip.unbind(-1)
    thigh = about_x(-flexion) @ about_z(abduction) @ about_y(outward)
    shank = thigh @ about_x(posture.knee)
    foot = shank @ about_x(-posture.ankle)
    return Frames(
        pelvis=pelvis,
        lower_trunk=lower_trunk,
        chest=chest,
        neck=neck,
        head=head,
        clavicle=about_z(up) @ about_y(-ahead),
        upper_arm=upper_arm,
        forearm=forearm,
        palm=palm(forearm, posture),
        thigh=thigh,
        shank=shank,
        foot=foot,
        toes=foot @ about_x(-posture.toes),
    )


def palm(forearm: Tensor, posture: Posture) -> Tensor:
    """The palm's frame [N, 2, 3, 3] on a forearm: twisted, bent and turned aside as the posture says."""
    flexion, deviation = posture.wrist.unbind(-1)
    return forearm @ about_y(-posture.forearm) @ about_z(-flexion) @ about_x(-deviation)


def landmarks(shape: BodyShape, frames: Frames, posture: Posture) -> Tensor:
    """Landmarks [N, len(LANDMARKS), 3] in m, world axes (y up), the person standing, kneeling or lying on y = 0.

    Args:
        shape: of N people.
        frames: how their segments are turned.
        posture: how fingers and face are, and the path gone; the other angles are in ``frames``.
    """
    spine = frames.lower_trunk[..., 1] * shape.lower_trunk[:, None]
    thorax = spine + frames.chest[..., 1] * shape.upper_trunk[:, None]
    pivot = thorax + (frames.neck[..., 1] + 0.2 * frames.neck[..., 2]) * shape.neck[:, None]
    face_points = pivot[:, None] + rotate(frames.head, face(shape.face, Expression(*posture.face.unbind(-1))))
    skull = torch.stack([_along_y(shape.head), _along_y(shape.head / 2), *_ears(shape.head)], 1)
    trunk = torch.stack([torch.zeros_like(spine), spine, thorax, pivot], 1)
    trunk = torch.cat([trunk, pivot[:, None] + rotate(frames.head, skull)], 1)

    arms = thorax[:, None] + rotate(frames.chest, (_arms(shape, frames, posture) * _MIRROR).flatten(1, 2))
    legs = rotate(frames.pelvis, (_legs(shape, frames) * _MIRROR).flatten(1, 2))
    eyes = [face_points[:, 42:48].mean(1, keepdim=True), face_points[:, 36:42].mean(1, keepdim=True)]
    points = torch.cat([trunk, arms, legs, face_points, *eyes], 1)
    floor = points[:, _TOUCHING, 1].amin(1)
    step = torch.stack([posture.path[:, 0], torch.zeros_like(floor), posture.path[:, 1]], -1)
    return points + (step * (shape.thigh + shape.shank)[:, None] - _along_y(floor))[:, None]


def _bend(angles: Tensor) -> Tensor:
    """Half of a bend that two joints of a chain share."""
    forward, right, left_turn = (angles * 0.5).unbind(-1)
    return about_y(left_turn) @ about_z(-right) @ about_x(forward)


def _along_y(length: Tensor) -> Tensor:
    zero = torch.zeros_like(length)
    return torch.stack([zero, length, zero], -1)


def _ears(head: Tensor) -> tuple[Tensor, Tensor]:
    left = head[:, None] * (torch.tensor(EAR) / 0.132)
    return left, left * torch.tensor([-1.0, 1.0, 1.0])


def _arms(shape: BodyShape, frames: Frames, posture: Posture) -> Tensor:
    """Left arms [N, 2, 24, 3] from the base of the neck, in the axes of the chest."""
    drop = torch.tensor([0.0, -0.012, 0.0])
    shoulder = frames.clavicle[..., 0] * shape.shoulder_width[:, None, None] + drop
    elbow = shoulder - frames.upper_arm[..., 1] * shape.upper_arm[:, None, None]
    wrist = elbow - frames.forearm[..., 1] * shape.forearm[:, None, None]
    joints = hand(shape.hand[:, None], shape.fingers[:, None], posture.fingers, posture.spread)
    return torch.cat([torch.stack([shoulder, elbow, wrist], 2), wrist[:, :, None] + rotate(frames.palm, joints)], 2)


def _legs(shape: BodyShape, frames: Frames) -> Tensor:
    """Left legs [N, 2, 6, 3] from between the hips, in the axes of the pelvis."""
    zero = torch.zeros_like(shape.hip_width)
    hip = torch.stack([shape.hip_width, zero, zero], -1)[:, None].expand(-1, 2, 3)
    knee = hip - frames.thigh[..., 1] * shape.thigh[:, None, None]
    ankle = knee - frames.shank[..., 1] * shape.shank[:, None, None]
    # heel, ball of the foot; big and small toe from the ball: sideways, up and forward in foot lengths
    rear = torch.tensor([HEEL, BALL]) * shape.foot[:, None, None]
    rear = rear - _along_y(ANKLE_ABOVE_BALL * shape.ankle_height)[:, None]
    tips = torch.tensor([[-0.10, 0.0, 0.25], [0.20, 0.0, 0.08]]) * shape.foot[:, None, None]
    rear = rotate(frames.foot, rear[:, None])
    tips = rear[:, :, 1:] + rotate(frames.toes, tips[:, None])
    points = torch.cat([rear[:, :, :1], tips], 2) + ankle[:, :, None]
    return torch.cat([torch.stack([hip, knee, ankle], 2), points], 2)


_CONTACTS = ("heel", "toe", "knee", "shoulder", "hip", "ankle", "elbow", "hand_12")
_TOUCHING = [i for i, name in enumerate(LANDMARKS) if name.endswith(_CONTACTS)]
