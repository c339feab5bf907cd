"""Faults of a keypoint detector."""

from __future__ import annotations

import torch
from torch import Tensor


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
