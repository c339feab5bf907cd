"""Human3.6M's cameras as JSON: ``{"S1/54138969": {R, T, f, c, k, p, width, height}, ...}``, T the centre in metres.

Such files are about in which R is world to camera, ``x_cam = R (x_world - T)``, and in which it is the transpose, and
they do not say. The rule: the cameras look at the middle of the capture space, (0, 0, 0.9) m with z up. R is read in
the way under which their optical axes pass nearer to it on average, which is also the one under which people stand
upright; if that is not within 20 degrees, or both are, the file is refused. (As published it is 6 degrees, against 85.)
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from skelgraph.errors import FormatError
from skelgraph.geometry.cameras import Camera
from skelgraph.io.calibrations import fields

NAME = "human36m"
UNIT = "m"
MIDDLE, MAX_ANGLE = (0.0, 0.0, 0.9), 20.0
_FIELDS = {"R": (3, 3), "T": (3,), "f": (2,), "c": (2,), "k": (3,), "p": (2,), "width": (1,), "height": (1,)}


def matches(content: dict[str, Any]) -> bool:
    return bool(content) and all(
        isinstance(value, dict) and {"R", "T", "f", "c"} <= set(value) for value in content.values()
    )


def read(content: dict[str, Any], metres: float, image_size: tuple[int, int] | None = None) -> list[Camera]:
    given: dict[str, dict[str, Any]] = {
        name: {key: fields.numbers(fields.section(content, name), key, name, shape) for key, shape in _FIELDS.items()}
        for name in content
    }
    if not given:
        return []
    for values in given.values():
        values["T"] = values["T"] * metres
    transposed = _is_transposed(list(given.values()))
    cameras = []
    for name, values in given.items():
        image_size = fields.size(torch.cat([values.pop("width"), values.pop("height")]), name, "width, height")
        values["R"] = values["R"].mT if transposed else values["R"]
        cameras.append(Camera(**values, image_size=image_size, names=name))
    return cameras


def _is_transposed(cameras: list[dict[str, Tensor]]) -> bool:
    as_written, transposed = (
        sum(_angle(camera["R"].mT if turn else camera["R"], camera["T"]) for camera in cameras) / len(cameras)
        for turn in (False, True)
    )
    if not min(as_written, transposed) < MAX_ANGLE < max(as_written, transposed):
        raise FormatError(
            f"R and its transpose cannot be distinguished: the cameras look {as_written:.0f} degrees past the middle "
            f"of the capture space, {MIDDLE} m, as written, and {transposed:.0f} transposed, where one should be below "
            f"{MAX_ANGLE:.0f}; write them as plain JSON, which says what R is"
        )
    return transposed < as_written


def _angle(R: Tensor, T: Tensor) -> float:
    """Degrees between the optical axis and the direction to the middle."""
    direction = R @ (torch.tensor(MIDDLE, dtype=torch.float64) - T)
    cosine = float(direction[2] / direction.norm().clamp(min=1e-12))
    return math.degrees(math.acos(max(-1.0, min(1.0, cosine))))
