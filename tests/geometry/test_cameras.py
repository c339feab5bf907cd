"""Cameras against OpenCV's documented model written out in numpy, round trips, and cameras that are refused."""

import json
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from skelgraph.geometry.cameras import Camera, denormalize_screen, human36m_cameras, normalize_screen, project_slope

GOOD = {"R": torch.eye(3).tolist(), "T": [0, 0, 0], "f": [1000, 1000], "c": [500, 500]}


def opencv(point, R, T, f, c, k, p):
    """docs.opencv.org, calib3d, "Detailed Description": the pinhole model with k1, k2, p1, p2, k3, for one point."""
    X, Y, Z = np.asarray(R) @ (np.asarray(point) - np.asarray(T))
    x, y = X / Z, Y / Z
    r2 = x * x + y * y
    radial = 1 + k[0] * r2 + k[1] * r2**2 + k[2] * r2**3
    u = f[0] * (x * radial + 2 * p[0] * x * y + p[1] * (r2 + 2 * x * x)) + c[0]
    v = f[1] * (y * radial + p[0] * (r2 + 2 * y * y) + 2 * p[1] * x * y) + c[1]
    return u, v


def test_projection_equals_opencvs_formula():
    world = torch.from_numpy(np.random.default_rng(0).normal(0, [1, 1, 0.5], (20, 3)) + [0, 0, 1])
    for camera in human36m_cameras().values():
        found = camera.project(camera.to_camera(world))
        numbers = [getattr(camera, name).numpy() for name in ("R", "T", "f", "c", "k", "p")]
        expected = torch.tensor([opencv(point, *numbers) for point in world.numpy()])
        torch.testing.assert_close(found, expected, rtol=0, atol=1e-9)


def test_distortion_changes_pixels():
    camera = human36m_cameras()["S1/54138969"]
    plain = Camera(camera.R, camera.T, camera.f, camera.c)
    point = torch.tensor([1.5, 1.0, 4.0], dtype=torch.float64)
    assert (camera.project(point) - plain.project(point)).norm() > 5


def test_projection_keeps_leading_dimensions_dtype_and_gradients():
    camera = human36m_cameras()["S8/60457274"]
    points = torch.randn(2, 3, 17, 3) + torch.tensor([0, 0, 5.0])
    points.requires_grad_()
    pixels = camera.project(points)
    assert pixels.shape == (2, 3, 17, 2) and pixels.dtype == torch.float32
    torch.testing.assert_close(pixels[1, 2, 5], camera.project(points[1, 2, 5]))
    pixels.sum().backward()
    assert points.grad is not None and points.grad.isfinite().all()


def test_points_behind_the_camera_have_no_image():
    pixels = Camera(**GOOD).project(torch.tensor([[0.1, 0.1, 2.0], [0.1, 0.1, -2.0], [0.0, 0.0, 0.0]]))
    assert pixels[0].isfinite().all() and pixels[1:].isnan().all()


def test_world_and_camera_frame_round_trip():
    world = torch.randn(5, 7, 3, dtype=torch.float64)
    for camera in human36m_cameras().values():
        torch.testing.assert_close(camera.to_world(camera.to_camera(world)), world, rtol=0, atol=1e-12)
        torch.testing.assert_close(camera.to_camera(camera.T), torch.zeros(3, dtype=torch.float64))


def test_human36m_cameras_look_at_the_capture_space_upright():
    """R maps world to camera: its rows are the image's right, down and forward in the world (z up)."""
    cameras = human36m_cameras()
    assert len(cameras) == 36 and len({name.split("/")[1] for name in cameras}) == 4
    for name, camera in cameras.items():
        assert camera.name == name and camera.image_size.tolist() in ([1000, 1000], [1000, 1002])
        middle = camera.to_camera(torch.tensor([0.0, 0.0, 0.9], dtype=torch.float64))
        assert 3.5 < middle[2] < 6
        assert ((camera.project(middle) - camera.c).abs() < 250).all()
        assert camera.R[1, 2] < -0.9  # down in the image is down in the world
        assert 3.5 < camera.T[:2].norm() < 6 and 1.4 < camera.T[2] < 1.7


def test_human36m_cameras_are_those_of_the_published_file(data_dir):
    """The shared file's R are the transposes of the published ones: camera to world, whatever its README says."""
    published = json.loads((data_dir / "human36m_cameras.json").read_text())
    cameras = human36m_cameras()
    assert set(cameras) == set(published)
    for name, values in published.items():
        assert cameras[name].R.T.tolist() == values["R"]
        assert all(getattr(cameras[name], key).tolist() == values[key] for key in "Tfckp")
        assert (cameras[name].width, cameras[name].height) == (values["width"], values["height"])


def grid(camera, steps=15):
    """Pixels all over the image, its corners among them."""
    across, down = (torch.linspace(0, size, steps, dtype=torch.float64) for size in (camera.width, camera.height))
    return torch.stack(torch.meshgrid(across, down, indexing="ij"), -1)


def test_undistorting_inverts_the_distortion_all_over_the_image():
    for camera in human36m_cameras().values():
        px = grid(camera)
        straight = camera.undistort(px)
        points = torch.cat([(straight - camera.c) / camera.f, torch.ones(*px.shape[:-1], 1)], -1)
        torch.testing.assert_close(camera.project(points), px, rtol=0, atol=1e-9)
        plain = Camera(camera.R, camera.T, camera.f, camera.c)
        torch.testing.assert_close(plain.project(points), straight, rtol=0, atol=1e-9)
        torch.testing.assert_close(plain.undistort(px), px, rtol=0, atol=1e-9)


def test_what_no_lens_can_show_is_not_undistorted():
    """x - 0.3 x^3 is at most 0.70273, at x = 1.054: no image lies beyond, though the cubic has a root there."""
    camera = Camera(**GOOD, k=[-0.3, 0, 0])
    px = torch.tensor([[1200.0, 500.0], [1205.0, 500.0], [3000.0, 500.0], [math.nan, 500.0]])
    found = camera.undistort(px)
    assert found.dtype == torch.float32
    assert 1400 < found[0, 0] < 1554 and found[1:].isnan().all()


@settings(max_examples=40, deadline=None)
@given(which=st.integers(0, 35), lead=st.lists(st.integers(1, 3), max_size=3), seed=st.integers(0, 99))
def test_a_ray_passes_through_what_is_seen(which, lead, seed):
    camera = list(human36m_cameras().values())[which]
    generator = torch.Generator().manual_seed(seed)
    px = torch.rand(*lead, 2, generator=generator, dtype=torch.float64) * camera.image_size
    distance = 0.1 + 10 * torch.rand(*lead, 1, generator=generator, dtype=torch.float64)
    rays = camera.rays(px)
    torch.testing.assert_close(rays.norm(dim=-1), torch.ones(lead, dtype=torch.float64))
    seen = camera.project(camera.to_camera(camera.T + distance * rays))
    torch.testing.assert_close(seen, px, rtol=0, atol=1e-9)


def test_a_projection_matrix_takes_the_world_to_undistorted_pixels_and_gives_the_camera_back():
    world = torch.randn(9, 3, dtype=torch.float64) * 0.5
    for i, camera in enumerate(human36m_cameras().values()):
        u, v, w = (torch.cat([world, torch.ones(9, 1)], 1) @ camera.P.mT).unbind(-1)
        straight = camera.undistort(camera.project(camera.to_camera(world)))
        torch.testing.assert_close(torch.stack([u / w, v / w], -1), straight, rtol=0, atol=1e-8)
        found = Camera.from_projection((-1) ** i * 0.37 * camera.P, camera.width, camera.height, camera.name)
        for name in "RTfc":
            torch.testing.assert_close(getattr(found, name), getattr(camera, name), rtol=0, atol=1e-9)
        assert (found.width, found.height, found.name) == (camera.width, camera.height, camera.name)


@pytest.mark.parametrize(
    ("P", "message"),
    [
        ([[1, 0, 0], [0, 1, 0], [0, 0, 1]], r"camera 'left': P must be \[3, 4\] and finite, found \[3, 3\]"),
        ([[1, 0, 0, math.nan], [0, 1, 0, 0], [0, 0, 1, 0]], "P must be"),
        ([[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 0, 1]], "the left three columns of P are singular: .* at infinity"),
        ([[1000, 20, 500, 0], [0, 1000, 500, 0], [0, 0, 1, 0]], "P has a skew of 20 px; only 0 is read"),
    ],
)
def test_a_matrix_that_is_no_pinhole_camera_is_refused(P, message):
    with pytest.raises(ValueError, match=message):
        Camera.from_projection(P, 100, 100, "left")


def test_the_slope_of_the_projection_is_its_derivative():
    camera = human36m_cameras()["S5/55011271"]
    points = torch.randn(2, 5, 3, dtype=torch.float64) * 0.5 + torch.tensor([0, 0, 4.0])
    slope = camera.project_slope(points)
    assert slope.shape == (2, 5, 2, 3)
    for i, j in ((0, 0), (1, 4)):
        expected = torch.autograd.functional.jacobian(camera.project, points[i, j])
        torch.testing.assert_close(slope[i, j], expected, rtol=0, atol=1e-9)
    assert project_slope(-points, camera.f, camera.k, camera.p).isnan().all()


def test_undistortion_has_gradients():
    camera = human36m_cameras()["S5/55011271"]
    px = (torch.rand(4, 2, dtype=torch.float64) * 1000).requires_grad_()
    assert torch.autograd.gradcheck(camera.undistort, px)


def test_a_camera_is_frozen():
    with pytest.raises(AttributeError):
        Camera(**GOOD).width = 5


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"f": [0, 1000]}, r"camera 'left': f must be positive \(px\), found \[0.0, 1000.0\]"),
        ({"f": [-5, 1000]}, "f must be positive"),
        ({"f": [1000]}, r"f must have shape \[2\], found \[1\]"),
        ({"R": (1.1 * torch.eye(3)).tolist()}, r"R is not a rotation: det\(R\) = 1.331 .*\|R R\^T - I\| = 0.364"),
        ({"R": torch.diag(torch.tensor([1.0, 1, -1])).tolist()}, r"R is not a rotation: det\(R\) = -1 .*= 0 "),
        ({"R": [[1, 0], [0, 1]]}, r"R must have shape \[3, 3\], found \[2, 2\]"),
        ({"k": [0, math.nan, 0]}, r"k must be finite, found \[0.0, nan, 0.0\]"),
        ({"T": [0, math.inf, 0]}, "T must be finite"),
        ({"width": 0}, "the image is empty: 0 x 1000 px"),
    ],
)
def test_bad_cameras_are_refused(change, message):
    with pytest.raises(ValueError, match=message):
        Camera(**{**GOOD, **change}, name="left")


def test_normalised_screen_keeps_the_aspect_ratio():
    px = torch.tensor([[0.0, 0.0], [1000.0, 500.0], [500.0, 250.0]])
    assert normalize_screen(px, (1000, 500)).tolist() == [[-1, -0.5], [1, 0.5], [0, 0]]


@settings(max_examples=30, deadline=None)
@given(lead=st.lists(st.integers(1, 3), max_size=3), size=st.tuples(*[st.integers(1, 5000)] * 2), data=st.data())
def test_normalising_round_trips_for_any_leading_dimensions(lead, size, data):
    px = torch.rand(*lead, 5, 2, dtype=torch.float64) * 5000
    per_pose = data.draw(st.integers(0, len(lead)))
    image_size = torch.tensor(size, dtype=torch.float64).expand(*lead[:per_pose], 2)
    screen = normalize_screen(px, image_size)
    torch.testing.assert_close(screen, normalize_screen(px, size))
    torch.testing.assert_close(denormalize_screen(screen, image_size), px)


def test_each_pose_has_its_own_image_size():
    px, sizes = torch.full((2, 3, 2), 100.0), torch.tensor([[200.0, 200.0], [400.0, 200.0]])
    assert normalize_screen(px, sizes)[:, 0].tolist() == [[0, 0], [-0.5, 0]]


@pytest.mark.parametrize("size", [(0, 100), (100, -1), (math.nan, 5)])
def test_an_image_needs_a_size(size):
    with pytest.raises(ValueError, match="image_size must be positive px"):
        normalize_screen(torch.zeros(3, 2), size)


def test_an_image_size_is_width_and_height():
    with pytest.raises(ValueError, match=r"image_size must be \(width, height\) or \[..., 2\], found shape \[3\]"):
        normalize_screen(torch.zeros(3, 2), (1, 2, 3))
