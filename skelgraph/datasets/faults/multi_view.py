"""Faults of a keypoint detector in the synchronised clips of several cameras."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from skelgraph.datasets.faults.single_view import any_limb
from skelgraph.skeleton import Skeleton

Range = tuple[float, float]


@dataclass(frozen=True)
class Faults:
    """How large and how frequent faults are; of a range, each clip draws its own value.

    Args:
        noise_px: standard deviation of Gaussian noise in x and in y, px.
        outliers: share of the keypoints that are off by ``outlier_px``, in any direction.
        outlier_px: how far, px.
        missing: share of the keypoints that are missing.
        missing_views: how many whole views are missing.
        lasting: how probably a view has faults that last: left and right traded or a limb far off for some of the
            frames, and joints that are where another definition has them.
        camera_deg: in half of the sets one camera is turned from where its calibration says, by this standard deviation
            about each axis, degrees.

    Raises:
        ValueError: if a share is not in [0, 1], a length is negative, or a range's ends are the wrong way round.
    """

    noise_px: Range = (0.0, 0.0)
    outliers: Range = (0.0, 0.0)
    outlier_px: Range = (60.0, 60.0)
    missing: Range = (0.0, 0.0)
    missing_views: tuple[int, int] = (0, 0)
    lasting: float = 0.0
    camera_deg: float = 0.0

    def __post_init__(self) -> None:
        for name, most in (("noise_px", None), ("outliers", 1), ("outlier_px", None), ("missing", 1)):
            low, high = getattr(self, name)
            if not 0 <= low <= high or (most is not None and high > most):
                raise ValueError(
                    f"{name} must be a range [low, high] from 0{' to 1' if most else ''}, found {low, high}"
                )
        if not 0 <= self.missing_views[0] <= self.missing_views[1] or not 0 <= self.lasting <= 1:
            raise ValueError(
                f"missing_views must be a range from 0 and lasting in [0, 1], found {self.missing_views}, "
                f"{self.lasting}"
            )


def detect_clips(
    keypoints: Tensor, visible: Tensor, skeleton: Skeleton, faults: Faults, random: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Keypoints [N, V, T, J, 2] px with faults, 0 where missing, and confidence [N, V, T, J]: 1, or 0 where missing.

    Args:
        keypoints: without fault, px, [N, V, T, J, 2].
        visible: what the cameras see at all, bool [N, V, T, J].
        skeleton: J joints.
        faults: which.
        random: source of randomness.
    """
    shape = keypoints.shape[:-1]

    def within(bounds: Range, dims: int = 4) -> Tensor:
        low, high = bounds
        return low + (high - low) * torch.rand(shape[0], *[1] * dims, generator=random)

    if faults.lasting:
        keypoints = keypoints + _lasting(keypoints, skeleton, faults.lasting, random)
    keypoints = keypoints + within(faults.noise_px) * torch.randn(keypoints.shape, generator=random)
    off = torch.rand(shape, generator=random) < within(faults.outliers, 3)
    angle = 2 * torch.pi * torch.rand(shape, generator=random)
    away = within(faults.outlier_px) * torch.stack([angle.cos(), angle.sin()], -1)
    keypoints = torch.where(off.unsqueeze(-1), keypoints + away, keypoints)
    seen = visible & (torch.rand(shape, generator=random) >= within(faults.missing, 3))
    seen &= _views_left(shape[0], shape[1], faults.missing_views, random)
    return torch.where(seen.unsqueeze(-1), keypoints, 0), seen.float()


def _views_left(clips: int, views: int, missing: tuple[int, int], random: torch.Generator) -> Tensor:
    """Bool [N, V, 1, 1], with so many views missing in each clip."""
    count = torch.randint(missing[0], missing[1] + 1, (clips, 1), generator=random)
    order = torch.rand(clips, views, generator=random).argsort(1)
    return (order >= count)[..., None, None]


def _lasting(keypoints: Tensor, skeleton: Skeleton, probability: float, random: torch.Generator) -> Tensor:
    """What is added to the keypoints, px, [N, V, T, J, 2]: for some of the frames of a view a limb is far off, or it or
    the whole body has left and right traded; and some joints are off all the time, by an amount that drifts."""
    clips, views, frames, joints, _ = keypoints.shape

    def uniform(*shape: int) -> Tensor:
        return torch.rand(clips, views, *shape, generator=random)

    def normal(*shape: int) -> Tensor:
        return torch.randn(clips, views, *shape, generator=random)

    time = torch.linspace(-0.5, 0.5, frames).view(-1, 1, 1)
    size = (keypoints.amax(3) - keypoints.amin(3)).norm(dim=-1).mean(2)[..., None, None, None]  # of the figure, px
    middle, length = uniform(1, 1, 1) - 0.5, uniform(1, 1, 1)
    span = (uniform(1, 1, 1) < 0.5 * probability) & ((time - middle).abs() < length)
    chosen = any_limb(skeleton, (clips, views), random)[:, :, None, :, None]
    traded = keypoints[..., skeleton.flip_index, :] - keypoints
    kind = uniform(1, 1, 1)
    shifted = chosen * 0.2 * size * normal(1, 1, 2)
    fault = torch.where(kind < 0.3, chosen * traded, torch.where(kind < 0.5, traded, shifted))
    share = 0.5 * probability * torch.rand(clips, 1, 1, 1, 1, generator=random)
    drift = 0.05 * size * (normal(1, joints, 2) + time * normal(1, joints, 2)) * uniform(1, joints, 1)
    return torch.where(span, fault, 0) + torch.where(uniform(1, joints, 1) < share, drift, 0)
