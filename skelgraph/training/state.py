"""What a checkpoint holds of a training: counters, weights and moments, and where it ran."""

from __future__ import annotations

import platform
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from skelgraph.training import checkpoint, optim
from skelgraph.version import __version__


@dataclass
class State:
    """How far training has come: ``epoch`` epochs are closed, ``step`` steps taken, in ``seconds``."""

    epoch: int = 0
    step: int = 0
    seconds: float = 0.0
    best_mpjpe_mm: float | None = None
    test_mpjpe_mm: float | None = None
    held_out_mpjpe_mm: float | None = None
    since_best: int = 0  # evaluations


def stored(model: nn.Module, averaged: nn.Module, optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    """The tensors of a training: ``model.*``, the weights to evaluate and lift with, ``trained.*`` where these are an
    average of others, and ``optim.*``.

    Args:
        model: what is trained.
        averaged: what is evaluated: the moving average, or ``model`` itself.
        optimizer: of ``model``.
    """
    tensors = {f"model.{name}": tensor for name, tensor in averaged.state_dict().items()}
    if averaged is not model:
        tensors |= {f"trained.{name}": tensor for name, tensor in model.state_dict().items()}
    return tensors | {f"optim.{name}": tensor for name, tensor in optim.moments(model, optimizer).items()}


def take_over(
    tensors: Mapping[str, Tensor],
    model: nn.Module,
    averaged: nn.Module,
    optimizer: torch.optim.Optimizer,
    source: Path,
) -> None:
    """Gives a training the tensors of :func:`stored`.

    Raises:
        CheckpointError: naming the tensor that does not fit.
    """
    checkpoint.restore(averaged, checkpoint.group(tensors, "model"), source)
    if averaged is not model:
        checkpoint.restore(model, checkpoint.group(tensors, "trained"), source)
    optim.restore(model, optimizer, checkpoint.group(tensors, "optim"), source)


def surroundings() -> dict[str, Any]:
    """The number of threads and the versions that a training runs with."""
    versions = {"skelgraph": __version__, "torch": torch.__version__, "python": platform.python_version()}
    return {"threads": torch.get_num_threads(), "versions": versions}


def warn_of_threads(before: int, source: Path) -> None:
    """Warns if the number of threads is another than that of the checkpoint."""
    if before != torch.get_num_threads():
        warnings.warn(
            f"{source} was trained with {before} threads, now {torch.get_num_threads()}: "
            "going on is exact only with the same number",
            stacklevel=3,
        )
