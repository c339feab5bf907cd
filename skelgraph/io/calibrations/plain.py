"""Plain JSON, a layout of our own: the fields of :class:`Camera`, and the unit.

.. code-block:: json

    {"unit": "m",
     "cameras": {"left": {"R": [[1, 0, 0], [0, 1, 0], [0, 0, 1]], "T": [0, 0, 0], "f": [1145.0, 1143.8],
                          "c": [512.5, 515.5], "k": [-0.2, 0.25, 0], "p": [0, 0], "width": 1000, "height": 1002}}}

``x_cam = R (x_world - T)``: R is world to camera and T the camera's centre in the world, in ``unit`` (m, cm or mm). f
and c are px; k (k1, k2, k3) and p (p1, p2) are OpenCV's and may be left out where they are 0.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import torch

from skelgraph.files import atomic
from skelgraph.geometry.cameras import Camera
from skelgraph.io.calibrations import fields

NAME = "plain"
UNIT = "m"
_IN_METRES = {"m": 1.0, "cm": 0.01, "mm": 0.001}
_FIELDS = {"R": (3, 3), "T": (3,), "f": (2,), "c": (2,), "k": (3,), "p": (2,), "width": (1,), "height": (1,)}
_OPTIONAL = ("k", "p")


def matches(content: dict[str, Any]) -> bool:
    return isinstance(content.get("cameras"), dict)


def read(content: dict[str, Any], metres: float, image_size: tuple[int, int] | None = None) -> list[Camera]:
    """The cameras; the file's own unit counts, so ``metres`` must leave it alone."""
    unknown = sorted(set(content) - {"unit", "cameras"})
    if unknown:
        raise ValueError(f"unknown key {unknown[0]!r}; valid: unit, cameras")
    if content.get("unit") not in _IN_METRES:
        raise ValueError(f"unit must be one of {', '.join(_IN_METRES)}, found {content.get('unit')!r}")
    if metres != 1.0:
        raise ValueError(f"the file says its unit itself ({content['unit']}): leave unit out")
    if not matches(content):
        raise ValueError("cameras must be a mapping of names to cameras")
    return [_camera(name, fields.section(content["cameras"], name), content["unit"]) for name in content["cameras"]]


def _camera(name: str, given: Any, unit: str) -> Camera:
    unknown = sorted(set(given) - set(_FIELDS))
    if unknown:
        raise ValueError(f"camera {name!r}: unknown field {unknown[0]!r}; valid: {', '.join(_FIELDS)}")
    present = {key: shape for key, shape in _FIELDS.items() if key not in _OPTIONAL or key in given}
    values: dict[str, Any] = {key: fields.numbers(given, key, name, shape) for key, shape in present.items()}
    image_size = fields.size(torch.cat([values.pop("width"), values.pop("height")]), name, "width, height")
    values["T"] = values["T"] * _IN_METRES[unit]
    return Camera(**values, image_size=image_size, names=name)


def write(path: str | Path, cameras: Iterable[Camera]) -> None:
    """Writes the cameras, in metres, such that they are read back to the same numbers.

    Raises:
        ValueError: if two cameras have the same name.
        OSError: saying what went wrong; a file that was there is untouched.
    """
    content: dict[str, Any] = {}
    for camera in cameras:
        if camera.name in content:
            raise ValueError(f"two cameras are called {camera.name!r}")
        tensors = {key: getattr(camera, key).tolist() for key in _FIELDS if key not in ("width", "height")}
        width, height = map(int, camera.image_size.tolist())
        content[camera.name] = {**tensors, "width": width, "height": height}
    atomic.write(Path(path), json.dumps({"unit": "m", "cameras": content}, indent=1) + "\n")
