"""The optimiser and learning-rate sections of an experiment."""

from __future__ import annotations

import inspect
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any, Literal, Protocol

import torch
from torch import Tensor, nn

from skelgraph.errors import CheckpointError, ConfigError
from skelgraph.files.messages import nearest
from skelgraph.training import config, construct

UNSUITABLE = ("LBFGS", "SparseAdam")
"""Of torch.optim: one calls the model several times a step, the other takes sparse gradients only."""
DEFAULTS: Mapping[str, Mapping[str, Any]] = {"AdamW": {"weight_decay": 0.0}}
"""What is not torch's default."""


@dataclass(frozen=True)
class Optim:
    """An optimiser that is still to be given its parameters; :func:`build_optim` makes it from an experiment's section.

    Args:
        kind: the class.
        arguments: of its constructor, without the parameters.
        clip: largest norm of the gradient over all parameters; None: no limit.

    Raises:
        ConfigError: for a rate, decay or clip out of range.
    """

    kind: type[torch.optim.Optimizer] = torch.optim.AdamW
    arguments: Mapping[str, Any] = field(default_factory=dict)
    clip: float | None = None

    def __post_init__(self) -> None:
        given = {"lr": self.lr, "weight_decay": self.arguments.get("weight_decay", 0.0)}
        if min(given.values()) < 0 or (self.clip is not None and self.clip <= 0):
            raise ConfigError(
                f"optim: lr and weight_decay must be at least 0 and clip above 0, found {given}, clip {self.clip}"
            )

    @property
    def lr(self) -> float:
        """The learning rate at the start."""
        lr: float = self.arguments.get("lr", inspect.signature(self.kind).parameters["lr"].default)
        return lr

    def make(self, parameters: Iterable[nn.Parameter]) -> torch.optim.Optimizer:
        """The torch optimiser; fused where it can be, because the fused step alone can be skipped without asking the
        device.

        Raises:
            ConfigError: if it does not take these arguments or parameters.
        """
        arguments = {**DEFAULTS.get(self.kind.__name__, {}), **self.arguments}
        if "fused" in inspect.signature(self.kind).parameters and arguments.get("foreach") is None:
            arguments.setdefault("fused", True)
        try:
            return self.kind(list(parameters), **arguments)
        except (ValueError, TypeError) as error:
            raise ConfigError(f"optim: {self.kind.__name__}: {error}") from None


def build_optim(section: Mapping[str, Any], plugins: Sequence[ModuleType] = ()) -> Optim:
    """The section ``optim``: ``name``, a class of ``torch.optim`` (default AdamW) or of a plugin, its arguments, and
    ``clip``, the largest norm of the gradient.

    AdamW's weight decay is 0 unless given.

    Raises:
        ConfigError: naming the key and the nearest valid name.
    """
    section = config.as_section(section)
    known = {
        name: kind
        for name, kind in construct.names([torch.optim, *plugins]).items()
        if inspect.isclass(kind) and issubclass(kind, torch.optim.Optimizer) and name not in ("Optimizer", *UNSUITABLE)
    }
    name = section.get("name", "AdamW")
    if name not in known:
        raise ConfigError(f"{section.where('name')}: unknown optimiser {name!r}{nearest(name, known)}")
    kind = known[name]
    valid = [p for p in inspect.signature(kind).parameters if p != "params"]
    if "lr" not in valid:
        raise ConfigError(f"{section.where('name')}: {name} has no argument lr, which schedules change")
    config.check_keys(section, ["name", *valid, "clip"], f"argument of {name}")
    own = {key: value for key, value in section.items() if key not in ("name", "clip")}
    arguments = construct.check(kind, config.Section(own, section.path, section.marks), params=())
    arguments.pop("params")
    clip = {key: value for key, value in section.items() if key == "clip"}
    marked = config.Section(clip, section.path, section.marks)
    optim: Optim = construct.call(Optim, marked, kind=kind, arguments=arguments)
    return optim


class LearningRate(Protocol):
    """What a schedule is; one from a plugin is a class with this method."""

    def factor(self, step: int, epoch: int, total_steps: int) -> float:
        """The factor of the learning rate for the step that comes after ``step`` others, in epoch ``epoch``."""


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
            raise ConfigError(f"expected 0 < gamma <= 1, every >= 1, 0 <= final <= 1 and warmup >= 0, found {self}")

    def factor(self, step: int, epoch: int, total_steps: int) -> float:
        """The factor for the step that comes after ``step`` others, in epoch ``epoch``."""
        rise = min(1.0, (step + 1) / self.warmup) if self.warmup else 1.0
        if self.name == "exponential":
            return rise * self.gamma ** ((epoch if self.unit == "epoch" else step) // self.every)
        if self.name == "cosine":
            return rise * (self.final + (1 - self.final) * (1 + math.cos(math.pi * step / total_steps)) / 2)
        return rise


def build_schedule(section: Mapping[str, Any], plugins: Sequence[ModuleType] = ()) -> LearningRate:
    """The section ``schedule``: one of :class:`Schedule`, or a plugin's class with its arguments.

    Raises:
        ConfigError: naming the key and the nearest valid name.
    """
    brought = {name: kind for name, kind in construct.names(plugins).items() if hasattr(kind, "factor")}
    made: LearningRate
    if section.get("name") in brought:
        made = construct.build(brought, section)
    else:
        made = construct.call(Schedule, section)
    return made


def moments(model: nn.Module, optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    """The optimiser's state by parameter: ``layer.weight/exp_avg``.

    Numbers are tensors of that name with ``#`` behind; those that the optimiser keeps for all parameters together and
    has changed are ``*/name#``.

    Raises:
        ConfigError: if it keeps something else, or tensors of a shape that is not the parameter's.
    """
    tensors: dict[str, Tensor] = {}
    for name, parameter in model.named_parameters():
        for key, value in optimizer.state.get(parameter, {}).items():
            if isinstance(value, Tensor) and _fits(value, parameter):
                tensors[f"{name}/{key}"] = value
            elif isinstance(value, int | float):
                tensors[f"{name}/{key}#"] = _number(value)
            elif value is not None:
                kind = f"{type(value).__name__} {list(value.shape) if isinstance(value, Tensor) else ''}"
                raise ConfigError(
                    f"optim: {type(optimizer).__name__} keeps {key} of {name} as {kind}: a checkpoint holds numbers, "
                    "and tensors that can be broadcast to the parameter"
                )
    for key, value in optimizer.param_groups[0].items():
        changed = key != "lr" and value != optimizer.defaults.get(key) if isinstance(value, int | float) else False
        if changed and not isinstance(value, bool):
            tensors[f"*/{key}#"] = _number(value)
    return tensors


def restore(model: nn.Module, optimizer: torch.optim.Optimizer, tensors: Mapping[str, Tensor], source: object) -> None:
    """Gives an optimiser the tensors of :func:`moments`.

    Raises:
        CheckpointError: naming the tensor that does not fit.
    """
    parameters, group = dict(model.named_parameters()), optimizer.param_groups[0]
    for key, value in tensors.items():
        name, _, _ = key.rpartition("/")
        if name != "*" and (name not in parameters or not _fits(value, parameters[name])):
            raise CheckpointError(f"{source}: moment {key} {list(value.shape)} does not fit the model")
    for key, value in tensors.items():
        name, _, field = key.rpartition("/")
        kept = group if name == "*" else optimizer.state[parameters[name]]
        on_host = field == "step" and not (group.get("fused") or group.get("capturable"))  # as torch keeps it
        if field.endswith("#"):
            kept[field.removesuffix("#")] = value.item()
        else:
            kept[field] = value.cpu() if on_host else value.to(parameters[name].device)


def _fits(value: Tensor, parameter: Tensor) -> bool:
    """Whether a tensor is a number or can be broadcast to the parameter."""
    try:
        return value.dim() == 0 or torch.broadcast_shapes(value.shape, parameter.shape) == parameter.shape
    except RuntimeError:
        return False


def _number(value: float) -> Tensor:
    return torch.tensor(value, dtype=torch.int64 if isinstance(value, int) else torch.float64)
