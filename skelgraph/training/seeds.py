"""The runs of one experiment with several seeds, and what their metrics come to."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any


def seed_runs(folder: str | Path) -> dict[int, Path]:
    """The runs ``seedN`` in a folder that training with several seeds has made, by seed; none in another folder."""
    found = {}
    for path in Path(folder).glob("seed*"):
        number = path.name.removeprefix("seed")
        if number.isdigit() and any((path / f"{name}.safetensors").exists() for name in ("last", "best")):
            found[int(number)] = path
    return dict(sorted(found.items()))


def over_seeds(metrics: Mapping[int, Mapping[str, Any]]) -> dict[str, Any]:
    """The means of the metrics of several seeds, as those of one run; their sample standard deviations as ``spread``,
    and the ``seeds``.

    What is no number, or is not there for every seed, is left out of both.
    """
    runs = list(metrics.values())
    means = _merged(runs, statistics.fmean)
    return {**means, "spread": _merged(runs, _spread), "seeds": list(metrics)}


def _merged(runs: Sequence[Mapping[str, Any]], number: Callable[[list[float]], float]) -> dict[str, Any]:
    merged: dict[str, Any] = {}
    for key in runs[0]:
        values = [run[key] for run in runs if key in run]
        if len(values) < len(runs):
            continue
        if all(isinstance(value, Mapping) for value in values):
            merged[key] = _merged(values, number)
        elif all(isinstance(value, int | float) and not isinstance(value, bool) for value in values):
            merged[key] = number(values)
    return merged


def _spread(values: list[float]) -> float:
    return statistics.stdev(values) if len(values) > 1 else 0.0
