import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation
from standing import standing

from skelgraph import Skeleton
from skelgraph.geometry import axes
from skelgraph.io.motions import Motion, read_motion
from skelgraph.io.poses import bvh_skeleton
from skelgraph.io.poses.formats import bvh
from skelgraph.poses.pose3d import Pose3D
from skelgraph.skeleton import builtin
from skelgraph.skeleton.builtin import BLAZEPOSE, COCO, COCO_WHOLEBODY, HUMAN36M, OPENPOSE_BODY25

PEOPLE = [HUMAN36M, COCO, COCO_WHOLEBODY, BLAZEPOSE, OPENPOSE_BODY25, builtin.MPI_INF_3DHP]
each_person = pytest.mark.parametrize("skeleton", PEOPLE, ids=lambda skeleton: skeleton.name)


@st.composite
def trees(draw) -> Skeleton:
    """Random trees in random joint order."""
    count = draw(st.integers(1, 9))
    order = draw(st.permutations(range(count)))
    parents = [-1] * count
    for i in range(1, count):
        parents[order[i]] = order[draw(st.integers(0, i - 1))]
    return Skeleton("tree", [f"j{i}" for i in range(count)], parents)


def rigid(skeleton: Skeleton, frames: int, rng: np.random.Generator) -> np.ndarray:
    """Places [F, J, 3] of fixed bones under random rotations, by scipy's; some bones have no length."""
    offsets = rng.normal(0, 0.3, (skeleton.num_joints, 3)) * (rng.random((skeleton.num_joints, 1)) < 0.9)
    places = np.zeros((frames, skeleton.num_joints, 3))
    for frame in range(frames):
        turns = {}
        for joint in sorted(range(skeleton.num_joints), key=lambda i: skeleton.depth[i]):
            parent = skeleton.parents[joint]
            turns[joint] = Rotation.random(random_state=rng)
            start = rng.normal(size=3) if parent < 0 else places[frame, parent] + turns[parent].apply(offsets[joint])
            places[frame, joint] = start
    return places


def by_name(motion: Motion) -> dict[str, np.ndarray]:
    return {name: motion.positions[:, i] for i, name in enumerate(motion.names)}


@settings(max_examples=60, deadline=None)
@given(trees(), st.integers(1, 4), st.integers(0, 999), st.sampled_from(["y_up", "camera", "opensim", "unity"]))
def test_fixed_bones_are_read_back_where_they_were(tmp_path_factory, skeleton, frames, seed, preset):
    path = tmp_path_factory.mktemp("bvh") / "tree.bvh"
    pose = Pose3D(rigid(skeleton, frames, np.random.default_rng(seed)), skeleton, 30)
    bvh.write(pose, path, axes=preset)
    motion = read_motion(path)
    back = by_name(motion)
    expected = axes.from_camera(pose.joints, "y_up" if preset == "unity" else preset)
    for i, joint in enumerate(skeleton.joints):
        np.testing.assert_allclose(back[joint], expected[:, i], atol=1e-3)
    parents = {n: motion.names[p] if p >= 0 else None for n, p in zip(motion.names, motion.parents, strict=True)}
    above = [skeleton.joints[p] if p >= 0 else None for p in skeleton.parents]
    assert parents == dict(zip(skeleton.joints, above, strict=True))
    assert motion.fps == pytest.approx(30)


@settings(max_examples=40, deadline=None)
@given(trees(), st.integers(1, 4), st.integers(0, 999), st.sampled_from(["m", "cm"]))
def test_any_poses_are_read_back_where_the_fitted_bones_were(tmp_path_factory, skeleton, frames, seed, unit):
    path = tmp_path_factory.mktemp("bvh") / "tree.bvh"
    pose = Pose3D(np.random.default_rng(seed).normal(size=(frames, skeleton.num_joints, 3)), skeleton, 24)
    bvh.write(pose, path, unit=unit)
    motion = read_motion(path)
    seen = axes.from_camera(pose.joints, "y_up")
    fitted = bvh_skeleton.fit(skeleton, seen, "y_up")
    back = motion.positions / (100 if unit == "cm" else 1)
    np.testing.assert_allclose(back, fitted.positions(), atol=1e-3)
    places = by_name(motion._replace(positions=back))
    for parent, child in skeleton.bones:
        bone = seen[:, child] - seen[:, parent]
        found = places[skeleton.joints[child]] - places[skeleton.joints[parent]]
        length = np.median(np.linalg.norm(bone, axis=-1))
        np.testing.assert_allclose(np.linalg.norm(found, axis=-1), length, atol=1e-4)
        if skeleton.parents.count(parent) == 1:  # an only child: its bone points where it was seen to
            expected = bone / np.linalg.norm(bone, axis=-1, keepdims=True) * length
            np.testing.assert_allclose(found, expected, atol=1e-3)


@each_person
def test_people_become_a_rig_rooted_at_the_hips(tmp_path, skeleton):
    pose = standing(skeleton, sway=0)
    bvh.write(pose, tmp_path / "pose.bvh")
    motion = read_motion(tmp_path / "pose.bvh")
    assert motion.names[0] == "hip" and motion.parents.count(-1) == 1 and len(set(motion.names)) == len(motion.names)
    assert not any("face" in name for name in motion.names)
    back, parents = by_name(motion), dict(zip(motion.names, motion.parents, strict=True))
    for side in ("left", "right"):
        assert motion.names[parents[f"{side}_hip"]] == "hip"
        assert motion.names[parents[f"{side}_shoulder"]] == f"{side}_collar"
    seen = axes.from_camera(pose.joints, "y_up")
    for name in set(skeleton.joints) & set(back):
        np.testing.assert_allclose(back[name], seen[:, skeleton.index(name)], atol=1e-3)
    hips = seen[:, [skeleton.index("left_hip"), skeleton.index("right_hip")]].mean(1)
    np.testing.assert_allclose(
        back["hip"], seen[:, skeleton.index("hip")] if "hip" in skeleton.joints else hips, atol=1e-5
    )


def test_of_a_whole_body_the_face_is_left_out_and_hands_and_feet_stay(tmp_path):
    bvh.write(standing(COCO_WHOLEBODY), tmp_path / "pose.bvh")
    names = read_motion(tmp_path / "pose.bvh").names
    real = set(names) & set(COCO_WHOLEBODY.joints)
    assert real == {joint for joint in COCO_WHOLEBODY.joints if "face" not in joint} and len(real) == 65
    assert set(names) - real == {"hip", "thorax", "lower_back", "neck_base", "left_collar", "right_collar"}


@each_person
@pytest.mark.parametrize("preset", ["y_up", "blender", "camera"])
def test_people_rest_in_a_t(skeleton, preset):
    used = "y_up" if preset == "blender" else preset
    joints = axes.from_camera(standing(skeleton).joints, used)
    fitted = bvh_skeleton.fit(skeleton, joints, used)
    still = dataclasses.replace(
        fitted, rotations=np.broadcast_to(np.eye(3), fitted.rotations.shape), root=0 * fitted.root
    )
    rest = dict(zip(fitted.tree.names, axes.convert(still.positions()[0], used, "y_up"), strict=True))
    for side, sign in (("left", 1), ("right", -1)):
        arm, leg = rest[f"{side}_wrist"] - rest[f"{side}_shoulder"], rest[f"{side}_ankle"] - rest[f"{side}_hip"]
        np.testing.assert_allclose(arm / np.linalg.norm(arm), (sign, 0, 0), atol=1e-6)
        np.testing.assert_allclose(leg / np.linalg.norm(leg), (0, -1, 0), atol=1e-6)
        assert sign * rest[f"{side}_hip"][0] > 0.05
    trunk = rest[f"{side}_shoulder"] - rest["hip"]
    assert trunk[1] > 0.4 and abs(trunk[2]) < 0.1


def test_a_bent_trunk_and_raised_shoulders_move_nothing_else():
    pose = standing(frames=9, sway=0)
    joints = axes.from_camera(pose.joints, "y_up")
    arm = [HUMAN36M.index(f"left_{joint}") for joint in ("shoulder", "elbow", "wrist")]
    joints[:, arm, 1] += np.where(np.arange(9) % 2, 0.04, 0)[:, None]
    upper = [i for i, j in enumerate(HUMAN36M.joints) if not j.endswith(("hip", "knee", "ankle"))]
    for frame in range(9):
        joints[frame, upper] = Rotation.from_euler("Z", 5 * frame, degrees=True).apply(joints[frame, upper])
    fitted = bvh_skeleton.fit(HUMAN36M, joints, "y_up")
    off = [fitted.positions()[:, fitted.tree.names.index(j)] - joints[:, i] for i, j in enumerate(HUMAN36M.joints)]
    assert np.linalg.norm(off, axis=-1).max() < 0.005


def test_turning_over_and_over_makes_no_jump(tmp_path):
    turns = [Rotation.from_euler("Y", angle, degrees=True) for angle in np.linspace(0, 900, 90)]
    body = standing(frames=1, sway=0).joints[0]
    bvh.write(Pose3D(np.stack([turn.apply(body) for turn in turns]), HUMAN36M, 30), tmp_path / "pose.bvh")
    rows = (tmp_path / "pose.bvh").read_text().split("Frame Time")[1].splitlines()[1:]
    values = np.array([row.split() for row in rows], float)
    assert np.abs(np.diff(values, axis=0)).max() < 15 and np.ptp(values) > 800


def test_one_joint_ends_and_the_root(tmp_path):
    pose = Pose3D(np.zeros((2, 1, 3)), Skeleton("dot", ["a"], [-1]), 10, root=np.eye(3)[:2])
    bvh.write(pose, tmp_path / "a.bvh")
    motion = read_motion(tmp_path / "a.bvh", end_sites=True)
    assert motion.names == ("a", "a_end") and motion.parents == (-1, 0) and motion.fps == 10
    np.testing.assert_allclose(motion.positions[:, 0], [[1, 0, 0], [0, -1, 0]])


def test_what_cannot_be_written_is_refused(tmp_path):
    path = tmp_path / "pose.bvh"
    for pose, options, message in (
        (dataclasses.replace(standing(), fps=None), {}, "needs frames per second"),
        (standing(frames=0), {}, "no frames"),
        (standing(), {"unit": "mm"}, "unit 'mm'"),
        (Pose3D(np.zeros((1, 2, 3)), Skeleton("two", ["a", "b"], [-1, -1]), 30), {}, "the roots a, b; a BVH needs one"),
    ):
        with pytest.raises(ValueError, match=message):
            bvh.write(pose, path, **options)
    assert not list(tmp_path.iterdir())
    with pytest.raises(ValueError, match="ends in .bvh"):
        bvh.write(standing(), tmp_path / "pose.txt")
