"""An experiment: the sections of a configuration turned into skeleton, model, data, losses and settings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, Literal

import torch

from skelgraph import datasets
from skelgraph.datasets import check_dataset
from skelgraph.datasets.randomness import hash64
from skelgraph.errors import ConfigError
from skelgraph.nn import blocks, layers, models
from skelgraph.nn.inputs import RAY_CHANNELS
from skelgraph.skeleton import Skeleton, builtin
from skelgraph.training import config, construct, loggers
from skelgraph.training import plugins as packages
from skelgraph.training.loggers import Logger
from skelgraph.training.optim import LearningRate, Optim, build_optim, build_schedule
from skelgraph.training.plugins import Plugins

SECTIONS = (
    "skeleton",
    "model",
    "data",
    "loss",
    "optim",
    "schedule",
    "train",
    "loggers",
    "plugins",
    "variants",
    "published",
)


@dataclass(frozen=True)
class Training:
    """The ``train`` section.

    Args:
        epochs: how often the training set is gone through.
        batch_size: poses a step.
        start: a run folder or a checkpoint file whose weights are trained on, in place of random ones.
        seed: of the weights, the order, dropout and the training data (unless ``data`` gives its own).
        seeds: several seeds make several runs.
        flip_test: average each test pose with that of the mirrored input.
        bf16: bfloat16 autocast in the model; losses stay in float32.
        device: ``auto``, ``cpu``, ``cuda`` or ``cuda:1``.
        deterministic: torch's deterministic algorithms, for a resume that is exact on CUDA too.
        eval_every: epochs between two evaluations while training, on the test split unless ``held_out`` is given; the
            last epoch is always evaluated.
        eval_poses: at most so many poses, evenly spaced, are looked at in them.
        held_out: share of the training split's samples that are not trained on; then they, and not the test split, are
            looked at while training, and the best checkpoint is the best on them. Samples are drawn one by one: of
            clips that overlap, neighbours of a held-out one are trained on.
        patience: training ends early when the error on the held-out samples has not fallen in so many evaluations.
        ema: decay of a moving average of the weights, such as 0.999, which is then what is evaluated and lifted with;
            see :class:`skelgraph.training.ema.Ema`.
        checkpoint_every: seconds between two checkpoints inside an epoch; there is one at each epoch's end.
        checkpoint_steps: steps between two checkpoints inside an epoch; None: by time only.
    """

    epochs: int
    batch_size: int = 128
    start: str | None = None
    seed: int = 0
    seeds: list[int] | None = None
    flip_test: bool = True
    bf16: bool = False
    device: str = "auto"
    deterministic: bool = False
    eval_every: int = 1
    eval_poses: int = 4096
    held_out: float = 0.0
    patience: int | None = None
    ema: float | None = None
    checkpoint_every: float = 60.0
    checkpoint_steps: int | None = None

    def __post_init__(self) -> None:
        for name in ("epochs", "batch_size", "eval_every", "eval_poses", "patience", "checkpoint_steps"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise ConfigError(f"train.{name} must be at least 1, found {value}")
        if not 0 <= self.held_out < 1 or (self.ema is not None and not 0 < self.ema < 1):
            raise ConfigError(
                f"train.held_out must be at least 0 and below 1, train.ema between 0 and 1, found {self.held_out} and "
                f"{self.ema}"
            )
        if self.patience is not None and not self.held_out:
            raise ConfigError(
                "train.patience needs train.held_out, the share of the training samples to look at, such as 0.1: the "
                "test split is for the report"
            )
        if self.seeds is not None and (not self.seeds or len(set(self.seeds)) < len(self.seeds)):
            raise ConfigError(f"train.seeds must be one or more different numbers, found {self.seeds}")

    def torch_device(self) -> torch.device:
        """The device to train on.

        Raises:
            ConfigError: if there is no such device here.
        """
        return torch_device(self.device)


@dataclass(frozen=True)
class Experiment:
    """What one run needs; made by :func:`build`."""

    config: dict[str, Any]
    skeleton: Skeleton
    model: Any  # an nn.Module and a PoseModel
    train_data: Any
    test_data: Any
    loss: dict[str, float]
    optim: Optim
    schedule: LearningRate
    training: Training
    loggers: list[Logger]
    plugins: Sequence[ModuleType] = ()


def build(settings: Mapping[str, Any], plugins: Plugins = ()) -> Experiment:
    """Makes everything that one run needs; equal settings make equal weights and data.

    Raises:
        ConfigError: naming file, line, key and the nearest valid name, for whatever does not fit.
    """
    settings, modules = section(settings), packages.load(plugins)
    packages.check(settings, modules)
    training = build_training(settings)
    skeleton = build_skeleton(settings["skeleton"])
    torch.manual_seed(hash64("weights", training.seed))
    model = build_model(settings["model"], skeleton, modules)
    train_data = build_data(settings["data"], skeleton, "train", training.seed, modules)
    check_fit(model, train_data)
    check_flip(training, model)
    return Experiment(
        config=_recorded(settings, skeleton, modules),
        skeleton=skeleton,
        model=model,
        train_data=train_data,
        test_data=build_data(settings["data"], skeleton, "test", 0, modules),
        loss=_weights(settings.get("loss", {"mpjpe": 1.0})),
        optim=build_optim(settings.get("optim", {}), modules),
        schedule=build_schedule(settings.get("schedule", {}), modules),
        training=training,
        loggers=[loggers.CSV(), *_loggers(settings, modules)],
        plugins=modules,
    )


def section(settings: Mapping[str, Any]) -> config.Section:
    """The settings of one run, with their sections' names checked."""
    settings = settings if isinstance(settings, config.Section) else config.Section(settings)
    config.check_keys(settings, SECTIONS, "section")
    for name in ("skeleton", "model", "data", "train"):
        if name not in settings:
            raise ConfigError(f"the configuration has no section {name!r}; it has {', '.join(settings) or 'none'}")
    for name in (each for each in SECTIONS[1:-1] if each not in ("loggers", "plugins")):
        value = settings.get(name, {})
        if not isinstance(value, Mapping) and not (name in ("model", "data") and isinstance(value, str)):
            raise ConfigError(f"{settings.where(name)}: expected a section, found {settings[name]!r}")
    return settings


def build_training(settings: Mapping[str, Any]) -> Training:
    """The ``train`` section, checked."""
    training: Training = construct.call(Training, settings["train"])
    return training


def build_skeleton(spec: Any) -> Skeleton:
    """A skeleton by built-in name, by the path of its YAML file, or from a mapping.

    Raises:
        ConfigError: with the nearest name, or what the skeleton has against it.
    """
    if isinstance(spec, Mapping):
        return Skeleton.from_dict(config.plain(spec))
    if not isinstance(spec, str):
        raise ConfigError(f"skeleton: expected a name, a path or a mapping, found {spec!r}")
    return Skeleton.from_yaml(spec) if Path(spec).suffix in (".yaml", ".yml") else builtin.get(spec)


def build_model(spec: Mapping[str, Any] | str, skeleton: Skeleton, plugins: Plugins = ()) -> Any:
    """A model by name, with random weights.

    Raises:
        ContractError: if a plugin's model lacks what :class:`skelgraph.nn.models.PoseModel` asks for.
    """
    brought = packages.load(plugins)
    made = construct.build([models, *brought], spec, [layers, blocks, *brought], skeleton=skeleton)
    return models.check_model(made)


def build_data(
    spec: Mapping[str, Any] | str,
    skeleton: Skeleton,
    split: Literal["train", "test"],
    seed: int,
    plugins: Plugins = (),
) -> Any:
    """A dataset by name; a ``seed`` in its own section goes before the one given here."""
    context: dict[str, Any] = {"skeleton": skeleton, "split": split}
    if isinstance(spec, str) or "seed" not in spec:
        context["seed"] = seed
    return check_dataset(construct.build([datasets, *packages.load(plugins)], spec, **context))


def torch_device(name: str) -> torch.device:
    """``auto`` (CUDA where there is one), ``cpu``, ``cuda`` or ``cuda:1``.

    Raises:
        ConfigError: if there is no such device here.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError:
        device = torch.device("meta")
    if device.type not in ("cpu", "cuda"):
        raise ConfigError(f"device {name!r}: expected auto, cpu, cuda or cuda:N")
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise ConfigError(f"device {name!r}: torch sees {torch.cuda.device_count()} CUDA devices here")
    return device


def check_flip(training: Training, model: models.PoseModel) -> None:
    """
    Raises:
        ConfigError: if ``flip_test`` is asked of a model whose input is never to be mirrored.
    """
    if training.flip_test and model.input_kind in ("views", "images"):
        raise ConfigError(
            f"train.flip_test: what {type(model).__name__} takes cannot be mirrored (several cameras at fixed places "
            "would be others): set it to false"
        )


def _loggers(settings: config.Section, plugins: Sequence[ModuleType]) -> list[Logger]:
    """The loggers beside log.csv."""
    specs = settings.get("loggers") or []
    if not isinstance(specs, list):
        raise ConfigError(f"{settings.where('loggers')}: expected a list of names, found {specs!r}")
    return [construct.build([loggers, *plugins], spec) for spec in specs]


def check_fit(model: models.PoseModel, dataset: Any) -> None:
    """
    Raises:
        ConfigError: if the dataset does not give what the model takes.
    """
    takes, gives = model.input_kind, dataset.input_kind
    if takes != gives and {takes, gives} != {"pose", "clip"}:
        raise ConfigError(f"{type(model).__name__} takes {takes}, but {type(dataset).__name__} gives {gives}")
    expected, given = model.num_frames, dataset.num_frames
    if takes != "images" and (takes != gives or expected != given):
        raise ConfigError(
            f"model.num_frames is {expected}, but {type(dataset).__name__} gives {given} frames per sample: set "
            f"data.num_frames to {expected} (MotionCapture has clips)"
        )
    if takes == "views" and dataset.calibrated and model.in_channels != RAY_CHANNELS:
        raise ConfigError(
            f"model.in_channels is {model.in_channels}, without the rays of the cameras, but the targets are in their "
            f"world: set data.calibrated to false, or model.in_channels to {RAY_CHANNELS}"
        )


def _weights(loss: Mapping[str, Any]) -> dict[str, float]:
    loss = loss if isinstance(loss, config.Section) else config.Section(loss, "loss")
    for name, weight in loss.items():
        if isinstance(weight, bool) or not isinstance(weight, int | float) or weight < 0:
            raise ConfigError(f"{loss.where(name)}: expected a weight of at least 0, found {weight!r}")
    if not any(loss.values()):
        raise ConfigError(f"loss: expected at least one weight above 0, found {dict(loss)}")
    return {name: float(weight) for name, weight in loss.items() if weight}


def _recorded(settings: config.Section, skeleton: Skeleton, modules: Sequence[ModuleType]) -> dict[str, Any]:
    """The configuration as the run keeps it, with the packages that it needs."""
    needed = packages.needed(settings, modules)
    kept = {**settings, "skeleton": _portable(settings["skeleton"], skeleton)}
    plain: dict[str, Any] = config.plain({**kept, "plugins": needed} if needed else kept)
    return plain


def _portable(spec: Any, skeleton: Skeleton) -> Any:
    """The skeleton's section as a run folder keeps it: a path would lead nowhere on another machine."""
    return skeleton.to_dict() if isinstance(spec, str) and Path(spec).suffix in (".yaml", ".yml") else spec
