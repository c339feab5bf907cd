"""People on a given skeleton: its joints, found by name among the landmarks of the internal body model."""

from __future__ import annotations

import torch
from torch import Tensor

from skelgraph.datasets.people.body_shape import SHAPE_COLUMNS, body_shapes
from skelgraph.datasets.people.kinematics import LANDMARKS, Frames, Posture, frames, landmarks
from skelgraph.datasets.people.motions import MOTIONS, STYLE_COLUMNS, TEMPO, perform
from skelgraph.poses import joint_matching
from skelgraph.skeleton import Skeleton

_SIDES = ("left", "right")
_FINGERS = ("thumb", "index", "middle", "ring", "pinky")
_OTHER_NAMES: dict[str, str] = {
    "pelvis": "hip",
    "mid_hip": "hip",
    "nose": "face_30",
    "left_mouth": "face_54",
    "right_mouth": "face_48",
    "left_eye_inner": "face_42",
    "left_eye_outer": "face_45",
    "right_eye_inner": "face_39",
    "right_eye_outer": "face_36",
    "wrist": "right_hand_0",
    **{f"{f}_{i + 1}": f"right_hand_{1 + 4 * k + i}" for k, f in enumerate(_FINGERS) for i in range(4)},
    **{f"{s}_{f}": f"{s}_hand_{i}" for s in _SIDES for f, i in (("thumb", 2), ("index", 5), ("pinky", 17))},
    **{f"{s}_foot_index": f"{s}_big_toe" for s in _SIDES},
}


def landmark_names(skeleton: Skeleton) -> list[str] | None:
    """The landmark of each joint, or None if any joint has a name that is no part of a human.

    ``head`` is the top of the skull unless the skeleton has a ``head_top`` too (MPI-INF-3DHP); ``neck`` is the pivot of
    the head above the ``thorax`` (Human3.6M), or, where there is no thorax, the base of the neck.
    """
    others = dict(_OTHER_NAMES)
    others["head"] = "head_center" if "head_top" in skeleton.joints else "head_top"
    if "thorax" not in skeleton.joints:
        others["neck"] = "thorax"
    names = [others.get(joint, joint) for joint in skeleton.joints]
    return names if set(names) <= set(LANDMARKS) else None


class Human:
    """People of many shapes on one skeleton.

    Args:
        skeleton: with joint names of the built-in skeletons.
        via: another skeleton, whose joints the skeleton's are made of as :func:`skelgraph.poses.joint_matching.match`
            does.

    Raises:
        ValueError: if a joint's name is not known, or cannot be made of ``via``'s; it names the joints.
    """

    shape_columns = SHAPE_COLUMNS
    style_columns = STYLE_COLUMNS
    actions: tuple[str, ...] = tuple(MOTIONS)

    def __init__(self, skeleton: Skeleton, via: Skeleton | None = None) -> None:
        measured = via or skeleton
        names = landmark_names(measured)
        if names is None:
            unknown = [j for j in measured.joints if j not in LANDMARKS and j not in _OTHER_NAMES and j != "head"]
            raise ValueError(f"skeleton {measured.name!r}: no part of a human: {', '.join(unknown)}")
        self._index = torch.tensor([LANDMARKS.index(name) for name in names])
        self._made = None if via is None else _made_of(skeleton, via)

    def joints(self, action: str, phase: Tensor, shape: Tensor, style: Tensor) -> Tensor:
        """Joints [N, J, 3] in m, world axes (y up).

        Args:
            action: one of ``actions``.
            phase: of the motion, [N]; ``tempo`` units go by in a second.
            shape: uniform numbers that fix each body, [N, shape_columns].
            style: uniform numbers that fix each way of moving, [N, style_columns].
        """
        posture = perform(action, phase, style)
        return self.posed(frames(posture), posture, shape)

    def posed(self, frames: Frames, posture: Posture, shape: Tensor) -> Tensor:
        """Joints [N, J, 3] in m, world axes (y up), of bodies whose segments are turned so, see :func:`landmarks`."""
        joints = landmarks(body_shapes(shape), frames, posture).index_select(1, self._index)
        return joints if self._made is None else self._made @ joints

    def tempo(self, action: str) -> tuple[float, float]:
        """Units of phase in a second, slowest and fastest."""
        return TEMPO[action]


def _made_of(skeleton: Skeleton, via: Skeleton) -> Tensor:
    """What share [J, S] each of the S joints of ``via`` has in the skeleton's J."""
    match = joint_matching.match(via.joints, skeleton)
    if match.missing:
        raise ValueError(f"{skeleton.name!r} cannot be made of {via.name!r}: {', '.join(match.missing)} are missing")
    made = torch.zeros(skeleton.num_joints, via.num_joints)
    for joint, parts in enumerate(match.weights):
        for source, weight in parts:
            made[joint, source] = weight
    return made
