"""Someone to lift, and checkpoints of small models to lift with."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from skelgraph import Skeleton
from skelgraph.lifting.error_estimate import ErrorEstimate
from skelgraph.nn import models
from skelgraph.poses.keypoints import Keypoints
from skelgraph.skeleton.builtin import COCO
from skelgraph.training import checkpoint

SIZE = (1000.0, 800.0)


def person(skeleton: Skeleton = COCO, frames: int = 7, seed: int = 0) -> Keypoints:
    """Someone upright."""
    height = {"ankle": 700, "knee": 560, "hip": 420, "shoulder": 200, "nose": 100, "eye": 90, "ear": 100, "head": 80}
    y = np.array([next((v for k, v in height.items() if k in joint), 300) for joint in skeleton.joints])
    xy = np.stack([np.full(len(y), 500), y], -1) + np.random.default_rng(seed).uniform(-20, 20, (frames, len(y), 2))
    return Keypoints.of(xy, skeleton.joints, image_size=SIZE, fps=25, source="walk")


def save_run(path: Path, skeleton: Skeleton, name: str, in_channels: int = 2, **more: Any) -> Path:
    """A checkpoint of an untrained model; ``error_estimate`` goes into its meta, the rest to the model."""
    known = {"error_estimate": more.pop("error_estimate")} if "error_estimate" in more else {}
    spec = {"name": name, "in_channels": in_channels, **more}
    torch.manual_seed(0)
    model: nn.Module = getattr(models, name)(skeleton, in_channels, **more)
    tensors = {f"model.{key}": value for key, value in model.state_dict().items()}
    meta = {"config": {"model": spec}, "skeleton": skeleton.to_dict(), "in_channels": in_channels, "step": 0, **known}
    path.parent.mkdir(exist_ok=True)
    checkpoint.save(path, tensors, meta)
    return path


def part_lifter(path: Path, skeleton: Skeleton) -> Path:
    """A small PartLifter like those that the package ships; joints of the n-th part are expected to be 10 n times as
    far off as it foretells."""
    parts = list(skeleton.parts.values())
    part_of = [next(p for p, joints in enumerate(parts) if joint in joints) for joint in range(skeleton.num_joints)]
    knots = np.tile([0.01, 0.1, 1.0], (len(parts), 1))
    estimate = ErrorEstimate(tuple(part_of), knots, 1e4 * knots * np.arange(1, len(parts) + 1)[:, None])
    small = [limb for limb in ("left_hand", "right_hand", "face") if limb in skeleton.limbs]
    sizes = {"hidden_channels": 16, "num_layers": 1, "small_channels": 8, "small_layers": 1, "small_parts": small}
    return save_run(path, skeleton, "PartLifter", 4, **sizes, error_estimate=estimate.to_dict())
