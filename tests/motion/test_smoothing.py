import dataclasses
import math

import numpy as np
import pytest
from standing import standing

from skelgraph.motion import smoothing
from skelgraph.motion.smoothing import one_euro, smooth


def by_hand(x: np.ndarray, fps: float, min_cutoff: float, beta: float) -> np.ndarray:
    """Casiez et al. 2012, algorithm 1, for one joint, in plain Python."""

    def alpha(cutoff):
        tau = 1 / (2 * math.pi * cutoff)
        return 1 / (1 + tau * fps)

    result, speed = [x[0]], np.zeros(3)
    for now in x[1:]:
        speed = alpha(1.0) * (now - result[-1]) * fps + (1 - alpha(1.0)) * speed
        a = alpha(min_cutoff + beta * math.sqrt(float(speed @ speed)))
        result.append(a * now + (1 - a) * result[-1])
    return np.array(result)


def test_it_is_the_papers_filter():
    x = np.random.default_rng(0).normal(size=(20, 4, 3)).cumsum(0)
    result = one_euro(x, 25, min_cutoff=0.7, beta=2)
    for joint in range(4):
        np.testing.assert_allclose(result.joints[:, joint], by_hand(x[:, joint], 25, 0.7, 2))
    moved = 1000 * np.linalg.norm(result.joints - x, axis=-1)
    assert (result.mean_mm, result.max_mm) == pytest.approx((moved.mean(), moved.max()))
    assert f"{moved.mean():.1f} mm in the mean" in str(result)


def test_jitter_at_rest_goes_and_still_joints_stay():
    rng = np.random.default_rng(0)
    noisy = np.ones((200, 5, 3)) + rng.normal(0, 0.005, (200, 5, 3))
    result = one_euro(noisy, 30).joints
    assert np.diff(result[50:], axis=0).std() < 0.3 * np.diff(noisy, axis=0).std()
    assert one_euro(np.ones((9, 5, 3)), 30)[1:] == (0, 0)


def test_turning_the_axes_changes_nothing():
    x = np.random.default_rng(1).normal(size=(15, 3, 3))
    turn, _ = np.linalg.qr(np.random.default_rng(2).normal(size=(3, 3)))
    np.testing.assert_allclose(one_euro(x @ turn, 30).joints, one_euro(x, 30).joints @ turn, atol=1e-12)


def test_missing_joints_are_left_alone_and_not_looked_at():
    rng = np.random.default_rng(0)
    x, missing = rng.normal(size=(12, 3, 3)), np.zeros((12, 3), bool)
    missing[[0, 4, 5], 1], missing[:, 2] = True, True
    result = one_euro(x, 30, missing=missing)
    np.testing.assert_array_equal(result.joints[missing], x[missing])
    other = x.copy()
    other[missing] = 1e3
    np.testing.assert_array_equal(one_euro(other, 30, missing=missing).joints[~missing], result.joints[~missing])
    np.testing.assert_array_equal(result.joints[:, 0], one_euro(x[:, :1], 30).joints[:, 0])
    np.testing.assert_array_equal(result.joints[1, 1], x[1, 1])  # the first that is seen


def test_a_gap_counts_as_the_time_it_lasts():
    x = np.random.default_rng(0).normal(size=(9, 1, 3))
    missing = np.arange(9)[:, None] % 3 != 0
    result = one_euro(x, 30, missing=missing).joints[::3]
    np.testing.assert_allclose(result, one_euro(x[::3], 10).joints)


def test_a_pose_is_smoothed_and_says_by_how_much():
    pose = dataclasses.replace(standing(frames=30), missing=np.zeros((30, 17), bool))
    smoothed, told = smooth(pose)
    assert (smoothed.skeleton, smoothed.fps) == (pose.skeleton, 30) and 0 < told.mean_mm < told.max_mm < 40
    np.testing.assert_allclose(smoothed.joints, told.joints, atol=1e-6)
    assert smooth(standing(frames=0))[1].mean_mm == 0
    with pytest.raises(ValueError, match="needs frames per second"):
        smooth(standing(fps=None))


@pytest.mark.parametrize(
    "options", [{"fps": 0}, {"min_cutoff": 0}, {"beta": -1}, {"derivative_cutoff": math.nan}, {"missing": [True]}]
)
def test_what_does_not_fit_is_refused(options):
    with pytest.raises(ValueError, match=next(iter(options))):
        smoothing.one_euro(np.zeros((2, 3, 3)), **{"fps": 30, **options})
    with pytest.raises(ValueError, match="expected finite"):
        smoothing.one_euro(np.full((2, 3, 3), np.nan), 30)
