"""A dataset."""

from typing import Literal

import torch

from skelgraph import Skeleton
from skelgraph.datasets import PoseDataset
from skelgraph.datasets.samples import Poses
from skelgraph.skeleton.bones import center_on


class Beginners(PoseDataset):
    """Random poses seen head on."""

    actions = ("stand",)

    def __init__(
        self, skeleton: Skeleton, split: Literal["train", "test"] = "train", seed: int = 0, *, size: int = 12
    ) -> None:
        super().__init__(skeleton, split, seed)
        self.size = size

    def __len__(self) -> int:
        return self.size

    def make(self, epoch: int) -> Poses:
        target = torch.randn(self.size, self.skeleton.num_joints, 3, generator=self.generator(epoch)) * 0.3
        target = center_on(target, self.skeleton.origin)
        seen, sizes = torch.ones(target.shape[:2]), torch.full((self.size, 2), 1000.0)
        action, focal = torch.zeros(self.size, dtype=torch.long), torch.full((self.size,), 1150.0)
        return Poses(target[..., :2] * 300 + 500, seen, sizes, target, action, focal)
