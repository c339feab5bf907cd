"""The rows of an experiment as bars: ours with their spread, the mean pose as a line, published numbers apart."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from skelgraph.errors import ConfigError
from skelgraph.training.variants import MEAN_POSE, Table, mean, spread, title
from skelgraph.viz.drawings import figures

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def draw_table(table: Table, path: str | Path) -> Path:
    """Draws MPJPE, or for whole bodies body, face and hands of the H3WB protocol, in mm.

    Raises:
        ValueError: if the table has no rows.
    """
    lines = [line for line in table.lines if line[0] != MEAN_POSE]
    if not lines:
        raise ConfigError("the table has no rows to draw: no run is finished yet")
    parts = [c for c in ("h3wb_body", "h3wb_face_nose", "h3wb_hands_wrist") if c in table.columns]
    columns: list[str] = [*parts] or ["mpjpe_mm", "p_mpjpe_mm"]
    figure = figures.new(4.2 * len(columns) + 1.2, 1.2 + 0.34 * len(lines))
    axes = figure.subplots(1, len(columns), sharey=True, squeeze=False)[0]
    for ax, column in zip(axes, columns, strict=True):
        _bars(ax, table, column)
    axes[0].set_ylim(len(lines) - 0.5, -0.5)
    axes[0].set_yticks(range(len(lines)), [name for name, _, _ in lines])
    known = [("ours", figures.SIDES[2]), ("mean pose", figures.MUTED)]
    if any(column in published for _, _, published in lines for column in columns):
        known.insert(1, ("published (on the paper's data)", figures.SIDES[1]))
    figures.legend(figure, known)
    return figures.save(figure, path)


def _bars(ax: Axes, table: Table, column: str) -> None:
    lines = [line for line in table.lines if line[0] != MEAN_POSE]
    for y, (_, values, published) in enumerate(lines):
        found = values.get(column, [])
        centre, half = mean(found), spread(found)
        if centre is not None:
            style = {"color": figures.SIDES[2], "ecolor": figures.INK, "capsize": 3}
            ax.barh(y, centre, height=0.6, xerr=half, **style)  # type: ignore[arg-type]
            ax.text(0, y, f" {centre:.1f}", va="center", ha="left", color="white", fontsize=8)
        if column in published:
            ax.plot(published[column], y, marker="D", color=figures.SIDES[1], markersize=6, linestyle="")
    for name, values, _ in table.lines:
        if name == MEAN_POSE and values.get(column):
            ax.axvline(values[column][0], color=figures.MUTED, linestyle=(0, (4, 3)), linewidth=1.2)
    ax.set_title(f"{title(column).removesuffix(' mm')} (mm)", fontsize=10, color=figures.INK, loc="left")
    ax.tick_params(labelsize=8, colors=figures.MUTED, length=0)
    ax.spines[:].set_visible(False)
    ax.grid(True, axis="x", color=figures.FAINT, linewidth=0.6)
    ax.set_axisbelow(True)
