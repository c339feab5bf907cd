"""Which samples each step sees: a function of (seed, epoch) alone."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor, nn

from skelgraph.datasets.randomness import hash64
from skelgraph.errors import ConfigError


@dataclass(frozen=True)
class Batches:
    """The batches of a training: every epoch a new permutation of its samples, cut into ``per_epoch`` batches.

    ``held_out`` are the samples of the training split that no batch holds.
    """

    seed: int
    samples: int
    size: int
    per_epoch: int
    held_out: frozenset[int] = frozenset()

    @classmethod
    def of(cls, model: nn.Module, total: int, size: int, seed: int, held_out: float = 0.0) -> Batches:
        """A last batch of one sample is left out where the model has BatchNorm, which cannot take it.

        Args:
            model: what is trained.
            total: samples of the training split.
            size: of a batch.
            seed: of the order.
            held_out: share of the samples that are left out, drawn once.

        Raises:
            ConfigError: if no samples are left, or only one for BatchNorm, or none is held out of what should be.
        """
        count = round(held_out * total)
        if held_out and not count:
            raise ConfigError(f"train.held_out is {held_out}, none of {total} samples; expected a larger share")
        generator = torch.Generator().manual_seed(hash64("held out", seed))
        left_out = frozenset(torch.randperm(total, generator=generator)[:count].tolist()) if count else frozenset()
        samples = total - count
        normed = any(isinstance(module, nn.modules.batchnorm._BatchNorm) for module in model.modules())
        if samples < 1 or (samples == 1 and normed):
            raise ConfigError(f"the training split holds {samples} poses; expected at least {2 if normed else 1}")
        leave_out = normed and size > 1 and samples % size == 1
        return cls(seed, samples, size, -(-samples // size) - int(leave_out), left_out)

    def order(self, epoch: int) -> Tensor:
        """The samples [samples] of an epoch, counted from 0, in its order."""
        generator = torch.Generator().manual_seed(hash64("order", self.seed, epoch))
        order = torch.randperm(self.samples, generator=generator)
        return self._kept[order] if self.held_out else order

    @cached_property
    def _kept(self) -> Tensor:
        total = self.samples + len(self.held_out)
        return torch.tensor([sample for sample in range(total) if sample not in self.held_out])

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
