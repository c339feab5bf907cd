"""The picture of a skeleton's graph: typed edges and joint names, in a panel a part where there are many joints."""

from __future__ import annotations

import os.path
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skelgraph.skeleton import Skeleton
from skelgraph.skeleton.edges import CENTER, CLOSER, FARTHER
from skelgraph.viz.drawings import figures, label_places, strokes
from skelgraph.viz.drawings.layouts import layout

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MANY = 40  # joints in a panel beyond which all is small
_PANEL = 72  # joints beyond which parts get panels of their own
COLOURS = {CENTER: "#616872", CLOSER: "#2472c8", FARTHER: "#e2562c"}


class Panel(NamedTuple):
    """Joints that are named together."""

    title: str
    joints: tuple[int, ...]


def draw_skeleton(skeleton: Skeleton, path: str | Path) -> Path:
    """Draws a skeleton's joints, their names, and its directed edges coloured by type.

    People, faces and hands are drawn as a schematic T-pose by joint name, other skeletons as a tree. Beyond 72 joints
    the part of the center is named in the main panel, and each other part in a panel of its own.
    """
    places, panels = layout(skeleton), panels_of(skeleton)
    insets = len(panels) - 1
    columns, rows = min(insets, 2), max(1, (insets + 1) // 2)
    figure = figures.new(8.5 + 4.2 * columns, 8.5)
    grid = figure.add_gridspec(rows, 2 + columns)
    spans = [grid[:, :2]]
    for number in range(insets):
        place = number + insets % 2  # with an odd number the first takes a whole row
        spans.append(grid[0, 2:] if place == number + 1 and number == 0 else grid[place // 2, 2 + place % 2])
    all_axes = [figure.add_subplot(span) for span in spans]
    for ax, panel in zip(all_axes, panels, strict=True):
        _draw_panel(ax, skeleton, places, panel)
    names = [("self loop (center)", CENTER), ("closer: from the joint nearer to the center", CLOSER)]
    names.append(("farther: towards the center", FARTHER))
    figures.legend(figure, [(name, COLOURS[kind]) for name, kind in names])
    figure.draw_without_rendering()
    figure.set_layout_engine("none")
    for ax, panel in zip(all_axes, panels, strict=True):
        _write_names(ax, skeleton, places, panel)
    return figures.save(figure, path)


def panels_of(skeleton: Skeleton) -> list[Panel]:
    """The main panel first, then the largest; a part that has only left and right joints is split into two panels."""
    if skeleton.num_joints <= _PANEL or len(skeleton.parts) == 1:
        return [Panel(skeleton.name, tuple(range(skeleton.num_joints)))]
    left, right = ({pair[side] for pair in skeleton.pairs} for side in (0, 1))
    panels: list[Panel] = []
    for name, joints in skeleton.parts.items():
        halves = [tuple(i for i in joints if i in half) for half in (right, left)]
        if skeleton.center in joints:
            panels.insert(0, Panel(f"{skeleton.name}: {name}", joints))
        elif sum(map(len, halves)) == len(joints) and all(halves):
            panels += [Panel(f"{name}, {side}", half) for side, half in zip(("right", "left"), halves, strict=True)]
        else:
            panels.append(Panel(name, joints))
    return [panels[0], *sorted(panels[1:], key=lambda panel: -len(panel.joints))]


def _draw_panel(ax: Axes, skeleton: Skeleton, places: NDArray[np.float64], panel: Panel) -> None:
    shown = list(panel.joints)
    centre = "  (ring: center)" if skeleton.center in panel.joints else ""
    ax.set_title(panel.title + _shared(skeleton, panel)[1] + centre, fontsize=10, color=figures.INK, loc="left")
    figures.frame(ax, places[shown])
    low, high = places[shown].min(0), places[shown].max(0)
    near = np.flatnonzero(((places >= low - 0.3 * (high - low)) & (places <= high + 0.3 * (high - low))).all(1))
    others = sorted(set(near.tolist()) - set(shown))
    _draw_edges(ax, skeleton, places, panel)
    dense = len(shown) > _MANY
    ax.scatter(places[others, 0], places[others, 1], s=5, c=figures.FAINT, zorder=2, linewidths=0)
    size = 16 if dense else 42
    ax.scatter(places[shown, 0], places[shown, 1], s=size, c=COLOURS[CENTER], zorder=4, linewidths=0)
    if skeleton.center in shown:
        x, y = places[skeleton.center]
        ax.scatter([x], [y], s=5 * size, facecolors="none", edgecolors=COLOURS[CENTER], zorder=3)
    figures.bare(ax)


def _draw_edges(ax: Axes, skeleton: Skeleton, places: NDArray[np.float64], panel: Panel) -> None:
    """Both directions of each bone side by side as arrows; fans and bones that leave the panel faint and straight."""
    from matplotlib.patches import FancyArrowPatch

    inside = set(panel.joints)
    bow = 0.03 * float(np.ptp(places[list(panel.joints)], axis=0).max(initial=1e-9))
    fans = strokes.fans(skeleton)
    for (source, target), kind in zip(skeleton.edge_index.t().tolist(), skeleton.edge_type.tolist(), strict=True):
        if source == target or not {source, target} & inside:
            continue
        faint = not {source, target} <= inside or source in fans or target in fans
        length = float(np.linalg.norm(places[source] - places[target])) + 1e-9
        ax.add_artist(  # not add_patch, which measures each arrow anew: the limits are set
            FancyArrowPatch(
                tuple(places[source]), tuple(places[target]), arrowstyle="-" if faint else "-|>", color=COLOURS[kind],
                connectionstyle=f"arc3,rad={0.0 if faint else min(0.16, bow / length)}", mutation_scale=7, shrinkA=3,
                shrinkB=3, linewidth=0.4 if faint else 1.1, alpha=0.3 if faint else 0.9, zorder=1 if faint else 3,
                clip_on=True,
            )
        )  # fmt: skip


def _write_names(ax: Axes, skeleton: Skeleton, places: NDArray[np.float64], panel: Panel) -> None:
    cut = len(_shared(skeleton, panel)[0])
    names = [skeleton.joints[i][cut:] for i in panel.joints]
    size = 7.5 if len(names) <= _MANY else 6.0
    pixels = ax.transData.transform(places)
    inside = set(panel.joints)
    fans = strokes.fans(skeleton)
    bones = [e for e in (*skeleton.bones, *skeleton.extra_edges) if inside.issuperset(e) and fans.isdisjoint(e)]
    steps = [2 + int(np.linalg.norm(pixels[a] - pixels[b]) / 5) for a, b in bones]
    lines = [np.linspace(pixels[a], pixels[b], n) for (a, b), n in zip(bones, steps, strict=True)]
    scale = ax.figure.dpi / 72
    spots = label_places.place(pixels[list(panel.joints)], names, size * scale, np.concatenate([pixels, *lines]))
    for joint, name, spot in zip(panel.joints, names, spots, strict=True):
        offset = (spot - pixels[joint]) / scale
        leader = {"arrowstyle": "-", "color": figures.FAINT, "lw": 0.6} if np.hypot(*offset) > 26 else None
        ax.annotate(
            name, tuple(places[joint]), xytext=tuple(offset), textcoords="offset points", arrowprops=leader,
            fontsize=size, ha="center", va="center", color=figures.INK, zorder=6,
        )  # fmt: skip


def _shared(skeleton: Skeleton, panel: Panel) -> tuple[str, str]:
    """The beginning that all names of a panel share, and words that say so."""
    names = [skeleton.joints[i] for i in panel.joints]
    prefix = os.path.commonprefix(names) if len(names) >= 12 else ""
    prefix = prefix[: prefix.rfind("_") + 1]
    return prefix, f": {prefix}…" if prefix else ""
