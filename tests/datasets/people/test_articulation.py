"""Any tree becomes a creature of rigid, mirrored bones."""

import pytest
import torch

from skelgraph.datasets.people.articulation import Creature
from skelgraph.skeleton import Skeleton

HEXAPOD = Skeleton("hexapod", ["body", *(f"{s}_{i}" for s in ("left", "right") for i in range(3))], [-1] + [0] * 6)
LEGS = [f"{side}_{leg}" for side in ("left", "right") for leg in "abcd"]
SPIDER = Skeleton.from_edges("spider", [("body", leg) for leg in LEGS] + [(leg, f"{leg}_foot") for leg in LEGS])
FOREST = Skeleton("two_rods", ["a", "b", "c", "d"], [-1, 0, -1, 2])
BACKWARD = Skeleton("child_first", ["tip", "middle", "root"], [1, 2, -1])
POINT = Skeleton("point", ["only"], [-1])


def moves(skeleton, num=50, seed=0):
    creature, random = Creature(skeleton), torch.Generator().manual_seed(seed)
    shape = torch.rand(1, creature.shape_columns, generator=random).expand(num, -1)
    style = torch.rand(num, creature.style_columns, generator=random)
    return creature.joints("moving", torch.rand(num, generator=random), shape, style)


@pytest.mark.parametrize("skeleton", [HEXAPOD, SPIDER, FOREST, BACKWARD, POINT], ids=lambda s: s.name)
def test_bones_are_rigid_mirrored_and_of_sensible_length(skeleton):
    joints = moves(skeleton)
    assert joints.isfinite().all() and joints.shape == (50, skeleton.num_joints, 3)
    length = {c: (joints[:, c] - joints[:, p]).norm(dim=-1) for p, c in skeleton.bones}
    for bone in length.values():
        assert bone.max() - bone.min() < 1e-5
        assert 0.05 < bone[0] < 0.5
    for left, right in skeleton.pairs:
        torch.testing.assert_close(length[left], length[right])


def test_joints_swing():
    joints = moves(SPIDER)
    feet = joints[:, 9:] - joints[:, 1:9]
    assert (feet / feet.norm(dim=-1, keepdim=True)).std(0).norm(dim=-1).min() > 0.2


def test_legs_stand_apart_at_rest():
    creature = Creature(HEXAPOD)
    shape, style = torch.full((1, 8), 0.5), torch.full((1, creature.style_columns), 0.5)
    still = creature.joints("moving", torch.zeros(1), shape, style)[0]
    legs = torch.nn.functional.normalize(still[1:] - still[0], dim=-1)
    angle = torch.rad2deg(torch.acos((legs @ legs.T).clamp(-1, 1))) + 180 * torch.eye(6)
    assert angle.min() > 20
