"""Real motion on the internal body model: from joint positions to how its segments are turned."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn.functional import normalize

from skelgraph.datasets.people.kinematics import ANKLE_ABOVE_BALL, BALL, Frames
from skelgraph.geometry.rotations import about_x

JOINTS = (
    *("hip", "spine", "thorax", "neck", "head"),
    *(f"{side}_{joint}" for side in ("left", "right") for joint in ("shoulder", "elbow", "wrist")),
    *(f"{side}_{joint}" for side in ("left", "right") for joint in ("hip", "knee", "ankle", "toe")),
)
_STRAIGHT = 0.15  # how much a limb's plane is drawn to the trunk's where the limb is nearly straight
_MIRROR = torch.diag(torch.tensor([-1.0, 1.0, 1.0]))
_ANKLE_SLOPE = torch.atan(torch.tensor(ANKLE_ABOVE_BALL * 0.039 / (BALL[2] * 0.152)))  # of the mean foot


def retarget(joints: Mapping[str, Tensor]) -> Frames:
    """The segments' rotations of which the body model, whatever its lengths, takes the pose of some joints.

    A limb lies in the plane of its three joints; the plane of a straight one, and the turn of the head about its own
    axis, which joints do not tell, are the trunk's. Palms go on straight from forearms.

    Args:
        joints: positions [N, 3] in m (y up) of ``JOINTS`` by name, thorax being the base of the neck, neck the pivot
            of the head, head the top of the skull, toe the ball of the foot.
    """
    pelvis = _frame(y=joints["spine"] - joints["hip"], x=joints["left_hip"] - joints["right_hip"])
    across = joints["left_shoulder"] - joints["right_shoulder"]
    chest = _frame(y=joints["thorax"] - joints["spine"], x=across)
    lower = _frame(y=joints["spine"] - joints["hip"], x=pelvis[..., 0] + chest[..., 0])
    neck = _frame(y=joints["neck"] - joints["thorax"], x=across)
    head = _frame(y=joints["head"] - joints["neck"], x=across)

    def pair(joint: str) -> Tensor:
        return torch.stack([joints[f"left_{joint}"], joints[f"right_{joint}"]], 1)

    def inside(trunk: Tensor, vector: Tensor) -> Tensor:
        """World vectors [N, 2, 3] in the trunk's axes, the right one mirrored."""
        own = vector @ trunk
        return torch.stack([own[:, 0], own[:, 1] @ _MIRROR], 1)

    shoulder, elbow, wrist = (pair(joint) for joint in ("shoulder", "elbow", "wrist"))
    hip, knee, ankle, toe = (pair(joint) for joint in ("hip", "knee", "ankle", "toe"))
    ahead = torch.tensor([0.0, 0.0, 1.0])
    clavicle = _frame(x=inside(chest, shoulder - joints["thorax"].unsqueeze(1)), z=ahead)
    upper_arm, forearm = _hinge(inside(chest, elbow - shoulder), inside(chest, wrist - elbow), ahead)
    thigh, shank = _hinge(inside(pelvis, knee - hip), inside(pelvis, ankle - knee), -ahead)
    thigh, shank = (leg * torch.tensor([-1.0, 1.0, -1.0]) for leg in (thigh, shank))  # knees bend backwards
    sole = _frame(z=inside(pelvis, toe - ankle), x=shank[..., 0])
    foot = sole @ about_x(-_ANKLE_SLOPE)
    return Frames(
        *(pelvis, lower, chest, neck, head, clavicle, upper_arm, forearm, forearm, thigh, shank, foot),
        toes=foot,
    )


def _hinge(upper: Tensor, lower: Tensor, flexed: Tensor) -> tuple[Tensor, Tensor]:
    """Frames of two segments that hang down -y from a joint and its hinge, which bends the lower one to +z."""
    along = normalize(upper, dim=-1)
    lower = normalize(lower, dim=-1)
    bend = lower - (lower * along).sum(-1, keepdim=True) * along
    first = _frame(y=-along, z=bend + _STRAIGHT * flexed)
    return first, _frame(y=-lower, x=first[..., 0])


def _frame(**axes: Tensor) -> Tensor:
    """Right-handed frames [..., 3, 3] (columns x, y, z): the first axis is kept, the second one made square to it."""
    (one, first), (two, second) = axes.items()
    first = normalize(first, dim=-1)
    second = second.expand_as(first)
    second = normalize(second - (second * first).sum(-1, keepdim=True) * first, dim=-1)
    found = {one: first, two: second}
    i = 3 - "xyz".index(one) - "xyz".index(two)
    a, b = (found[axis] for axis in ("yz", "zx", "xy")[i])
    found["xyz"[i]] = torch.linalg.cross(a, b)
    return torch.stack([found[axis] for axis in "xyz"], -1)
