"""A dataset."""

from typing import Literal

import torch

from skelgraph import Skeleton
from skelgraph.datasets.samples import Poses


class Beginners:
    """Random poses seen head on."""

    def __init__(
        self, skeleton: Skeleton, split: Literal["train", "test"] = "train", seed: int = 0, *, size: int = 12
    ) -> None:
        self.skeleton, self.split, self.seed, self.size = skeleton, split, seed, size
        self.actions = ("stand",)

    def __len__(self) -> int:
        return self.size

    def draw(self, epoch: int, device: torch.device | None = None) -> Poses:
        generator = torch.Generator().manual_seed(self.seed * 1000 + (epoch if self.split == "train" else 999))
        target = torch.randn(self.size, self.skeleton.num_joints, 3, generator=generator) * 0.3
        target = target - target[:, list(self.skeleton.origin)].mean(1, keepdim=True)
        seen, sizes = torch.ones(target.shape[:2]), torch.full((self.size, 2), 1000.0)
        action, focal = torch.zeros(self.size, dtype=torch.long), torch.full((self.size,), 1150.0)
        return Poses(target[..., :2] * 300 + 500, seen, sizes, target, action, focal).to(device)
