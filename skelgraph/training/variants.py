"""Experiments with several rows: variants and seeds, and the table that compares them."""

from __future__ import annotations

import csv
import io
import json
import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from skelgraph.errors import ConfigError
from skelgraph.files import atomic
from skelgraph.training import config, experiment

BODY_COLUMNS = ("mpjpe_mm", "p_mpjpe_mm", "n_mpjpe_mm", "pck", "auc")
MEAN_POSE = "mean pose"
_TITLES = {
    "mpjpe_mm": "MPJPE mm",
    "p_mpjpe_mm": "P-MPJPE mm",
    "n_mpjpe_mm": "N-MPJPE mm",
    "pck": "PCK %",
    "auc": "AUC %",
    "parameters": "params",
}


@dataclass(frozen=True)
class Row:
    """One run of an experiment: its variant (or None), its seed, its settings and its folder below the experiment's."""

    variant: str | None
    seed: int
    settings: config.Section
    folder: Path


def rows(settings: Mapping[str, Any], only: str | None = None) -> list[Row]:
    """The runs of an experiment, in the order of the file; one alone if it has neither variants nor seeds.

    Raises:
        ValueError: for an unknown variant, or a setting that does not fit.
    """
    settings = experiment.section(settings)
    variants = config.as_section(settings.get("variants") or {})
    _check_published(settings)
    if only is not None:
        config.check_keys(config.Section({only: None}, "variant"), variants, "variant")
    base = config.Section({k: v for k, v in settings.items() if k not in ("variants", "published")}, "", settings.marks)
    found = []
    names: list[str | None] = [only] if only is not None else [*variants] or [None]
    for name in names:
        changes = {} if name is None else variants[name] or {}
        if not isinstance(changes, Mapping):
            raise ConfigError(f"variants.{name}: expected a section of changes, found {changes!r}")
        merged = experiment.section(config.merge(base, changes))
        training = experiment.build_training(merged)
        for seed in training.seeds or [training.seed]:
            own = config.merge(merged, {"train": {"seed": seed}})
            own["train"].pop("seeds", None)
            folder = Path(name or "") / (f"seed{seed}" if training.seeds else "")
            found.append(Row(name, seed, own, folder))
    return found


def _check_published(settings: config.Section) -> None:
    published = settings.get("published")
    variants = settings.get("variants") or {}
    if isinstance(published, Mapping) and variants:
        config.check_keys(published, [*variants, "source"], "variant")


@dataclass(frozen=True)
class Table:
    """Means and spreads over seeds: one line a variant, the mean pose first, the published numbers apart."""

    columns: tuple[str, ...]
    lines: tuple[tuple[str, dict[str, list[float]], dict[str, float]], ...]  # name, our values by seed, published
    source: str = ""

    def cells(self) -> Iterator[list[str]]:
        """The table as text, its head first."""
        ours = [title(column) for column in self.columns]
        theirs = [c for c in self.columns if any(c in published for _, _, published in self.lines)]
        yield ["", *ours, "seeds", *(f"published {title(column)}" for column in theirs)]
        for name, values, published in self.lines:
            seeds = "" if name == MEAN_POSE else str(max((len(v) for v in values.values()), default=0))
            mine = [_text(column, values.get(column, [])) for column in self.columns]
            yield [name, *mine, seeds, *(f"{published[c]:g}" if c in published else "" for c in theirs)]

    def markdown(self) -> str:
        head, *body = self.cells()
        lines = [head, ["---", *["---:"] * (len(head) - 1)], *body]
        note = f"\nPublished: {self.source}\n" if self.source else ""
        return "\n".join("| " + " | ".join(cells) + " |" for cells in lines) + "\n" + note

    def csv(self) -> str:
        """One line a variant: mean, spread and number of seeds of each column, and the published numbers."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        parts = ("mean", "spread", "seeds", "published")
        writer.writerow(["variant", *(f"{column}_{part}" for column in self.columns for part in parts)])
        for name, values, published in self.lines:
            cells: list[Any] = [name]
            for column in self.columns:
                found = values.get(column, [])
                numbers = (mean(found), spread(found), len(found), published.get(column))
                cells += ["" if number is None else number for number in numbers]
            writer.writerow(cells)
        return text.getvalue()


def table(settings: Mapping[str, Any], out: Path) -> Table:
    """The table of all runs of an experiment whose metrics.json is there."""
    found: dict[str, list[dict[str, Any]]] = {}
    for row in rows(settings):
        path = out / row.folder / "metrics.json"
        if path.exists():
            found.setdefault(row.variant or out.name, []).append(json.loads(path.read_text(encoding="utf-8")))
    everything = [metrics for group in found.values() for metrics in group]
    extra = sorted({f"h3wb_{key}": None for m in everything for key in m.get("h3wb", {})}, key=_h3wb_order)
    columns = (*BODY_COLUMNS, *extra, "parameters", "minutes")
    lines = [(MEAN_POSE, _values([m["mean_pose"] for m in everything[:1]]), dict[str, float]())]
    published = settings.get("published") or {}
    for name, metrics in found.items():
        own = published if not settings.get("variants") else published.get(name, {})
        lines.append((name, _values(metrics), _published(own)))
    source = published.get("source", "") if isinstance(published, Mapping) else ""
    return Table(columns, tuple(lines), str(source))


def read_table(out: Path) -> Table:
    """The table of a run's or experiment's folder."""
    settings = config.read(out / "config.yaml")
    return table(settings, out)


def write_table(settings: Mapping[str, Any], out: Path) -> Table:
    """Makes the table and writes it as table.md and table.csv."""
    made = table(settings, out)
    atomic.write(out / "table.md", made.markdown())
    atomic.write(out / "table.csv", made.csv())
    return made


def _values(metrics: Sequence[Mapping[str, Any]]) -> dict[str, list[float]]:
    values: dict[str, list[float]] = {}
    for m in metrics:
        flat = {column: m[column] for column in BODY_COLUMNS}
        flat |= {f"h3wb_{key}": value for key, value in m.get("h3wb", {}).items()}
        if "parameters" in m:
            flat |= {"parameters": m["parameters"], "minutes": m["train_seconds"] / 60}
        for column, value in flat.items():
            values.setdefault(column, []).append(float(value))
    return values


def _published(numbers: Any) -> dict[str, float]:
    """Published numbers by column; a bare number is an MPJPE, and a whole-body ``body`` means ``h3wb_body``."""
    if isinstance(numbers, int | float):
        return {"mpjpe_mm": float(numbers)}
    known = (*BODY_COLUMNS, "parameters", "minutes")
    return {k if k in known else f"h3wb_{k}": float(v) for k, v in numbers.items() if isinstance(v, int | float)}


def _h3wb_order(column: str) -> tuple[int, str]:
    order = ("all", "body", "face", "face_nose", "hands", "hands_wrist")
    name = column.removeprefix("h3wb_")
    return (order.index(name) if name in order else len(order), name)


def title(column: str) -> str:
    """A column's name for people."""
    return _TITLES.get(column, column.replace("h3wb_", "").replace("_", " "))


def mean(values: Sequence[float]) -> float | None:
    """The mean, None of no values."""
    return statistics.fmean(values) if values else None


def spread(values: Sequence[float]) -> float | None:
    """Sample standard deviation, None of fewer than two values."""
    return statistics.stdev(values) if len(values) > 1 else None


def _text(column: str, values: Sequence[float]) -> str:
    scale = 100 if column in ("pck", "auc") else 1
    scaled = [scale * value for value in values]
    centre, half = mean(scaled), spread(scaled)
    if centre is None:
        return ""
    digits = 0 if column == "parameters" else 1
    text = f"{centre:,.{digits}f}"
    return text if half is None or column == "parameters" else f"{text} ± {half:.{digits}f}"
