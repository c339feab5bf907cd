"""Lifting in memory."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch
from lifting import SIZE, part_lifter, person, save_run
from torch import Tensor

import skelgraph
from skelgraph.errors import CheckpointError, SuspiciousInputError
from skelgraph.lifting import lifter
from skelgraph.lifting.error_estimate import ErrorEstimate
from skelgraph.lifting.lifter import Lifter
from skelgraph.nn import models
from skelgraph.nn.inputs import flip_pose
from skelgraph.nn.models import SkeletonModel
from skelgraph.nn.output import PoseOutput
from skelgraph.poses.keypoints import Keypoints
from skelgraph.skeleton.builtin import COCO, COCO_WHOLEBODY, HUMAN36M


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("run")
    save_run(folder / "last.safetensors", HUMAN36M, "SimpleBaseline", hidden_channels=16)
    return folder


class Flat(SkeletonModel):
    """The input itself as x and y, and its square as depth; remembers how many frames came at a time."""

    def __init__(self, in_channels: int = 2) -> None:
        super().__init__(COCO, in_channels)
        self.sizes: list[int] = []
        self.inputs: list[Tensor] = []

    def forward(self, x: Tensor) -> Tensor:
        assert not self.training and not torch.is_grad_enabled()
        self.sizes.append(len(x))
        self.inputs.append(x)
        return torch.cat([x[..., :2], x[..., :1].square()], -1)


def test_a_pose_is_the_models_centred_on_the_origin():
    pose = Lifter(Flat(), COCO, flip=False)(person())
    hips = pose.joints[:, [11, 12]].mean(axis=1)
    np.testing.assert_allclose(hips, 0, atol=1e-6)
    expected = person().xy / 500 - [1, 0.8]
    np.testing.assert_allclose(pose.joints[..., :2], expected - expected[:, [11, 12]].mean(1, keepdims=True), atol=1e-5)
    assert (pose.fps, pose.origin, pose.unit) == (25, ("left_hip", "right_hip"), "m") and not pose.missing.any()


def test_an_output_with_more_than_a_pose():
    class Both(Flat):
        def forward(self, x: Tensor) -> PoseOutput:
            return PoseOutput(super().forward(x), x)

    plain = Lifter(Flat(), COCO)(person())
    np.testing.assert_array_equal(Lifter(Both(), COCO)(person()).joints, plain.joints)


@pytest.mark.parametrize("frames_at_a_time", [1, 3, 7, 100])
def test_the_result_does_not_depend_on_the_chunk(frames_at_a_time):
    torch.manual_seed(0)
    model = models.SimpleBaseline(HUMAN36M, hidden_channels=32)
    clip = person(HUMAN36M)
    whole = Lifter(model, HUMAN36M, frames_at_a_time=7)(clip).joints
    chunked = Lifter(model, HUMAN36M, frames_at_a_time=frames_at_a_time)(clip).joints
    np.testing.assert_allclose(chunked, whole, atol=1e-6)
    flat = Flat()
    Lifter(flat, HUMAN36M, frames_at_a_time=frames_at_a_time, flip=False)(clip)
    assert max(flat.sizes) <= frames_at_a_time and sum(flat.sizes) == 7


def test_flipping_makes_mirror_images_agree():
    torch.manual_seed(0)
    model = models.SimpleBaseline(COCO, hidden_channels=32)
    clip = person()
    mirrored_xy = clip.xy[:, COCO.flip_index.numpy()] * [-1, 1] + [SIZE[0], 0]
    mirrored = dataclasses.replace(clip, xy=mirrored_xy)
    for flip, agree in ((True, True), (False, False)):
        lift = Lifter(model, COCO, flip=flip)
        expected = flip_pose(torch.from_numpy(lift(clip).joints), COCO.flip_index).numpy()
        assert np.allclose(lift(mirrored).joints, expected, atol=1e-5) == agree


def test_missing_joints_reach_the_model_as_zero_and_are_told():
    clip = person(HUMAN36M)
    values = np.concatenate([clip.xy, np.ones((7, 17, 1))], -1)
    values[2, 5] = np.nan
    values[3, 6, 2] = 0
    flat = Flat()
    pose = Lifter(flat, HUMAN36M, flip=False)(values, SIZE)
    x = torch.cat(flat.inputs)
    assert torch.isfinite(x).all() and not x[2, 5].any() and not x[3, 6].any() and x[2, 4].any()
    assert np.argwhere(pose.missing).tolist() == [[2, 5], [3, 6]]


def test_a_model_with_confidence():
    flat = Flat(in_channels=3)
    clip = dataclasses.replace(person(), confidence=np.full((7, 17), 0.5))
    Lifter(flat, COCO, flip=False)(clip)
    assert (flat.inputs[0][..., 2] == 0.5).all()


def test_one_frame_and_no_frame():
    lift = Lifter(Flat(), COCO)
    one = lift(person().xy[0], image_size=SIZE)
    np.testing.assert_allclose(one.joints, lift(person()).joints[:1], atol=1e-6)
    assert lift(person(frames=1)).joints.shape == (1, 17, 3)
    empty = Keypoints(np.zeros((0, 17, 2)), np.zeros((0, 17)), COCO.joints, SIZE)
    assert lift(empty).joints.shape == (0, 17, 3)


def test_joints_are_matched_by_name():
    clip = person(COCO)
    order = np.random.default_rng(0).permutation(17)
    shuffled = Keypoints(clip.xy[:, order], clip.confidence[:, order], [COCO.joints[i] for i in order], SIZE)
    lift = Lifter(Flat(), COCO)
    np.testing.assert_array_equal(lift(shuffled).joints, lift(clip).joints)


def test_a_tensor_is_taken_too():
    lift = Lifter(Flat(), COCO)
    tensor = torch.from_numpy(person().xy)
    np.testing.assert_array_equal(lift(tensor, SIZE).joints, lift(person()).joints)


def test_errors_say_what_to_do():
    lift = Lifter(Flat(), HUMAN36M)
    with pytest.raises(ValueError, match="image_size="):
        lift(person(HUMAN36M).xy)
    with pytest.raises(ValueError, match="16 joints.*HUMAN36M.*17"):
        lift(person(HUMAN36M).xy[:, :16], SIZE)
    with pytest.raises(SuspiciousInputError, match="normalised"):
        lift(person(HUMAN36M).xy / 800, SIZE)
    with pytest.raises(ValueError, match="at least 1"):
        Lifter(Flat(), COCO, frames_at_a_time=0)


def test_a_model_that_diverged_is_named():
    class Broken(Flat):
        def forward(self, x: Tensor) -> Tensor:
            return torch.full((len(x), 17, 3), torch.nan)

    with pytest.raises(ValueError, match="walk: .*Broken.*7 of 7 frames"):
        Lifter(Broken(), COCO)(person())


def test_a_run_is_loaded(run):
    lift = skelgraph.load(run)
    assert (lift.name, lift.skeleton, lift.in_channels) == ("SimpleBaseline", HUMAN36M, 2)
    pose = lift(person(HUMAN36M))
    again = lifter.load(run / "last.safetensors")(person(HUMAN36M))
    np.testing.assert_array_equal(pose.joints, again.joints)


class Middle(SkeletonModel):
    """Takes clips of 3 frames; answers with the mean of the frames, or for each frame."""

    def __init__(self, every: bool) -> None:
        super().__init__(HUMAN36M, num_frames=3, answers="all" if every else "middle")

    def forward(self, x: Tensor) -> Tensor:
        assert x.shape[1:] == (3, 17, 2)
        mean = torch.cat([x.mean(1), x.square().mean(1)[..., :1]], -1)
        return torch.stack([mean - 1, mean, mean + 1], 1) if self.answers == "all" else mean


@pytest.mark.parametrize("every", [True, False], ids=["all frames", "middle frame"])
@pytest.mark.parametrize("frames_at_a_time", [1, 3, 100])
def test_videos_go_through_models_of_clips_frame_by_frame(every, frames_at_a_time):
    clip = person(HUMAN36M)
    found = Lifter(Middle(every), HUMAN36M, flip=False, frames_at_a_time=frames_at_a_time)(clip).joints
    xy = clip.xy / 500 - [1, 0.8]
    padded = np.concatenate([xy[:1], xy, xy[-1:]])
    mean = np.stack([padded[i : i + 3].mean(0) for i in range(7)])
    np.testing.assert_allclose(found[..., :2], mean - mean[:, :1], atol=1e-5)


def test_a_video_lifts_by_a_space_time_network():
    torch.manual_seed(0)
    model = models.STGCN(HUMAN36M, num_frames=3, hidden_channels=8)
    clip = person(HUMAN36M)
    whole = Lifter(model, HUMAN36M)(clip).joints
    assert whole.shape == (7, 17, 3)
    np.testing.assert_allclose(Lifter(model, HUMAN36M, frames_at_a_time=2)(clip).joints, whole, atol=1e-5)


def test_a_model_with_the_focal_length():
    flat = Flat(in_channels=4)
    lift = Lifter(flat, COCO)
    lift(person(), focal=600.0)
    lift(person())
    assert [float(x[..., 3].unique()) for x in flat.inputs] == pytest.approx([0.6, 0.6, 0, 0])  # f/w, mirrored too
    for wrong in (0.0, -1.0, float("inf")):
        with pytest.raises(ValueError, match="focal="):
            lift(person(), focal=wrong)
    with pytest.warns(UserWarning, match="Flat takes no focal length"):
        Lifter(Flat(), COCO)(person(), focal=600.0)


def test_a_focal_length_from_an_angle():
    assert lifter.focal_length(90, 1000) == pytest.approx(500)
    assert lifter.focal_length(60, 1000) == pytest.approx(866.0254)
    for angle in (0, 180, -1, float("nan")):
        with pytest.raises(ValueError, match="fov="):
            lifter.focal_length(angle, 1000)


def test_the_error_foretold_becomes_an_error_in_mm():
    class Sure(Flat):
        def forward(self, x: Tensor) -> PoseOutput:
            return PoseOutput(super().forward(x), torch.full((*x.shape[:2], 3), 0.03))

    knots = np.array([[0.01, 0.1]])
    estimate = ErrorEstimate((0,) * 17, knots, 500 * knots)
    pose = Lifter(Sure(), COCO, error_estimate=estimate, frames_at_a_time=3)(person())
    np.testing.assert_allclose(pose.error_mm, np.full((7, 17), 500 * 0.03 * 3**0.5), rtol=1e-5)
    assert Lifter(Sure(), COCO)(person()).error_mm is None
    assert Lifter(Flat(), COCO, error_estimate=estimate)(person()).error_mm is None
    with pytest.raises(ValueError, match="of 17 joints, not 133"):
        Lifter(Flat(), COCO_WHOLEBODY, error_estimate=estimate)


def test_an_error_estimate_comes_with_the_checkpoint(tmp_path):
    path = part_lifter(tmp_path / "run.safetensors", COCO_WHOLEBODY)
    pose = skelgraph.load(path)(person(COCO_WHOLEBODY))
    assert pose.error_mm.shape == (7, 133) and (pose.error_mm > 0).all()
    save_run(path, HUMAN36M, "SimpleBaseline", hidden_channels=4, error_estimate={"parts": [0]})
    with pytest.raises(CheckpointError, match="run.safetensors: error estimate"):
        skelgraph.load(path)


def test_progress_is_told_as_it_goes():
    told: list[tuple[int, int]] = []
    lift = Lifter(Flat(), COCO, frames_at_a_time=3)
    lift(person(), progress=lambda done, total: told.append((done, total)))
    assert told == [(3, 7), (6, 7), (7, 7)]
