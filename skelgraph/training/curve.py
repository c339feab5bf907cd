"""The learning curve of a run, drawn."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from skelgraph.errors import FormatError
from skelgraph.training.loggers import read_log
from skelgraph.viz.drawings import figures

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def draw_curve(run: str | Path) -> Path:
    """Draws curve.png of a run folder from its log.csv: loss, and MPJPE of train and test (or held out), by epoch.

    The mean pose's MPJPE is a dashed line where metrics.json has it.

    Raises:
        FileNotFoundError: if there is no log.csv.
        FormatError: if it has no rows.
    """
    run = Path(run)
    if not (run / "log.csv").exists():
        raise FileNotFoundError(f"{run}: no log.csv, so no run to draw; train it first")
    rows = read_log(run / "log.csv")
    if not rows:
        raise FormatError(f"{run / 'log.csv'} has no rows: no epoch is finished yet")
    figure = figures.new(9.0, 3.6)
    left, right = figure.subplots(1, 2)
    left.plot(*_column(rows, "loss"), color=figures.INK, linewidth=1.6)
    left.set_title("training loss", fontsize=10, color=figures.INK, loc="left")
    for name, colour in (("train", figures.SIDES[2]), ("test", figures.SIDES[1]), ("held out", figures.SIDES[1])):
        epochs, values = _column(rows, f"{name.replace(' ', '_')}_mpjpe_mm")
        if values:
            marker = "o" if len(values) == 1 else None
            right.plot(epochs, values, color=colour, linewidth=1.6, label=name, marker=marker)
    baseline = _mean_pose(run / "metrics.json")
    if baseline is not None:
        dashed = (0, (4, 3))
        right.axhline(baseline, color=figures.MUTED, linestyle=dashed, linewidth=1.2, label=f"mean pose {baseline:.0f}")
    right.set_title("MPJPE (mm)", fontsize=10, color=figures.INK, loc="left")
    right.set_ylim(bottom=0)
    right.legend(frameon=False, fontsize=9)
    for ax in (left, right):
        _plain(ax)
    return figures.save(figure, run / "curve.png")


def _column(rows: list[dict[str, str]], column: str) -> tuple[list[int], list[float]]:
    """Epochs and values of a column of log.csv, without the epochs where it is empty."""
    filled = [(int(row["epoch"]), float(row[column])) for row in rows if row.get(column)]
    return [epoch for epoch, _ in filled], [value for _, value in filled]


def _mean_pose(path: Path) -> float | None:
    if not path.exists():
        return None
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    value = content.get("mean_pose", {}).get("mpjpe_mm")
    return None if value is None else float(value)


def _plain(ax: Axes) -> None:
    ax.set_xlabel("epoch", fontsize=9, color=figures.MUTED)
    ax.tick_params(labelsize=8, colors=figures.MUTED, length=0)
    ax.spines[:].set_visible(False)
    ax.grid(True, color=figures.FAINT, linewidth=0.6)
    ax.set_axisbelow(True)
