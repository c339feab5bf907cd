"""Cameras against OpenCV's documented model written out in numpy, round trips, and cameras that are refused."""

import json
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from skelgraph.geometry.cameras import Camera
from skelgraph.geometry.human36m import human36m_cameras
from skelgraph.geometry.rotations import cross_matrix
from skelgraph.geometry.screen import normalize_screen

GOOD = {"R": torch.eye(3).tolist(), "T": [0, 0, 0], "f": [1000, 1000], "c": [500, 500], "image_size": (1000, 1000)}
ALL = human36m_cameras().flatten()


def without_distortion(camera):
    return Camera(camera.R, camera.T, camera.f, camera.c, image_size=camera.image_size)


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
    for camera in ALL:
        found = camera.project(camera.to_camera(world))
        numbers = [getattr(camera, name).numpy() for name in ("R", "T", "f", "c", "k", "p")]
        expected = torch.tensor([opencv(point, *numbers) for point in world.numpy()])
        torch.testing.assert_close(found, expected, rtol=0, atol=1e-9)


def test_distortion_changes_pixels():
    camera = human36m_cameras()["S1/54138969"]
    plain = without_distortion(camera)
    point = torch.tensor([1.5, 1.0, 4.0], dtype=torch.float64)
    assert (camera.project(point) - plain.project(point)).norm() > 5


def test_projection_keeps_leading_dimensions_dtype_device_and_gradients(device):
    camera = human36m_cameras()["S8/60457274"]
    points = (torch.randn(2, 3, 17, 3) + torch.tensor([0, 0, 5.0])).to(device).requires_grad_()
    pixels = camera.project(points)
    assert pixels.shape == (2, 3, 17, 2) and pixels.dtype == torch.float32 and pixels.device == points.device
    torch.testing.assert_close(pixels[1, 2, 5], camera.project(points[1, 2, 5]))
    pixels.sum().backward()
    assert points.grad is not None and points.grad.isfinite().all()


def test_points_behind_the_camera_have_no_image():
    pixels = Camera(**GOOD).project(torch.tensor([[0.1, 0.1, 2.0], [0.1, 0.1, -2.0], [0.0, 0.0, 0.0]]))
    assert pixels[0].isfinite().all() and pixels[1:].isnan().all()


def test_world_and_camera_frame_round_trip():
    world = torch.randn(5, 7, 3, dtype=torch.float64)
    for camera in ALL:
        torch.testing.assert_close(camera.to_world(camera.to_camera(world)), world, rtol=0, atol=1e-12)
        torch.testing.assert_close(camera.to_camera(camera.T), torch.zeros(3, dtype=torch.float64))


def test_human36m_cameras_look_at_the_capture_space_upright():
    """R maps world to camera: its rows are the image's right, down and forward in the world (z up)."""
    assert human36m_cameras().shape == (9, 4) and len({name.split("/")[1] for name in ALL.names}) == 4
    for camera in ALL:
        assert camera.image_size.tolist() in ([1000, 1000], [1000, 1002])
        middle = camera.to_camera(torch.tensor([0.0, 0.0, 0.9], dtype=torch.float64))
        assert 3.5 < middle[2] < 6
        assert ((camera.project(middle) - camera.c).abs() < 250).all()
        assert camera.R[1, 2] < -0.9  # down in the image is down in the world
        assert 3.5 < camera.T[:2].norm() < 6 and 1.4 < camera.T[2] < 1.7


def test_human36m_cameras_are_those_of_the_published_file(data_dir):
    """The shared file's R are the transposes of the published ones: camera to world, whatever its README says."""
    published = json.loads((data_dir / "human36m_cameras.json").read_text())
    cameras = human36m_cameras()
    assert set(cameras.names) == set(published)
    for name, values in published.items():
        assert cameras[name].R.T.tolist() == values["R"]
        assert all(getattr(cameras[name], key).tolist() == values[key] for key in "Tfckp")
        assert cameras[name].image_size.tolist() == [values["width"], values["height"]]


def grid(camera, steps=15):
    """Pixels all over the image, its corners among them."""
    across, down = (torch.linspace(0, size, steps, dtype=torch.float64) for size in camera.image_size.tolist())
    return torch.stack(torch.meshgrid(across, down, indexing="ij"), -1)


def test_undistorting_inverts_the_distortion_all_over_the_image(device):
    for camera in ALL:
        px = grid(camera).to(device)
        straight = camera.undistort(px)
        c, f = camera.c.to(device), camera.f.to(device)
        points = torch.cat([(straight - c) / f, torch.ones_like(px[..., :1])], -1)
        torch.testing.assert_close(camera.project(points), px, rtol=0, atol=1e-9)
        plain = without_distortion(camera)
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
    camera = ALL[which]
    generator = torch.Generator().manual_seed(seed)
    px = torch.rand(*lead, 2, generator=generator, dtype=torch.float64) * camera.image_size
    distance = 0.1 + 10 * torch.rand(*lead, 1, generator=generator, dtype=torch.float64)
    rays = camera.rays(px)
    torch.testing.assert_close(rays.norm(dim=-1), torch.ones(lead, dtype=torch.float64))
    seen = camera.project(camera.to_camera(camera.T + distance * rays))
    torch.testing.assert_close(seen, px, rtol=0, atol=1e-9)


def test_a_projection_matrix_takes_the_world_to_undistorted_pixels_and_gives_the_camera_back():
    world = torch.randn(9, 3, dtype=torch.float64) * 0.5
    for i, camera in enumerate(ALL):
        u, v, w = (torch.cat([world, torch.ones(9, 1)], 1) @ camera.P.mT).unbind(-1)
        straight = camera.undistort(camera.project(camera.to_camera(world)))
        torch.testing.assert_close(torch.stack([u / w, v / w], -1), straight, rtol=0, atol=1e-8)
        found = Camera.from_projection((-1) ** i * 0.37 * camera.P, camera.image_size, camera.name)
        for name in "RTfc":
            torch.testing.assert_close(getattr(found, name), getattr(camera, name), rtol=0, atol=1e-9)
        assert found.image_size.equal(camera.image_size) and found.name == camera.name


@pytest.mark.parametrize(
    ("P", "message"),
    [
        ([[1, 0, 0], [0, 1, 0], [0, 0, 1]], r"camera 'left': P must be \[..., 3, 4\], found \[3, 3\]"),
        ([[1, 0, 0, math.nan], [0, 1, 0, 0], [0, 0, 1, 0]], "P must be finite"),
        ([[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 0, 1]], "the left three columns of P are singular: .* at infinity"),
        ([[1000, 20, 500, 0], [0, 1000, 500, 0], [0, 0, 1, 0]], "P has a skew of 20 px; only 0 is read"),
    ],
)
def test_a_matrix_that_is_no_pinhole_camera_is_refused(P, message):
    with pytest.raises(ValueError, match=message):
        Camera.from_projection(P, (100, 100), "left")


def test_the_jacobian_of_the_projection_is_its_derivative():
    camera = human36m_cameras()["S5/55011271"]
    points = torch.randn(2, 5, 3, dtype=torch.float64) * 0.5 + torch.tensor([0, 0, 4.0])
    jacobian = camera.project_jacobian(points)
    assert jacobian.shape == (2, 5, 2, 3)
    for i, j in ((0, 0), (1, 4)):
        expected = torch.autograd.functional.jacobian(camera.project, points[i, j])
        torch.testing.assert_close(jacobian[i, j], expected, rtol=0, atol=1e-9)
    assert camera.project_jacobian(-points).isnan().all()
    world = camera.to_world(points)
    expected = torch.autograd.functional.jacobian(lambda x: camera.project(camera.to_camera(x)), world[0, 0])
    torch.testing.assert_close(camera.directions_to_world(jacobian)[0, 0], expected, rtol=0, atol=1e-9)


def test_undistortion_has_gradients():
    camera = human36m_cameras()["S5/55011271"]
    px = (torch.rand(4, 2, dtype=torch.float64) * 1000).requires_grad_()
    assert torch.autograd.gradcheck(camera.undistort, px)


def test_a_camera_is_frozen():
    with pytest.raises(AttributeError):
        Camera(**GOOD).f = torch.ones(2)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"f": [0, 1000]}, r"camera 'left': f must be positive \(px\), found \[0.0, 1000.0\]"),
        ({"f": [-5, 1000]}, "f must be positive"),
        ({"f": [1000]}, r"f must have shape \[..., 2\], found \[1\]"),
        ({"R": (1.1 * torch.eye(3)).tolist()}, r"R is not a rotation: det\(R\) = 1.331 .*\|R R\^T - I\| = 0.364"),
        ({"R": torch.diag(torch.tensor([1.0, 1, -1])).tolist()}, r"R is not a rotation: det\(R\) = -1 .*= 0 "),
        ({"R": [[1, 0], [0, 1]]}, r"R must have shape \[..., 3, 3\], found \[2, 2\]"),
        ({"k": [0, math.nan, 0]}, r"k must be finite, found \[0.0, nan, 0.0\]"),
        ({"T": [0, math.inf, 0]}, "T must be finite"),
        ({"image_size": (0, 1000)}, "the image is empty: 0 x 1000 px"),
        ({"image_size": (1000, math.nan)}, "image_size must be finite"),
    ],
)
def test_bad_cameras_are_refused(change, message):
    with pytest.raises(ValueError, match=message):
        Camera(**{**GOOD, **change}, names="left")


@settings(max_examples=10, deadline=None)
@given(lead=st.sampled_from([(4,), (3, 2), (1, 3, 2)]), more=st.lists(st.integers(1, 3), max_size=3), data=st.data())
def test_a_batch_does_what_each_of_its_cameras_does(lead, more, data):
    which = torch.tensor(data.draw(st.lists(st.integers(0, 35), min_size=math.prod(lead), max_size=math.prod(lead))))
    batch = ALL[which.view(lead)]
    generator = torch.Generator().manual_seed(0)
    world = torch.randn(*lead, *more, 3, generator=generator, dtype=torch.float64) + torch.tensor([0, 0, 1])
    points = batch.to_camera(world)
    px = batch.project(points)
    found = {
        "to_camera": points,
        "to_world": batch.to_world(points),
        "project": px,
        "undistort": batch.undistort(px),
        "rays": batch.rays(px),
        "project_jacobian": batch.project_jacobian(points),
        "directions_to_world": batch.directions_to_world(points),
        "contains": batch.contains(px),
    }
    given = {"to_camera": world} | dict.fromkeys(["to_world", "directions_to_world", "project"], points)
    given["project_jacobian"] = points
    flat = batch.flatten()
    for i, camera in enumerate(flat):
        assert camera.K.equal(flat.K[i])
        torch.testing.assert_close(camera.P, flat.P[i], rtol=1e-12, atol=1e-9)
        for name, value in found.items():
            one = getattr(camera, name)(given.get(name, px).flatten(0, len(lead) - 1)[i])
            expected = value.flatten(0, len(lead) - 1)[i]
            torch.testing.assert_close(
                one, expected, rtol=0, atol=1e-9, equal_nan=True, msg=lambda m, n=name: f"{n}: {m}"
            )


def test_all_cameras_of_a_batch_take_the_same_points():
    cameras, world = human36m_cameras(["S1"])[0], torch.randn(5, 7, 3, dtype=torch.float64)
    found = cameras.project(cameras.to_camera(world[None]))
    expected = torch.stack([camera.project(camera.to_camera(world)) for camera in cameras])
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-9, equal_nan=True)
    for of_points in ("project", "project_jacobian", "to_world", "directions_to_world", "to_camera"):
        found = getattr(cameras, of_points)(world[None])
        expected = torch.stack([getattr(camera, of_points)(world) for camera in cameras])
        torch.testing.assert_close(found, expected, rtol=0, atol=1e-9, equal_nan=True, msg=of_points)
    px = 1000 * torch.rand(5, 7, 2, dtype=torch.float64)
    for of_px in ("undistort", "rays", "contains"):
        expected = torch.stack([getattr(camera, of_px)(px) for camera in cameras])
        torch.testing.assert_close(getattr(cameras, of_px)(px[None]), expected, rtol=0, atol=1e-9, msg=of_px)
    with pytest.raises(ValueError, match=r"cameras \[9, 4\] take points and pixels that begin with"):
        human36m_cameras().project(torch.ones(3))


def test_a_batch_is_indexed_as_a_tensor_and_by_name():
    cameras = human36m_cameras()
    assert len(cameras) == 9 and cameras.shape == (9, 4) and len(cameras[2:4]) == 2
    assert cameras["S5/55011271"].name == cameras[4][1].name == cameras[4, 1].name == "S5/55011271"
    assert cameras["S5/55011271"].T.equal(cameras.T[4, 1]) and cameras["S5/55011271"].shape == ()
    assert cameras[:, 0].names[:2] == ("S1/54138969", "S2/54138969")
    assert cameras[0][[3, 0]].names == ("S1/60457274", "S1/54138969")
    drawn = cameras[torch.tensor([[0], [5]]), torch.tensor([[3, 2, 1], [0, 1, 2]])]
    assert drawn.shape == (2, 3) and drawn.R[1, 2].equal(cameras.R[5, 2]) and drawn.names == ()
    stacked = Camera.stack(list(cameras[0]))
    assert stacked.names == cameras[0].names and stacked.k.equal(cameras.k[0])
    assert cameras.to(torch.float32).f.dtype == torch.float32 and cameras.to(torch.float64) is cameras
    for wrong in (9, (0, 4), (0, 0, 0), ...):
        with pytest.raises(IndexError):
            cameras[wrong]
    with pytest.raises(KeyError, match="no camera 'left'; there are S1/54138969"):
        cameras[0]["left"]
    with pytest.raises(ValueError, match="found none"):
        Camera.stack([])
    with pytest.raises(ValueError, match=r"found \[\] and \[4\]"):
        Camera.stack([cameras[0], cameras[0, 0]])
    with pytest.raises(TypeError, match="'S1/54138969' is a single camera"):
        len(cameras[0, 0])


def test_the_parameters_of_a_batch_have_the_same_leading_dimensions():
    f = [[1000, 1000], [1100, 1100], [1200, 1200]]
    cameras = Camera(**{**GOOD, "f": f}, names=["a", "b", "c"])
    assert cameras.R.shape == (3, 3, 3) and cameras["b"].f.tolist() == [1100, 1100]
    with pytest.raises(ValueError, match=r"leading dimensions .*T \[2\], f \[3\]"):
        Camera(**{**GOOD, "f": f, "T": [[0, 0, 0], [1, 1, 1]]})
    with pytest.raises(ValueError, match=r"3 cameras \[3\] but 2 names: a, b"):
        Camera(**{**GOOD, "f": f}, names=["a", "b"])
    with pytest.raises(ValueError, match=r"camera 'c': f must be positive \(px\), found \[0.0, 5.0\]"):
        Camera(**{**GOOD, "f": [*f[:2], [0, 5]]}, names=["a", "b", "c"])
    with pytest.raises(ValueError, match=r"camera \[1\]: T must be finite"):
        Camera(**{**GOOD, "f": f, "T": [[0, 0, 0], [0, math.nan, 0], [1, 1, 1]]})
    mirrored = [torch.eye(3).tolist(), torch.diag(torch.tensor([1.0, 1, -1])).tolist(), torch.eye(3).tolist()]
    with pytest.raises(ValueError, match=r"camera 'b': R is not a rotation: det\(R\) = -1"):
        Camera(**{**GOOD, "R": mirrored}, names=["a", "b", "c"])


def test_a_camera_that_was_checked_is_not_checked_again(monkeypatch):
    cameras = human36m_cameras()
    for name in ("broadcast", "check_names", "check_numbers", "check_rotations"):
        monkeypatch.setattr(f"skelgraph.geometry.camera_checks.{name}", None)
    turn = torch.eye(3, dtype=torch.float64)
    drawn = cameras[torch.tensor([0, 1])].to(torch.float32).turned(turn).in_turned_world(turn)[:, 0].flatten()
    assert Camera.stack(list(Camera.where(torch.tensor([True, False]), drawn, drawn))).shape == (2,)


def test_other_parameters_are_checked_again():
    camera = Camera(**GOOD, names="left", dtype=torch.float32)
    other = camera.replace(c=camera.c + 15, names="right")
    assert other.name == "right" and other.c.tolist() == [515, 515]
    assert other.T.dtype == torch.float32
    with pytest.raises(ValueError, match="camera 'left': f must be positive"):
        camera.replace(f=[0, 1])


def test_turning_the_world_leaves_the_pictures_and_turning_a_camera_its_place():
    cameras = human36m_cameras()
    world = torch.randn(9, 1, 6, 3, dtype=torch.float64)
    turn = torch.linalg.matrix_exp(cross_matrix(torch.tensor([0.3, -0.2, 0.5], dtype=torch.float64)))
    seen = cameras.project(cameras.to_camera(world))
    after = cameras.in_turned_world(turn)
    torch.testing.assert_close(after.project(after.to_camera(world @ turn.mT)), seen, rtol=0, atol=1e-8, equal_nan=True)
    turned = cameras.turned(turn)
    assert turned.T.equal(cameras.T)
    torch.testing.assert_close(turned.to_camera(world), cameras.to_camera(world) @ turn.mT, rtol=0, atol=1e-12)


def test_human36m_cameras_are_chosen_by_session_and_serial_number():
    chosen = human36m_cameras(["S5", "S1"], ["60457274"])
    assert chosen.names == ("S5/60457274", "S1/60457274") and chosen.shape == (2, 1)
    with pytest.raises(ValueError, match="serial number '1'; known: 54138969"):
        human36m_cameras(serials=["1"])
    with pytest.raises(ValueError, match="session 'S99'; known: S1, S2"):
        human36m_cameras(["S99"])


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
    width, height = size
    back = (screen * width + torch.tensor([width, height])) / 2
    torch.testing.assert_close(back, px)


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
