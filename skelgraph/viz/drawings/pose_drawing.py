"""The picture of a lifted pose: 2D input above the 3D pose from two sides."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skelgraph.poses.keypoints import Keypoints
from skelgraph.poses.pose3d import Pose3D
from skelgraph.viz.drawings import figures, strokes
from skelgraph.viz.drawings.truth import centred_truth

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_VIEWS = (("as the camera sees it", 0.0, 0.22), ("from the side", np.pi / 2, 0.22))  # name, yaw, pitch


def draw_pose(
    keypoints: Keypoints | None, pose: Pose3D, path: str | Path, truth: Pose3D | ArrayLike | None = None
) -> Path:
    """Draws 2D input above the 3D pose from two sides, for up to five evenly chosen frames.

    Args:
        keypoints: the 2D that was lifted, F frames, px.
        pose: the F frames, m; of a pose in a world what :meth:`Pose3D.as_seen` gives.
        path: the picture to write; its ending names the format.
        truth: true joints [F, J, 3] in m, drawn thin in green; the MPJPE of each frame is written below.

    Raises:
        ValueError: if there is no frame, or keypoints or truth have other frames or joints than the pose.
    """
    pose = pose.as_seen()
    joints = np.asarray(pose.joints, dtype=np.float64)
    true = None if truth is None else centred_truth(pose, truth)
    if len(joints) == 0:
        raise ValueError("the pose has no frames; there is nothing to draw")
    if keypoints is not None and len(keypoints.xy) != len(joints):
        raise ValueError(f"keypoints have {len(keypoints.xy)} frames, the pose {len(joints)}")
    chosen = _chosen(joints)
    rows = len(_VIEWS) + (keypoints is not None)
    figure = figures.new(2.6 * len(chosen) + 0.5, 2.9 * rows + 0.7)
    axes = figure.subplots(rows, len(chosen), squeeze=False)
    drawn, flat = strokes.of_skeleton(pose.skeleton), None
    if keypoints is not None:
        flat = strokes.of_joints(keypoints.joints, keypoints.num_joints, pose.skeleton)
    for column, frame in enumerate(chosen):
        if keypoints is not None and flat is not None:
            _draw_flat(axes[0, column], keypoints, flat, frame)
        for ax, (_, yaw, pitch) in zip(axes[-len(_VIEWS) :, column], _VIEWS, strict=True):
            _draw_solid(ax, drawn, joints[frame], None if true is None else true[frame], yaw, pitch)
        seconds = f"  {frame / pose.fps:.2f} s" if pose.fps else ""
        axes[0, column].set_title(f"frame {frame + 1}{seconds}", fontsize=9, color=figures.INK)
        if true is not None:
            error = 1000 * np.nanmean(np.linalg.norm(joints[frame] - true[frame], axis=-1))
            axes[-1, column].set_xlabel(f"MPJPE {error:.1f} mm", fontsize=9, color=figures.MUTED)
    labels = (["2D input"] if keypoints is not None else []) + [name for name, _, _ in _VIEWS]
    for ax, label in zip(axes[:, 0], labels, strict=True):
        ax.set_ylabel(label, fontsize=9, color=figures.MUTED, labelpad=10)
    names = [("left", figures.SIDES[strokes.LEFT]), ("right", figures.SIDES[strokes.RIGHT]), ("truth", figures.TRUTH)]
    figures.legend(figure, names if true is not None else names[:2])
    return figures.save(figure, path)


def _chosen(joints: NDArray[np.float64]) -> list[int]:
    """Up to five frames, evenly spaced, away from the very ends of long clips."""
    count = len(joints)
    if count <= 5:
        return list(range(count))
    return [int(f) for f in np.linspace(0.05 * (count - 1), 0.95 * (count - 1), 5).round()]


def _draw_flat(ax: Axes, keypoints: Keypoints, drawn: strokes.Strokes, frame: int) -> None:
    xy = np.asarray(keypoints.xy[frame], dtype=np.float64)
    seen = np.isfinite(xy).all(-1) & (np.asarray(keypoints.confidence[frame]) > 0)
    xy = np.where(seen[:, None], xy, np.nan)
    _draw_lines(ax, xy, np.zeros(len(xy)), drawn, None)
    if seen.any():
        figures.frame(ax, xy[seen], flip=True)
    figures.bare(ax)


def _draw_solid(
    ax: Axes,
    drawn: strokes.Strokes,
    joints: NDArray[np.float64],
    true: NDArray[np.float32] | None,
    yaw: float,
    pitch: float,
) -> None:
    """Parallel projection of a frame, y down, over a floor grid under its lowest joint."""
    if not np.isfinite(joints).any():
        return figures.bare(ax)
    low = float(np.nanmax(joints[:, 1]))
    top = float(np.nanmin(joints[:, 1]))
    reach = max(0.5 * (low - top), float(np.nanmax(np.hypot(joints[:, 0], joints[:, 2]))), 1e-6)
    grid = np.linspace(-reach, reach, 7)
    ends = np.full(7, reach)
    starts = np.stack([np.r_[grid, -ends], np.full(14, low), np.r_[-ends, grid]], -1)
    stops = np.stack([np.r_[grid, ends], np.full(14, low), np.r_[ends, grid]], -1)
    figures.segments(ax, _projected(starts, yaw, pitch)[0], _projected(stops, yaw, pitch)[0], figures.FAINT, 0.6, 0)
    if true is not None:
        xy, depth = _projected(true.astype(np.float64), yaw, pitch)
        _draw_lines(ax, xy, depth, drawn, figures.TRUTH)
    xy, depth = _projected(joints, yaw, pitch)
    _draw_lines(ax, xy, depth, drawn, None)
    corners = np.array([[-reach, low, 0], [reach, low, -reach], [0, top, 0]])
    figures.frame(ax, np.concatenate([_projected(corners, 0.0, pitch)[0], xy[np.isfinite(xy).all(-1)]]), flip=True)
    figures.bare(ax)


def _projected(
    points: NDArray[np.float64], yaw: float, pitch: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """[..., 3] turned by ``yaw`` about the vertical and seen from above by ``pitch``: [..., 2] (y down) and depth."""
    x, y, z = np.moveaxis(points, -1, 0)
    across, away = np.cos(yaw) * x + np.sin(yaw) * z, np.cos(yaw) * z - np.sin(yaw) * x
    return np.stack([across, np.cos(pitch) * y - np.sin(pitch) * away], -1), np.sin(pitch) * y + np.cos(pitch) * away


def _draw_lines(
    ax: Axes, xy: NDArray[np.float64], depth: NDArray[np.float64], drawn: strokes.Strokes, colour: str | None
) -> None:
    """Lines from far to near, thinner where short, and small joints; all in ``colour`` or by side."""
    if drawn.lines:
        ends = np.asarray(drawn.lines)
        ends = ends[np.argsort(-depth[ends].mean(-1), kind="stable")]
        lengths = np.linalg.norm(xy[ends[:, 0]] - xy[ends[:, 1]], axis=-1)
        size = np.nanmax(np.ptp(xy[np.isfinite(xy).all(-1)], axis=0), initial=1e-9) if np.isfinite(xy).any() else 1.0
        widths = np.clip(6.5 * np.sqrt(np.nan_to_num(lengths) / size), 0.6, 4.0) * (1.0 if colour is None else 0.45)
        colours = [colour or figures.SIDES[strokes.side_of_line(drawn, a, b)] for a, b in ends]
        figures.segments(ax, xy[ends[:, 0]], xy[ends[:, 1]], colours, widths, 2)
    if colour is None:
        small = 10.0 if len(xy) < 40 else 1.2
        ax.scatter(xy[:, 0], xy[:, 1], s=small, c=[figures.SIDES[side] for side in drawn.side], zorder=3, linewidths=0)
