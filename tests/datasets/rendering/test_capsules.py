"""The renderer: outlines of a pinhole camera, the nearer hides the farther, light from where it comes."""

import math
from typing import Any

import pytest
import torch
from torch import Tensor

from skelgraph.datasets.rendering.capsules import Capsules, render

RED, GREEN = (1.0, 0.0, 0.0), (0.0, 1.0, 0.0)
SIZE, FOCAL = 64, 64.0


def bodies(*capsules: tuple[Any, Any, float, Any]) -> Capsules:
    start, end, radius, color = (torch.tensor(field)[None] for field in zip(*capsules, strict=True))
    return Capsules(start, end, radius, color)


def picture(body: Capsules, light: tuple[float, float, float] = (0.0, 0.0, -1.0)) -> Tensor:
    """[3, H, W] before blue."""
    behind = torch.tensor([0, 0, 255], dtype=torch.uint8).view(1, 3, 1, 1).expand(1, 3, SIZE, SIZE)
    focal, center = torch.full((1, 2), FOCAL), torch.full((1, 2), SIZE / 2)
    return render(body, focal, center, torch.tensor([light]), behind)[0]


def body_of(image: Tensor) -> Tensor:
    return image[2] == 0


def outline(body: Capsules) -> Tensor:
    """Which pixels' rays come within the radius of an axis, from a thousand of its points in float64."""
    x = (torch.arange(SIZE, dtype=torch.float64) + 0.5 - SIZE / 2) / FOCAL
    rays = torch.stack([*torch.meshgrid(x, x, indexing="xy"), torch.ones(SIZE, SIZE)], -1)
    rays = rays / rays.norm(dim=-1, keepdim=True)
    hit = torch.zeros(SIZE, SIZE, dtype=torch.bool)
    for start, end, radius in zip(body.start[0].double(), body.end[0].double(), body.radius[0], strict=True):
        points = start + torch.linspace(0, 1, 1000, dtype=torch.float64)[:, None] * (end - start)
        nearest = (points.square().sum(1) - (rays @ points.T).square()).amin(-1)
        hit |= nearest < float(radius) ** 2
    return hit


@pytest.mark.parametrize(
    ("start", "end"),
    [
        ([-0.6, -0.4, 3.0], [0.7, 0.5, 2.0]),  # aslant
        ([-0.5, 0.2, 2.0], [-0.5, 0.2, 2.0]),  # a sphere
        ([0.1, 0.1, 1.5], [0.3, 0.3, 4.5]),  # along the rays
    ],
)
def test_outlines_are_a_pinhole_cameras(start: list[float], end: list[float]) -> None:
    body = bodies((start, end, 0.2, RED))
    seen, expected = body_of(picture(body)), outline(body)
    assert int(expected.sum()) > 50 and int((seen != expected).sum()) <= 2


@pytest.mark.parametrize("order", [1, -1])
def test_the_nearer_hides_the_farther(order: int) -> None:
    """Two crossed limbs, in either order: red is nearer on the left, green on the right."""
    capsules = [([-0.8, 0.0, 2.0], [0.8, 0.0, 3.0], 0.15, RED), ([-0.8, 0.0, 3.0], [0.8, 0.0, 2.0], 0.15, GREEN)]
    image = picture(bodies(*capsules[::order]))
    middle = SIZE // 2
    columns = body_of(image)[middle].nonzero().squeeze(1)
    left, right = columns[columns < middle - 2], columns[columns > middle + 2]
    assert len(left) > 10 and len(right) > 10
    assert (image[0, middle, left] > 0).all() and (image[1, middle, left] == 0).all()
    assert (image[1, middle, right] > 0).all() and (image[0, middle, right] == 0).all()


def test_a_sphere_is_lit_as_it_faces_the_light() -> None:
    sphere = bodies(([0.0, 0.0, 3.0], [0.0, 0.0, 3.0], 1.0, RED))
    lit = picture(sphere, (0.0, 0.0, -1.0))[0].float() / 255
    x = (torch.arange(SIZE) + 0.5 - SIZE / 2) / FOCAL
    rays = torch.stack([*torch.meshgrid(x, x, indexing="xy"), torch.ones(SIZE, SIZE)], -1)
    rays = rays / rays.norm(dim=-1, keepdim=True)
    along = 3 * rays[..., 2]
    depth = along - (along.square() - 8).clamp(min=0).sqrt()
    cosine = 3 - depth * rays[..., 2]  # of the normal (depth * ray - middle) with the light
    inside = along.square() > 8.05
    torch.testing.assert_close(lit[inside], (0.4 + 0.6 * cosine)[inside], rtol=0, atol=3e-3)
    left, right = (picture(sphere, (side, 0.0, 0.0))[0, SIZE // 2] for side in (-1.0, 1.0))
    assert left[20] > left[44] and right[20] < right[44]


def test_pictures_do_not_depend_on_their_number() -> None:
    """Far more than are worked on at once."""
    random = torch.Generator().manual_seed(0)
    start = torch.rand(40, 5, 3, generator=random) + torch.tensor([-0.5, -0.5, 3.0])
    body = Capsules(start, start.flip(1), torch.full((40, 5), 0.1), torch.rand(40, 5, 3, generator=random))
    focal, center = torch.full((40, 2), 90.0), torch.full((40, 2), 32.0)
    light = torch.tensor([[0.0, -math.sqrt(0.5), -math.sqrt(0.5)]]).expand(40, 3)
    behind = torch.randint(256, (40, 3, SIZE, SIZE), dtype=torch.uint8, generator=random)
    together = render(body, focal, center, light, behind)
    for i in (0, 17, 39):
        one = slice(i, i + 1)
        alone = render(Capsules(*(f[one] for f in body)), focal[one], center[one], light[one], behind[one])
        different = (alone[0].int() - together[i].int()).abs()
        assert int((different > 1).sum()) <= 3 * 4  # rounding at outlines
