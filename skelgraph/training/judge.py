"""What is looked at while a model trains."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from skelgraph.nn import metrics
from skelgraph.nn.prediction import predict
from skelgraph.training.batches import Batches
from skelgraph.training.evaluate import PosePairs, pose_pairs
from skelgraph.training.experiment import Experiment


class Judge:
    """The error of a model on the samples held out of the training split or, where none are, on the test split.

    Args:
        experiment: what is trained.
        batches: know the held-out samples.
        device: where.

    Attributes:
        column: the name of the error in a logger's rows, and in the state of a training.
    """

    def __init__(self, experiment: Experiment, batches: Batches, device: torch.device) -> None:
        self.experiment, self.batches, self.device = experiment, batches, device
        self.column = "held_out_mpjpe_mm" if batches.held_out else "test_mpjpe_mm"
        self._pairs: PosePairs | None = None

    def error(self, model: Any, check: Callable[[], None]) -> float:
        """MPJPE in mm; ``check`` is called between batches and may raise to break off."""
        if self._pairs is None:
            self._pairs = self._draw()
        flip = self.experiment.training.flip_test
        pose = predict(model, self._pairs.x, self.experiment.skeleton, flip=flip, check=check).pose
        return float(metrics.mpjpe(pose, self._pairs.target)) * 1000

    def _draw(self) -> PosePairs:
        made, limit = self.experiment, self.experiment.training.eval_poses
        if not self.batches.held_out:
            return pose_pairs(made.test_data.draw(0).to(self.device), made.model, limit)
        index = torch.tensor(sorted(self.batches.held_out), device=self.device)
        return pose_pairs(made.train_data.draw(0).to(self.device).take(index), made.model, limit)
