"""matplotlib figures in one style. matplotlib is loaded when the first picture is drawn; pyplot never."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from skelgraph.files import atomic

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK, MUTED, FAINT = "#1b1c1f", "#6c6f76", "#d4d7db"
SIDES = ("#616872", "#e2562c", "#2472c8")  # by strokes.MIDDLE, LEFT, RIGHT
TRUTH = "#0d9b76"


def new(width: float, height: float) -> Figure:
    """A figure of our own on the Agg canvas, in inches: pyplot's state is not touched."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), dpi=130, facecolor="white")
    figure.set_layout_engine("constrained", w_pad=0.06, h_pad=0.05, wspace=0.01, hspace=0.01)
    FigureCanvasAgg(figure)
    return figure


def save(figure: Figure, path: str | Path) -> Path:
    """Writes the figure, whole or not at all; the ending names the format (default PNG)."""
    content, path = io.BytesIO(), Path(path)
    figure.savefig(content, format=path.suffix[1:] or "png")
    atomic.write(path, content.getvalue())
    return path


def legend(figure: Figure, names: list[tuple[str, str]]) -> None:
    """(name, colour) pairs in one line below everything."""
    from matplotlib.lines import Line2D

    lines = [Line2D([], [], color=colour, linewidth=2.5, label=name) for name, colour in names]
    style: dict[str, Any] = {"frameon": False, "fontsize": 9, "labelcolor": MUTED}
    figure.legend(handles=lines, loc="outside lower center", ncols=len(lines), **style)


def segments(
    ax: Axes, starts: NDArray[np.float64], stops: NDArray[np.float64], colours: Any, widths: Any, order: int
) -> None:
    """Straight lines from starts [N, 2] to stops [N, 2]; one colour and width, or N."""
    from matplotlib.collections import LineCollection

    lines = np.stack([starts, stops], axis=1)
    ax.add_collection(LineCollection(list(lines), colors=colours, linewidths=widths, capstyle="round", zorder=order))


def frame(ax: Axes, points: NDArray[np.float64], flip: bool = False) -> None:
    """Equal axes about the points with some room; ``flip`` lets y run down."""
    low, high = points.min(0), points.max(0)
    middle, half = (low + high) / 2, 0.56 * max(float((high - low).max()), 1e-6)
    ax.set_xlim(middle[0] - half, middle[0] + half)
    ax.set_ylim(*((middle[1] + half, middle[1] - half) if flip else (middle[1] - half, middle[1] + half)))
    ax.set_aspect("equal")


def bare(ax: Axes) -> None:
    """No ticks, no box."""
    ax.set_xticks([])
    ax.set_yticks([])
    ax.spines[:].set_visible(False)
