import fake_mocap
import pytest
import torch

from skelgraph.datasets import MixedPeople
from skelgraph.datasets.samples import Poses
from skelgraph.skeleton.builtin import COCO_WHOLEBODY, HUMAN36M


@pytest.fixture(autouse=True)
def mocap(tmp_path, monkeypatch):
    monkeypatch.setenv("SKELGRAPH_DATA", str(tmp_path))
    fake_mocap.write(tmp_path)


def same(a: Poses, b: Poses) -> bool:
    return all(torch.equal(x, y) for x, y in zip(a, b, strict=True))


def test_an_epoch_holds_all_kinds_and_is_a_function_of_seed_and_epoch():
    data = MixedPeople(HUMAN36M, num_poses=400)
    poses = data.draw(3)
    assert len(data) == 400 and poses.action.bincount().tolist() == [200, 80, 120]
    assert data.actions == ("recorded", "retargeted", "generated")
    assert same(poses, MixedPeople(HUMAN36M, num_poses=400).draw(3))
    assert not same(poses, data.draw(4)) and not same(poses, MixedPeople(HUMAN36M, seed=1, num_poses=400).draw(3))


def test_the_keypoints_are_those_of_the_target_where_nothing_went_wrong():
    poses = MixedPeople(HUMAN36M, "test", num_test_poses=300).draw(0)
    assert (poses.confidence == 1).all() and (poses.focal == 0).all()
    assert poses.target[:, 0].abs().max() == 0
    again = MixedPeople(HUMAN36M, "test", num_test_poses=300).draw(7)
    assert same(poses, again)


def test_training_has_noise_missing_joints_and_focal_lengths_of_half_the_poses():
    data = MixedPeople(HUMAN36M, num_poses=2000)
    poses = data.draw(0)
    missing = poses.confidence == 0
    assert 0.05 < missing.float().mean() < 0.3 and (poses.keypoints[missing] == 0).all()
    assert 0.4 < (poses.focal > 0).float().mean() < 0.6
    ratio = (poses.focal / poses.image_size[:, 0])[poses.focal > 0]
    assert ratio.min() > 0.49 and ratio.max() < 2.41 and ratio.min() < 0.55 and ratio.max() > 2.2
    assert (poses.confidence <= 1).all() and ((poses.confidence > 0.2) | missing).all()


def test_whole_bodies_have_recorded_motion_on_generated_bodies():
    data = MixedPeople(COCO_WHOLEBODY, recorded=0.0, retargeted=0.5, num_poses=100)
    assert data.actions == ("retargeted", "generated")
    assert data.draw(0).target.shape == (100, 133, 3) and data.graphs()[3].x.shape == (133, 2)


def test_excluded_subjects_are_not_drawn():
    one = MixedPeople(HUMAN36M, num_poses=50, recorded=1.0, retargeted=0.0, exclude=["a"])
    assert one.actions == ("recorded",)
    with pytest.raises(ValueError, match="exclude names z; its subjects are a, b, c"):
        MixedPeople(HUMAN36M, exclude=["z"])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"recorded": 0.8, "retargeted": 0.4}, "at most 1 together"),
        ({"redefined": 1.5}, "are shares"),
        ({"num_poses": 0}, "num_poses must be at least 1"),
    ],
)
def test_options_out_of_range_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        MixedPeople(HUMAN36M, **options)


def test_recorded_whole_bodies_are_refused_with_the_joints_that_lack():
    with pytest.raises(ValueError, match="has no joints nose"):
        MixedPeople(COCO_WHOLEBODY)


def test_bodies_come_by_way_of_other_skeletons_too():
    data = MixedPeople(HUMAN36M, "test", recorded=0.0, retargeted=0.0, via=["COCO"], num_test_poses=1200)
    target = data.draw(0).target
    at = {name: target[:, HUMAN36M.index(name)] for name in HUMAN36M.joints}
    middle = (at["left_shoulder"] + at["right_shoulder"]) / 2
    converted = (at["thorax"] - middle).norm(dim=-1) < 1e-5
    assert converted.float().mean() == 0.5
    reach = (at["neck"] - at["thorax"]).norm(dim=-1)
    assert reach[converted].mean() > 1.2 * reach[~converted].mean(), "the nose is further away than the neck"
    with pytest.raises(ValueError, match="'HUMAN36M' cannot be made of 'FACE': hip, right_hip"):
        MixedPeople(HUMAN36M, via=["FACE"])
