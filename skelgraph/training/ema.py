"""The moving average of a model's weights."""

from __future__ import annotations

import copy

import torch
from torch import nn


class Ema:
    r"""A copy of a model whose weights are the exponential moving average of those that are trained.

    .. math:: \bar w_{t+1} = \bar w_t + (1 - d_t) (w_t - \bar w_t), \quad d_t = \min(d, (1 + t) / (10 + t))

    The rise of :math:`d_t` keeps the random weights of the start out of short trainings. Buffers that are floating
    point numbers, such as the means of a batch norm, are averaged too; others are copied.

    Args:
        model: it starts as a copy of this one.
        decay: d, between 0 and 1; the average reaches about 1 / (1 - d) steps back.
    """

    def __init__(self, model: nn.Module, decay: float) -> None:
        self.decay = decay
        self.model = copy.deepcopy(model).requires_grad_(False).eval()

    @torch.no_grad()
    def update(self, model: nn.Module, step: int) -> None:
        """Takes the weights after step ``step``, counted from 0, into the average, without waiting for the device."""
        pairs = list(zip(self.model.state_dict().values(), model.state_dict().values(), strict=True))
        averaged, trained = zip(*(pair for pair in pairs if pair[0].is_floating_point()), strict=True)
        torch._foreach_lerp_(averaged, trained, 1 - min(self.decay, (1 + step) / (10 + step)))
        for average, value in pairs:
            if not average.is_floating_point():
                average.copy_(value)
