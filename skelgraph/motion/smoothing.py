"""The one-euro filter (Casiez, Roussel and Vogel 2012): still joints get steady, fast ones stay quick."""

from __future__ import annotations

import dataclasses
import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skelgraph.poses.pose3d import Pose3D


class Smoothed(NamedTuple):
    """Filtered joints [F, J, 3], and how far the filter moved those that are not missing, mm."""

    joints: NDArray[np.float64]
    mean_mm: float
    max_mm: float

    def __str__(self) -> str:
        return f"smoothed: joints moved by {self.mean_mm:.1f} mm in the mean, {self.max_mm:.1f} mm at most"


def one_euro(
    joints: ArrayLike,
    fps: float,
    *,
    min_cutoff: float = 1.0,
    beta: float = 5.0,
    derivative_cutoff: float = 1.0,
    missing: ArrayLike | None = None,
) -> Smoothed:
    r"""Filters each joint over time.

    .. math::
        \hat x_i = \alpha(f_i) x_i + (1 - \alpha(f_i)) \hat x_{i-1}, \quad
        f_i = f_{min} + \beta \lVert \hat{\dot x}_i \rVert, \quad
        \alpha(f) = \left(1 + \frac{1}{2 \pi f \Delta t}\right)^{-1}

    with the velocity :math:`(x_i - \hat x_{i-1}) / \Delta t` filtered at ``derivative_cutoff``. The paper filters
    numbers; here the length of a joint's velocity is the speed of all three of its coordinates, so that turning the
    axes changes nothing. A joint that is missing in a frame is left as it is and not looked at: its filter waits.

    Args:
        joints: [F, J, 3] m.
        fps: frames per second.
        min_cutoff: Hz; lower is steadier at rest.
        beta: 1/m; higher lags less in motion.
        derivative_cutoff: Hz.
        missing: [F, J] booleans.

    Raises:
        ValueError: for other shapes, values that are not finite, or a rate or cutoff that is not above 0.
    """
    x = np.asarray(joints, dtype=np.float64)
    if x.ndim != 3 or x.shape[-1] != 3 or not np.isfinite(x).all():
        raise ValueError(f"joints are {list(x.shape)}; expected finite [F, J, 3]")
    absent = np.zeros(x.shape[:2], bool) if missing is None else np.asarray(missing, dtype=bool)
    if absent.shape != x.shape[:2]:
        raise ValueError(f"missing is {list(absent.shape)}; expected {list(x.shape[:2])}")
    for name, value in {"fps": fps, "min_cutoff": min_cutoff, "derivative_cutoff": derivative_cutoff}.items():
        if not 0 < value < math.inf:
            raise ValueError(f"{name} is {value}; expected a number above 0")
    if not 0 <= beta < math.inf:
        raise ValueError(f"beta is {beta}; expected 0 or above")
    result = _filtered(x, absent, fps, min_cutoff, beta, derivative_cutoff)
    moved = 1000 * np.linalg.norm(result - x, axis=-1)[~absent]
    return Smoothed(result, float(moved.mean()) if moved.size else 0.0, float(moved.max(initial=0.0)))


def smooth(pose: Pose3D, *, min_cutoff: float = 1.0, beta: float = 5.0) -> tuple[Pose3D, Smoothed]:
    """A pose filtered by :func:`one_euro`, its missing joints left alone, and how far joints moved.

    In a world joints are filtered where they are; of one camera relative to their origin, and a root is left alone.

    Raises:
        ValueError: if the pose does not know its frames per second, and as :func:`one_euro`.
    """
    if pose.fps is None:
        raise ValueError("smoothing needs frames per second; give them: dataclasses.replace(pose, fps=30)")
    joints = pose.positions if pose.is_in_world else pose.joints
    done = one_euro(joints, pose.fps, min_cutoff=min_cutoff, beta=beta, missing=pose.missing)
    if pose.is_in_world:
        return pose.at(done.joints), done
    return dataclasses.replace(pose, joints=done.joints.astype(np.float32)), done


def _filtered(
    x: NDArray[np.float64], absent: NDArray[np.bool_], fps: float, min_cutoff: float, beta: float, speed_cutoff: float
) -> NDArray[np.float64]:
    result = x.copy()
    place, velocity = np.zeros(x.shape[1:]), np.zeros(x.shape[1:])
    last = np.full(x.shape[1], -1)  # the frame each joint was last seen in
    for frame, now in enumerate(x):
        seen, started = ~absent[frame], last >= 0
        step = ((frame - last) / fps)[:, None]
        fresh = np.where(started[:, None], (now - place) / step, 0)
        turn = np.where(started[:, None], _alpha(np.full_like(step, speed_cutoff), step), 1)
        velocity = np.where(seen[:, None], turn * fresh + (1 - turn) * velocity, velocity)
        cutoff = min_cutoff + beta * np.linalg.norm(velocity, axis=-1, keepdims=True)
        share = np.where(started[:, None], _alpha(cutoff, step), 1)
        place = np.where(seen[:, None], share * now + (1 - share) * place, place)
        result[frame, seen] = place[seen]
        last[seen] = frame
    return result


def _alpha(cutoff: NDArray[np.float64], step: NDArray[np.float64]) -> NDArray[np.float64]:
    return 1 / (1 + 1 / (2 * math.pi * cutoff * step))
