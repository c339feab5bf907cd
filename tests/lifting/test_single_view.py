"""Lifting files."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
from lifting import SIZE, part_lifter, person, save_run

import skelgraph
from skelgraph import Skeleton
from skelgraph.errors import OutputExistsError, SuspiciousInputError
from skelgraph.io import keypoints
from skelgraph.io.keypoints.formats import coco
from skelgraph.io.keypoints.formats import npz as keypoints_npz
from skelgraph.io.poses.formats import csv_table, trc
from skelgraph.lifting.lift import lift
from skelgraph.poses import tracking
from skelgraph.poses.pose3d import Pose3D
from skelgraph.skeleton.builtin import COCO, COCO_WHOLEBODY, HUMAN36M

OUTPUTS = ["pose.html", "pose.json", "pose.npz", "pose.png"]


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("run")
    save_run(folder / "last.safetensors", HUMAN36M, "SimpleBaseline", hidden_channels=16)
    return folder


@pytest.fixture
def clip(tmp_path) -> Path:
    path = tmp_path / "clip.npz"
    keypoints = person(COCO)
    keypoints.confidence[1, 3] = 0
    keypoints.confidence[4] = 0
    keypoints_npz.write(path, keypoints)
    return path


def test_lift_writes_numbers_a_picture_and_a_page(run, clip, tmp_path, pictures):
    before = clip.read_bytes()
    summary = lift(clip, tmp_path / "new" / "out", checkpoint=run)
    out = tmp_path / "new" / "out"
    assert sorted(p.name for p in out.iterdir()) == OUTPUTS and clip.read_bytes() == before
    pose = Pose3D.load(out / "pose.npz")
    assert pose.skeleton == HUMAN36M and pose.fps == 25 and pose.missing[4].all()
    np.testing.assert_array_equal(pose.joints, skelgraph.load(run)(keypoints.read(clip)).joints)
    (lifted,) = summary.people
    assert (summary.frames, summary.format, lifted.frames_empty, summary.mpjpe_mm) == (7, "npz", 1, None)
    assert lifted.points_missing == 17  # left_ear of frame 1 is not among HUMAN36M's
    assert set(summary.outputs) == {out / name for name in OUTPUTS} and (out / "pose.png").stat().st_size > 5000
    text = str(summary)
    for words in (
        "clip.npz (npz): 7 frames of 17 joints",
        "averaged: hip (left_hip + right_hip)",
        "frames without any: 1",
    ):
        assert words in text


def test_lift_compares_with_the_truth(run, clip, tmp_path):
    lift(clip, tmp_path / "a", checkpoint=run)
    truth = Pose3D.load(tmp_path / "a" / "pose.npz")
    shifted = truth.joints + np.float32([5, 0, 0])  # another origin is no error
    shifted[:, 16, 1] += 0.17
    order = [16, *range(16)]
    joints = [HUMAN36M.joints[i] for i in order]
    other = Skeleton("other", joints, [-1] * 17)
    Pose3D(shifted[:, order], other).save(tmp_path / "truth.npz")
    summary = lift(clip, tmp_path / "b", checkpoint=run, truth=tmp_path / "truth.npz")
    assert summary.mpjpe_mm == pytest.approx(10, abs=0.01) and "10.0 mm" in str(summary)
    with pytest.raises(ValueError, match="truth.npz: .*6, 17, 3"):
        Pose3D(shifted[:6, order], other).save(tmp_path / "truth.npz")
        lift(clip, tmp_path / "c", checkpoint=run, truth=tmp_path / "truth.npz")
    with pytest.raises(ValueError, match="truth.npz: .*left_wrist, right_shoulder, right_elbow"):
        Pose3D(np.zeros((7, 13, 3)), HUMAN36M.subset(range(13))).save(tmp_path / "truth.npz")
        lift(clip, tmp_path / "c", checkpoint=run, truth=tmp_path / "truth.npz")
    assert not (tmp_path / "c").exists()


def test_an_output_is_not_overwritten_without_force(run, clip, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    (out / "pose.html").write_text("mine")
    (out / "notes.txt").write_text("mine")
    with pytest.raises(OutputExistsError, match=r"pose\.html"):
        lift(clip, out, checkpoint=run)
    assert (out / "pose.html").read_text() == "mine" and len(list(out.iterdir())) == 2
    lift(clip, out, checkpoint=run, force=True)
    assert sorted(p.name for p in out.iterdir()) == ["notes.txt", *OUTPUTS]


def test_the_input_is_never_written_to(run, tmp_path):
    path = tmp_path / "pose.npz"
    keypoints_npz.write(path, person())
    for force in (False, True):
        with pytest.raises(ValueError, match="pose.npz: .*out="):
            lift(path, tmp_path, checkpoint=run, force=force)
    folder = tmp_path / "frames"
    folder.mkdir()
    with pytest.raises(ValueError, match="frames: .*out="):
        lift(folder, folder, checkpoint=run)
    with pytest.raises(ValueError, match="pose.npz: is a file.*out="):
        lift(folder, path, checkpoint=run)


def test_nothing_is_left_of_a_lift_that_fails_half_way(run, clip, tmp_path, monkeypatch):
    def fail(*args, **kwargs):
        raise OSError(28, "No space left on device")

    out = tmp_path / "out"
    lift(clip, out, checkpoint=run)
    before = {p.name: p.read_bytes() for p in out.iterdir()}
    monkeypatch.setattr("skelgraph.viz.page.write_page", fail)
    with pytest.raises(OSError, match="No space left"):
        lift(clip, out, checkpoint=run, force=True, flip=False)
    assert {p.name: p.read_bytes() for p in out.iterdir()} == before


def test_a_killed_lifts_leftovers_are_swept(run, clip, tmp_path):
    (tmp_path / "out" / ".lift.tmp").mkdir(parents=True)
    (tmp_path / "out" / ".lift.tmp" / "pose.npz").write_text("half")
    lift(clip, tmp_path / "out", checkpoint=run)
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == OUTPUTS


def test_an_empty_clip_gives_an_empty_valid_file(run, tmp_path):
    keypoints_npz.write(tmp_path / "none.npz", person(frames=0))
    summary = lift(tmp_path / "none.npz", tmp_path / "out", checkpoint=run)
    assert Pose3D.load(tmp_path / "out" / "pose.npz").joints.shape == (0, 17, 3)
    assert sorted(p.name for p in summary.outputs) == ["pose.json", "pose.npz"]


def test_what_looks_wrong_is_lifted_with_force_and_told(run, tmp_path):
    upside_down = dataclasses.replace(person(), xy=[0, SIZE[1]] + person().xy * [1, -1])
    keypoints_npz.write(tmp_path / "clip.npz", upside_down)
    with pytest.raises(SuspiciousInputError, match="clip.npz: .*head.*7 of 7 frames"):
        lift(tmp_path / "clip.npz", tmp_path / "out", checkpoint=run)
    summary = lift(tmp_path / "clip.npz", tmp_path / "out", checkpoint=run, force=True)
    assert "warning: the head is below" in str(summary)


def test_a_file_name_cannot_run_as_script(run, tmp_path):
    path = tmp_path / "<img src=x onerror=alert(1)>.npz"
    keypoints_npz.write(path, person())
    lift(path, tmp_path / "out", checkpoint=run)
    html = (tmp_path / "out" / "pose.html").read_text()
    assert "<img" not in html and "onerror=alert" in html
    json.loads((tmp_path / "out" / "pose.json").read_text())


def test_further_files_are_written_in_their_axes(run, clip, tmp_path):
    summary = lift(
        clip, tmp_path / "out", checkpoint=run, write=["bvh", "csv", "trc", "c3d"], axes="blender", smooth=True
    )
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert names == {*OUTPUTS, "pose.bvh", "pose.csv", "pose.trc", "pose.c3d"}
    assert set(summary.outputs) == {tmp_path / "out" / name for name in names} and "smoothed: joints moved" in str(
        summary
    )
    pose = Pose3D.load(tmp_path / "out" / "pose.npz")
    for module, name in ((csv_table, "pose.csv"), (trc, "pose.trc")):
        again = module.read(tmp_path / "out" / name, axes="blender", skeleton=HUMAN36M)
        np.testing.assert_allclose(again.joints, pose.joints, atol=1e-5)
    plain = lift(clip, tmp_path / "plain", checkpoint=run)
    assert "smoothed" not in str(plain)
    assert not np.array_equal(Pose3D.load(tmp_path / "plain" / "pose.npz").joints, pose.joints)


def test_further_files_are_refused_before_anything_is_lifted(run, tmp_path):
    path = tmp_path / "still.npz"
    keypoints_npz.write(path, dataclasses.replace(person(), fps=None))
    out = tmp_path / "out"
    for options, said in (
        ({"write": ["fbx"]}, "fbx.*csv, bvh, trc, c3d"),
        ({"write": ["csv"], "axes": "maya"}, "maya"),
        ({"write": ["bvh"]}, "fps="),
        ({"smooth": True}, "fps="),
        ({"fps": -1.0}, "fps=-1"),
    ):
        with pytest.raises(ValueError, match=said):
            lift(path, out, checkpoint=run, **options)
    assert not out.exists()
    lift(path, out, checkpoint=run, write=["bvh"], fps=30)
    assert "Frame Time: 0.0333" in (out / "pose.bvh").read_text()


def test_a_focal_length_reaches_the_model_and_is_told(clip, tmp_path):
    run = part_lifter(tmp_path / "run.safetensors", HUMAN36M)
    unknown = lift(clip, tmp_path / "a", checkpoint=run)
    assert "focal length not known (focal= or fov=)" in str(unknown)
    focal = lift(clip, tmp_path / "b", checkpoint=run, focal=866.0254)
    assert "focal length 866 px" in str(focal)
    assert not np.allclose(focal.people[0].pose.joints, unknown.people[0].pose.joints, atol=1e-4)
    fov = lift(clip, tmp_path / "c", checkpoint=run, fov=60.0)  # of an image 1000 px wide
    np.testing.assert_allclose(fov.people[0].pose.joints, focal.people[0].pose.joints, atol=1e-5)


def test_what_is_asked_for_is_checked_before_anything_is_read(tmp_path):
    for options, said in (
        ({"focal": 1000.0, "fov": 60.0}, "focal= and fov="),
        ({"focal": 0.0}, "focal=0"),
        ({"focal": float("nan")}, "focal=nan"),
        ({"fov": 180.0}, "fov=180"),
        ({"fov": -5.0}, "fov=-5"),
        ({"trajectory": True, "write": ["bvh"]}, "trajectory=True .*focal="),
        ({"trajectory": True, "fov": 60.0}, "trajectory=True .*write='csv' or write='bvh'"),
        ({"height": 1.7}, "height= .*trajectory=True"),
        ({"person": "all", "truth": "truth.npz"}, "truth= .*person=N"),
    ):
        with pytest.raises(ValueError, match=said):
            lift(tmp_path / "none.npz", tmp_path / "out", **options)


def test_a_model_that_takes_no_focal_length_says_so(run, clip, tmp_path):
    with pytest.warns(UserWarning, match="SimpleBaseline takes no focal length"):
        summary = lift(clip, tmp_path / "out", checkpoint=run, fov=60)
    assert "focal" not in str(summary)


def test_a_person_walks_through_the_further_files(run, tmp_path):
    path = tmp_path / "clip.npz"
    keypoints_npz.write(path, person(HUMAN36M))
    with pytest.warns(UserWarning, match="no focal length"):
        summary = lift(path, tmp_path / "out", checkpoint=run, focal=1000, trajectory=True, height=1.8, write=["csv"])
    root = summary.people[0].pose.root
    assert root.shape == (7, 3) and "trajectory: an estimate, " in str(summary)
    pose = Pose3D.load(tmp_path / "out" / "pose.npz")
    moved = csv_table.read(tmp_path / "out" / "pose.csv", skeleton=HUMAN36M)
    np.testing.assert_allclose(moved.joints, pose.joints + root[:, None], atol=1e-4)
    with pytest.warns(UserWarning, match="no focal length"):
        options = {"checkpoint": run, "focal": 1000, "trajectory": True, "write": ["csv"]}
        own = lift(path, tmp_path / "own", **options).people[0].pose.joints
        smooth = lift(path, tmp_path / "smooth", smooth=True, **options).people[0].pose.root
    with pytest.warns(UserWarning, match="no focal length"):
        np.testing.assert_allclose(own, skelgraph.load(run)(keypoints.read(path), focal=1000).joints, atol=1e-6)
    assert np.abs(np.diff(smooth, axis=0)).mean() < np.abs(np.diff(root, axis=0)).mean()


def test_the_error_expected_is_written_and_told(run, clip, tmp_path):
    keypoints_npz.write(tmp_path / "whole.npz", person(COCO_WHOLEBODY))
    whole = part_lifter(tmp_path / "run.safetensors", COCO_WHOLEBODY)
    summary = lift(tmp_path / "whole.npz", tmp_path / "out", checkpoint=whole)
    error = Pose3D.load(tmp_path / "out" / "pose.npz").error_mm
    assert error.shape == (7, 133)
    expected = {"all": error.mean(), "body": error[:, :23].mean(), "face": error[:, 23:91].mean()}
    expected["hands"] = error[:, 91:].mean()
    assert summary.people[0].expected_mm == pytest.approx(expected)
    words = ", ".join(f"{part} {mm:.0f}" for part, mm in expected.items())
    assert f"expected error, mm (an estimate): {words}" in str(summary)
    assert "expected error" not in str(lift(clip, tmp_path / "plain", checkpoint=run))


def test_progress_is_told_in_frames(run, clip, tmp_path):
    told: list[tuple[int, int]] = []
    lift(clip, tmp_path / "out", checkpoint=run, progress=lambda done, total: told.append((done, total)))
    assert told == [(7, 7)]


@pytest.fixture
def crowd(tmp_path) -> Path:
    """Three people: 0 small, 1 large, 2 in one frame only and upside down."""
    people = [person(COCO, seed=seed).xy for seed in range(3)]
    people[0] = 100 + people[0] / 3
    people[2][:, :, 1] = SIZE[1] - people[2][:, :, 1]
    people[2][1:] = np.nan
    path = tmp_path / "crowd.npz"
    confidence = np.isfinite(np.stack(people, 1)).all(-1).astype(float)
    arrays = {"keypoints": np.nan_to_num(np.stack(people, 1)), "confidence": confidence, "image_size": np.array(SIZE)}
    np.savez(path, **arrays, joints=np.array(COCO.joints), fps=np.array(25))
    return path


def test_of_several_people_the_largest_is_lifted_and_that_is_told(run, crowd, tmp_path):
    summary = lift(crowd, tmp_path / "out", checkpoint=run)
    assert "people: 3, lifted: person 1, the largest in the picture; choose with person=N" in str(summary)
    one = lift(crowd, tmp_path / "one", checkpoint=run, person=1)
    np.testing.assert_array_equal(summary.people[0].pose.joints, one.people[0].pose.joints)
    assert "people:" not in str(one)


@pytest.mark.parametrize(("chosen", "lifted"), [(None, 1), (1, 1), ("all", 3)])
def test_several_people_are_read_and_followed_once(run, tmp_path, monkeypatch, chosen, lifted):
    entries = [
        {"image_id": f, "category_id": 1, "score": 1.0}
        | {"keypoints": np.c_[xy + [2000 * p, 0], np.ones(COCO.num_joints)].ravel().tolist()}
        for p in range(3)
        for f, xy in enumerate(person(COCO, seed=p).xy)
    ]
    path = tmp_path / "crowd.json"
    path.write_text(json.dumps(entries))
    calls = []
    for module, name in ((coco, "read"), (tracking, "identities")):
        original = getattr(module, name)
        monkeypatch.setattr(
            module, name, lambda *args, name=name, original=original: calls.append(name) or original(*args)
        )
    summary = lift(path, tmp_path / "out", checkpoint=run, person=chosen, image_size=(7000, 1000), force=True)
    assert calls == ["read", "identities"] and len(summary.people) == lifted


def test_everybody_is_lifted_into_one_folder_and_one_page(run, crowd, tmp_path):
    out, told = tmp_path / "out", []
    summary = lift(
        *(crowd, out),
        checkpoint=run,
        person="all",
        write=["bvh"],
        progress=lambda done, total: told.append((done, total)),
    )
    names = [f"pose_{n}.{ending}" for n in (0, 1) for ending in ("bvh", "json", "npz", "png")]
    assert sorted(path.name for path in out.iterdir()) == ["pose.html", *names]
    assert {path.name for path in summary.outputs} == {"pose.html", *names} and told == [(7, 21), (14, 21)]
    for number in (0, 1):
        one = lift(crowd, tmp_path / str(number), checkpoint=run, person=number)
        pose = Pose3D.load(out / f"pose_{number}.npz")
        np.testing.assert_array_equal(pose.joints, one.people[0].pose.joints)
    text = str(summary)
    assert "people: 3, lifted: 2" in text and "person 1: points missing: 0 of 119" in text
    assert "not lifted: person 2: " in text and "the head is below the ankles" in text
    html = (out / "pose.html").read_text()
    assert "person 0" in html and "person 1" in html
    (out / "pose.html").unlink()
    with pytest.raises(OutputExistsError, match=r"pose_0\.npz.*pose_1\.npz"):
        lift(crowd, out, checkpoint=run, person="all")


def test_if_nobody_can_be_lifted_it_is_an_error(run, crowd, tmp_path):
    with np.load(crowd) as file:
        arrays = dict(file)
    arrays["keypoints"][:, :2, :, 1] = SIZE[1] - arrays["keypoints"][:, :2, :, 1]  # person 2 is so already
    np.savez(tmp_path / "wrong.npz", **arrays)
    with pytest.raises(SuspiciousInputError, match="head.*7 of 7 frames"):
        lift(tmp_path / "wrong.npz", tmp_path / "out", checkpoint=run, person="all")
    assert not (tmp_path / "out").exists()


def test_everybody_may_be_one(run, clip, tmp_path):
    summary = lift(clip, tmp_path / "out", checkpoint=run, person="all")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "pose.html",
        *(f"pose_0.{ending}" for ending in ("json", "npz", "png")),
    ]
    assert "people:" not in str(summary)
