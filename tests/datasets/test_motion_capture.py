"""Motion capture: geometry against the camera, what each option does, determinism, and files with faults."""

import math

import fake_mocap
import numpy as np
import pytest
import torch
from scipy.optimize import least_squares
from torch_geometric.data import Batch
from torch_geometric.loader import DataLoader

from skelgraph import Skeleton
from skelgraph.datasets.cameras.placement import place
from skelgraph.datasets.motion_capture import JOINT_NAMES, MotionCapture
from skelgraph.geometry.cameras import Camera
from skelgraph.geometry.human36m import human36m_cameras
from skelgraph.nn.inputs import model_input
from skelgraph.nn.models import STGCN
from skelgraph.skeleton.builtin import COCO, HUMAN36M, HUMAN36M_16

PLAIN = {"bone_scale": 0.0, "scale": 0.0, "mirror": False, "lean_deg": 0.0}


@pytest.fixture
def mocap(tmp_path, monkeypatch):
    """A folder with a small file; returns a function that replaces the file by one with other arrays."""
    monkeypatch.setenv("SKELGRAPH_DATA", str(tmp_path))
    fake_mocap.write(tmp_path)
    return lambda **changes: fake_mocap.write(tmp_path, **changes)


def lengths(x: torch.Tensor, skeleton: Skeleton = HUMAN36M) -> torch.Tensor:
    return torch.stack([(x[:, child] - x[:, parent]).norm(dim=-1) for parent, child in skeleton.bones], -1)


def in_the_file(split: str) -> torch.Tensor:
    """Joints [N, 17, 3] m of the frames that are used, relative to the pelvis."""
    content = fake_mocap.arrays()
    kept = (np.arange(72) < 48) == (split == "train")
    return torch.from_numpy(content["joints_dmm"][kept & content["frame_ok"], :17] / 10_000).float()


def test_poses_have_the_shapes_and_units_of_the_contract(mocap):
    for split, count, actions in (("train", 47, ("b", "walking")), ("test", 24, ("walking",))):
        data = MotionCapture(HUMAN36M, split, noise_px=2.0, missing=0.1)
        poses = data.draw(0)
        assert len(data) == count and data.actions == actions and data.skeleton is HUMAN36M
        shapes = [tuple(field.shape) for field in poses]
        assert shapes == [(count, 17, 2), (count, 17), (count, 2), (count, 17, 3), (count,), (count,)]
        assert all(field.is_contiguous() and field.isfinite().all() for field in poses)
        assert poses.keypoints.dtype == poses.target.dtype == torch.float32 and poses.action.dtype == torch.int64
        assert poses.target[:, 0].abs().max() == 0 and 0.5 < poses.target.norm(dim=-1).max() < 1.5
        assert poses.image_size.unique().tolist() in ([1000], [1000, 1002])


def test_bodies_are_those_of_the_file(mocap):
    for split in ("train", "test"):
        target = MotionCapture(HUMAN36M, split, **PLAIN).draw(0).target
        expected = in_the_file(split)
        # Rotations and shifts keep all distances between joints, and the sign of a triple product.
        torch.testing.assert_close(torch.cdist(target, target), torch.cdist(expected, expected), atol=1e-5, rtol=0)
        sides = [torch.linalg.det(pose[:, [1, 2, 11]]) for pose in (target, expected)]
        torch.testing.assert_close(*sides, atol=1e-5, rtol=0)


def test_keypoints_are_the_projection_of_the_target(mocap):
    """From 17 rays and the relative pose the root's place follows by least squares; it must reproduce every pixel."""
    data = MotionCapture(HUMAN36M, "test")
    poses = data.draw(0)
    camera = human36m_cameras()["S1/60457274"]  # the nine share intrinsics
    for keypoints, target in zip(poses.keypoints[::8].double(), poses.target[::8].double(), strict=True):

        def residual(root, keypoints=keypoints, target=target):
            return (camera.project(target + torch.from_numpy(root)) - keypoints).flatten().numpy()

        root = torch.from_numpy(least_squares(residual, [0.0, 0.0, 5.0], xtol=1e-12).x)
        assert (camera.project(target + root) - keypoints).abs().max() < 0.01
        assert 1.5 < root[2] < 8


def test_people_stand_upright_in_the_image(mocap):
    for split in ("train", "test"):
        poses = MotionCapture(HUMAN36M, split).draw(0)
        head, ankle = HUMAN36M.index("head"), HUMAN36M.index("left_ankle")
        for x in (poses.keypoints, poses.target):
            assert (x[:, head, 1] < x[:, ankle, 1]).float().mean() > 0.95  # y is down


def test_all_joints_are_inside_the_image(mocap):
    for split in ("train", "test"):
        for epoch in range(10):
            poses = MotionCapture(HUMAN36M, split, scale=0.5).draw(epoch)
            assert (poses.keypoints >= 0).all() and (poses.keypoints <= poses.image_size[:, None]).all()


def test_poses_face_all_directions(mocap):
    data = MotionCapture(HUMAN36M, "test", **PLAIN)
    across = data.draw(0).target[:, HUMAN36M.index("left_hip")]
    assert across[:, 0].min() < -0.04 and across[:, 0].max() > 0.04 and across[:, 2].std() > 0.03


def test_an_epoch_is_a_function_of_seed_split_and_epoch(mocap):
    def draw(epoch, seed=0, split="train"):
        return MotionCapture(HUMAN36M, split, seed, noise_px=1.0, missing=0.1).draw(epoch)

    torch.manual_seed(1)
    state = torch.get_rng_state()
    first = draw(3)
    assert torch.equal(torch.get_rng_state(), state)
    torch.rand(5)
    assert all(torch.equal(a, b) for a, b in zip(first, draw(3), strict=True))
    assert not torch.equal(first.target, draw(4).target) and not torch.equal(first.target, draw(3, seed=1).target)
    tests = draw(0, split="test"), draw(7, split="test"), draw(0, seed=1, split="test")
    assert all(torch.equal(a, b) for a, b in zip(tests[0], tests[1], strict=True))
    assert not torch.equal(tests[0].target, tests[2].target)


def test_noise_and_missing_joints_leave_the_scene_alone(mocap):
    plain, noisy = (MotionCapture(HUMAN36M, noise_px=px, missing=m).draw(0) for px, m in ((0.0, 0.0), (3.0, 0.2)))
    assert torch.equal(plain.target, noisy.target) and (plain.confidence == 1).all()
    gone = noisy.confidence == 0
    assert 0.1 < gone.float().mean() < 0.3 and (noisy.keypoints[gone] == 0).all()
    moved = (noisy.keypoints - plain.keypoints)[~gone]
    assert 2.7 < moved.std() < 3.3 and abs(moved.mean()) < 0.4


def test_bone_lengths_vary_alike_on_both_sides(mocap):
    pairs = [(HUMAN36M.bones.index((p, c)), HUMAN36M.bones.index((q, d))) for (p, c), (q, d) in _paired_bones()]
    plain = lengths(MotionCapture(HUMAN36M, **PLAIN).draw(0).target)
    ratio = lengths(MotionCapture(HUMAN36M, **{**PLAIN, "bone_scale": 0.2}).draw(0).target) / plain
    assert 0.8 - 1e-4 <= ratio.min() < 0.85 and 1.15 < ratio.max() <= 1.2 + 1e-4
    for left, right in pairs:
        torch.testing.assert_close(ratio[:, left], ratio[:, right], atol=1e-4, rtol=0)
    assert ratio.std(1).min() > 0.02  # bones of one person vary independently


def _paired_bones():
    flip = HUMAN36M.flip_index.tolist()
    return [((p, c), (flip[p], flip[c])) for p, c in HUMAN36M.bones if flip[c] != c]


def test_scale_changes_the_whole_body(mocap):
    plain = lengths(MotionCapture(HUMAN36M, **PLAIN).draw(0).target)
    ratio = lengths(MotionCapture(HUMAN36M, **{**PLAIN, "scale": 0.3}).draw(0).target) / plain
    torch.testing.assert_close(ratio, ratio.mean(1, keepdim=True).expand_as(ratio), atol=1e-4, rtol=0)
    assert ratio.min() < 0.8 and ratio.max() > 1.2


def test_mirroring_half_of_the_poses(mocap):
    expected = torch.linalg.det(in_the_file("train")[:, [1, 2, 11]])
    plain, mirrored = (MotionCapture(HUMAN36M, **{**PLAIN, "mirror": m}).draw(0).target for m in (False, True))
    assert (torch.linalg.det(plain[:, [1, 2, 11]]) * expected > 0).all()
    flip = HUMAN36M.flip_index
    target = in_the_file("train")
    same = torch.cdist(mirrored, mirrored)
    kept = (same - torch.cdist(target, target)).abs().amax((1, 2)) < 1e-4
    swapped = (same - torch.cdist(target[:, flip], target[:, flip])).abs().amax((1, 2)) < 1e-4
    assert (kept ^ swapped).all() and 0.2 < swapped.float().mean() < 0.8
    chirality = torch.linalg.det(mirrored[:, flip][:, [1, 2, 11]])
    torch.testing.assert_close(chirality[swapped], -expected[swapped], atol=1e-5, rtol=0)


def test_people_lean_and_spread_in_training(mocap):
    def draw(**options):
        return MotionCapture(HUMAN36M, **{**PLAIN, **options}).draw(0)

    def angles(poses):
        spine, upright = poses.target[:, HUMAN36M.index("spine")], draw().target[:, HUMAN36M.index("spine")]
        return torch.rad2deg(torch.atan2(torch.linalg.cross(spine, upright).norm(dim=1), (spine * upright).sum(1)))

    assert angles(draw(lean_deg=8.0)).median() > 3
    near, far = (draw(area=area).keypoints[:, 0].std(0)[0] for area in (0.0, 2.0))
    assert far > 1.5 * near


def test_the_test_split_leaves_bodies_alone(mocap):
    wild = MotionCapture(HUMAN36M, "test", bone_scale=0.5, scale=0.5, mirror=True, lean_deg=30.0, area=9.0).draw(0)
    assert torch.equal(wild.target, MotionCapture(HUMAN36M, "test", **PLAIN).draw(0).target)


def test_the_held_out_camera_is_seen_in_the_test_only(mocap):
    def places(**options):
        return {tuple(place) for place in MotionCapture(HUMAN36M, **options)._cameras.T.tolist()}

    held_out = {tuple(place) for place in human36m_cameras(serials=["58860488"]).flatten().T.float().tolist()}
    train, test = places(held_out="58860488"), places(split="test", held_out="58860488")
    assert test == held_out and len(train) == 27 and not train & test
    assert len(places(held_out=None)) == 36 and len(places(split="test", held_out=None)) == 36
    assert len(places(cameras=["55011271", "60457274"])) == 9


def test_every_so_many_frames(mocap):
    assert len(MotionCapture(HUMAN36M, frame_step=5)) == 10 and len(MotionCapture(HUMAN36M, frame_step=3)) == 15


def test_joints_are_found_by_name(mocap):
    order = ["right_wrist", "hip", "left_toe", "head"]
    skeleton = Skeleton("few", order, [1, -1, 1, 1])
    target = MotionCapture(skeleton, "test").draw(0).target
    full = MotionCapture(HUMAN36M, "test").draw(0).target
    assert target.shape == (24, 4, 3)
    assert set(HUMAN36M_16.joints) <= set(JOINT_NAMES.values())
    # Placement may differ, since other joints must be seen; distances between joints do not.
    torch.testing.assert_close(target[:, [0, 3]].norm(dim=-1), full[:, [16, 10]].norm(dim=-1))
    both = MotionCapture(Skeleton("hips", ["left_hip", "right_hip"], [-1, 0], origin=[0, 1]), "test").draw(0)
    assert both.target.mean(1).abs().max() < 1e-6


def test_joints_that_the_file_lacks_are_named(mocap):
    with pytest.raises(ValueError, match="'COCO': .*mocap.npz has no joints nose, left_eye, .*; it has hip, right_hip"):
        MotionCapture(COCO)


def test_items_are_graphs_that_batch(mocap):
    dataset = MotionCapture(HUMAN36M, missing=0.2)
    data, poses = dataset.graphs(), dataset.draw(0)
    item = data[5]
    assert torch.equal(item.y, poses.target[5]) and item.action == poses.action[5]
    assert torch.equal(item.x, model_input(poses.keypoints, poses.confidence, poses.image_size)[5])
    batch = Batch.from_data_list(list(data))
    assert batch.x.shape == (47 * 17, 2) and torch.equal(batch.action, poses.action)
    with pytest.raises(IndexError):
        data[47]


def test_jumps_stay_above_the_floor(tmp_path, monkeypatch):
    monkeypatch.setenv("SKELGRAPH_DATA", str(tmp_path))
    content = fake_mocap.arrays()
    content["root"][60, 2] += 400
    np.savez(tmp_path / "cmu_mocap.npz", **content)
    data = MotionCapture(HUMAN36M, "test")
    assert data._clearance[12] - data._clearance.median() == pytest.approx(0.4, abs=0.02)


def test_a_pose_outside_the_image_is_moved_into_it():
    camera = human36m_cameras()["S1/60457274"]
    joints = torch.from_numpy(fake_mocap.arrays()["joints_dmm"][:4] / 10_000).float()
    outside = torch.tensor([[0.0, 0.0, 0.9], [5.0, 5.0, 0.9], [-1.8, -3.6, 0.9], [0.0, -9.0, 0.9]])
    cameras = Camera.stack([camera] * 4).to(torch.float32)
    points, keypoints = place(joints, outside, cameras)
    assert (keypoints >= 0).all() and (keypoints <= cameras.image_size[:, None]).all() and (points[..., 2] > 0.5).all()
    torch.testing.assert_close(points[0], camera.to_camera(joints[0] + outside[0]))  # was inside, stays
    world = camera.to_world(points)
    torch.testing.assert_close(world[:, 0, 2] - joints[:, 0, 2], outside[:, 2])  # heights stay
    torch.testing.assert_close(camera.project(points), keypoints, atol=1e-3, rtol=0)


def test_a_giant_is_refused():
    camera = human36m_cameras()["S1/60457274"]
    with pytest.raises(ValueError, match="1 poses do not fit into the image from 24 m away, the first is 1"):
        joints = torch.tensor([[[0.0, 0, 0]] * 2, [[0.0, 0, -900], [0.0, 0, 900]]])
        place(joints, torch.zeros(2, 3), Camera.stack([camera, camera]).to(torch.float32))


def test_a_missing_file_says_where_it_was_looked_for(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SKELGRAPH_DATA", raising=False)
    with pytest.raises(FileNotFoundError, match="looked for .*/data/cmu_mocap.npz .*SKELGRAPH_DATA is not set.*joints"):
        MotionCapture(HUMAN36M)
    monkeypatch.setenv("SKELGRAPH_DATA", str(tmp_path))
    with pytest.raises(FileNotFoundError, match="'other.npz': looked for .*/other.npz .*SKELGRAPH_DATA"):
        MotionCapture(HUMAN36M, file="other.npz")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"split": "val"}, "split must be 'train' or 'test', found 'val'"),
        ({"noise_px": -1.0}, r"noise_px must be in \[0, inf\), found -1.0"),
        ({"frame_step": 0}, r"frame_step must be in \[1, inf\), found 0"),
        ({"missing": 1.0}, r"missing must be in \[0, 1\), found 1.0"),
        ({"bone_scale": math.nan}, "bone_scale must be in"),
        ({"scale": -0.1}, "scale must be in"),
        ({"held_out": "123"}, "no camera of Human3.6M has the serial number '123'; known: 54138969, 55011271"),
        ({"cameras": ["60457274"]}, r"no camera is left for split 'train': cameras=\['60457274'\], held_out=\['604"),
    ],
)
def test_options_out_of_range_are_refused(mocap, options, message):
    with pytest.raises(ValueError, match=message):
        MotionCapture(HUMAN36M, **options)


def changed(name: str, place: object, value: object) -> dict[str, np.ndarray]:
    array = fake_mocap.arrays()[name].copy()
    array[place] = value
    return {name: array}


LAYOUT_FAULTS = {
    "lacks": ({"frame_ok": None, "root": None}, r"lacks root, frame_ok; expected is root \[N, 3\]"),
    "shape": ({"root": np.zeros((72, 2), np.float32)}, r"root is float32 \[72, 2\], expected kind 'f' \[72, 3\]"),
    "type": ({"joints_dmm": np.zeros((72, 19, 3))}, r"joints_dmm is float64 \[72, 19, 3\], expected kind 'i'"),
    "length": ({"frame_ok": np.ones(71, bool)}, r"frame_ok is bool \[71\], expected kind 'b' \[72\]"),
    "not finite": (changed("root", (slice(2, 9), 1), np.nan), r"root is not finite in frames 2, 4, 5, 6, 7 and 1 more"),
    "both splits": (changed("seq_subject", 2, "a"), "subject 'a' is both in train and in test .row 2, 'walking_2'"),
    "split name": (changed("seq_split", 1, "dev"), r"seq_split\[1\] is 'dev', expected 'train' or 'test'"),
    "outside": (changed("seq_len", 2, 25), r"seq_start, seq_len leave the 72 frames in rows 2"),
    "overlap": (changed("seq_start", 1, 20), "sequences overlap: rows 1 "),
    "cycle": (changed("parents", 1, 3), "parents form a cycle: r_hip -> r_ankle -> r_knee -> r_hip"),
    "two roots": (changed("parents", 7, -1), r"parents\[7\] \(spine\) is -1, expected 0 to 18"),
    "names twice": (changed("joint_names", 2, "head"), r"joint_names holds \['head'\] twice"),
    "all bad": ({"frame_ok": np.zeros(72, bool)}, "no frame is left: frame_ok is False in all 72"),
    "none in train": (changed("seq_split", slice(0, 2), "test"), "no frame is left in split 'train'"),
    "units": ({"joints_dmm": fake_mocap.arrays()["joints_dmm"] // 10}, "spans 0.1.* m in the median pose"),
    "upside down": (
        {"joints_dmm": fake_mocap.arrays()["joints_dmm"] * np.int16(-1)},
        "the head is below the ankle in .* z must be up",
    ),
    "one side": (changed("joint_names", 17, "l_foot"), "lacks the other side of right_toe"),
}


@pytest.mark.parametrize("fault", LAYOUT_FAULTS)
def test_files_with_faults_are_refused_by_name(mocap, fault):
    changes, message = LAYOUT_FAULTS[fault]
    path = mocap(**changes)
    with pytest.raises(ValueError, match=message) as caught:
        MotionCapture(HUMAN36M)
    assert str(path) in str(caught.value)


def test_bad_frames_are_dropped_and_may_hold_anything(mocap):
    mocap(**changed("root", 3, np.nan))
    assert MotionCapture(HUMAN36M).draw(0).keypoints.isfinite().all()


def test_the_real_file(data_dir):
    train, test = (MotionCapture(HUMAN36M, split, frame_step=4) for split in ("train", "test"))
    assert len(train) + len(test) > 15_000 and test.actions == ("cmu_02", "cmu_07_iclone")
    assert {"walking", "salsa", "jumping"} <= set(train.actions)
    for dataset in (train, test):
        poses = dataset.draw(0)
        assert all(field.isfinite().all() for field in poses)
        assert (poses.keypoints >= 0).all() and (poses.keypoints <= poses.image_size[:, None]).all()
        height = poses.keypoints[..., 1].amax(1) - poses.keypoints[..., 1].amin(1)
        assert 250 < height.median() < 450
    mean_pose = (test.draw(0).target - train.draw(0).target.mean(0)).norm(dim=-1).mean()
    assert 0.15 < mean_pose < 0.25


def test_clips_follow_their_poses(mocap):
    single = MotionCapture(HUMAN36M, "train", 3).draw(1)
    clips = MotionCapture(HUMAN36M, "train", 3, num_frames=5).draw(1)
    shapes = [tuple(field.shape) for field in clips]
    assert shapes == [(47, 5, 17, 2), (47, 5, 17), (47, 2), (47, 5, 17, 3), (47,), (47,)]
    torch.testing.assert_close(clips.target[:, 2], single.target, atol=1e-5, rtol=0)
    assert clips.target[:, :, 0].abs().max() == 0
    inside = (clips.keypoints >= 0).all() and (clips.keypoints <= clips.image_size[:, None, None]).all()
    assert inside, "the whole clip is in the image"


def test_the_frames_of_a_clip_are_its_neighbours_in_the_file(mocap):
    expected = torch.cdist(*[in_the_file("test")] * 2)  # [24, 17, 17]
    clips = MotionCapture(HUMAN36M, "test", num_frames=3, frame_step=2).draw(0)
    found = torch.cdist(clips.target, clips.target)  # [12, 3, 17, 17]
    frames = torch.arange(12) * 2
    for t, step in enumerate((-2, 0, 2)):
        torch.testing.assert_close(found[:, t], expected[(frames + step).clamp(0, 22)], atol=1e-5, rtol=0)


def test_one_camera_and_one_turn_a_clip(mocap):
    """A rigid motion that repeats the recorded one joins the frames: joints keep their distances across frames."""
    content = fake_mocap.arrays()
    content["root"][:, :2] *= 0.1  # a walk, not a flight
    mocap(root=content["root"])
    clips = MotionCapture(HUMAN36M, "test", num_frames=3).draw(0)
    offsets = content["joints_dmm"][48:, :17] / 10_000
    for i in (5, 11):
        views = np.concatenate([clips.target[i, t].numpy() for t in range(3)])
        world = np.concatenate([offsets[i + t - 1] for t in range(3)])
        turn, *_ = np.linalg.lstsq(world, views, rcond=None)
        assert np.abs(world @ turn - views).max() < 1e-4, "all frames are turned alike"
        np.testing.assert_allclose(turn @ turn.T, np.eye(3), atol=1e-3)


def test_a_clip_is_a_graph_with_frames(mocap):
    data = MotionCapture(HUMAN36M, "test", num_frames=3)
    clip, poses = data.graphs()[4], data.draw(0)
    assert clip.num_nodes == 17 and clip.x.shape == (17, 3, 2) and clip.y.shape == (17, 3, 3)
    assert torch.equal(clip.y.transpose(0, 1), poses.target[4]) and torch.equal(clip.pos, poses.inputs(2)[4, 1])
    model = STGCN(HUMAN36M, num_frames=3, hidden_channels=8).eval()
    batch = next(iter(DataLoader(data.graphs(), batch_size=5)))
    found = model(batch).view(5, 17, 3, 3).transpose(1, 2)
    torch.testing.assert_close(found, model(poses.inputs(2)[:5]), rtol=0, atol=1e-5)


def test_excluded_subjects_are_in_neither_split(mocap):
    assert len(MotionCapture(HUMAN36M, exclude=["a"])) == 24 and len(MotionCapture(HUMAN36M)) == 47
    with pytest.raises(ValueError, match="no frame is left in split 'test'"):
        MotionCapture(HUMAN36M, "test", exclude=["c"])
    with pytest.raises(ValueError, match="exclude names d; its subjects are a, b, c"):
        MotionCapture(HUMAN36M, exclude=["d"])


def test_a_share_of_the_bodies_stays_as_recorded(mocap):
    data = MotionCapture(HUMAN36M, as_recorded=0.5, mirror=False)
    index = torch.zeros(1000, dtype=torch.long)
    joints = data.bodies(index, torch.Generator().manual_seed(0))
    knee, hip = data.joints.index("left_knee"), data.joints.index("left_hip")
    thigh = (joints[:, knee] - joints[:, hip]).norm(dim=-1)
    same = ((thigh - thigh.median()).abs() < 1e-4).float().mean()
    assert 0.45 < same < 0.55 and thigh.max() / thigh.min() > 1.15
