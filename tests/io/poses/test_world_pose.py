"""A person in the world of a calibration."""

import dataclasses

import numpy as np
import pytest
import torch
import walk

from skelgraph.geometry.axes import LEVEL, z_up
from skelgraph.geometry.cameras import Camera
from skelgraph.io.poses.world_pose import WorldPose, up_axis
from skelgraph.poses.pose3d import Pose3D
from skelgraph.skeleton.builtin import COCO

CAMERA = next(iter(walk.RIG.values()))


def standing(up: str = "z") -> WorldPose:
    """Somebody who dances in a world whose ``up`` points up."""
    joints = walk.dance(frames=12).numpy() @ np.array(LEVEL["z"]).T @ np.array(LEVEL[up])
    missing = np.zeros((12, 17), bool)
    missing[3, 4] = True
    return WorldPose(joints, COCO, up, 30, missing, ("a", "b"), np.full((2, 12, 17), np.nan, np.float32))


def test_it_is_read_back_as_it_was_written(tmp_path):
    world = standing()
    world.save(tmp_path / "pose.npz", CAMERA)
    again = WorldPose.load(tmp_path / "pose.npz")
    for name in ("joints", "missing", "error_px"):
        np.testing.assert_array_equal(getattr(again, name), getattr(world, name))
    assert (again.skeleton, again.up, again.fps, again.cameras) == (COCO, "z", 30, ("a", "b"))
    pose = Pose3D.load(tmp_path / "pose.npz")
    np.testing.assert_array_equal(pose.joints, world.seen_by(CAMERA).joints)
    np.testing.assert_array_equal(pose.missing, world.missing)
    with pytest.raises(ValueError, match="up is 'w'; expected one of x, y, z, -x, -y, -z"):
        dataclasses.replace(world, up="w")


@pytest.mark.parametrize("up", LEVEL)
def test_up_is_up_before_every_camera(up):
    world = standing(up)
    turn = torch.from_numpy(np.array(LEVEL[up], dtype=float).T @ np.array(LEVEL["z"]))  # from z up to this world
    camera = CAMERA.in_turned_world(turn)
    np.testing.assert_allclose(world.seen_by(camera).joints, standing().seen_by(CAMERA).joints, atol=1e-6)
    for nod in (-1.0, 1.0):  # cameras that look straight down and up
        tilt = torch.tensor([[1, 0, 0], [0, 0, nod], [0, -nod, 0]], dtype=torch.float64)
        level = CAMERA.turned(tilt @ torch.tensor(LEVEL[up], dtype=torch.float64) @ CAMERA.R.mT)
        joints = world.seen_by(level).joints
        assert (joints[:, 0, 1] < joints[:, 15, 1]).all()  # the nose above the ankle, y down


def test_which_way_is_up_is_told_by_the_cameras():
    rig = Camera.stack(list(walk.RIG.values()))
    assert up_axis(rig)[0] == "z"
    for axis, rows in LEVEL.items():
        turn = torch.tensor(LEVEL[axis], dtype=torch.float64).mT @ torch.tensor(LEVEL["z"], dtype=torch.float64)
        assert np.linalg.det(rows) == pytest.approx(1)
        assert up_axis(rig.in_turned_world(turn))[0] == axis
    lying = rig.turned(torch.tensor([[0.0, 1, 0], [-1, 0, 0], [0, 0, 1]]))
    with pytest.raises(ValueError, match="the cameras do not tell which way is up: .* say it with --up: x, y, z"):
        up_axis(lying)


def test_a_pose_of_one_camera_is_no_world(tmp_path):
    Pose3D(walk.dance().numpy(), COCO).save(tmp_path / "pose.npz")
    with pytest.raises(ValueError, match="pose.npz: a pose relative to its origin, not in a world"):
        WorldPose.load(tmp_path / "pose.npz")


@pytest.mark.parametrize("up", list(LEVEL))
def test_models_get_a_world_with_z_up(up):
    turn = torch.from_numpy(z_up(up))
    axis = torch.zeros(3, dtype=torch.float64)
    axis["xyz".index(up[-1])] = -1 if up.startswith("-") else 1
    assert torch.allclose(turn @ axis, torch.tensor([0, 0, 1], dtype=torch.float64))
    assert torch.linalg.det(turn) == pytest.approx(1)
