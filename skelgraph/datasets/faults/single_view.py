"""Faults of a keypoint detector."""

from __future__ import annotations

import torch
from torch import Tensor

from skelgraph.skeleton import Skeleton

_SMALL = ("face_", "left_hand_", "right_hand_")
_LEG = ("knee", "ankle", "heel", "toe")


def detect(keypoints: Tensor, noise_px: float, missing: float, random: torch.Generator) -> tuple[Tensor, Tensor]:
    """Keypoints [N, J, 2] px with Gaussian noise, and confidence [N, J]: 1, or 0 where missing (keypoints 0).

    Args:
        keypoints: without fault, px.
        noise_px: standard deviation in x and in y, px.
        missing: probability that a joint is missing.
        random: source of randomness.
    """
    if noise_px:
        keypoints = keypoints + noise_px * torch.randn(keypoints.shape, generator=random)
    if not missing:
        return keypoints, torch.ones(keypoints.shape[:-1])
    seen = torch.rand(keypoints.shape[:-1], generator=random) >= missing
    return torch.where(seen.unsqueeze(-1), keypoints, 0), seen.float()


def any_limb(skeleton: Skeleton, shape: tuple[int, ...], random: torch.Generator) -> Tensor:
    """Which joints are a limb's, of so many limbs drawn at random: bool ``[*shape, J]``."""
    limbs = torch.zeros(len(skeleton.limbs), skeleton.num_joints, dtype=torch.bool)
    for row, limb in zip(limbs, skeleton.limbs.values(), strict=True):
        row[list(limb)] = True
    return limbs[torch.randint(len(limbs), shape, generator=random)]


def detect_roughly(
    keypoints: Tensor, image_size: Tensor, skeleton: Skeleton, faulty: float, noise: float, random: torch.Generator
) -> tuple[Tensor, Tensor]:
    """As :func:`detect`, with what befalls keypoints from pictures of all kinds.

    - Outside the image a joint is missing.
    - A share of the poses has noise. Its standard deviation is up to a share of the figure's diagonal, mostly far below
      (a square of a uniform number), a third of that in hands and faces, and five times as large at one joint in 60.
    - Half of the poses have confidences, of which the noise is as large as they are low; in the others they are 1.
    - In as many poses joints are missing, up to 25 % of them; in a sixth of all a limb is missing, in an eighth the
      legs (H3WB masks joints alike; Zhu et al. 2023, task 2).

    Args:
        keypoints: without fault, px, [N, J, 2].
        image_size: width and height, px, [N, 2].
        skeleton: J joints.
        faulty: share of the poses with noise, and of those with missing joints.
        noise: the largest standard deviation, over the diagonal.
        random: source of randomness.
    """
    count, joints, _ = keypoints.shape

    def happens(probability: float) -> Tensor:
        return torch.rand(count, 1, generator=random) < probability

    def uniform(*shape: int) -> Tensor:
        return torch.rand(shape, generator=random)

    inside = ((keypoints >= 0) & (keypoints <= image_size.unsqueeze(1))).all(-1)
    diagonal = (keypoints.amax(1) - keypoints.amin(1)).norm(dim=-1, keepdim=True)
    confidence = torch.where(happens(0.5), 0.2 + 0.8 * uniform(count, joints), 1.0)
    spread = torch.where(happens(1 - faulty), 0.0, noise * uniform(count, 1) ** 2) * diagonal
    spread = spread * (2 - confidence) * torch.where(uniform(count, joints) < 1 / 60, 5, 1)
    small = torch.tensor([name.startswith(_SMALL) for name in skeleton.joints])
    spread = spread * torch.where(small, 1 / 3, 1.0)
    seen = uniform(count, joints) >= torch.where(happens(faulty), 0.25 * uniform(count, 1), 0.0)
    chosen = any_limb(skeleton, (count,), random)
    legs = torch.tensor([name.endswith(_LEG) for name in skeleton.joints])
    seen = seen & inside & ~(chosen & happens(1 / 6)) & ~(legs & happens(1 / 8))
    keypoints = keypoints + spread.unsqueeze(-1) * torch.randn(keypoints.shape, generator=random)
    return torch.where(seen.unsqueeze(-1), keypoints, 0), torch.where(seen, confidence, 0)
