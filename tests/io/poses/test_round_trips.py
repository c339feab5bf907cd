"""What is read back from files: poses of random skeletons, and where the axes point."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from standing import standing

from skelgraph import Skeleton
from skelgraph.geometry import axes
from skelgraph.io import poses
from skelgraph.io.motions import read_motion
from skelgraph.io.poses.formats import c3d, csv_table, trc
from skelgraph.poses.pose3d import Pose3D


@st.composite
def moving(draw) -> Pose3D:
    """1 to 9 joints in a tree of any shape and order, up to 20 m apart."""
    count = draw(st.integers(1, 9))
    order = draw(st.permutations(range(count)))
    parents = [-1] * count
    for i in range(1, count):
        parents[order[i]] = order[draw(st.integers(0, i - 1))]
    random = np.random.default_rng(draw(st.integers(0, 999)))
    joints = random.uniform(-1, 1, (draw(st.integers(1, 5)), count, 3)) * draw(st.sampled_from([0.001, 1, 10]))
    fps = draw(st.sampled_from([0.5, 23.976, 30, 59.94, 240]))
    return Pose3D(joints, Skeleton("any", [f"j{i}" for i in range(count)], parents), fps)


def read_back(path, pose: Pose3D, preset: str) -> Pose3D:
    reader = {".csv": csv_table, ".trc": trc, ".c3d": c3d}[path.suffix]
    return reader.read(path, pose.skeleton, axes=preset)


# Up to 10 m: six decimals of a metre in trc, float32 mm in c3d. npz, csv and bvh have such a test of their own.
@pytest.mark.parametrize("ending", ["trc", "c3d"])
@settings(max_examples=30, deadline=None)
@given(pose=moving(), preset=st.sampled_from(list(axes.PRESETS)))
def test_a_pose_is_read_back_to_a_micrometre(tmp_path_factory, ending, pose, preset):
    if ending == "c3d":
        pytest.importorskip("ezc3d", reason="the extra c3d is not installed")
    path = tmp_path_factory.mktemp("pose") / f"pose.{ending}"
    poses.write(pose, path, axes=preset)
    back = read_back(path, pose, preset)
    np.testing.assert_allclose(back.joints, pose.joints, rtol=0, atol=1.5e-6)
    assert back.skeleton == pose.skeleton and back.fps == pytest.approx(pose.fps, rel=1e-4)


UP_AND_LEFT = {  # of somebody who looks into the camera, in the axes of each program
    "camera": ((0, -1, 0), (1, 0, 0)),
    "blender": ((0, 0, 1), (1, 0, 0)),
    "unity": ((0, 1, 0), (-1, 0, 0)),
    "opensim": ((0, 1, 0), (0, 0, -1)),
    "y_up": ((0, 1, 0), (1, 0, 0)),
}


@pytest.mark.parametrize("preset", list(axes.PRESETS))
@pytest.mark.parametrize("ending", ["csv", "trc", "c3d", "bvh"])
def test_in_every_file_the_head_is_above_the_feet_and_the_left_hand_on_the_left(tmp_path, ending, preset):
    if ending == "c3d":
        pytest.importorskip("ezc3d", reason="the extra c3d is not installed")
    path, pose = tmp_path / f"pose.{ending}", standing()
    poses.write(pose, path, axes=preset)
    if ending == "bvh":
        motion = read_motion(path)
        numbers = {name: motion.positions[:, i] for i, name in enumerate(motion.names)}
        preset = "y_up" if preset in ("blender", "unity") else preset  # their importers turn it
    else:
        numbers = dict(zip(pose.skeleton.joints, read_back(path, pose, "camera").joints.swapaxes(0, 1), strict=True))
    up, left = np.array(UP_AND_LEFT[preset])
    assert ((numbers["head"] - numbers["left_ankle"]) @ up > 1.5).all()
    for joint in ("wrist", "hip", "ankle"):
        assert ((numbers[f"left_{joint}"] - numbers[f"right_{joint}"]) @ left > 0.1).all()
