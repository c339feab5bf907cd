"""A light renderer: bodies of capsules before a background, seen by pinhole cameras, in plain vectorised torch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

_PIXELS_AT_ONCE = 1 << 16  # so that what is worked on stays in a core's cache
_AMBIENT = 0.4
_TINY = 1e-9
_FAR = 1e6


class Capsules(NamedTuple):
    """``N`` bodies of ``K`` capsules: the points within ``radius`` of a segment; a sphere where its ends are one."""

    start: Tensor  #: ``[N, K, 3]`` m, camera frame (x right, y down, z forward)
    end: Tensor  #: ``[N, K, 3]`` m
    radius: Tensor  #: ``[N, K]`` m
    color: Tensor  #: ``[N, K, 3]`` red, green and blue in [0, 1]


def render(capsules: Capsules, focal: Tensor, center: Tensor, light: Tensor, background: Tensor) -> Tensor:
    """Pictures of bodies, each before its own background: uint8 ``[N, 3, H, W]``.

    The nearest capsule is seen at a pixel whose ray comes within its radius; its surface is as bright as it faces the
    light. Outlines are exact for a pinhole camera, depth within a capsule's radius.

    Args:
        capsules: N bodies, all of them before their cameras.
        focal: ``[N, 2]`` px.
        center: principal point ``[N, 2]`` px; a pixel's own middle is at half pixels.
        light: unit vectors towards the light, camera frame, ``[N, 3]``.
        background: uint8 ``[N, 3, H, W]``.
    """
    height, width = background.shape[-2:]
    step = max(1, _PIXELS_AT_ONCE // (height * width))
    parts = []
    for i in range(0, len(background), step):
        some = slice(i, i + step)
        rays = _rays(focal[some], center[some], height, width)
        body = Capsules(*(field[some] for field in capsules))
        hit, shaded = _shaded(body, rays, light[some])
        color = shaded.mul_(255).round_().to(torch.uint8)
        parts.append(torch.where(hit.unsqueeze(1), color, background[some].flatten(2)))
    return torch.cat(parts).view(background.shape)


def _rays(focal: Tensor, center: Tensor, height: int, width: int) -> Tensor:
    """Unit vectors ``[N, 3, H * W]`` through the middle of each pixel."""
    x = ((torch.arange(width) + 0.5 - center[:, :1]) / focal[:, :1]).unsqueeze(1)
    y = ((torch.arange(height) + 0.5 - center[:, 1:]) / focal[:, 1:]).unsqueeze(2)
    z = (1 + x * x + y * y).rsqrt_()
    return torch.stack([x * z, y * z, z], 1).flatten(2)


def _shaded(body: Capsules, rays: Tensor, light: Tensor) -> tuple[Tensor, Tensor]:
    """Which rays hit the body ``[N, P]``, and the colours ``[N, 3, P]`` they meet."""
    axis = body.end - body.start
    on_start, on_axis = (torch.cat([body.start, axis], 1) @ rays).chunk(2, 1)  # [N, K, P]
    products = [(p * q).sum(2) for p, q in ((axis, axis), (body.start, axis), (body.start, body.start))]
    facts = torch.stack([*products, body.radius], 1)  # [N, 4, K]
    which = _nearest(on_start, on_axis, facts)
    lit = [(each @ light.unsqueeze(2)).mT for each in (body.start, axis)]
    table = torch.cat([facts, *lit, body.color.mT], 1)
    table = table.gather(2, which.unsqueeze(1).expand(-1, table.size(1), -1))
    *chosen, lit_start, lit_axis = table[:, :-3].unbind(1)
    p, q = (each.gather(1, which.unsqueeze(1)).squeeze(1) for each in (on_start, on_axis))
    along, foot, inside = _meet(p, q, chosen)
    depth = foot - inside.clamp(min=0).sqrt_()
    towards = (light.unsqueeze(1) @ rays).squeeze(1)
    facing = (depth * towards - lit_start - along * lit_axis) / chosen[-1]  # cosine from the normal to the light
    brightness = _AMBIENT + (1 - _AMBIENT) * facing.clamp_(0, 1)
    return inside > 0, table[:, -3:] * brightness.unsqueeze(1)


def _nearest(on_start: Tensor, on_axis: Tensor, facts: Tensor) -> Tensor:
    """Index of the capsule that each ray meets first, ``[N, P]``; any where it meets none.

    Depths are compared as integers, which order positive floats alike, with the index in their last bits: that takes
    neither masks nor a second minimum, which are slow. Here the near side of a capsule is a parabola, not a circle.
    """
    count = on_start.size(1)
    last_bits = (1 << (count - 1).bit_length()) - 1
    nearest = torch.full_like(on_start[:, 0], torch.iinfo(torch.int32).max, dtype=torch.int32)
    for k in range(count):
        fact = facts[:, :, k, None].unbind(1)
        _, foot, inside = _meet(on_start[:, k], on_axis[:, k], fact)
        depth = foot.sub_(torch.minimum(inside / fact[-1], inside * _FAR))  # far away where the ray passes by
        torch.minimum(nearest, depth.view(torch.int32).bitwise_and_(~last_bits).bitwise_or_(k), out=nearest)
    return nearest.bitwise_and_(last_bits).long()


def _meet(on_start: Tensor, on_axis: Tensor, facts: Sequence[Tensor]) -> tuple[Tensor, Tensor, Tensor]:
    """Where rays are nearest to axes: at which share of the axis, how far along the ray (m), and the radius squared
    less the distance squared (m^2), which is negative where the ray passes by.

    Args:
        on_start, on_axis: how far start and axis reach along the ray, m.
        facts: the axis times itself, start times axis, start times itself, m^2; and the radius, m.
    """
    axis_axis, start_axis, start_start, radius = facts
    along = (on_start * on_axis).sub_(start_axis).div_((axis_axis + _TINY) - on_axis * on_axis).clamp_(0, 1)
    foot = torch.addcmul(on_start, along, on_axis)
    apart = (along * axis_axis).add_(2 * start_axis).mul_(along).sub_(radius * radius - start_start)
    return along, foot, torch.addcmul(-apart, foot, foot)
