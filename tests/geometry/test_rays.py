"""Where rays meet."""

import pytest
import torch
from tf32 import Tf32

from skelgraph.geometry.rays import Agreement, consensus, nan_median, nearest, nearest_robustly


def agreed(center: torch.Tensor, direction: torch.Tensor, weight: torch.Tensor) -> Agreement:
    return consensus(center, direction, weight, nearest_robustly(center, direction, weight))


FINDERS = {
    "plain": nearest,
    "huber": nearest_robustly,
    "consensus": agreed,
}


@pytest.fixture
def room() -> tuple[torch.Tensor, torch.Tensor]:
    """Points [2, 5, 3] and camera centres [2, 4, 5, 3], m."""
    random = torch.Generator().manual_seed(0)
    points = torch.rand(2, 5, 3, generator=random, dtype=torch.float64)
    corners = [(4.0, 0.0, 1.0), (0.0, 4.0, 2.0), (-4.0, 1.0, 0.5), (0.5, -4.0, 2.0)]
    return points, torch.tensor(corners, dtype=torch.float64)[None, :, None].expand(2, 4, 5, 3)


def towards(points: torch.Tensor, centers: torch.Tensor) -> torch.Tensor:
    return torch.nn.functional.normalize(points.unsqueeze(1) - centers, dim=-1)


def test_rays_through_a_point_meet_in_it(room) -> None:
    points, centers = room
    weight = torch.ones(2, 4, 5, dtype=torch.float64)
    for find in FINDERS.values():
        found, met = find(centers, towards(points, centers), weight)[:2]
        assert met.all()
        assert (found - points).abs().max() < 1e-9


def test_the_nearest_point_has_the_least_squared_distance(room) -> None:
    points, centers = room
    random = torch.Generator().manual_seed(1)
    noisy = points.unsqueeze(1) + 0.05 * torch.randn(2, 4, 5, 3, generator=random, dtype=torch.float64)
    direction = torch.nn.functional.normalize(noisy - centers, dim=-1)
    weight = torch.rand(2, 4, 5, generator=random, dtype=torch.float64)
    x = nearest(centers, direction, weight)[0].requires_grad_()
    to_point = x.unsqueeze(1) - centers
    across = to_point - direction * (direction * to_point).sum(-1, keepdim=True)
    (weight * across.square().sum(-1)).sum().backward()
    assert x.grad.abs().max() < 1e-9


def test_one_ray_or_parallel_rays_decide_nothing(room) -> None:
    points, centers = room
    direction = towards(points, centers)
    one = torch.tensor([1.0, 0, 0, 0], dtype=torch.float64).view(1, 4, 1).expand(2, 4, 5)
    found, met = nearest(centers, direction, one)
    assert not met.any() and (found == 0).all()
    assert not nearest(centers, direction[:, :1].expand(2, 4, 5, 3), torch.ones_like(one))[1].any()
    assert not nearest(centers, direction, torch.zeros_like(one))[1].any()


def test_a_ray_that_is_far_off_hardly_pulls(room) -> None:
    points, centers = room
    random = torch.Generator().manual_seed(1)
    seen = points.unsqueeze(1) + 0.003 * torch.randn(2, 4, 5, 3, generator=random, dtype=torch.float64)
    seen[:, 0, 0, 2] += 0.5
    direction = torch.nn.functional.normalize(seen - centers, dim=-1)
    weight = torch.ones(2, 4, 5, dtype=torch.float64)
    off = {name: (find(centers, direction, weight)[0] - points).norm(dim=-1) for name, find in FINDERS.items()}
    assert off["plain"][:, 0].min() > 0.08
    assert off["huber"][:, 0].max() < 0.04
    assert off["consensus"][:, 0].max() < 0.01
    pull = agreed(centers, direction, weight).pull
    assert (pull[:, 0, 0] < 0.01 * pull[:, 1:, 0].amax(1)).all()


def test_gradients_are_right(room) -> None:
    points, centers = room
    random = torch.Generator().manual_seed(2)
    weight = torch.rand(2, 4, 5, generator=random, dtype=torch.float64).requires_grad_()
    noisy = points.unsqueeze(1) + 0.05 * torch.randn(2, 4, 5, 3, generator=random, dtype=torch.float64)
    direction = torch.nn.functional.normalize(noisy - centers, dim=-1).requires_grad_()
    assert torch.autograd.gradcheck(lambda d, w: nearest(centers, d, w)[0], (direction, weight))


def test_tf32_does_not_round_where_rays_meet(room) -> None:
    points, centers = (each.float() for each in room)
    direction, weight = towards(points, centers), torch.ones(2, 4, 5)
    for find in FINDERS.values():
        expected = find(centers, direction, weight)[0]
        with Tf32():
            assert torch.equal(find(centers, direction, weight)[0], expected)


@pytest.mark.parametrize("dim", [0, 1, -1])
@pytest.mark.parametrize("keepdim", [True, False])
def test_the_median_is_torchs(dim: int, keepdim: bool) -> None:
    values = torch.randn(64, 31, 6, generator=torch.Generator().manual_seed(0))
    values[values < -0.5] = torch.nan
    values[3, 5], values[:, 4, 1], values[2, :, 3] = torch.nan, torch.nan, torch.nan
    expected = values.nanmedian(dim, keepdim).values
    assert expected.isnan().any()
    assert torch.equal(nan_median(values, dim, keepdim).nan_to_num(9.0), expected.nan_to_num(9.0))
