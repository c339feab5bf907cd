"""``skelgraph train`` and ``skelgraph evaluate``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from skelgraph.cli import options
from skelgraph.cli.console import console, show_table
from skelgraph.cli.options import Changes, Folder, Plugins, Which, Word


def train(
    experiment: Annotated[Folder, typer.Argument(help="A YAML file.", show_default=False)] = None,
    changes: Changes = None,
    out: Annotated[Folder, typer.Option(help="Folder of the run; default runs/FILE.")] = None,
    resume: Annotated[
        Folder, typer.Option(help="Go on with the run in this folder; train.epochs=20 gives it more epochs.")
    ] = None,
    variant: Annotated[Word, typer.Option(help="Train only this variant of the file.")] = None,
    seeds: Annotated[Word, typer.Option(help="Train once with each seed: 0,1.")] = None,
    plugin: Plugins = None,
) -> str:
    """Train an experiment and evaluate it. Ctrl-C saves and says how to go on."""
    from skelgraph.training import config, variants
    from skelgraph.training import train as training
    from skelgraph.training.progress import ConsoleProgress

    given: dict[str, Any] = {
        "progress": ConsoleProgress(console),
        "variant": variant,
        "plugins": plugin or (),
    }
    if resume is not None:
        first = [] if experiment is None else [str(experiment)]  # no experiment: the first change stands in its place
        if not all("=" in each for each in first) or out is not None or seeds is not None:
            raise typer.BadParameter(
                "--resume finds everything in the run's folder; give it without experiment or --out"
            )
        folder = training.resume(resume, [*first, *(changes or [])], **given)
    elif experiment is None:
        raise typer.BadParameter("give an experiment, such as experiments/X.yaml, or --resume RUN")
    else:
        overrides = [*(changes or []), *([f"train.seeds=[{seeds}]"] if seeds is not None else [])]
        settings = config.read(experiment, overrides)
        folder = training.fit(settings, out or Path("runs") / experiment.stem, **given)
    show_table(variants.read_table(folder).cells())
    return f"Results are in {folder}."


def evaluate(
    run: Annotated[Path, typer.Argument(help="A run folder, a checkpoint file, or the folder of several seeds.")],
    changes: Changes = None,
    which: Which = None,
    device: Annotated[Word, typer.Option(help="cpu, cuda, cuda:1; default as trained.")] = None,
    plugin: Plugins = None,
) -> None:
    """Evaluate a run on its test split: every metric per part, joint and action, the mean pose beside it."""
    from skelgraph.training import metric_tables
    from skelgraph.training.evaluate import evaluate as measure

    chosen = options.choice(which)
    metrics = measure(run, which=chosen, overrides=changes or [], device=device, plugins=plugin or ())
    for by in ("overall", "views", "h3wb", "parts", "joints", "actions"):
        if by == "overall" or metrics.get(by):
            console.print(metric_tables.metrics_table(metrics, by), "")
