"""Which axis of a calibration's world points up."""

from __future__ import annotations

import math

import torch

from skelgraph.geometry.axes import LEVEL, up_vector
from skelgraph.geometry.cameras import Camera

_MOST_TILT_DEG = 40.0


def up_axis(cameras: Camera) -> tuple[str, float]:
    """The axis of the world that points up, as cameras [V] show it that on average are held upright.

    Returns:
        x, y, z, -x, -y or -z, and the degrees between it and the mean of what is up in the pictures.

    Raises:
        ValueError: if that is 40 degrees or more from every axis, or the cameras show no common direction.
    """
    up = -cameras.R[:, 1].mean(0)
    along = {axis: float(up @ torch.from_numpy(up_vector(axis))) for axis in LEVEL}
    name = max(along, key=lambda axis: along[axis])
    cosine = along[name] / max(float(up.norm()), 1e-9)
    tilt = math.degrees(math.acos(min(1.0, cosine)))
    if up.norm() < 0.5 or tilt > _MOST_TILT_DEG:
        raise ValueError(
            f"the cameras do not show which way is up: none of the world's axes does (nearest {name}, "
            f"{tilt:.0f} degrees off); give it, up= one of {', '.join(LEVEL)}"
        )
    return name, tilt
