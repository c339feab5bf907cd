import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from standing import standing

from skelgraph.motion import trajectory
from skelgraph.motion.trajectory import body_height, estimate_root, estimate_trajectory
from skelgraph.poses.pose3d import Pose3D
from skelgraph.skeleton.builtin import BLAZEPOSE, COCO, COCO_WHOLEBODY, HAND, HUMAN36M

CENTER = (640.0, 360.0)


def project(joints: np.ndarray, root: np.ndarray, focal: float = 1000) -> np.ndarray:
    places = joints + root[:, None]
    return focal * places[..., :2] / places[..., 2:] + CENTER


def walk(frames: int) -> np.ndarray:
    return np.stack([np.linspace(-1, 1, frames), np.full(frames, 0.1), np.linspace(3, 6, frames)], axis=1)


@settings(max_examples=25)
@given(
    st.integers(0, 99),
    st.floats(300, 3000),
    st.tuples(st.floats(-3, 3), st.floats(-3, 3), st.floats(3, 20)),
    st.floats(0, 0.8),
)
def test_what_was_projected_is_found_again(seed, focal, place, dropped):
    rng = np.random.default_rng(seed)
    joints, root = rng.normal(0, 0.4, (3, 17, 3)), np.array([place] * 3)
    confidence = rng.uniform(0.1, 1, (3, 17))
    confidence[:, 2:][rng.random((3, 15)) < dropped] = 0
    keypoints = project(joints, root, focal)
    keypoints[confidence == 0] = np.nan
    np.testing.assert_allclose(estimate_root(joints, keypoints, confidence, focal, CENTER), root, atol=1e-6)


def test_confidence_weighs_and_noise_is_averaged():
    pose, root = standing(frames=50), walk(50)
    keypoints = project(pose.joints, root) + np.random.default_rng(0).normal(0, 2, (50, 17, 2))
    confidence = np.ones((50, 17))
    assert np.abs(estimate_root(pose.joints, keypoints, confidence, 1000, CENTER) - root).mean() < 0.03
    keypoints[:, 3] += 300
    off = np.abs(estimate_root(pose.joints, keypoints, confidence, 1000, CENTER) - root).mean()
    confidence[:, 3] = 1e-3
    assert np.abs(estimate_root(pose.joints, keypoints, confidence, 1000, CENTER) - root).mean() < 0.05 < off


def test_it_is_the_least_squares_solution():
    rng = np.random.default_rng(3)
    joints, keypoints, w = rng.normal(size=(1, 9, 3)), rng.uniform(0, 1000, (1, 9, 2)), rng.uniform(0, 1, (1, 9))
    joints[..., 2] += 30
    rows, right = [], []
    for (x, y, z), (u, v), weight in zip(joints[0], keypoints[0], w[0], strict=True):
        for place, pixel, middle, row in ((x, u, 640, (500, 0)), (y, v, 360, (0, 500))):
            rows.append(np.sqrt(weight) * np.array([*row, middle - pixel]))
            right.append(np.sqrt(weight) * ((pixel - middle) * z - 500 * place))
    expected = np.linalg.lstsq(np.array(rows), np.array(right), rcond=None)[0]
    np.testing.assert_allclose(estimate_root(joints, keypoints, w, 500, CENTER)[0], expected)


def test_frames_that_tell_nothing_are_told_and_interpolated():
    pose, root = standing(frames=5), walk(5)
    keypoints, confidence = project(pose.joints, root), np.ones((5, 17))
    confidence[1] = 0
    confidence[2, 1:] = 0
    keypoints[4] = CENTER  # all in one point
    found = estimate_root(pose.joints, keypoints, confidence, 1000, CENTER)
    assert np.isnan(found).all(1).tolist() == [False, True, True, False, True]
    result = estimate_trajectory(pose, keypoints, confidence, 1000, CENTER, body_height(pose))
    np.testing.assert_allclose(result.pose.root[:4], root[:4], atol=1e-5)
    np.testing.assert_allclose(result.pose.root[4], root[3], atol=1e-5)
    with pytest.raises(ValueError, match="cannot be estimated"):
        estimate_trajectory(pose, keypoints, np.zeros((5, 17)), 1000, CENTER)


def test_a_person_behind_the_camera_is_no_estimate():
    pose = standing()
    keypoints = project(pose.joints, np.array([[0, 0, -5.0]] * 4))
    assert np.isnan(estimate_root(pose.joints, keypoints, np.ones((4, 17)), 1000, CENTER)).all()


@pytest.mark.parametrize("skeleton", [HUMAN36M, COCO, COCO_WHOLEBODY, BLAZEPOSE])
def test_height_is_taken_from_the_bones_and_scales_the_path(skeleton):
    pose = standing(skeleton)
    assert body_height(pose) == pytest.approx(1.75, abs=0.1)
    root = walk(4)
    keypoints = project(pose.joints, root)
    result = estimate_trajectory(pose, keypoints, np.ones(keypoints.shape[:2]), 1000, CENTER, 2 * body_height(pose))
    assert result.scale == pytest.approx(2) and body_height(result.pose) == pytest.approx(2 * body_height(pose))
    np.testing.assert_allclose(result.pose.root, 2 * root, atol=1e-5)
    np.testing.assert_allclose(project(result.pose.joints, result.pose.root), keypoints, atol=1e-2)


def test_bent_knees_do_not_make_a_person_smaller():
    pose = standing(sway=0)
    knee, ankle = HUMAN36M.index("left_knee"), HUMAN36M.index("left_ankle")
    joints = pose.joints.copy()
    shin = np.linalg.norm(joints[:, ankle] - joints[:, knee], axis=-1)
    joints[:, ankle] = joints[:, knee]
    joints[:, ankle, 2] += shin
    assert body_height(dataclasses.replace(pose, joints=joints)) == pytest.approx(body_height(pose))


def test_what_does_not_fit_is_refused():
    joints, keypoints, w = np.zeros((2, 3, 3)), np.zeros((2, 3, 2)), np.ones((2, 3))
    for args, message in (
        ((joints, keypoints[:1], w, 1000, CENTER), r"expected \[F, J, 3\]"),
        ((joints, keypoints * np.nan, w, 1000, CENTER), "must be finite"),
        ((joints, keypoints, -w, 1000, CENTER), "confidence >= 0"),
        ((joints, keypoints, w, 0, CENTER), "focal 0"),
    ):
        with pytest.raises(ValueError, match=message):
            estimate_root(*args)
    with pytest.raises(ValueError, match="no hip"):
        body_height(Pose3D(np.zeros((1, 21, 3)), HAND))
    with pytest.raises(ValueError, match="no bones"):
        body_height(Pose3D(np.zeros((1, 17, 3)), HUMAN36M))
    with pytest.raises(ValueError, match="height is 0"):
        trajectory.estimate_trajectory(standing(), np.zeros((4, 17, 2)), np.ones((4, 17)), 1000, CENTER, 0)
