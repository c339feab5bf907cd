"""Sets of calibrated cameras that look at one place."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from skelgraph.geometry.cameras import Camera
from skelgraph.geometry.human36m import SERIALS, check_serials
from skelgraph.geometry.rotations import from_vector

_IMAGE_SIZES = ((1920, 1080), (1080, 1920), (1280, 720), (1000, 1000), (1000, 1002))


def serials_of_split(split: str, cameras: Sequence[str] | None = None, held_out: Sequence[str] = ()) -> tuple[str, ...]:
    """Serial numbers of the Human3.6M cameras that a split sees.

    Args:
        split: "train" or "test".
        cameras: those of both splits; default all four.
        held_out: those that only the test sees, and all that it sees; () uses ``cameras`` in both splits.

    Raises:
        ValueError: for an unknown serial number or a duplicate, or if none is left.
    """
    chosen = SERIALS if cameras is None else tuple(cameras)
    check_serials((*chosen, *held_out))
    used = tuple(serial for serial in chosen if serial not in held_out)
    if split == "test" and held_out:
        used = tuple(held_out)
    if not used or len(set(used)) < len(used):
        wrong = "a camera is a duplicate" if used else f"no camera is left for split {split!r}"
        raise ValueError(f"{wrong}: cameras={cameras}, held_out={list(held_out)}")
    return used


def cameras_around(middle: Tensor, views: int, random: torch.Generator) -> Camera:
    """``views`` cameras about each of N people, without distortion, [N, V].

    They stand 2 to 7 m away, at least a third of the even spacing apart as seen from above, 0.3 to 3 m high, roll up to
    8 degrees and look at the person within a tenth of the image; who stands upright is over 0.35 to 0.9 of the shorter
    side.

    Args:
        middle: of the people, m, z up, [N, 3].
        views: V.
        random: source of randomness.
    """
    shape = (len(middle), views)

    def between(low: float, high: float, *more: int) -> Tensor:
        return low + (high - low) * torch.rand(*shape, *more, generator=random)

    even = (torch.arange(views) + between(-0.33, 0.33)) / views
    azimuth = 2 * torch.pi * (even + torch.rand(len(middle), 1, generator=random))
    distance = between(2, 7)
    flat = torch.stack([azimuth.cos(), azimuth.sin()], -1) * distance.unsqueeze(-1)
    center = torch.cat([middle[:, None, :2] + flat, between(0.3, 3.0, 1)], -1)
    size = torch.tensor(_IMAGE_SIZES, dtype=torch.float32)[
        torch.randint(len(_IMAGE_SIZES), (len(middle), 1), generator=random)
    ].expand(*shape, 2)
    focal = between(0.35, 0.9) * size.amin(-1) * distance / 1.8
    forward = torch.nn.functional.normalize(middle.unsqueeze(1) - center, dim=-1)
    forward = torch.nn.functional.normalize(
        forward + 0.1 * (size[..., :1] / focal.unsqueeze(-1)) * between(-1, 1, 3), dim=-1
    )
    R = _looking(forward, torch.deg2rad(between(-8, 8)))
    return Camera(R, center, focal.unsqueeze(-1).expand(*shape, 2), size / 2, image_size=size, dtype=torch.float32)


def miscalibrated(cameras: Camera, degrees: float, random: torch.Generator) -> Camera:
    """The cameras [N, V] as bad calibrations have them: in half of the sets one is turned, by angles of this standard
    deviation about each axis."""
    count, views = cameras.shape
    chosen = torch.randint(2 * views, (count, 1), generator=random) == torch.arange(views)
    vector = torch.deg2rad(degrees * torch.randn(count, views, 3, generator=random))
    return cameras.turned(from_vector(vector * chosen.unsqueeze(-1)))


def _looking(forward: Tensor, roll: Tensor) -> Tensor:
    """Rotations [..., 3, 3] from the world (z up) to cameras that look along ``forward`` [..., 3], x right, y down."""
    down = torch.tensor([0.0, 0.0, -1.0]).expand_as(forward)
    right = torch.nn.functional.normalize(torch.linalg.cross(down, forward), dim=-1)
    below = torch.linalg.cross(forward, right)
    cos, sin = roll.cos().unsqueeze(-1), roll.sin().unsqueeze(-1)
    return torch.stack([cos * right + sin * below, cos * below - sin * right, forward], -2)
