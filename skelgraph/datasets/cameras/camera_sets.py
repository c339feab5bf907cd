"""Sets of calibrated cameras that look at one place."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from skelgraph.geometry.cameras import Rig, human36m_cameras
from skelgraph.geometry.rotations import from_vector, rotate

_IMAGE_SIZES = ((1920, 1080), (1080, 1920), (1280, 720), (1000, 1000), (1000, 1002))


def human36m_sessions() -> list[str]:
    """Names of the nine sessions, one a subject."""
    return sorted({name.split("/")[0] for name in human36m_cameras()})


def human36m_sets(serials: Sequence[str] | None = None, sessions: Sequence[str] | None = None) -> Rig:
    """Human3.6M's cameras by session, [S, V, ...].

    Args:
        serials: of each session the cameras with these serial numbers; default all four.
        sessions: which; default all nine.

    Raises:
        ValueError: for a serial number that no camera has.
    """
    cameras = human36m_cameras()
    known = sorted({name.split("/")[1] for name in cameras})
    unknown = [serial for serial in serials or () if serial not in known]
    if unknown:
        raise ValueError(
            f"no camera of Human3.6M has the serial number {', '.join(unknown)}; known: {', '.join(known)}"
        )
    chosen = human36m_sessions() if sessions is None else sessions
    sets = [Rig.of([cameras[f"{session}/{serial}"] for serial in serials or known]) for session in chosen]
    return Rig(*(torch.stack(values) for values in zip(*sets, strict=True)))


def to_cameras(points: Tensor, rig: Rig) -> Tensor:
    """From the world [N, T, K, 3] to the frames of V cameras each [N, V, ...], [N, V, T, K, 3], m."""
    return rotate(rig.R.unsqueeze(2), points.unsqueeze(1) - rig.T[:, :, None, None])


def cameras_around(middle: Tensor, views: int, random: torch.Generator) -> Rig:
    """``views`` cameras about each of N people, without distortion, [N, V, ...].

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
    zeros = torch.zeros(*shape, 3)
    return Rig(R, center, focal.unsqueeze(-1).expand(*shape, 2), size / 2, zeros, zeros[..., :2], size)


def miscalibrated(rig: Rig, degrees: float, random: torch.Generator) -> Rig:
    """The cameras [N, V, ...] as bad calibrations have them: in half of the sets one is turned, by angles of this
    standard deviation about each axis."""
    count, views = rig.T.shape[:2]
    chosen = torch.randint(2 * views, (count, 1), generator=random) == torch.arange(views)
    vector = torch.deg2rad(degrees * torch.randn(rig.T.shape, generator=random))
    return rig._replace(R=from_vector(vector * chosen.unsqueeze(-1)) @ rig.R)


def _looking(forward: Tensor, roll: Tensor) -> Tensor:
    """Rotations [..., 3, 3] from the world (z up) to cameras that look along ``forward`` [..., 3], x right, y down."""
    down = torch.tensor([0.0, 0.0, -1.0]).expand_as(forward)
    right = torch.nn.functional.normalize(torch.linalg.cross(down, forward), dim=-1)
    below = torch.linalg.cross(forward, right)
    cos, sin = roll.cos().unsqueeze(-1), roll.sin().unsqueeze(-1)
    return torch.stack([cos * right + sin * below, cos * below - sin * right, forward], -2)
