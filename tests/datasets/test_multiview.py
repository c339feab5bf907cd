"""Clips of people before several cameras."""

import fake_mocap
import pytest
import torch

from skelgraph.datasets import MultiView
from skelgraph.datasets.multiview import Clips, film
from skelgraph.errors import ContractError
from skelgraph.geometry.human36m import human36m_cameras
from skelgraph.nn.inputs import multiview_input
from skelgraph.skeleton.bones import bone_lengths, center_on
from skelgraph.skeleton.builtin import BLAZEPOSE, HUMAN36M

GENERATED = {"recorded": 0.0, "num_clips": 12, "num_test_clips": 12, "num_frames": 4}


def ray_misses(clips: Clips, target: torch.Tensor) -> torch.Tensor:
    """Distances [N, V, T, J] of the joints to their rays, m; NaN where missing."""
    x = clips.inputs(9).double()
    to_joint = target.unsqueeze(1) - x[..., 3:6]
    miss = to_joint - x[..., 6:] * (x[..., 6:] * to_joint).sum(-1, keepdim=True)
    return torch.where(clips.confidence > 0, miss.norm(dim=-1), torch.nan)


@pytest.mark.parametrize("around", [0.0, 1.0])
@pytest.mark.parametrize("split", ["train", "test"])
def test_rays_of_exact_keypoints_pass_through_the_joints(around: float, split: str) -> None:
    clips = MultiView(HUMAN36M, split, **GENERATED, around=around).draw(1)
    assert clips.keypoints.shape == (12, 4, 4, 17, 2) and clips.target.shape == (12, 4, 17, 3)
    assert (clips.confidence > 0).float().mean() > 0.9
    assert ray_misses(clips, clips.target).nan_to_num().max() < 1e-4


def test_recorded_people_are_those_of_the_file_in_their_split(tmp_path, monkeypatch) -> None:
    fake_mocap.write(tmp_path)
    monkeypatch.setenv("SKELGRAPH_DATA", str(tmp_path))
    data = MultiView(HUMAN36M, "test", num_test_clips=20, num_frames=3)
    clips = data.draw(0)
    assert data.actions == ("recorded",) and len(data) == 20
    lengths = bone_lengths(clips.target, HUMAN36M.parents)
    assert (lengths - lengths[:, :1]).abs().max() < 0.02  # the same body in all frames
    assert clips.target[..., 2].amin() > -0.01 and clips.target[..., 2].amax() < 2.2


def test_a_clip_is_a_function_of_seed_split_and_epoch() -> None:
    options = {
        **GENERATED,
        "noise_px": (5.0, 5.0),
        "missing": (0.1, 0.3),
        "lasting": 0.5,
        "camera_deg": 1.0,
        "around": 0.5,
    }
    train = MultiView(HUMAN36M, "train", 3, **options)
    assert torch.equal(train.draw(2).keypoints, MultiView(HUMAN36M, "train", 3, **options).draw(2).keypoints)
    assert not torch.equal(train.draw(2).keypoints, train.draw(3).keypoints)
    assert not torch.equal(train.draw(2).keypoints, MultiView(HUMAN36M, "train", 4, **options).draw(2).keypoints)
    test = MultiView(HUMAN36M, "test", 3, **options)
    assert torch.equal(test.draw(2).keypoints, test.draw(5).keypoints)
    assert not torch.equal(test.draw(0).target, train.draw(0).target)


def test_generated_people_move_smoothly() -> None:
    clips = MultiView(BLAZEPOSE, "train", **{**GENERATED, "num_frames": 9, "num_clips": 60}).draw(0)
    speed = clips.target.diff(dim=1).norm(dim=-1)
    assert 0.001 < speed.median() < 0.05 and speed.max() < 0.5  # m a frame
    bend = clips.target.diff(n=2, dim=1).norm(dim=-1)
    assert bend.median() < 0.3 * speed.median()


def test_in_training_the_world_is_turned_and_leans() -> None:
    upright = MultiView(HUMAN36M, "train", **GENERATED, lean_deg=0.0)
    leaning = MultiView(HUMAN36M, "train", **GENERATED, lean_deg=20.0)
    known = human36m_cameras().R[..., 2, :].flatten(0, 1).float()
    assert torch.allclose(upright.draw(0).cameras.T[..., 2].mean(), leaning.draw(0).cameras.T[..., 2].mean(), atol=0.8)
    ahead = leaning.draw(0).cameras.R[:, :, 2].flatten(0, 1)
    assert (ahead @ known.T).amax(1).min() < 0.995


def test_without_calibration_the_target_is_in_the_first_views_axes() -> None:
    world = MultiView(HUMAN36M, "test", **GENERATED).draw(0)
    alone = MultiView(HUMAN36M, "test", **GENERATED, calibrated=False).draw(0)
    assert torch.equal(world.inputs(3), alone.inputs(3))
    seen = world.cameras[:, 0].to_camera(world.target)
    assert torch.allclose(alone.target, center_on(seen, HUMAN36M.origin), atol=1e-5)


def test_inputs_are_zero_where_nothing_is_seen_and_need_three_or_nine_channels() -> None:
    clips = MultiView(HUMAN36M, "test", **GENERATED, missing=(0.5, 0.5), missing_views=(1, 2)).draw(0)
    x = clips.inputs(9)
    assert torch.equal(x[..., :3], clips.inputs(3))
    assert (x[clips.confidence == 0] == 0).all()
    assert torch.allclose(x[..., 6:].norm(dim=-1)[clips.confidence > 0], torch.ones(()), atol=1e-5)
    with pytest.raises(ValueError, match=r"3 \(x, y, confidence\) or 9 \(with rays\), found 4"):
        clips.inputs(4)


def test_rays_of_the_input_pass_through_the_keypoints() -> None:
    cameras = human36m_cameras(["S1"])[0]
    px = 1000 * torch.rand(4, 6, 17, 2, generator=torch.Generator().manual_seed(0))
    x = multiview_input(cameras, px, torch.ones(4, 6, 17))
    assert x.shape == (4, 6, 17, 9)
    for view, camera in enumerate(cameras):
        joint = x[view, ..., 3:6].double() + 3 * x[view, ..., 6:].double()
        assert (camera.project(camera.to_camera(joint)) - px[view]).abs().max() < 1e-2
    px[0, 0, 0] = torch.nan
    assert (multiview_input(cameras, px, torch.ones(4, 6, 17))[0, 0, 0] == 0).all()
    with pytest.raises(ValueError, match=r"\[3\] cameras and \[4\] views"):
        multiview_input(cameras[:3], px, torch.ones(4, 6, 17))


def test_film_hides_what_is_outside_the_image_or_behind() -> None:
    clips = MultiView(HUMAN36M, "test", **GENERATED).draw(0)
    px, visible = film(clips.cameras, clips.target)
    assert torch.equal(visible, clips.confidence > 0)
    assert torch.allclose(px[visible], clips.keypoints[visible], atol=1e-3)
    assert not film(clips.cameras, clips.target + torch.tensor([0.0, 0.0, 50.0]))[1].any()


def test_a_clip_by_index_and_no_graphs() -> None:
    data = MultiView(HUMAN36M, "test", **GENERATED)
    clip, clips = data[2], data.draw(0)
    assert torch.equal(clip.target, clips.target[2]) and torch.equal(clip.cameras.R, clips.cameras.R[2])
    with pytest.raises(ContractError, match="MultiView gives views, which have no graphs"):
        data.graphs()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"recorded": 1.5}, "shares in"),
        ({"num_frames": 0}, "at least 1"),
        ({"missing_views": (0, 4)}, "must leave one of 4 views"),
        ({"cameras": ["123"]}, "no camera of Human3.6M has the serial number '123'"),
        ({"noise_px": (5.0, 1.0)}, "noise_px must be a range"),
        ({"outliers": (0.0, 1.5)}, "outliers must be a range .* to 1"),
        ({"lasting": 2.0}, "lasting in"),
    ],
)
def test_options_out_of_range_are_refused(options: dict, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        MultiView(HUMAN36M, **{**GENERATED, **options})
