import pytest
import torch

from skelgraph import Skeleton
from skelgraph.datasets.people.joint_definitions import DEFINITION_COLUMNS, redefine
from skelgraph.datasets.synthetic import Synthetic
from skelgraph.skeleton.builtin import COCO_WHOLEBODY, HUMAN36M

NUM = 300


def bodies(skeleton):
    return Synthetic(skeleton, num_poses=NUM).scene(0).views.joints * torch.tensor([1.0, -1.0, -1.0])


def uniform(seed=0):
    return torch.rand(NUM, DEFINITION_COLUMNS, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("skeleton", [HUMAN36M, COCO_WHOLEBODY], ids=lambda s: s.name)
def test_joints_move_by_centimetres_in_a_share_of_the_bodies(skeleton):
    joints = bodies(skeleton)
    moved = (redefine(joints, skeleton, uniform(), 0.5) - joints).norm(dim=-1)
    changed = moved.amax(1) > 0
    assert 0.4 < changed.float().mean() < 0.6
    hips = moved[changed][:, skeleton.index("left_hip")]
    assert 0.02 < hips.median() < 0.07 and moved.max() < 0.17
    assert torch.equal(redefine(joints, skeleton, uniform(), 0.0), joints)


def test_left_and_right_are_moved_alike():
    joints = bodies(HUMAN36M)
    change = redefine(joints, HUMAN36M, uniform(), 1.0) - joints
    for left, right in HUMAN36M.pairs:
        torch.testing.assert_close(change[:, left].norm(dim=-1), change[:, right].norm(dim=-1))
    flip = torch.tensor([-1.0, 1.0, 1.0])
    mirrored = redefine(joints[:, HUMAN36M.flip_index] * flip, HUMAN36M, uniform(), 1.0)
    expected = (joints + change)[:, HUMAN36M.flip_index] * flip
    torch.testing.assert_close(mirrored, expected, atol=1e-5, rtol=0)


def test_the_offset_is_the_bodys_own_whichever_way_it_faces():
    joints = bodies(HUMAN36M)
    turn = torch.tensor([[0.0, 0.0, 1.0], [0.0, 1.0, 0.0], [-1.0, 0.0, 0.0]])
    turned = redefine(joints @ turn.T, HUMAN36M, uniform(), 1.0)
    torch.testing.assert_close(turned, redefine(joints, HUMAN36M, uniform(), 1.0) @ turn.T, atol=1e-5, rtol=0)


def test_a_skeleton_without_hips_is_refused():
    stick = Skeleton(name="stick", joints=("a", "left_hip"), parents=(-1, 0))
    with pytest.raises(ValueError, match="'stick' has no right_hip, left_shoulder"):
        redefine(torch.zeros(1, 2, 3), stick, uniform()[:1], 1.0)
