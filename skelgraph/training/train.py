"""Training: one run, or all the rows of an experiment."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from skelgraph.errors import ConfigError
from skelgraph.training import checkpoint, config, curve, experiment, variants
from skelgraph.training.evaluate import evaluate
from skelgraph.training.loop import Loop, NonFiniteLoss
from skelgraph.training.plugins import Plugins
from skelgraph.training.progress import Silent, TrainingProgress
from skelgraph.training.run_folder import RunFolder
from skelgraph.training.signals import Interrupted, StopRequest
from skelgraph.training.table_picture import draw_table

__all__ = ["Interrupted", "NonFiniteLoss", "fit", "resume"]

FREE = (
    *(f"train.{name}" for name in ("epochs", "patience", "device", "checkpoint_every", "checkpoint_steps")),
    *("loggers", "plugins"),
)
"""Settings that may differ when a run is resumed."""


def fit(
    settings: Mapping[str, Any],
    out: str | Path,
    *,
    resume: bool = False,
    progress: TrainingProgress | None = None,
    variant: str | None = None,
    plugins: Plugins = (),
    on_step: Callable[[int, Tensor], None] | None = None,
) -> Path:
    """Trains an experiment and leaves everything in a folder.

    One run writes config.yaml, log.csv, last.safetensors, best.safetensors, metrics.json and curve.png into ``out``;
    variants and seeds go to ``out/VARIANT/seedN``. Beside them stand table.md, table.csv and table.png.

    Args:
        settings: the experiment, from :func:`skelgraph.training.config.read` or a plain dict.
        out: the folder.
        resume: go on where ``out`` was broken off; finished runs are left as they are, unless ``settings`` have more
            epochs than before. A schedule then goes on as if there had been so many from the start.
        progress: whom to tell, such as :class:`skelgraph.training.progress.ConsoleProgress`; default nobody.
        variant: train only this row.
        plugins: packages, as modules or by name, whose ``__all__`` adds layers, blocks, models, datasets, losses,
            metrics, optimisers, schedules and loggers; the checkpoint records which are needed.
        on_step: called with each step's number and its sample indices.

    Returns:
        ``out``.

    Raises:
        ConfigError: for settings that do not fit, a folder in use, or one that holds a run and ``resume`` is not given.
        Interrupted: after SIGINT or SIGTERM; the state is saved and the message says how to go on.
        NonFiniteLoss: if the loss is not finite; the last good checkpoint is untouched.
    """
    out = Path(out)
    runs = variants.rows(settings, variant)
    several = len(variants.rows(settings)) > 1 or runs[0].folder != Path()
    if several:
        with RunFolder(out) as folder:
            _claim(folder, experiment.section(settings), resume or variant is not None)
            if resume:
                folder.write_config(settings)
    with StopRequest() as stop:
        for row in runs:
            begun = (out / row.folder / "config.yaml").exists()
            _fit_one(row, out / row.folder, begun and resume, progress or Silent(), plugins, on_step, stop)
    draw_table(variants.write_table(settings, out), out / "table.png")
    return out


def resume(run: str | Path, changes: Sequence[str] = (), **options: Any) -> Path:
    """Goes on with a run, or with all runs of an experiment, from its folder alone; see :func:`fit`.

    Args:
        run: the folder.
        changes: of :data:`FREE` settings, such as ``train.epochs=20`` for more epochs of a run that is finished.
        **options: of :func:`fit`.
    """
    settings = config.changed(RunFolder(run).read_config(), changes)
    return fit(settings, run, resume=True, **options)


def _fit_one(
    row: variants.Row,
    out: Path,
    resume: bool,
    progress: TrainingProgress,
    plugins: Plugins,
    on_step: Callable[[int, Tensor], None] | None,
    stop: StopRequest,
) -> None:
    deterministic = experiment.build_training(row.settings).deterministic
    with RunFolder(out) as folder, _determinism(deterministic):
        made = experiment.build(row.settings, plugins)
        _claim(folder, made.config, resume)
        loop = Loop(made, folder, progress, stop, on_step)
        if resume and (folder.last.exists() or folder.best.exists()):
            path, tensors, meta = checkpoint.load_newest(folder.path)
            loop.restore(tensors, meta, path)
            folder.write_config(made.config)
        elif made.training.start is not None:
            path, tensors, _ = checkpoint.load_newest(Path(made.training.start))
            loop.begin_with(checkpoint.weights(tensors), path)
        finished = loop.finished
        if not finished:
            progress.start(str(out), loop.total_steps, loop.state.step)
            try:
                loop.run()
            finally:
                progress.stop()
        if not finished or not (out / "metrics.json").exists():
            evaluate(out, plugins=plugins, check=loop.stop_if_asked)
            curve.draw_curve(out)


def _claim(folder: RunFolder, settings: Mapping[str, Any], resume: bool) -> None:
    """Writes the settings into a new run folder, or compares them with those of the run that is there."""
    try:
        before = folder.read_config()
    except FileNotFoundError:
        return folder.write_config(settings)
    if not resume:
        raise ConfigError(f"{folder.path}: holds a run already; resume=True goes on with it, or give another folder")
    changed = [key for key in _differences(before, config.plain(settings)) if key not in FREE]
    if changed:
        raise ConfigError(
            f"{folder.path}: a run is resumed with the settings it began with; different: {', '.join(changed)}"
        )


def _differences(a: Any, b: Any, path: str = "") -> list[str]:
    if isinstance(a, Mapping) and isinstance(b, Mapping):
        keys = [*a, *(key for key in b if key not in a)]
        return [d for key in keys for d in _differences(a.get(key), b.get(key), f"{path}.{key}" if path else key)]
    return [] if a == b else [path]


@contextmanager
def _determinism(wanted: bool) -> Iterator[None]:
    """Torch's deterministic algorithms while entered, if wanted."""
    if not wanted:
        yield
        return
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # read by cuBLAS, before CUDA starts
    memory: Any = torch.utils.deterministic
    before = torch.are_deterministic_algorithms_enabled(), memory.fill_uninitialized_memory
    torch.use_deterministic_algorithms(True)
    memory.fill_uninitialized_memory = False  # it would fill every empty tensor, and nothing here reads one
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(before[0])
        memory.fill_uninitialized_memory = before[1]
