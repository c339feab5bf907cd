"""Synthetic keeps the contract of a dataset: shapes, determinism, splits, and 2D that is the projection of 3D."""

import pytest
import torch
from torch_geometric.loader import DataLoader

from skelgraph.datasets.people.articulation import Creature
from skelgraph.datasets.people.human import Human
from skelgraph.datasets.synthetic import Synthetic, clip, make_figure
from skelgraph.geometry.cameras import Camera
from skelgraph.skeleton import Skeleton, builtin

BUILT_IN = [builtin.get(name) for name in builtin.__all__ if name.isupper()]
HEXAPOD = Skeleton("hexapod", ["body", *(f"{s}_leg_{i}" for s in ("left", "right") for i in range(3))], [-1] + [0] * 6)
WHOLE_BODY = builtin.COCO_WHOLEBODY
by_name = pytest.mark.parametrize("skeleton", [*BUILT_IN, HEXAPOD], ids=lambda s: s.name)


def same(a, b):
    return all(torch.equal(x, y) for x, y in zip(a, b, strict=True))


@by_name
def test_poses_have_the_shapes_and_meaning_of_the_contract(skeleton):
    dataset = Synthetic(skeleton, num_poses=60)
    poses, joints = dataset.draw(0), skeleton.num_joints
    shapes = [(60, joints, 2), (60, joints), (60, 2), (60, joints, 3), (60,), (60,)]
    assert [tuple(field.shape) for field in poses] == shapes
    assert all(field.is_contiguous() and field.isfinite().all() for field in poses)
    assert poses.action.unique().tolist() == list(range(len(dataset.actions)))
    origin = poses.target[:, list(skeleton.origin)].mean(1)
    torch.testing.assert_close(origin, torch.zeros_like(origin), atol=1e-5, rtol=0)
    assert (poses.keypoints >= 0).all() and (poses.keypoints <= poses.image_size[:, None]).all()
    assert (poses.confidence == 1).all()


@by_name
def test_keypoints_are_projections_of_the_joints(skeleton):
    dataset = Synthetic(skeleton, num_poses=12, mirror=True)
    views, poses = dataset.scene(3).views, dataset.draw(3)
    offset = views.joints - poses.target
    torch.testing.assert_close(offset, offset[:, :1].expand_as(offset), atol=1e-5, rtol=0)
    for i in range(12):
        camera = Camera(
            R=torch.eye(3),
            T=torch.zeros(3),
            f=views.focal[i].expand(2),
            c=views.center[i],
            image_size=views.image_size[i],
            names="test",
        )
        torch.testing.assert_close(camera.project(views.joints[i]), poses.keypoints[i], atol=1e-2, rtol=0)
    ratio = views.focal / views.image_size[:, 0]
    assert (ratio > 0.89).all() and (ratio < 1.61).all()
    assert (views.joints[..., 2] > 0).all()


def test_built_in_skeletons_are_people_and_others_creatures():
    assert all(isinstance(make_figure(skeleton), Human) for skeleton in BUILT_IN)
    assert isinstance(make_figure(HEXAPOD), Creature)
    with pytest.raises(ValueError, match="left_leg_0"):
        Human(HEXAPOD)


def test_skeletons_show_the_same_people():
    whole, body = (Synthetic(s, num_poses=6).scene(0).views.joints for s in (WHOLE_BODY, builtin.COCO))
    bone = (whole[:, 13] - whole[:, 11]).norm(dim=-1), (body[:, 13] - body[:, 11]).norm(dim=-1)
    torch.testing.assert_close(*bone)


def test_an_epoch_is_a_function_of_seed_and_epoch_alone():
    first = Synthetic(WHOLE_BODY, num_poses=50, noise_px=1.0, missing=0.1, mirror=True)
    again = Synthetic(WHOLE_BODY, num_poses=50, noise_px=1.0, missing=0.1, mirror=True)
    first.draw(7), torch.rand(3)
    assert same(first.draw(2), again.draw(2))
    assert not torch.equal(first.draw(2).target, first.draw(3).target)
    other = Synthetic(WHOLE_BODY, seed=1, num_poses=50)
    assert not torch.equal(first.draw(2).target, other.draw(2).target)


def test_a_pose_does_not_depend_on_how_many_are_asked_for():
    few, many = (Synthetic(builtin.HUMAN36M, num_poses=n).draw(1) for n in (10, 2500))
    assert torch.equal(few.keypoints, many.keypoints[:10]) and torch.equal(few.target, many.target[:10])


def test_another_process_draws_the_same(another_process):
    drawn = Synthetic(builtin.COCO, num_poses=20).draw(4).target.double().sum().item()
    assert another_process["sum of synthetic poses"] == drawn
    assert drawn == pytest.approx(-80.81355, abs=1e-3)  # where strings hash otherwise: a fork hashes as its parent


def test_train_and_test_share_neither_people_nor_motions():
    train, test = (Synthetic(WHOLE_BODY, split, num_poses=300, num_test_poses=300) for split in ("train", "test"))
    assert len(train) == len(test) == 300
    assert torch.cdist(test.people, train.people).min() > 0.1
    assert torch.cdist(train.draw(0).target.flatten(1), test.draw(0).target.flatten(1)).min() > 0.1
    assert same(test.draw(0), test.draw(5))


def test_noise_and_missing_joints():
    plain = Synthetic(WHOLE_BODY, num_poses=200).draw(0)
    noisy = Synthetic(WHOLE_BODY, num_poses=200, noise_px=3.0, missing=0.2).draw(0)
    seen = noisy.confidence > 0
    assert 0.18 < 1 - seen.float().mean() < 0.22
    assert (noisy.keypoints[~seen] == 0).all() and set(noisy.confidence.unique().tolist()) == {0.0, 1.0}
    assert abs((noisy.keypoints - plain.keypoints)[seen].std() - 3) < 0.1
    assert torch.equal(noisy.target, plain.target)


def test_mirror_shows_half_of_the_poses_mirrored_and_never_in_the_test():
    plain, mirrored = (Synthetic(WHOLE_BODY, num_poses=400, mirror=m).draw(0) for m in (False, True))
    flipped = plain.target[:, WHOLE_BODY.flip_index] * torch.tensor([-1.0, 1, 1])
    kept = (mirrored.target == plain.target).all(-1).all(-1)
    assert 0.4 < kept.float().mean() < 0.6
    torch.testing.assert_close(mirrored.target[~kept], flipped[~kept])
    across = plain.keypoints[:, WHOLE_BODY.flip_index]
    across = torch.stack([plain.image_size[:, :1] - across[..., 0], across[..., 1]], -1)
    torch.testing.assert_close(mirrored.keypoints[~kept], across[~kept], atol=1e-2, rtol=0)
    test = [Synthetic(WHOLE_BODY, "test", num_test_poses=6, mirror=m).draw(0) for m in (False, True)]
    assert same(*test)


def test_cameras_are_all_around_and_level_within_limits():
    poses = Synthetic(builtin.HUMAN36M, num_poses=3000, actions=["walking"]).draw(0)
    left, right, head = (builtin.HUMAN36M.index(name) for name in ("left_hip", "right_hip", "head"))
    across = poses.target[:, left] - poses.target[:, right]
    angle = torch.atan2(across[:, 2], across[:, 0])
    assert (torch.histc(angle, 8, -torch.pi, torch.pi) / 3000 > 0.09).all()
    up = -poses.target[:, head, 1]
    assert (up > 0.4).all()


def test_pyg_loader_serves_graphs():
    dataset = Synthetic(builtin.HUMAN36M, num_poses=8)
    data = dataset.graphs()[3]
    assert data.x.shape == (17, 2) and data.x.abs().max() <= 1.1
    assert torch.equal(data.y, dataset.draw(0).target[3])
    batch = next(iter(DataLoader(dataset.graphs(), batch_size=8)))
    assert batch.x.shape == (8 * 17, 2) and batch.action.shape == (8,)
    with pytest.raises(IndexError):
        dataset[8]


def test_actions_can_be_chosen():
    dataset = Synthetic(builtin.COCO, num_poses=9, actions=["sitting", "lying"])
    assert dataset.actions == ("sitting", "lying")
    assert dataset.draw(0).action.tolist() == [0, 1, 0, 1, 0, 1, 0, 1, 0]


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"split": "val"}, "split.*'val'"),
        ({"missing": 1.5}, "missing.*1.5"),
        ({"noise_px": -1.0}, "noise_px.*-1"),
        ({"num_poses": 0}, "num_poses.*0"),
        ({"actions": ["flying"]}, "walking.*flying"),
    ],
)
def test_bad_options_are_named(options, told):
    with pytest.raises(ValueError, match=told):
        Synthetic(builtin.COCO, **options)


@pytest.mark.parametrize("action", ["walking", "reaching", "sitting", "kneeling", "lying", "turning"])
def test_a_clip_is_one_person_who_moves_smoothly_before_a_fixed_camera(action):
    poses = clip(WHOLE_BODY, seed=3, frames=90, fps=30, action=action)
    assert poses.target.shape == (90, 133, 3)
    assert same(poses, clip(WHOLE_BODY, seed=3, frames=90, fps=30, action=action))
    assert (poses.image_size == poses.image_size[0]).all()
    step = (poses.keypoints[1:] - poses.keypoints[:-1]).norm(dim=-1)
    assert step.max() < 60 and step.mean() > 0.05
    assert (poses.target[1:] - poses.target[:-1]).norm(dim=-1).max() < 0.25
    assert (poses.keypoints >= 0).all() and (poses.keypoints <= poses.image_size[:, None]).all()
    thigh = (poses.target[:, 13] - poses.target[:, 11]).norm(dim=-1)
    assert thigh.max() - thigh.min() < 1e-4


def test_a_clip_of_a_creature_and_bad_clips():
    assert clip(HEXAPOD, seed=0, frames=5).target.shape == (5, 7, 3)
    with pytest.raises(ValueError, match="moving.*walking"):
        clip(HEXAPOD, seed=0, frames=5, action="walking")
    with pytest.raises(ValueError, match="frames"):
        clip(HEXAPOD, seed=0, frames=0)
