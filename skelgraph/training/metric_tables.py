"""The numbers of metrics.json as tables: for the terminal and as markdown, the mean pose's errors beside them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple, get_args

from rich.table import Table
from rich.text import Text

By = Literal["overall", "parts", "joints", "actions", "h3wb", "views"]

_PROTOCOLS = {
    "mpjpe_mm": "MPJPE (mm)",
    "p_mpjpe_mm": "P-MPJPE (mm)",
    "n_mpjpe_mm": "N-MPJPE (mm)",
    "velocity_error_mm": "velocity error (mm)",
    "pck": "PCK at 150 mm (%)",
    "auc": "AUC (%)",
    "origin_mpjpe_mm": "MPJPE relative to the origin (mm)",
    "keypoint_pck": "2D PCK at 5 % of the figure (%)",
    "keypoint_mse": "2D squared error (px^2)",
    "reprojection_px": "reprojection error (px)",
    "bone_variation": "bones' variation (%)",
}
_SHARES = ("pck", "auc", "keypoint_pck", "bone_variation")
_COUNTS = ("poses", "parameters", "steps", "train_seconds")
_FIRST = {
    "overall": "metric",
    "parts": "part",
    "joints": "joint",
    "actions": "action",
    "h3wb": "H3WB part",
    "views": "views",
}


class Row(NamedTuple):
    """One line: what is measured, its value and the mean pose's, and of several seeds the value's sample standard
    deviation; mm, or % where the name says so."""

    name: str
    value: float
    mean_pose: float | None
    spread: float | None = None

    @property
    def ratio(self) -> float | None:
        """Value over the mean pose's; the smaller the better for errors."""
        return self.value / self.mean_pose if self.mean_pose else None


def metric_rows(metrics: Mapping[str, Any], by: By = "overall") -> list[Row]:
    """The rows of one table.

    Args:
        metrics: what :func:`skelgraph.training.evaluate.evaluate` returns, of one run or of several seeds.
        by: ``"overall"`` for each protocol, or MPJPE by ``"parts"``, ``"joints"``, ``"actions"``; ``"h3wb"``.

    Returns:
        Rows in the order of ``metrics``; none where it has nothing of the kind.

    Raises:
        ValueError: for an unknown ``by``.
    """
    if by not in get_args(By):
        raise ValueError(f"by is {by!r}; expected one of {', '.join(get_args(By))}")
    others = [metrics.get(name, {}) for name in ("mean_pose", "spread")]
    if by == "overall":
        plugins = [key for key, value in metrics.items() if type(value) is float and key not in (*_PROTOCOLS, *_COUNTS)]
        labels = _PROTOCOLS | {key: key for key in plugins}
        scaled = [(key, label, 100.0 if key in _SHARES else 1.0) for key, label in labels.items()]
        return [
            Row(label, scale * metrics[key], *(scale * each[key] if key in each else None for each in others))
            for key, label, scale in scaled
            if key in metrics
        ]
    beside = [each.get(by, {}) for each in others]
    return [
        Row(str(name), _mpjpe(value), *(_mpjpe(each[name]) if name in each else None for each in beside))
        for name, value in metrics.get(by, {}).items()
    ]


def metrics_table(metrics: Mapping[str, Any], by: By = "overall") -> Table:
    """The rows as a rich table for the terminal. Names are shown as they are, never read as markup."""
    table = Table(header_style="bold", box=None)
    for i, head in enumerate(_heads(by)):
        table.add_column(head, justify="right" if i else "left", style="dim" if i > 1 else None)
    for row in metric_rows(metrics, by):
        table.add_row(Text(row.name), *_cells(row))
    return table


def _heads(by: By) -> tuple[str, ...]:
    return _FIRST[by], "value" if by == "overall" else "MPJPE (mm)", "mean pose", "ratio"


def _cells(row: Row) -> list[str]:
    value = f"{row.value:.1f}" if row.spread is None else f"{row.value:.1f} ± {row.spread:.1f}"
    return [value, *("–" if v is None else f"{v:.{n}f}" for v, n in ((row.mean_pose, 1), (row.ratio, 2)))]


def _mpjpe(value: float | Mapping[str, float]) -> float:
    return float(value["mpjpe_mm"] if isinstance(value, Mapping) else value)
