"""Joints that were lost for some frames."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from skelgraph.skeleton import Skeleton


def filled(points: NDArray[np.float64], skeleton: Skeleton) -> NDArray[np.float64]:
    """Points [F, J, 3] m with gaps (NaN) interpolated over time, beyond the ends held.

    The mean of the origin joints is interpolated where it stands, the others relative to it, so that a joint that is
    lost walks on with the person. A joint that is found in no frame is put where the nearest joint along the bones is.
    All NaN if nothing is found.
    """
    path = points[:, list(skeleton.origin)].mean(axis=1)
    if not np.isfinite(path).any():
        seen = np.isfinite(points).all(-1, keepdims=True)
        with np.errstate(invalid="ignore"):
            path = np.where(seen, points, 0).sum(axis=1) / seen.sum(axis=1)
    path = _interpolated(path[:, None])
    result = path + _interpolated(points - path)
    found = np.isfinite(result).all(axis=(0, 2))
    for joint in np.flatnonzero(~found) if found.any() else ():
        hops = skeleton.hops(int(joint)).numpy()
        result[:, joint] = result[:, int(np.where(found, hops, np.inf).argmin())]
    return result


def _interpolated(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """[F, J, 3] with each joint's gaps filled linearly; NaN where it is never found."""
    result, frames = points.copy(), np.arange(len(points))
    for joint in range(points.shape[1]):
        good = np.flatnonzero(np.isfinite(points[:, joint]).all(-1))
        if 0 < good.size < len(frames):
            for axis in range(3):
                result[:, joint, axis] = np.interp(frames, good, points[good, joint, axis])
    return result


__all__ = ["filled"]
