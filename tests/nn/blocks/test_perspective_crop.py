import math

import torch
from hypothesis import given
from hypothesis import strategies as st
from tf32 import Tf32

from skelgraph.nn.blocks.perspective_crop import ASSUMED_FOCAL, perspective_crop, spread_out, turn_to

slopes = st.floats(-1.5, 1.5)


@given(slopes, slopes)
def test_the_turned_camera_looks_at_the_ray(x, y):
    ray = torch.tensor([[x, y, 1.0]], dtype=torch.float64)
    rotation = turn_to(ray[:, :2])
    torch.testing.assert_close(rotation @ rotation.mT, torch.eye(3, dtype=torch.float64)[None])
    assert torch.linalg.det(rotation)[0] > 0
    expected = torch.tensor([[[0.0], [0.0], [math.hypot(x, y, 1)]]], dtype=torch.float64)
    torch.testing.assert_close(rotation @ ray.unsqueeze(-1), expected)
    assert rotation[0, 0, 1].abs() < 1e-12, "x stays level: no roll"


def seen_from(points, focal, channels=4):
    """Model input of points [B, J, 3] before a camera with f/w = ``focal``."""
    x = 2 * focal * points[..., :2] / points[..., 2:]
    return torch.cat([x, torch.ones_like(x[..., :1]), torch.full_like(x[..., :1], focal)], -1)[..., :channels]


def person(seed=0):
    return 0.4 * torch.randn(1, 17, 3, generator=torch.Generator().manual_seed(seed)) + torch.tensor([0.0, 0.0, 4.0])


def test_a_person_off_the_axis_looks_as_one_on_it():
    """The same person, carried round the camera, gives the same crop, and the rotation that carried it."""
    straight = perspective_crop(seen_from(person(), 1.0))
    turn = turn_to(torch.tensor([[-0.5, 0.2]]))
    turned = perspective_crop(seen_from(person() @ turn.mT, 1.0))
    a, b = straight.points, turned.points
    rotation = (b.transpose(1, 2) @ a)[0]  # a turn about the axis is left: neither camera rolls
    u, _, v = torch.linalg.svd(rotation)
    torch.testing.assert_close(b, a @ (u @ v).T, atol=0.02, rtol=0)
    torch.testing.assert_close(straight.where[:, 4], turned.where[:, 4], atol=0.01, rtol=0)
    assert turned.where[0, 2:4].norm() > 0.4


def test_the_focal_length_does_not_change_what_is_seen_in_metres():
    wide, long = (perspective_crop(seen_from(person(), focal)) for focal in (0.6, 2.0))
    torch.testing.assert_close(wide.points, long.points)
    torch.testing.assert_close(wide.where[:, 2:], long.where[:, 2:])
    torch.testing.assert_close(wide.where[0, :2], torch.tensor([1, math.log(0.6)]))


def test_an_unknown_focal_length_is_assumed():
    told = perspective_crop(seen_from(person(), ASSUMED_FOCAL))
    for channels in (2, 3):
        unknown = perspective_crop(seen_from(person(), ASSUMED_FOCAL, channels))
        torch.testing.assert_close(unknown.points, told.points)
        assert unknown.where[0, 0] == 0 and told.where[0, 0] == 1


def test_missing_joints_count_for_nothing():
    x = seen_from(person(), 1.0)
    x[:, 3] = 0
    x[:, 3, 3] = 1.0
    crop = perspective_crop(x)
    kept = [joint for joint in range(17) if joint != 3]
    without = perspective_crop(x[:, kept])
    torch.testing.assert_close(crop.points[:, kept], without.points)
    torch.testing.assert_close(crop.where, without.where)
    assert (crop.points[:, 3] == 0).all() and crop.confidence[0, 3] == 0


def test_nothing_seen_or_one_joint_gives_finite_values_and_gradients():
    for seen in (0, 1):
        x = torch.zeros(2, 17, 3)
        x[:, :seen] = 0.3
        x.requires_grad_()
        crop = perspective_crop(x)
        sum(part.square().sum() for part in crop).backward()
        assert all(part.isfinite().all() for part in crop) and x.grad.isfinite().all()


def test_points_are_spread_out_about_their_mean():
    points = torch.randn(4, 9, 2)
    out, middle, spread = spread_out(points, torch.ones(4, 9, 1))
    torch.testing.assert_close(out.mean(1), torch.zeros(4, 2), atol=1e-6, rtol=0)
    torch.testing.assert_close(out.square().sum(-1).mean(1), torch.ones(4))
    torch.testing.assert_close(out * spread[:, None, None] + middle[:, None], points)


def test_tf32_rounds_nothing():
    x = seen_from(person(), 1.0)
    expected = perspective_crop(x)
    with Tf32():
        assert all(torch.equal(a, b) for a, b in zip(perspective_crop(x), expected, strict=True))
