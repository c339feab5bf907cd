"""Which samples each step sees: a function of (seed, epoch) alone."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from skelgraph.datasets.randomness import hash64


@dataclass(frozen=True)
class Batches:
    """The batches of a training: every epoch a new permutation of all samples, cut into ``per_epoch`` batches."""

    seed: int
    samples: int
    size: int
    per_epoch: int

    @classmethod
    def of(cls, model: nn.Module, samples: int, size: int, seed: int) -> Batches:
        """A last batch of one sample is left out where the model has BatchNorm, which cannot take it.

        Raises:
            ValueError: if there are no samples, or only one for BatchNorm.
        """
        normed = any(isinstance(module, nn.modules.batchnorm._BatchNorm) for module in model.modules())
        if samples < 1 or (samples == 1 and normed):
            raise ValueError(f"the training split holds {samples} poses; expected at least {2 if normed else 1}")
        leave_out = normed and size > 1 and samples % size == 1
        return cls(seed, samples, size, -(-samples // size) - int(leave_out))

    def order(self, epoch: int) -> Tensor:
        """The permutation [samples] of an epoch, counted from 0."""
        generator = torch.Generator().manual_seed(hash64("order", self.seed, epoch))
        return torch.randperm(self.samples, generator=generator)

    def slice(self, step: int) -> slice:
        """Where the samples of a step stand in its epoch's order."""
        first = step % self.per_epoch * self.size
        return slice(first, first + self.size)

    def indices(self, step: int) -> Tensor:
        """The samples [<= size] of a step, counted from 0 over all epochs."""
        return self.order(step // self.per_epoch)[self.slice(step)]

    def seen(self, step: int, epoch: int) -> int:
        """How many samples of ``epoch`` the first ``step`` steps have seen."""
        return min((step - epoch * self.per_epoch) * self.size, self.samples)
