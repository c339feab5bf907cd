"""The optimiser and learning-rate sections of an experiment."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class Optim:
    """Adam or AdamW.

    Args:
        name: which; ``AdamW`` decays weights apart from the gradient (Loshchilov & Hutter 2019).
        lr: learning rate at the start.
        weight_decay: decay of weights.
        betas: decay rates of the moment estimates.
        amsgrad: keep the largest second moment (Reddi et al. 2018).
        clip: largest norm of the gradient over all parameters; None: no limit.
    """

    name: Literal["Adam", "AdamW"] = "AdamW"
    lr: float = 1e-3
    weight_decay: float = 0.0
    betas: tuple[float, float] = (0.9, 0.999)
    amsgrad: bool = False
    clip: float | None = None

    def __post_init__(self) -> None:
        if self.lr < 0 or self.weight_decay < 0 or (self.clip is not None and self.clip <= 0):
            raise ValueError(f"lr and weight_decay must be at least 0 and clip above 0, found {self}")

    def make(self, parameters: Iterable[nn.Parameter]) -> torch.optim.Adam:
        """The torch optimiser; fused, because the fused step alone can be skipped without asking the device."""
        kind = {"Adam": torch.optim.Adam, "AdamW": torch.optim.AdamW}[self.name]
        return kind(
            parameters,
            lr=self.lr,
            weight_decay=self.weight_decay,
            betas=self.betas,
            amsgrad=self.amsgrad,
            fused=True,
        )


@dataclass(frozen=True)
class Schedule:
    r"""The learning rate as a factor of :attr:`Optim.lr`, a function of the step alone.

    - ``constant``: 1
    - ``exponential``: :math:`\gamma^{\lfloor t / every \rfloor}`, t in epochs or steps (``unit``)
    - ``cosine``: from 1 to ``final`` over all steps, :math:`f + (1 - f)(1 + \cos \pi s / S) / 2`

    Args:
        name: which.
        gamma: factor of ``exponential``.
        every: how many epochs or steps between two factors of ``exponential``.
        unit: what ``every`` counts.
        final: last factor of ``cosine``.
        warmup: steps of linear rise from 0 at the start, for all.
    """

    name: Literal["constant", "exponential", "cosine"] = "constant"
    gamma: float = 0.96
    every: int = 1
    unit: Literal["epoch", "step"] = "epoch"
    final: float = 0.0
    warmup: int = 0

    def __post_init__(self) -> None:
        if not 0 < self.gamma <= 1 or self.every < 1 or not 0 <= self.final <= 1 or self.warmup < 0:
            raise ValueError(f"expected 0 < gamma <= 1, every >= 1, 0 <= final <= 1 and warmup >= 0, found {self}")

    def factor(self, step: int, epoch: int, total_steps: int) -> float:
        """The factor for the step that comes after ``step`` others, in epoch ``epoch``."""
        rise = min(1.0, (step + 1) / self.warmup) if self.warmup else 1.0
        if self.name == "exponential":
            return rise * self.gamma ** ((epoch if self.unit == "epoch" else step) // self.every)
        if self.name == "cosine":
            return rise * (self.final + (1 - self.final) * (1 + math.cos(math.pi * step / total_steps)) / 2)
        return rise


def moments(model: nn.Module, optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    """The optimiser's tensors by parameter: ``layer.weight/exp_avg``."""
    state = optimizer.state
    return {f"{name}/{key}": t for name, p in model.named_parameters() for key, t in state.get(p, {}).items()}


def restore(model: nn.Module, optimizer: torch.optim.Optimizer, tensors: Mapping[str, Tensor], source: object) -> None:
    """Gives an optimiser the tensors of :func:`moments`.

    Raises:
        ValueError: naming the tensor that does not fit.
    """
    parameters = dict(model.named_parameters())
    for key, value in tensors.items():
        name, _, field = key.rpartition("/")
        if name not in parameters or (field != "step" and value.shape != parameters[name].shape):
            raise ValueError(f"{source}: moment {key} {list(value.shape)} does not fit the model")
    for key, value in tensors.items():
        name, _, field = key.rpartition("/")
        optimizer.state[parameters[name]][field] = value.to(parameters[name].device)
