import dataclasses
import json
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import skelgraph
from skelgraph import Skeleton, checkpoint, lifter, models
from skelgraph.data.transforms import flip_pose
from skelgraph.keypoints import Keypoints
from skelgraph.keypoints import npz as keypoints_npz
from skelgraph.lifter import Lifter
from skelgraph.poses import Pose3D, csv_table, trc
from skelgraph.skeletons import COCO, HUMAN36M

SIZE = (1000.0, 800.0)
OUTPUTS = ["pose.html", "pose.json", "pose.npz", "pose.png"]


class Flat(nn.Module):
    """The input itself as x and y, and its square as depth; remembers how many frames came at a time."""

    def __init__(self) -> None:
        super().__init__()
        self.sizes: list[int] = []
        self.inputs: list[Tensor] = []

    def forward(self, x: Tensor) -> Tensor:
        assert not self.training and not torch.is_grad_enabled()
        self.sizes.append(len(x))
        self.inputs.append(x)
        return torch.cat([x[..., :2], x[..., :1].square()], -1)


class Named(NamedTuple):
    pose: Tensor
    error: Tensor


def person(skeleton: Skeleton = COCO, frames: int = 7, seed: int = 0) -> Keypoints:
    """Someone upright."""
    height = {"ankle": 700, "knee": 560, "hip": 420, "shoulder": 200, "nose": 100, "eye": 90, "ear": 100, "head": 80}
    y = np.array([next((v for k, v in height.items() if k in joint), 300) for joint in skeleton.joints])
    xy = np.stack([np.full(len(y), 500), y], -1) + np.random.default_rng(seed).uniform(-20, 20, (frames, len(y), 2))
    return Keypoints.of(xy, skeleton.joints, image_size=SIZE, fps=25, source="walk")


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Path:
    """A run of an untrained small model."""
    folder = tmp_path_factory.mktemp("run")
    torch.manual_seed(0)
    spec = {"name": "SimpleBaseline", "hidden_channels": 16}
    model = models.SimpleBaseline(HUMAN36M, hidden_channels=16)
    tensors = {f"model.{name}": value for name, value in model.state_dict().items()}
    meta = {"config": {"model": spec}, "skeleton": HUMAN36M.to_dict(), "in_channels": 2, "step": 0}
    checkpoint.save(folder / "last.safetensors", tensors, meta)
    return folder


def test_a_pose_is_the_models_centred_on_the_origin():
    pose = Lifter(Flat(), COCO, flip=False)(person())
    hips = pose.joints[:, [11, 12]].mean(axis=1)
    np.testing.assert_allclose(hips, 0, atol=1e-6)
    expected = person().xy / 500 - [1, 0.8]
    np.testing.assert_allclose(pose.joints[..., :2], expected - expected[:, [11, 12]].mean(1, keepdims=True), atol=1e-5)
    assert (pose.fps, pose.origin, pose.unit) == (25, ("left_hip", "right_hip"), "m") and not pose.missing.any()


def test_an_output_with_more_than_a_pose():
    class Both(Flat):
        def forward(self, x: Tensor) -> Named:
            return Named(super().forward(x), x)

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
    flat = Flat()
    clip = dataclasses.replace(person(), confidence=np.full((7, 17), 0.5))
    Lifter(flat, COCO, in_channels=3, flip=False)(clip)
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
    with pytest.raises(ValueError, match="--image-size WxH"):
        lift(person(HUMAN36M).xy)
    with pytest.raises(ValueError, match="has 16 joints.*HUMAN36M needs 17; closest known"):
        lift(person(HUMAN36M).xy[:, :16], SIZE)
    with pytest.raises(ValueError, match="normalised already"):
        lift(person(HUMAN36M).xy / 800, SIZE)
    with pytest.raises(ValueError, match="at least 1"):
        Lifter(Flat(), COCO, frames_at_a_time=0)


def test_a_model_that_diverged_is_named():
    class Broken(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return torch.full((len(x), 17, 3), torch.nan)

    with pytest.raises(ValueError, match="walk: the model Broken gives values that are not finite in 7 of 7 frames"):
        Lifter(Broken(), COCO)(person())


def test_a_run_is_loaded(run):
    lift = skelgraph.load(run)
    assert (lift.name, lift.skeleton, lift.in_channels) == ("SimpleBaseline", HUMAN36M, 2)
    pose = lift(person(HUMAN36M))
    again = lifter.load(run / "last.safetensors")(person(HUMAN36M))
    np.testing.assert_array_equal(pose.joints, again.joints)


@pytest.fixture
def clip(tmp_path) -> Path:
    path = tmp_path / "clip.npz"
    keypoints = person(COCO)
    keypoints.confidence[1, 3] = 0
    keypoints.confidence[4] = 0
    keypoints_npz.write(path, keypoints)
    return path


def test_lift_writes_numbers_a_picture_and_a_page(run, clip, tmp_path):
    before = clip.read_bytes()
    summary = lifter.lift(clip, run, tmp_path / "new" / "out")
    out = tmp_path / "new" / "out"
    assert sorted(p.name for p in out.iterdir()) == OUTPUTS and clip.read_bytes() == before
    pose = Pose3D.load(out / "pose.npz")
    assert pose.skeleton == HUMAN36M and pose.fps == 25 and pose.missing[4].all()
    np.testing.assert_array_equal(pose.joints, skelgraph.load(run)(lifter.keypoints.read(clip)).joints)
    assert (summary.frames, summary.format, summary.frames_empty, summary.mpjpe_mm) == (7, "npz", 1, None)
    assert summary.points_missing == 17  # left_ear of frame 1 is not among HUMAN36M's
    assert set(summary.outputs) == {out / name for name in OUTPUTS}
    text = str(summary)
    for words in (
        "clip.npz (npz): 7 frames of 17 joints",
        "averaged: hip (left_hip + right_hip)",
        "frames without any: 1",
    ):
        assert words in text


def test_lift_compares_with_the_truth(run, clip, tmp_path):
    lifter.lift(clip, run, tmp_path / "a")
    truth = Pose3D.load(tmp_path / "a" / "pose.npz")
    shifted = truth.joints + np.float32([5, 0, 0])  # another origin is no error
    shifted[:, 16, 1] += 0.17
    order = [16, *range(16)]
    joints = [HUMAN36M.joints[i] for i in order]
    other = Skeleton("other", joints, [-1] * 17)
    Pose3D(shifted[:, order], other).save(tmp_path / "truth.npz")
    summary = lifter.lift(clip, run, tmp_path / "b", truth=tmp_path / "truth.npz")
    assert summary.mpjpe_mm == pytest.approx(10, abs=0.01) and "10.0 mm" in str(summary)
    with pytest.raises(ValueError, match="truth.npz: has 6 frames"):
        Pose3D(shifted[:6, order], other).save(tmp_path / "truth.npz")
        lifter.lift(clip, run, tmp_path / "c", truth=tmp_path / "truth.npz")
    with pytest.raises(ValueError, match="truth.npz: lacks the joints left_wrist, right_shoulder, right_elbow"):
        Pose3D(np.zeros((7, 13, 3)), HUMAN36M.subset(range(13))).save(tmp_path / "truth.npz")
        lifter.lift(clip, run, tmp_path / "c", truth=tmp_path / "truth.npz")
    assert not (tmp_path / "c").exists()


def test_an_output_is_not_overwritten_without_force(run, clip, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    (out / "pose.html").write_text("mine")
    (out / "notes.txt").write_text("mine")
    with pytest.raises(FileExistsError, match="pose.html already; overwrite with --force"):
        lifter.lift(clip, run, out)
    assert (out / "pose.html").read_text() == "mine" and len(list(out.iterdir())) == 2
    lifter.lift(clip, run, out, force=True)
    assert sorted(p.name for p in out.iterdir()) == ["notes.txt", *OUTPUTS]


def test_the_input_is_never_written_to(run, tmp_path):
    path = tmp_path / "pose.npz"
    keypoints_npz.write(path, person())
    for force in (False, True):
        with pytest.raises(ValueError, match="is what --out .* would write to"):
            lifter.lift(path, run, tmp_path, force=force)
    folder = tmp_path / "frames"
    folder.mkdir()
    with pytest.raises(ValueError, match="is what --out"):
        lifter.lift(folder, run, folder)
    with pytest.raises(ValueError, match="is a file; --out is a folder"):
        lifter.lift(folder, run, path)


def test_nothing_is_left_of_a_lift_that_fails_half_way(run, clip, tmp_path, monkeypatch):
    def fail(*args, **kwargs):
        raise OSError(28, "No space left on device")

    out = tmp_path / "out"
    lifter.lift(clip, run, out)
    before = {p.name: p.read_bytes() for p in out.iterdir()}
    monkeypatch.setattr("skelgraph.page.write_page", fail)
    with pytest.raises(OSError, match="No space left"):
        lifter.lift(clip, run, out, force=True, flip=False)
    assert {p.name: p.read_bytes() for p in out.iterdir()} == before


def test_a_killed_lifts_leftovers_are_swept(run, clip, tmp_path):
    (tmp_path / "out" / ".lift.tmp").mkdir(parents=True)
    (tmp_path / "out" / ".lift.tmp" / "pose.npz").write_text("half")
    lifter.lift(clip, run, tmp_path / "out")
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == OUTPUTS


def test_an_empty_clip_gives_an_empty_valid_file(run, tmp_path):
    keypoints_npz.write(tmp_path / "none.npz", person(frames=0))
    summary = lifter.lift(tmp_path / "none.npz", run, tmp_path / "out")
    assert Pose3D.load(tmp_path / "out" / "pose.npz").joints.shape == (0, 17, 3)
    assert sorted(p.name for p in summary.outputs) == ["pose.json", "pose.npz"]


def test_what_looks_wrong_is_lifted_with_force_and_told(run, tmp_path):
    upside_down = dataclasses.replace(person(), xy=[0, SIZE[1]] + person().xy * [1, -1])
    keypoints_npz.write(tmp_path / "clip.npz", upside_down)
    with pytest.raises(ValueError, match="clip.npz: the head is below the ankles in 7 of 7 frames"):
        lifter.lift(tmp_path / "clip.npz", run, tmp_path / "out")
    summary = lifter.lift(tmp_path / "clip.npz", run, tmp_path / "out", force=True)
    assert "warning: the head is below" in str(summary)


def test_a_file_name_cannot_run_as_script(run, tmp_path):
    path = tmp_path / "<img src=x onerror=alert(1)>.npz"
    keypoints_npz.write(path, person())
    lifter.lift(path, run, tmp_path / "out")
    html = (tmp_path / "out" / "pose.html").read_text()
    assert "<img" not in html and "onerror=alert" in html
    json.loads((tmp_path / "out" / "pose.json").read_text())


class Middle(nn.Module):
    """Takes clips of 3 frames; answers with the mean of the frames, or for each frame."""

    def __init__(self, every: bool) -> None:
        super().__init__()
        self.num_frames, self.every = 3, every

    def forward(self, x: Tensor) -> Tensor:
        assert x.shape[1:] == (3, 17, 2)
        mean = torch.cat([x.mean(1), x.square().mean(1)[..., :1]], -1)
        return torch.stack([mean - 1, mean, mean + 1], 1) if self.every else mean


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


def test_further_files_are_written_in_their_axes(run, clip, tmp_path):
    summary = lifter.lift(clip, run, tmp_path / "out", write=["bvh", "csv", "trc", "c3d"], into="blender", smooth=True)
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert names == {*OUTPUTS, "pose.bvh", "pose.csv", "pose.trc", "pose.c3d"}
    assert set(summary.outputs) == {tmp_path / "out" / name for name in names} and "smoothed: joints moved" in str(
        summary
    )
    pose = Pose3D.load(tmp_path / "out" / "pose.npz")
    for module, name in ((csv_table, "pose.csv"), (trc, "pose.trc")):
        again = module.read(tmp_path / "out" / name, axes="blender", skeleton=HUMAN36M)
        np.testing.assert_allclose(again.joints, pose.joints, atol=1e-5)
    plain = lifter.lift(clip, run, tmp_path / "plain")
    assert plain.smoothed is None
    assert not np.array_equal(Pose3D.load(tmp_path / "plain" / "pose.npz").joints, pose.joints)


def test_further_files_are_refused_before_anything_is_lifted(run, tmp_path):
    path = tmp_path / "still.npz"
    keypoints_npz.write(path, dataclasses.replace(person(), fps=None))
    out = tmp_path / "out"
    for options, said in (
        ({"write": ["fbx"]}, "--write fbx: known are csv, bvh, trc, c3d"),
        ({"write": ["csv"], "into": "maya"}, "maya"),
        ({"write": ["bvh"]}, "give --fps"),
        ({"smooth": True}, "give --fps"),
        ({"fps": -1.0}, "fps"),
    ):
        with pytest.raises(ValueError, match=said):
            lifter.lift(path, run, out, **options)
    assert not out.exists()
    lifter.lift(path, run, out, write=["bvh"], fps=30)
    assert "Frame Time: 0.0333" in (out / "pose.bvh").read_text()
