"""A model and a dataset small enough to train in a blink; a plugin, as a user would write one."""

from typing import Literal

import torch
from torch import Tensor, nn

from skelgraph import Skeleton
from skelgraph.datasets import PoseDataset
from skelgraph.datasets.samples import Poses
from skelgraph.nn.models import SkeletonModel
from skelgraph.nn.output import PoseOutput

__all__ = ["TinyNet", "TinyPoses"]


class TinyNet(SkeletonModel):
    """One hidden layer on all joints."""

    def __init__(
        self,
        skeleton: Skeleton,
        in_channels: int = 2,
        out_channels: int = 3,
        *,
        hidden: int = 16,
        dropout: float = 0.25,
        norm: bool = False,
        head: bool = False,
    ) -> None:
        super().__init__(skeleton, in_channels, out_channels)
        self.joints, self.head = skeleton.num_joints, head
        parts: list[nn.Module] = [nn.Linear(skeleton.num_joints * in_channels, hidden)]
        parts += [nn.BatchNorm1d(hidden)] if norm else []
        self.body = nn.Sequential(*parts, nn.Tanh(), nn.Dropout(dropout))
        self.out = nn.Linear(hidden, skeleton.num_joints * out_channels)
        self.unused = nn.Linear(2, 2)

    def forward(self, x: Tensor) -> Tensor | PoseOutput:
        pose = self.out(self.body(x.flatten(1))).view(len(x), self.joints, -1)
        return PoseOutput(pose, pose.abs()) if self.head else pose


class TinyPoses(PoseDataset):
    """Random poses seen head on; sample ``poison`` of the training split is not finite from epoch 1 on."""

    actions = ("stand", "walk")

    def __init__(
        self,
        skeleton: Skeleton,
        split: Literal["train", "test"] = "train",
        seed: int = 0,
        *,
        size: int = 20,
        poison: int | None = None,
    ) -> None:
        super().__init__(skeleton, split, seed)
        self.size, self.poison = size, poison

    def __len__(self) -> int:
        return self.size

    def make(self, epoch: int) -> Poses:
        key = self.seed * 1000 + (epoch if self.split == "train" else 999)
        generator = torch.Generator().manual_seed(key)
        target = torch.randn(self.size, self.skeleton.num_joints, 3, generator=generator) * 0.3
        target = target - target[:, list(self.skeleton.origin)].mean(1, keepdim=True)
        keypoints = target[..., :2] * 300 + 500
        if self.poison is not None and epoch > 0 and self.split == "train":
            target[self.poison] = float("nan")
        n = self.size
        confidence = torch.ones(n, self.skeleton.num_joints)
        return Poses(
            keypoints, confidence, torch.full((n, 2), 1000.0), target, torch.arange(n) % 2, torch.full((n,), 1150.0)
        )


SKELETON = {"name": "stick", "joints": ["hip", "left_knee", "right_knee"], "parents": [-1, 0, 0]}


def settings(**train: object) -> dict:
    """An experiment that takes 3 epochs of 5 steps."""
    return {
        "skeleton": SKELETON,
        "model": {"name": "TinyNet"},
        "data": {"name": "TinyPoses"},
        "loss": {"mpjpe": 1.0},
        "optim": {"name": "AdamW", "lr": 0.01},
        "schedule": {"name": "cosine"},
        "train": {"epochs": 3, "batch_size": 4, "device": "cpu", **train},
    }
