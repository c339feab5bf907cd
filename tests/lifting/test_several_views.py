"""Lifting what several cameras saw, as people type it."""

import dataclasses
import json
import re
import types

import numpy as np
import pytest
import torch
import walk
from lifting import save_run
from torch import nn

from skelgraph import Skeleton
from skelgraph.cli.app import main
from skelgraph.errors import CheckpointError, OutputExistsError
from skelgraph.geometry.axes import y_down
from skelgraph.geometry.cameras import Camera
from skelgraph.io.keypoints.formats import npz as keypoints_npz
from skelgraph.io.motions import bvh
from skelgraph.io.poses.formats import c3d, csv_table, trc
from skelgraph.lifting.gaps import filled
from skelgraph.lifting.lift import lift
from skelgraph.lifting.views_lifter import lift_found, lift_views
from skelgraph.multiview.recording import Recording
from skelgraph.nn.models import SkeletonModel
from skelgraph.nn.models.multi_view_lifter import MultiViewLifter
from skelgraph.poses.pose3d import Pose3D
from skelgraph.skeleton.builtin import BLAZEPOSE, COCO, HUMAN36M
from skelgraph.training import checkpoint
from skelgraph.viz.page.compare import compare

NAMES = list(walk.RIG)
OUTPUTS = ["pose.html", "pose.json", "pose.npz", "pose.png"]


class MeetingPoint(SkeletonModel):
    """A model for several views: the mean over the window of the points on the rays 5 m from the cameras."""

    input_kind = "views"

    def __init__(self, skeleton: Skeleton, in_channels: int = 9, out_channels: int = 3, *, num_frames: int = 5) -> None:
        super().__init__(skeleton, in_channels, out_channels, num_frames=num_frames)
        self.distance = nn.Parameter(torch.tensor(5.0))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        seen = (x[..., 2:3] > 0).to(x)
        points = (seen * (x[..., 3:6] + self.distance * x[..., 6:])).sum(1) / seen.sum(1).clamp_min(1)
        return points.mean(1, keepdim=True).expand_as(points)


@pytest.fixture(scope="module")
def plugin() -> types.ModuleType:
    module = types.ModuleType("more_models")
    module.__all__, module.MeetingPoint = ["MeetingPoint"], MeetingPoint
    return module


@pytest.fixture(scope="module")
def exact() -> torch.Tensor:
    return walk.dance(frames=36)


@pytest.fixture
def files(tmp_path, exact):
    return walk.write(tmp_path, walk.views(*walk.film(exact)))


def run(*arguments: object) -> int:
    with pytest.raises(SystemExit) as stopped:
        main(["lift", *map(str, arguments)])
    return int(stopped.value.code)


def test_the_command_writes_the_person_in_the_world_in_every_format(tmp_path, files, exact, capsys, pictures):
    out = tmp_path / "out"
    options = ["--calibration", tmp_path / "Calib.json", "--out", out, "--write", "csv,bvh,trc,c3d"]
    assert run(*files, *options) == 0
    assert {path.name for path in out.iterdir()} == {*OUTPUTS, *(f"pose.{e}" for e in ("bvh", "csv", "trc", "c3d"))}
    said = re.sub(r"\s+", "", capsys.readouterr().out)
    for words in (
        "read: 36 frames of 17 joints before 4 cameras of the 4 in",
        "dance_54138969.npz (npz): points missing: 0 of 612; reprojection error: median 0.0 px",
        "world: that of the calibration, metres, z up (by the cameras,",
        "joints without two cameras, so guessed: 0 of 612",
        "triangulated by RANSAC (to 15 px) and refined in",
    ):
        assert words.replace(" ", "") in said
    world = Pose3D.load(out / "pose.npz")
    np.testing.assert_allclose(world.positions, exact, atol=1e-3)
    assert (world.up, world.fps, world.cameras) == ("z", 30, tuple(NAMES)) and world.error_px.shape == (4, 36, 17)
    told = json.loads((out / "pose.json").read_text())["world"]
    assert (told["unit"], told["up"], told["cameras"]) == ("m", "z", NAMES) and np.shape(told["view"]) == (3, 3)
    np.testing.assert_allclose(csv_table.read(out / "pose.csv", axes="camera").joints, exact, atol=1e-3)
    x, y, z = exact.numpy().transpose(2, 0, 1)
    for module, name in ((trc, "pose.trc"), (c3d, "pose.c3d")):
        again = module.read(out / name, COCO, axes="camera").joints  # OpenSim's ground: y up
        np.testing.assert_allclose(again, np.stack([-y, z, -x], -1), atol=1e-3)
    rig = bvh.read(out / "pose.bvh")
    hips = [COCO.index("left_hip"), COCO.index("right_hip")]
    root = exact[:, hips].mean(1).numpy()
    np.testing.assert_allclose(rig.positions[:, 0], np.stack([root[:, 0], root[:, 2], -root[:, 1]], -1), atol=1e-3)


def test_axes_are_those_of_the_world_or_a_program(tmp_path, files, exact):
    options = {"calibration": tmp_path / "Calib.json", "write": ["csv", "trc", "c3d"]}
    for into in ("world", "blender"):  # Blender's world is z up too
        lift(files, tmp_path / into, axes=into, **options)
        for module in (csv_table, trc, c3d):
            ending = module.__name__.rsplit(".", 1)[1].removesuffix("_table")
            again = module.read(tmp_path / into / f"pose.{ending}", COCO, axes="camera")
            np.testing.assert_allclose(again.joints, exact, atol=1e-3)


def test_the_pose_is_as_the_first_camera_sees_it_but_level(tmp_path, files, exact):
    lift(files, tmp_path / "out", tmp_path / "Calib.json")
    pose = Pose3D.load(tmp_path / "out" / "pose.npz").as_seen()
    camera = walk.RIG[NAMES[0]]
    seen = camera.to_camera(exact)
    seen = (seen - seen[:, 11:13].mean(1, keepdim=True)).numpy()
    assert pose.origin == ("left_hip", "right_hip")
    np.testing.assert_allclose(pose.joints[:, :, 0], seen[:, :, 0], atol=0.1)  # the camera is rolled a little
    up = exact[:, :, 2] - exact[:, 11:13, 2].mean(1, keepdim=True)
    np.testing.assert_allclose(pose.joints[:, :, 1], -up, atol=1e-3)
    lengths = [np.linalg.norm(each[:, 5] - each[:, 7], axis=-1) for each in (pose.joints, exact.numpy())]
    np.testing.assert_allclose(*lengths, atol=1e-3)


def test_two_methods_stand_on_one_page(tmp_path, files, plugin):
    model = save_model(tmp_path / "run" / "last.safetensors")
    lift(files, tmp_path / "ransac", tmp_path / "Calib.json")
    summary = lift(files, tmp_path / "net", tmp_path / "Calib.json", checkpoint=model, plugins=[plugin])
    assert "lifted by MeetingPoint in" in str(summary)
    found = [tmp_path / name / "pose.npz" for name in ("ransac", "net")]
    html = compare(found, tmp_path / "both.html").read_text()
    assert '"ransac"' in html and '"net"' in html


def save_model(path, skeleton=COCO):
    model = MeetingPoint(skeleton)
    meta = {"config": {"model": {"name": "MeetingPoint", "in_channels": 9}}, "skeleton": skeleton.to_dict(), "step": 0}
    path.parent.mkdir(exist_ok=True)
    checkpoint.save(path, {f"model.{k}": v for k, v in model.state_dict().items()}, meta)
    return path


def test_a_network_gets_its_own_joints(tmp_path, files, plugin):
    model = save_model(tmp_path / "run" / "last.safetensors", HUMAN36M)
    summary = lift(files, tmp_path / "out", tmp_path / "Calib.json", checkpoint=model, plugins=[plugin])
    assert summary.world.skeleton == HUMAN36M and "averaged: hip (left_hip + right_hip)" in str(summary)
    single = save_run(tmp_path / "one" / "last.safetensors", COCO, "SimpleBaseline", hidden_channels=8)
    with pytest.raises(CheckpointError, match="SimpleBaseline"):
        lift(files, tmp_path / "two", tmp_path / "Calib.json", checkpoint=single)


def untrained() -> MultiViewLifter:
    torch.manual_seed(0)
    model = MultiViewLifter(COCO, num_frames=5, hidden_channels=16, num_layers=1, heads=2).eval()
    nn.init.normal_(model.head.weight, std=0.1)
    return model


@pytest.mark.parametrize("make", [lambda: MeetingPoint(COCO), untrained], ids=["stub", "MultiViewLifter"])
def test_how_many_frames_are_done_at_once_plays_no_part(make, exact, device):
    model = make().to(device)
    px, confidence = walk.film(exact[:23], noise=5, hidden=0.2)
    rig = Camera.stack(list(walk.RIG.values()))
    whole = lift_views(model, rig, px, confidence)
    assert whole.shape == (23, 17, 3) and whole.isfinite().all()
    for chunk in (1, 4, 23, 100):
        told: list[tuple[int, int]] = []
        again = lift_views(model, rig, px, confidence, chunk, lambda done, total, told=told: told.append((done, total)))
        torch.testing.assert_close(again, whole, rtol=0, atol=1e-5)
        assert told[-1] == (23, 23) and len(told) == -(-23 // chunk)


def test_each_frame_is_the_middle_of_its_window(exact):
    px, confidence = walk.film(exact[:9])
    rig = Camera.stack(list(walk.RIG.values()))
    alone = lift_views(MeetingPoint(COCO, num_frames=1), rig, px, confidence)
    around = lift_views(MeetingPoint(COCO, num_frames=5), rig, px, confidence, chunk=2)
    torch.testing.assert_close(around[4], alone[2:7].mean(0), rtol=0, atol=1e-5)
    torch.testing.assert_close(around[0], (3 * alone[0] + alone[1] + alone[2]) / 5, rtol=0, atol=1e-5)


def test_gaps_are_interpolated_marked_and_told():
    exact = walk.dance()
    px, confidence = walk.film(exact)
    confidence[1:, 10:15, 9] = 0  # one camera is not enough
    confidence[:, 60:, 10] = 0
    confidence[:, :, 15] = 0
    found = Recording.of(walk.views(px, confidence), walk.RIG)
    world = lift_found(found, "z")
    expected = np.zeros((90, 17), bool)
    expected[10:15, 9] = expected[60:, 10] = expected[:, 15] = True
    np.testing.assert_array_equal(world.missing, expected)
    off = np.linalg.norm(world.positions - exact.numpy(), axis=-1)
    assert off[~expected].max() < 1e-3 and off[10:15, 9].max() < 0.15
    np.testing.assert_allclose(world.positions[:, 15], world.positions[:, 13])  # an ankle never seen lies at the knee
    hips = exact[:, 11:13].mean(1).numpy()
    held = world.positions[:, 10] - hips
    np.testing.assert_allclose(held[60:], np.broadcast_to(held[59], (30, 3)), atol=1e-3)  # walks on with the person
    assert np.isnan(world.error_px[1, 12, 9]) and world.error_px[0, 12, 9] > 0


def test_nothing_found_stays_nothing():
    assert np.isnan(filled(np.full((4, 17, 3), np.nan), COCO)).all()


def test_nobody_seen_by_two_cameras_is_an_error_that_names_the_files(exact):
    px, confidence = walk.film(exact)
    confidence[0, 18:], confidence[1, :18] = 0, 0
    found = Recording.of({name: walk.views(px, confidence)[name] for name in NAMES[:2]}, walk.RIG)
    with pytest.raises(
        ValueError, match=f"{NAMES[0]}.npz, {NAMES[1]}.npz: no two cameras see the same joint and agree"
    ):
        lift_found(found, "z")


def test_a_smoothed_person_is_told_how_far_joints_moved(tmp_path, exact):
    files = walk.write(tmp_path, walk.views(*walk.film(exact, noise=5)))
    plain = lift(files, tmp_path / "a", tmp_path / "Calib.json")
    smooth = lift(files, tmp_path / "b", tmp_path / "Calib.json", smooth=True)
    jerk = [np.abs(np.diff(each.world.joints, n=2, axis=0)).mean() for each in (plain, smooth)]
    assert jerk[1] < 0.7 * jerk[0] and "smoothed: joints moved by" in str(smooth)
    assert max(plain.reprojection_px.values()) < 10 and "warning" not in str(plain)


def test_a_camera_that_is_off_is_told(tmp_path, exact):
    files = walk.write(tmp_path, walk.views(*walk.film(exact, noise=2)))
    rig = dict(walk.RIG)
    rig[NAMES[1]] = rig[NAMES[1]].replace(c=rig[NAMES[1]].c + 15)
    walk.calibrations.write(tmp_path / "Calib.json", rig.values())
    summary = lift(files, tmp_path / "out", tmp_path / "Calib.json", force=True)
    assert f"warning: {NAMES[1]} is " in str(summary)


def test_of_several_people_the_largest_is_taken_and_each_file_is_read_once(tmp_path, exact, monkeypatch):
    px, seen = walk.film(exact)
    files = walk.write(tmp_path, walk.views(px, seen))
    both = np.stack([300 + px[0].numpy() / 5, px[0].numpy()], axis=1)
    arrays = {"keypoints": both, "confidence": np.ones(both.shape[:-1]), "joints": np.array(COCO.joints), "fps": 30}
    np.savez(files[0], **arrays)
    read, as_it_is = [], keypoints_npz.read
    monkeypatch.setattr(keypoints_npz, "read", lambda path, content: read.append(path) or as_it_is(path, content))
    summary = lift(files, tmp_path / "out", tmp_path / "Calib.json")
    assert sorted(read) == sorted(files)
    assert f"warning: {files[0]} holds 2 people; taken: 1, the largest in the picture" in str(summary)
    np.testing.assert_allclose(summary.world.positions, exact, atol=1e-3)


@pytest.mark.parametrize(
    ("options", "said", "code"),
    [
        (["--focal", "1000"], "--focal: is for one camera; with --calibration", 2),
        (["--fov", "60", "--smooth", "--no-flip"], "--fov, --no-flip: is for one camera", 2),
        (["--image-size", "1000x1000"], "--image-size: is for one camera", 2),
        (["--person", "all"], "--person all: is for one camera", 2),
        (["--truth", "pose.npz"], "--truth: is for one camera", 2),
        (["--no-flip"], "--no-flip: is for one camera", 2),
        (["--axes", "camera"], "--axes camera: there are several", 2),
        (["--axes", "world", "--write", "bvh"], "--axes world: BVH is y up", 2),
        (["--axes", "maya"], "unknown axes 'maya'", 2),
        (["--write", "fbx"], "csv, bvh, trc, c3d", 2),
        (["--up", "w"], "--up w: expected the world's axis that points up: x, y, z, -x, -y, -z", 2),
        (["--checkpoint", "nowhere"], "nowhere", 1),
    ],
)
def test_options_without_a_meaning_are_refused_before_anything_is_written(tmp_path, files, options, said, code, capsys):
    given = ["--calibration", tmp_path / "Calib.json", "--out", tmp_path / "out", *options]
    assert run(*files, *given) == code
    told = re.sub(r"[\s│]+", " ", capsys.readouterr().err)
    assert said in told and not (tmp_path / "out").exists()


def test_several_files_need_a_calibration(tmp_path, files, capsys):
    assert run(*files, "--out", tmp_path / "out") == 2
    assert "4 files: of several cameras? Then give --calibration" in re.sub(r"[\s│]+", " ", capsys.readouterr().err)
    assert run(files[0], "--up", "z", "--out", tmp_path / "out") == 2
    assert run(files[0], "--calibration", tmp_path / "Calib.json", "--out", tmp_path / "out") == 1
    assert "need a file each, at least two" in capsys.readouterr().err


def test_files_that_do_not_go_together_leave_nothing_behind(tmp_path, capsys):
    px, seen = walk.film(walk.dance())
    filmed = walk.views(px, seen)
    third, both = filmed[NAMES[2]], "dance_54138969.npz and .*dance_58860488.npz"
    for changed, said in (
        ({"xy": third.xy[:50], "confidence": third.confidence[:50]}, f"{both}: 90 and 50 frames"),
        ({"fps": 25}, f"{both}: 30 and 25 frames per second"),
        ({"xy": np.roll(third.xy, 8, 0)}, r"dance_58860488.npz .* and .*dance_\d+.npz .* look unsynchronised"),
    ):
        files = walk.write(tmp_path, {**filmed, NAMES[2]: dataclasses.replace(third, **changed)})
        assert run(*files, "--calibration", tmp_path / "Calib.json", "--out", tmp_path / "out") == 1
        assert re.search(said, capsys.readouterr().err) and not (tmp_path / "out").exists()


def test_outputs_are_all_written_or_none(tmp_path, files, monkeypatch):
    def fail(*args, **kwargs):
        raise OSError(28, "No space left on device")

    out = tmp_path / "out"
    lift(files, out, tmp_path / "Calib.json")
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    with pytest.raises(OutputExistsError, match=r"pose\.npz.*pose\.json"):
        lift(files, out, tmp_path / "Calib.json")
    with pytest.raises(ValueError, match="pose.npz: .*out="):
        files[0].rename(tmp_path / "pose.npz")
        given = [f"{NAMES[0]}={tmp_path / 'pose.npz'}", *files[1:]]
        lift(given, tmp_path, tmp_path / "Calib.json", force=True)
    monkeypatch.setattr("skelgraph.viz.page.write_page", fail)
    files[0] = (tmp_path / "pose.npz").rename(files[0])
    with pytest.raises(OSError, match="No space left"):
        lift(files[1:], out, tmp_path / "Calib.json", force=True, smooth=True)
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before


def test_a_world_that_is_up_another_way_gives_the_same_files(tmp_path, exact):
    turn = torch.from_numpy(y_down("z"))  # the world's -y becomes up
    rig = {name: camera.in_turned_world(turn) for name, camera in walk.RIG.items()}
    files = walk.write(tmp_path, walk.views(*walk.film(exact)), rig)
    summary = lift(files, tmp_path / "out", tmp_path / "Calib.json", write=["csv", "trc"])
    assert summary.world.up == "-y"
    again = csv_table.read(tmp_path / "out" / "pose.csv", COCO, axes="camera")
    np.testing.assert_allclose(again.joints, exact @ turn.mT, atol=1e-3)
    x, y, z = exact.numpy().transpose(2, 0, 1)
    written = trc.read(tmp_path / "out" / "pose.trc", COCO, axes="camera").joints
    np.testing.assert_allclose(written, np.stack([-y, z, -x], -1), atol=1e-3)


def test_the_real_walk_is_lifted(tmp_path, data_dir, capsys):
    rig, filmed = walk.pose2sim(data_dir)
    files = walk.write(tmp_path, filmed, rig)
    assert run(*files, "--calibration", tmp_path / "Calib.json", "--out", tmp_path / "out", "--write", "trc") == 0
    assert "z up (by the cameras" in capsys.readouterr().out
    world = Pose3D.load(tmp_path / "out" / "pose.npz")
    assert world.skeleton == BLAZEPOSE and world.missing.mean() < 0.01 and np.nanmedian(world.error_px) < 13
    ankles, nose = world.positions[:, [27, 28], 2], world.positions[:, 0, 2]
    assert 0 < np.median(ankles) < 0.25 and 1.3 < np.median(nose) < 1.7
    walked = np.linalg.norm(np.diff(world.positions[[5, 95]][:, [23, 24]].mean(1), axis=0))
    assert 0.5 < walked < 1
