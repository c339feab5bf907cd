"""Triangulation against OpenCV, its own formulas, synthetic people before cameras, and a real recording.

`opencv_numbers.json` is what OpenCV 5.0.0 says, by this script (opencv-python-headless and numpy)::

    import json, sys
    import cv2, numpy as np

    rng = np.random.default_rng(0)
    world = rng.normal(0, [0.6, 0.6, 0.5], (6, 3)) + [0, 0, 1]
    rig, px, ideal = [], [], []
    for yaw, f in ((0.3, 1145.0), (1.9, 1149.0), (4.2, 1120.0)):
        forward = np.array([np.cos(yaw), np.sin(yaw), -0.1]) / np.sqrt(1.01)
        right = np.cross(forward, [0, 0, 1.0])
        R = np.stack([right / np.linalg.norm(right), np.cross(forward, right / np.linalg.norm(right)), forward])
        T = np.array([0, 0, 1.4]) - 5 * forward
        K = np.array([[f, 0, 512.5], [0, f - 1.5, 515.4], [0, 0, 1]])
        dist = np.array([-0.2, 0.25, -0.0014, -0.001, -0.003]) + rng.normal(0, 1e-3, 5)
        seen = cv2.projectPoints(world, cv2.Rodrigues(R)[0], -R @ T, K, dist)[0][:, 0]
        seen = seen + rng.normal(0, 4, seen.shape)  # so that the views disagree
        stop = (cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, 200, 1e-15)
        ideal.append(cv2.undistortPoints(seen[:, None], K, dist, P=K, criteria=stop)[:, 0])
        px.append(seen)
        rig.append({"K": K, "distortion": dist, "rvec": cv2.Rodrigues(R)[0][:, 0], "R": R, "T": T})
    P = [c["K"] @ np.c_[c["R"], -c["R"] @ c["T"]] for c in rig]
    projected = [cv2.projectPoints(world, c["rvec"], -c["R"] @ c["T"], c["K"], c["distortion"])[0][:, 0] for c in rig]
    points = {f"{a}{b}": cv2.triangulatePoints(P[a], P[b], ideal[a].T, ideal[b].T) for a, b in ((0, 1), (0, 2), (1, 2))}
    points = {pair: (X[:3] / X[3]).T for pair, X in points.items()}
    table = {"world": world, "cameras": rig, "projected": projected, "px": px, "undistorted": ideal, "points": points}
    json.dump(table, open(sys.argv[1], "w"), default=np.ndarray.tolist)
"""

import json
import math
import time
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from skelgraph.geometry.cameras import Camera
from skelgraph.geometry.human36m import human36m_cameras
from skelgraph.geometry.triangulation import (
    dlt,
    ransac,
    refine,
    reprojection_error,
    triangulate,
)

OPENCV = json.loads((Path(__file__).parent / "opencv_numbers.json").read_text(encoding="utf-8"))
RIG = human36m_cameras(["S1"])[0]
SIZE = (1000, 1000)
same = {"rtol": 0, "atol": 1e-6}


def numbers(value):
    return torch.tensor(value, dtype=torch.float64)


def opencv_rig():
    rig = []
    for i, values in enumerate(OPENCV["cameras"]):
        K, (k1, k2, p1, p2, k3) = values["K"], values["distortion"]
        f, c = (K[0][0], K[1][1]), (K[0][2], K[1][2])
        rig.append(Camera(values["R"], values["T"], f, c, (k1, k2, k3), (p1, p2), image_size=SIZE, names=str(i)))
    return Camera.stack(rig)


def people(frames=5, joints=7, seed=0):
    """World points in the capture space, and what the rig sees of them."""
    generator = torch.Generator().manual_seed(seed)
    points = torch.randn(frames, joints, 3, generator=generator, dtype=torch.float64) * 0.5 + numbers([0, 0, 0.9])
    return points, project(RIG, points)


def project(cameras, points):
    return cameras.project(cameras.to_camera(points[None]))


def noise(px, sigma, seed=1):
    return px + sigma * torch.randn(px.shape, generator=torch.Generator().manual_seed(seed), dtype=px.dtype)


def test_projection_and_undistortion_equal_opencvs():
    for i, camera in enumerate(opencv_rig()):
        found = camera.project(camera.to_camera(numbers(OPENCV["world"])))
        torch.testing.assert_close(found, numbers(OPENCV["projected"][i]), **same)
        torch.testing.assert_close(
            camera.undistort(numbers(OPENCV["px"][i])), numbers(OPENCV["undistorted"][i]), **same
        )


def test_pairs_of_views_that_disagree_equal_opencvs_triangulation():
    rig, px = opencv_rig(), numbers(OPENCV["px"])
    for a, b in combinations(range(3), 2):
        found = triangulate(rig[[a, b]], px[[a, b]])
        assert found.error.mean() > 1
        torch.testing.assert_close(found.points, numbers(OPENCV["points"][f"{a}{b}"]), **same)


def naive(cameras, px, weight):
    """The DLT of one point, written out, and the views' mean miss."""
    rows = []
    for camera, point, w in zip(cameras, px, weight, strict=True):
        u, v = camera.undistort(point).tolist()
        P = camera.P.numpy()
        rows += [w * (u * P[2] - P[0]), w * (v * P[2] - P[1])]
    X = np.linalg.svd(np.array(rows))[2][-1]
    point = torch.from_numpy(X[:3] / X[3])
    misses = [
        (camera.project(camera.to_camera(point)) - x).norm()
        for camera, x, w in zip(cameras, px, weight, strict=True)
        if w > 0
    ]
    return point, sum(misses) / len(misses)


def test_weighted_dlt_equals_the_formula_point_by_point():
    px = noise(people()[1], 5)
    confidence = torch.rand(px.shape[:-1], generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    confidence[2, 1] = 0
    found = triangulate(RIG, px, confidence)
    for i in range(5):
        for j in range(7):
            point, error = naive(RIG, px[:, i, j], confidence[:, i, j].tolist())
            torch.testing.assert_close(found.points[i, j], point, rtol=0, atol=1e-9)
            torch.testing.assert_close(found.error[i, j], error, rtol=0, atol=1e-6)
    assert found.views[1].tolist() == [3] * 7 and found.views[0].tolist() == [4] * 7


@settings(max_examples=20, deadline=None)
@given(
    lead=st.lists(st.integers(1, 3), max_size=3),
    views=st.sampled_from(["".join(v) for n in (2, 3, 4) for v in combinations("0123", n)]),
    seed=st.integers(0, 99),
)
def test_what_was_projected_is_found_again(lead, views, seed):
    points = people(int(np.prod([1, *lead])), 1, seed)[0][:, 0].reshape(*lead, 3)
    rig = RIG[[int(v) for v in views]]
    px = project(rig, points)
    start = triangulate(rig, px)
    for found in (start, ransac(rig, px), refine(rig, start, px)):
        assert found.points.shape == points.shape and found.error.shape == tuple(lead)
        torch.testing.assert_close(found.points, points, **same)
        assert found.error.max() < 1e-6 and (found.views == len(rig)).all()


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 999))
def test_the_order_of_the_views_does_not_matter(seed):
    px = noise(people(seed=seed)[1], 20, seed + 1)
    order = torch.randperm(4, generator=torch.Generator().manual_seed(seed)).tolist()
    for solve in (triangulate, ransac):
        there, back = solve(RIG, px), solve(RIG[order], px[order])
        torch.testing.assert_close(back.points, there.points, rtol=0, atol=1e-6, equal_nan=True)
        assert (back.used == there.used[order]).all()


def test_a_joint_that_fewer_than_two_views_see_is_nan_and_counted():
    points, px = people()
    confidence = torch.ones(px.shape[:-1], dtype=torch.float64)
    confidence[1:, 0, 0], confidence[:, 0, 1], px[1:, 0, 2], confidence[1:, 0, 3] = 0, 0, math.nan, math.nan
    confidence[2:, 0, 4], px[0, 0, 5, 0] = 0, math.inf
    for found in (triangulate(RIG, px, confidence), ransac(RIG, px, confidence)):
        for result in (found, refine(RIG, found, px, confidence)):
            assert result.points[0, :4].isnan().all() and result.error[0, :4].isnan().all()
            assert result.views[0].tolist() == [0, 0, 0, 0, 2, 3, 4] and not result.used[:, 0, :4].any()
            torch.testing.assert_close(result.points[0, 4:], points[0, 4:], **same)
            torch.testing.assert_close(result.points[1:], points[1:], **same)


@settings(max_examples=20, deadline=None)
@given(wrong=st.integers(0, 3), px_off=st.floats(40, 400), angle=st.floats(0, 6.28), seed=st.integers(0, 99))
def test_ransac_leaves_out_a_view_that_is_wrong(wrong, px_off, angle, seed):
    points, px = people(seed=seed)
    px[wrong] += px_off * numbers([math.cos(angle), math.sin(angle)])
    found = ransac(RIG, px, threshold=5)
    right = found.views == 3
    # An error along an epipolar line can agree with one other view, never with two.
    assert right.double().mean() > 0.9 and not found.used[wrong][right].any()
    torch.testing.assert_close(found.points[right], points[right], **same)
    assert (triangulate(RIG, px).points - points).norm(dim=-1).nanmedian() > 0.01


def test_a_keypoint_that_the_lens_cannot_have_shown_is_not_seen():
    strong = Camera(RIG[0].R, RIG[0].T, RIG[0].f, RIG[0].c, (-0.3, 0, 0), image_size=SIZE)
    rig = Camera.stack([strong, *RIG[1:]])
    points, _ = people()
    px = project(rig, points)
    px[0, 1, 2, 0] += 5000
    found = triangulate(rig, px)
    assert found.used[:, 1, 2].tolist() == [False, True, True, True] and found.used.sum() == 4 * 35 - 1
    torch.testing.assert_close(found.points, points, **same)


def test_a_point_behind_a_camera_that_sees_it_is_nan():
    points, px = people()
    behind = Camera(torch.diag(numbers([-1, 1, -1])) @ RIG[0].R, RIG[0].T, RIG[0].f, RIG[0].c, image_size=SIZE)
    seen = behind.K @ behind.R @ (points - behind.T)[..., None]
    found = triangulate(
        Camera.stack([behind, *RIG[1:3]]), torch.cat([(seen[..., :2, 0] / seen[..., 2:, 0])[None], px[1:3]])
    )
    assert found.points.isnan().all() and found.error.isnan().all() and (found.views == 0).all()


def test_ransac_finds_nothing_where_no_two_views_agree():
    px = people()[1]
    px[0, 0, 0] += 300
    found = ransac(RIG[:2], px[:2], threshold=5)
    assert found.points[0, 0].isnan().all() and found.views[0, 0] == 0 and (found.views.flatten()[1:] == 2).all()
    assert ransac(RIG[:2], px[:2], threshold=5, min_views=3).points.isnan().all()


def test_ransac_is_the_best_of_all_pairs():
    px = noise(people(2, 4)[1], 12)
    found = ransac(RIG, px, threshold=10)
    for i in range(2):
        for j in range(4):
            best = (0, 0.0)
            for pair in combinations(range(4), 2):
                guess, _ = naive(RIG[list(pair)], px[list(pair), i, j], [1, 1])
                miss = (project(RIG, guess) - px[:, i, j]).norm(dim=-1)
                close = miss < 10
                if close.any():
                    best = max(best, (int(close.sum()), -float(miss[close].mean()), close.tolist()))
            if best[0] >= 2:
                assert found.used[:, i, j].tolist() == best[2]
            else:
                assert found.views[i, j] == 0


def test_ransac_tries_the_same_pairs_each_time_where_there_are_many():
    rig = human36m_cameras().flatten()[:20]
    points = people()[0]
    px = noise(project(rig, points), 2)
    px[:6] += 100
    first, second = ransac(rig, px, max_pairs=16), ransac(rig, px, max_pairs=16)
    assert (first.points == second.points).all() and not first.used[:6].any()
    torch.testing.assert_close(first.points, points, rtol=0, atol=0.02)


def test_refinement_reaches_the_least_squares_solution_and_beats_dlt():
    optimize = pytest.importorskip("scipy.optimize")
    points, clean = people(2, 3)
    px, confidence = noise(clean, 8), torch.rand(4, 2, 3, generator=torch.Generator().manual_seed(3)).double() + 0.1
    start = triangulate(RIG, px, confidence)
    found = refine(RIG, start, px, confidence)
    for i in range(2):
        for j in range(3):

            def miss(x, i=i, j=j):
                off = project(RIG, torch.from_numpy(x)) - px[:, i, j]
                return (confidence[:, i, j, None] * off).flatten().numpy()

            best = optimize.least_squares(miss, start.points[i, j].numpy(), xtol=1e-15, ftol=1e-15, gtol=1e-15)
            torch.testing.assert_close(found.points[i, j], torch.from_numpy(best.x), **same)
            assert (miss(found.points[i, j].numpy()) ** 2).sum() < (miss(start.points[i, j].numpy()) ** 2).sum()


@pytest.mark.parametrize("sigma", [3, 100, 400])
def test_no_step_makes_it_worse(sigma):
    """Even far from the solution, where a whole Gauss-Newton step overshoots."""
    px = noise(people(20, 10)[1], sigma)
    start = triangulate(RIG, px)
    far = start._replace(points=start.points + 3 * noise(torch.zeros_like(start.points), 1, 4))
    for begin in (start, far):
        costs = [reprojection_error(RIG, begin.points, px).square().sum(0).nan_to_num(math.inf)]
        for steps in range(1, 6):
            found = refine(RIG, begin, px, steps=steps)
            costs.append(reprojection_error(RIG, found.points, px).square().sum(0).nan_to_num(math.inf))
            assert (costs[-1] <= costs[-2]).all()
        lost = begin.points.isnan().any(-1)
        assert found.points[~lost & costs[0].isfinite()].isfinite().all() and found.points[lost].isnan().all()


def test_reprojection_error_is_a_distance_in_px():
    points, px = people()
    px[1] += numbers([3, -4])
    px[2, 0, 0] = math.nan
    error = reprojection_error(RIG, points, px)
    assert error[0].max() < 1e-9 and error[2, 0, 0].isnan()
    torch.testing.assert_close(error[1], torch.full_like(error[1], 5))


def test_results_have_the_dtype_and_device_of_the_keypoints(device):
    points, px = (each.to(device, torch.float32) for each in people())
    weight = torch.ones(px.shape[:-1], device=device)
    for solve in (triangulate, ransac, lambda *given: refine(RIG, triangulate(*given), *given[1:])):
        found = solve(RIG, px, weight)
        assert found.points.dtype == found.error.dtype == torch.float32
        assert found.points.device.type == found.error.device.type == found.used.device.type == device.type
        torch.testing.assert_close(found.points, points, rtol=0, atol=1e-5)


def test_dlt_of_views_from_one_place_is_undecided():
    P = torch.stack([RIG[0].P, RIG[0].P])
    px = RIG[0].undistort(project(RIG[:1], people()[0])[0])
    assert dlt(P, torch.stack([px, px])).isnan().all()


@pytest.mark.parametrize(
    ("cameras", "px", "confidence", "message"),
    [
        (RIG[:0], torch.zeros(0, 2), None, r"at least two cameras \[V\], found cameras \[0\]"),
        (RIG[0], torch.zeros(5, 2), None, r"at least two cameras \[V\], found only 'S1/54138969'"),
        (RIG[:1], torch.zeros(1, 2), None, r"at least two cameras \[V\], found only 'S1/54138969'"),
        (RIG[[0, 0]], torch.zeros(2, 2), None, r"'S1/54138969', 'S1/54138969' are all in one place, \[1.84.* no depth"),
        (RIG, torch.zeros(3, 5, 2), None, r"px must be \[V, ..., 2\] with V = 4 cameras, found \[3, 5, 2\]"),
        (RIG, torch.zeros(4, 5, 3), None, r"found \[4, 5, 3\]"),
        (RIG, torch.zeros(4, 5, 2), torch.ones(4), r"confidence must be \[4, 5\] as px, found \[4\]"),
        (RIG, torch.zeros(4, 5, 2), -torch.ones(4, 5), "confidence must not be negative, found -1"),
    ],
)
def test_what_cannot_be_triangulated_says_why(cameras, px, confidence, message):
    for solve in (triangulate, ransac):
        with pytest.raises(ValueError, match=message):
            solve(cameras, px, confidence)


@pytest.mark.parametrize("wrong", [{"threshold": 0}, {"threshold": math.nan}, {"min_views": 1}, {"max_pairs": 0}])
def test_ransac_refuses_settings_without_a_meaning(wrong):
    with pytest.raises(ValueError, match="threshold must be positive px, min_views at least 2"):
        ransac(RIG, people()[1], **wrong)


def walk(data_dir):
    """Pose2Sim's walk: cameras, keypoints and visibility of 100 frames of 33 joints before four cameras."""
    with np.load(data_dir / "pose2sim_multiview.npz", allow_pickle=False) as file:
        recording = {name: torch.from_numpy(file[name]) for name in ("P", "K", "image_hw", "body3d_mm")}
        px, seen = (torch.from_numpy(file[name]).double() for name in ("body2d_px", "body_vis"))
    per_metre = recording["P"] * numbers([1000, 1000, 1000, 1])
    rig = Camera.from_projection(per_metre, recording["image_hw"].flip(-1))
    return recording, rig, px, seen


def test_the_walks_cameras_are_those_of_its_calibration(data_dir):
    recording, rig, _, _ = walk(data_dir)
    for camera, K, P in zip(rig, recording["K"], recording["P"], strict=True):
        torch.testing.assert_close(camera.K, K, rtol=0, atol=1e-9)
        ratio = camera.P / (P * numbers([1000, 1000, 1000, 1]))
        torch.testing.assert_close(ratio, ratio[0, 0].expand(3, 4), rtol=1e-9, atol=0)


def test_the_walks_published_points_are_the_dlt_of_rows_of_unit_length(data_dir):
    """To the rounding of float32, but for points that the views hardly decide (the worst lies 1.4 mm off)."""
    recording, _, px, _ = walk(data_dir)
    P = recording["P"]
    rows = px[..., None] * P[:, None, None, 2:] - P[:, None, None, :2]
    off = (dlt(P, px, 1 / rows.norm(dim=-1)) - recording["body3d_mm"]).norm(dim=-1)
    assert off.median() < 2e-4 and off.quantile(0.99) < 0.01 and off.max() < 2


def test_ransac_on_the_walk_is_quick_and_agrees_to_a_few_px(data_dir):
    _, rig, px, seen = walk(data_dir)
    confidence = torch.where(seen > 0.5, seen, 0.0)
    start = time.process_time()
    found = refine(rig, ransac(rig, px, confidence), px, confidence)
    assert time.process_time() - start < 3  # 0.3 s on one core of 2026
    assert found.error.nanmedian() < 6 and found.points.isnan().double().mean() < 0.002
    assert triangulate(rig, px).error.median() > 15
    forearm = (found.points[:, 13] - found.points[:, 15]).norm(dim=-1)
    assert 0.2 < forearm.nanmedian() < 0.3
