"""Poses in the world of a calibration."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch
import walk

from skelgraph.errors import FormatError
from skelgraph.files import npz
from skelgraph.geometry.axes import LEVEL, level_view, y_down
from skelgraph.io import poses
from skelgraph.io.poses.formats import csv_table
from skelgraph.poses.pose3d import Pose3D
from skelgraph.skeleton.builtin import COCO

CAMERA = next(iter(walk.RIG.values()))
OLD = Path(__file__).parent / "old_poses" / "world.npz"


def standing(up: str = "z", camera=CAMERA) -> Pose3D:
    """Somebody who dances in a world whose ``up`` points up."""
    positions = walk.dance(frames=12).numpy() @ y_down("z").T @ y_down(up)
    missing = np.zeros((12, 17), bool)
    missing[3, 4] = True
    return Pose3D.in_world(
        *(positions, COCO, up, level_view(camera.R.numpy(), up)),
        fps=30,
        missing=missing,
        cameras=("a", "b"),
        error_px=np.full((2, 12, 17), np.nan),
    )


def test_joints_are_relative_to_the_origin_and_the_root_says_where_that_is():
    pose = standing()
    np.testing.assert_allclose(pose.positions, walk.dance(frames=12), atol=1e-12)
    np.testing.assert_allclose(pose.joints[:, list(COCO.origin)].mean(1), 0, atol=1e-12)
    assert (pose.axes, pose.up, pose.is_in_world, pose.joints.dtype) == ("world, z up", "z", True, np.float64)
    moved = pose.at(pose.positions + [1, 2, 3])
    np.testing.assert_allclose(moved.root, pose.root + [1, 2, 3], atol=1e-12)


def test_it_is_read_back_as_it_was_written(tmp_path):
    pose = standing()
    pose.save(tmp_path / "pose.npz")
    again = Pose3D.load(tmp_path / "pose.npz")
    np.testing.assert_allclose(again.positions, pose.positions, rtol=0, atol=1e-12)
    for name in ("missing", "error_px", "view"):
        np.testing.assert_array_equal(getattr(again, name), getattr(pose, name))
    assert (again.skeleton, again.up, again.fps, again.cameras) == (COCO, "z", 30, ("a", "b"))
    arrays = npz.read(tmp_path / "pose.npz")
    assert set(arrays) == {"joints", "missing", "world", "error_px", "description"}
    np.testing.assert_array_equal(arrays["joints"], pose.as_seen().joints)
    assert arrays["joints"].dtype == np.float32 and arrays["world"].dtype == np.float64


def test_nothing_but_whole_files_is_ever_at_the_name(tmp_path, monkeypatch):
    """Each of the two files is written once, whole."""
    written = []
    monkeypatch.setattr("skelgraph.files.atomic.write", lambda path, content: written.append(path.name))
    standing().save(tmp_path / "pose.npz")
    assert written == ["pose.json", "pose.npz"] and not list(tmp_path.iterdir())


def test_files_of_the_old_class_are_read():
    """See old_poses/make.py."""
    arrays, pose = npz.read(OLD), Pose3D.load(OLD)
    np.testing.assert_allclose(pose.positions, arrays["world"], rtol=0, atol=1e-12)
    np.testing.assert_allclose(pose.as_seen().joints, arrays["joints"], atol=1e-6)
    np.testing.assert_array_equal(pose.missing, arrays["missing"])
    np.testing.assert_array_equal(pose.error_px, arrays["error_px"])
    assert (pose.up, pose.fps, pose.cameras, pose.skeleton) == ("z", 25, ("left", "right"), COCO)


@pytest.mark.parametrize("up", LEVEL)
def test_up_is_up_for_every_camera(up):
    turn = torch.from_numpy(y_down(up).T @ y_down("z"))  # from z up to this world
    pose = standing(up, CAMERA.in_turned_world(turn))
    np.testing.assert_allclose(pose.as_seen().joints, standing().as_seen().joints, atol=1e-6)
    for nod in (-1.0, 1.0):  # cameras that look straight down and up
        tilt = torch.tensor([[1, 0, 0], [0, 0, nod], [0, -nod, 0]], dtype=torch.float64)
        joints = standing(up, CAMERA.turned(tilt @ torch.from_numpy(y_down(up)) @ CAMERA.R.mT)).as_seen().joints
        assert (joints[:, 0, 1] < joints[:, 15, 1]).all()  # the nose above the ankle, y down


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"axes": "world, w up"}, "'world, w up'"),
        ({"root": None}, "root"),
        ({"view": None}, "view"),
        ({"root": np.zeros((3, 3))}, r"root is \[3, 3\]; expected finite \[12, 3\]"),
        ({"error_px": np.zeros((3, 12, 17))}, r"error_px is \[3, 12, 17\]; expected \[2, 12, 17\]"),
    ],
)
def test_what_does_not_fit_is_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(standing(), **changes)
    with pytest.raises(ValueError, match="up='w'"):
        Pose3D.in_world(np.zeros((1, 17, 3)), COCO, "w", np.eye(3))


def test_a_world_that_does_not_fit_is_named(tmp_path):
    standing().save(tmp_path / "pose.npz")
    arrays = npz.read(tmp_path / "pose.npz")
    np.savez(tmp_path / "pose.npz", **{**arrays, "world": arrays["world"][:3]})
    with pytest.raises(FormatError, match=r"pose.npz: .*world \[12, 17, 3\]"):
        Pose3D.load(tmp_path / "pose.npz")


def test_a_root_of_one_camera_is_stored(tmp_path):
    pose = dataclasses.replace(standing().as_seen(), root=np.arange(36.0).reshape(12, 3))
    pose.save(tmp_path / "pose.npz")
    np.testing.assert_array_equal(Pose3D.load(tmp_path / "pose.npz").root, pose.root)
    assert pose.as_seen().root is None and not pose.is_in_world


def test_it_is_written_in_the_axes_of_the_world_or_with_its_up_up(tmp_path):
    pose = standing("x")
    poses.write(pose, tmp_path / "world.csv")
    again = csv_table.read(tmp_path / "world.csv", COCO)
    np.testing.assert_allclose(again.joints, pose.positions, atol=1e-6)
    poses.write(pose, tmp_path / "blender.csv", axes="blender")
    up = csv_table.read(tmp_path / "blender.csv", COCO).joints
    np.testing.assert_allclose(up[..., 2], pose.positions[..., 0], atol=1e-6)  # Blender's z is up, here x
    with pytest.raises(ValueError, match="several cameras"):
        poses.write(pose, tmp_path / "camera.csv", axes="camera")
