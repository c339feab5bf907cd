"""OpenCV's FileStorage (YAML, XML or JSON), which has no fixed names; two habits are read, ``x_cam = R x_world + T``.

Several cameras, as EasyMocap writes them: ``names``, and for each of them ``K_NAME``, ``dist_NAME``, ``Rot_NAME``
(matrix) or ``R_NAME`` (rotation vector), ``T_NAME`` and, if known, ``W_NAME`` and ``H_NAME``, the image's size.

One camera: ``camera_matrix``, ``distortion_coefficients``, ``image_width``, ``image_height`` as OpenCV's calibration
sample writes them (or ``K``, ``dist``), ``R`` (matrix or rotation vector), ``T``, and perhaps ``camera_name``.

Coefficients are k1, k2, p1, p2[, k3]; 8, 12 or 14 of them only where the others are 0. Lengths are metres unless given.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from skelgraph.errors import FormatError
from skelgraph.geometry.cameras import Camera
from skelgraph.io.calibrations import fields

NAME = "opencv"
UNIT = "m"
_NAMES: Mapping[str, tuple[str, ...]] = {
    "K": ("camera_matrix", "cameraMatrix", "K"),
    "dist": ("distortion_coefficients", "dist_coeffs", "distCoeffs", "dist"),
    "rotation": ("Rot", "R", "rvec"),
    "T": ("T", "t", "tvec"),
    "W": ("image_width", "W"),
    "H": ("image_height", "H"),
}
"""Fields and the names they go by."""


def matches(content: dict[str, Any]) -> bool:
    return any(isinstance(value, dict) and {"rows", "cols", "data"} <= set(value) for value in content.values())


def read(content: dict[str, Any], metres: float, image_size: tuple[int, int] | None = None) -> list[Camera]:
    names = content.get("names")
    if names is None:
        return [_camera(content, str(content.get("camera_name", "camera")), "", metres, image_size)]
    names = [names] if isinstance(names, str | int) else names  # XML does not tell a list of one name from a name
    if not isinstance(names, list) or len({str(name) for name in names}) != len(names):
        raise FormatError(f"names must be a list of different names, found {str(names)[:80]}")
    return [_camera(content, str(name), f"_{name}", metres, image_size) for name in names]


def _camera(content: dict[str, Any], name: str, suffix: str, metres: float, size: tuple[int, int] | None) -> Camera:
    K = _matrix(content, "K", name, suffix).reshape(3, 3)
    rotation = _matrix(content, "rotation", name, suffix)
    return fields.from_opencv(
        name,
        K,
        _matrix(content, "dist", name, suffix),
        rotation.reshape(3, 3) if rotation.numel() == 9 else rotation,
        _matrix(content, "T", name, suffix),
        _size(content, name, suffix) or _given(size, name),
        metres,
    )


_COUNTS = {"K": (9,), "dist": (4, 5, 8, 12, 14), "rotation": (9, 3), "T": (3,)}


def _matrix(content: dict[str, Any], field: str, name: str, suffix: str) -> Tensor:
    key = _key(content, field, suffix)
    if key is None:
        known = " or ".join(f"{word}{suffix}" for word in _NAMES[field])
        raise FormatError(f"camera {name!r}: {known} is missing; there: {', '.join(content)[:200]}")
    value = content[key]
    if not isinstance(value, dict) or not {"rows", "cols", "data"} <= set(value):
        raise FormatError(f"camera {name!r}: {key} is no matrix with rows, cols and data")
    shape = fields.numbers(value, "rows", name, (1,)), fields.numbers(value, "cols", name, (1,))
    data = fields.numbers({key: value["data"]}, key, name, *((count,) for count in _COUNTS[field]))
    if float(shape[0]) * float(shape[1]) != data.numel():
        sizes = f"{value['rows']} x {value['cols']}"
        raise FormatError(f"camera {name!r}: {key} says {sizes} and holds {data.numel()} numbers")
    if field == "rotation" and data.numel() == 9 and shape[0] != 3:
        raise FormatError(
            f"camera {name!r}: {key} must be 3 x 3 or three numbers, not {value['rows']} x {value['cols']}"
        )
    return data


def _size(content: dict[str, Any], name: str, suffix: str) -> tuple[int, int] | None:
    keys = [_key(content, field, suffix) for field in ("W", "H")]
    if keys[0] is None or keys[1] is None:
        return None
    values = torch.cat([fields.numbers(content, key, name, (1,)) for key in keys if key])
    return fields.size(values, name, f"{keys[0]}, {keys[1]}")


def _given(size: tuple[int, int] | None, name: str) -> tuple[int, int]:
    if size is None:
        raise FormatError(
            f"camera {name!r}: the file does not say how large the image is: give image_size=(WIDTH, HEIGHT)"
        )
    return fields.size(torch.tensor([float(size[0]), float(size[1])]), name, "image_size")


def _key(content: dict[str, Any], field: str, suffix: str) -> str | None:
    return next((word + suffix for word in _NAMES[field] if word + suffix in content), None)
