"""Recorded poses on generated bodies keep their directions, whatever the lengths."""

import torch
from torch.nn.functional import normalize

from skelgraph.datasets.people.body_shape import SHAPE_COLUMNS, body_shapes
from skelgraph.datasets.people.gestures import relaxed
from skelgraph.datasets.people.human import Human
from skelgraph.datasets.people.kinematics import LANDMARKS, frames, landmarks
from skelgraph.datasets.people.motions import MOTIONS, STYLE_COLUMNS, perform
from skelgraph.datasets.people.retarget import JOINTS, retarget
from skelgraph.datasets.randomness import Style
from skelgraph.skeleton.builtin import COCO_WHOLEBODY, HUMAN36M

NUM = 200


def performance(action, seed=0):
    random = torch.Generator().manual_seed(seed)
    shape = torch.rand(NUM, SHAPE_COLUMNS, generator=random)
    posture = perform(action, torch.rand(NUM, generator=random), torch.rand(NUM, STYLE_COLUMNS, generator=random))
    return shape, posture


def recorded(shape, posture):
    """The joints of a motion capture file, taken from the body model."""
    points = dict(zip(LANDMARKS, landmarks(body_shapes(shape), frames(posture), posture).unbind(1), strict=True))
    joints = {name: points[name] for name in JOINTS if name in points}
    joints["head"] = points["head_top"]
    for side in ("left", "right"):
        heel = points[f"{side}_heel"]
        ahead = (points[f"{side}_big_toe"] + points[f"{side}_small_toe"]) / 2 - heel
        joints[f"{side}_toe"] = heel + 0.75 / 0.90 * ahead
    return joints


def angle(a, b):
    return torch.rad2deg(torch.acos((normalize(a, dim=-1) * normalize(b, dim=-1)).sum(-1).clamp(-1, 1)))


def test_rotations_are_proper():
    for action in MOTIONS:
        for rotation in retarget(recorded(*performance(action))):
            identity = torch.eye(3).expand_as(rotation)
            torch.testing.assert_close(rotation @ rotation.mT, identity, atol=1e-5, rtol=0)
            torch.testing.assert_close(torch.linalg.det(rotation), torch.ones(rotation.shape[:-2]))


def test_bones_point_where_the_recorded_ones_do_on_bodies_of_other_lengths():
    for action in MOTIONS:
        joints = recorded(*performance(action))
        others, posture = performance(action, seed=1)
        moved = Human(HUMAN36M).posed(retarget(joints), posture, others)
        for parent, child in HUMAN36M.bones:
            names = HUMAN36M.joints[parent], HUMAN36M.joints[child]
            apart = angle(moved[:, child] - moved[:, parent], joints[names[1]] - joints[names[0]])
            assert apart.median() < (13 if names == ("thorax", "neck") else 6), (action, names)
            if {"elbow", "wrist", "knee", "ankle"} & {names[1].split("_")[-1]}:
                assert apart.max() < 0.1, (action, names)


def test_the_same_body_takes_its_own_pose_again():
    shape, posture = performance("walking")
    again = Human(COCO_WHOLEBODY).posed(retarget(recorded(shape, posture)), posture, shape)
    true = Human(COCO_WHOLEBODY).posed(frames(posture), posture, shape)
    index = [
        COCO_WHOLEBODY.index(f"{side}_{joint}") for side in ("left", "right") for joint in ("knee", "ankle", "heel")
    ]
    hips = [COCO_WHOLEBODY.index("left_hip"), COCO_WHOLEBODY.index("right_hip")]
    off = (again - again[:, hips].mean(1, keepdim=True) - true + true[:, hips].mean(1, keepdim=True)).norm(dim=-1)
    assert off[:, index].median() < 0.03


def test_mirrored_joints_give_mirrored_rotations():
    joints = recorded(*performance("reaching"))
    flip = torch.tensor([-1.0, 1.0, 1.0])
    swap = {"left": "right", "right": "left"}
    mirrored = {}
    for name, value in joints.items():
        side, _, rest = name.partition("_")
        mirrored[f"{swap[side]}_{rest}" if side in swap else name] = value * flip
    mirror = torch.diag(flip)
    for one, other in zip(retarget(joints), retarget(mirrored), strict=True):
        expected = one.flip(1) if one.dim() == 4 else mirror @ one @ mirror
        torch.testing.assert_close(other, expected, atol=1e-4, rtol=0)


def test_hands_and_face_follow_the_segments():
    style = Style(torch.rand(NUM, STYLE_COLUMNS, generator=torch.Generator().manual_seed(0)))
    posture = relaxed(torch.zeros(NUM), style)
    shape, _ = performance("sitting")
    joints = Human(COCO_WHOLEBODY).posed(retarget(recorded(*performance("sitting"))), posture, shape)
    at = {name: joints[:, COCO_WHOLEBODY.index(name)] for name in COCO_WHOLEBODY.joints}
    for side in ("left", "right"):
        along = angle(at[f"{side}_hand_9"] - at[f"{side}_wrist"], at[f"{side}_wrist"] - at[f"{side}_elbow"])
        assert along.median() < 20
        torch.testing.assert_close(at[f"{side}_hand_0"], at[f"{side}_wrist"])
