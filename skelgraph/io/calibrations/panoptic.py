"""CMU Panoptic's ``calibration_*.json``: ``{"cameras": [{name, type, resolution, K, distCoef, R, t, ...}, ...]}``.

``x_cam = R x_world + t`` in cm; the world's y axis points down. distCoef is OpenCV's k1, k2, p1, p2, k3 (the toolbox's
``panutils.py``).
"""

from __future__ import annotations

from typing import Any

from skelgraph.errors import FormatError
from skelgraph.geometry.cameras import Camera
from skelgraph.io.calibrations import fields

NAME = "panoptic"
UNIT = "cm"


def matches(content: dict[str, Any]) -> bool:
    return isinstance(content.get("cameras"), list)


def read(content: dict[str, Any], metres: float, image_size: tuple[int, int] | None = None) -> list[Camera]:
    cameras: dict[str, Camera] = {}
    entries = content.get("cameras")
    for i, entry in enumerate(entries if isinstance(entries, list) else []):
        name = entry.get("name") if isinstance(entry, dict) else None
        if not isinstance(name, str) or not name:
            raise FormatError(f"cameras[{i}] has no name")
        if name in cameras:
            raise FormatError(f"two cameras are called {name!r}")
        cameras[name] = fields.from_opencv(
            name,
            fields.numbers(entry, "K", name, (3, 3)),
            fields.numbers(entry, "distCoef", name, (5,)),
            fields.numbers(entry, "R", name, (3, 3)),
            fields.numbers(entry, "t", name, (3, 1), (3,)),
            fields.size(fields.numbers(entry, "resolution", name, (2,)), name, "resolution"),
            metres,
        )
    return list(cameras.values())
