"""Fields of a calibration, checked, and the camera that they make: what the formats share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from skelgraph.errors import FormatError
from skelgraph.files import json_file
from skelgraph.geometry.cameras import SKEW_TOLERANCE, Camera
from skelgraph.geometry.rotations import from_vector


def section(content: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """The mapping called ``name``."""
    value = content.get(name)
    if not isinstance(value, Mapping):
        raise FormatError(f"camera {name!r}: expected a mapping of fields, found {_kind(value)}")
    return value


def numbers(fields: Mapping[str, Any], key: str, camera: str, *shapes: tuple[int, ...]) -> Tensor:
    """The numbers under ``key``, float64, of one of the given shapes.

    Raises:
        FormatError: naming camera and field, if it is missing, of another shape, or not all finite numbers.
    """
    where = f"camera {camera!r}: {key}"
    if key not in fields:
        raise FormatError(f"{where} is missing; there: {', '.join(repr(name)[:40] for name in fields) or 'nothing'}")
    value = torch.from_numpy(json_file.numbers(fields[key], where))
    if tuple(value.shape) not in shapes:
        expected = " or ".join(str(list(shape)) for shape in shapes)
        raise FormatError(f"{where} must have shape {expected}, found {list(value.shape)}")
    return value


def size(value: Tensor, camera: str, key: str) -> tuple[int, int]:
    """Width and height in whole px."""
    if (value != value.round()).any() or (value <= 0).any() or (value > 1 << 20).any():
        raise FormatError(f"camera {camera!r}: {key} must be a width and a height in whole px, found {value.tolist()}")
    return int(value[0]), int(value[1])


def lens(K: Tensor, distortion: Tensor, camera: str) -> dict[str, Any]:
    """f, c, k and p of a camera matrix and OpenCV's coefficients k1, k2, p1, p2, k3.

    Raises:
        FormatError: for a K that is not ``[[f_x, 0, c_x], [0, f_y, c_y], [0, 0, 1]]``, or further coefficients not 0.
    """
    if K[1, 0] != 0 or K[2].tolist() != [0, 0, 1] or K[0, 1].abs() > SKEW_TOLERANCE * K[0, 0].abs():
        raise FormatError(f"camera {camera!r}: K must be [[fx, 0, cx], [0, fy, cy], [0, 0, 1]], found {K.tolist()}")
    coefficients = torch.cat([distortion.flatten(), torch.zeros(max(0, 5 - distortion.numel()), dtype=torch.float64)])
    if (coefficients[5:] != 0).any():
        raise FormatError(
            f"camera {camera!r}: the distortion has {distortion.numel()} coefficients; k1, k2, p1, p2, k3 are read, "
            f"but not OpenCV's rational, prism and tilted models"
        )
    k1, k2, p1, p2, k3 = coefficients[:5]
    return {"f": K.diagonal()[:2], "c": K[:2, 2], "k": torch.stack([k1, k2, k3]), "p": torch.stack([p1, p2])}


def place(rotation: Tensor, t: Tensor) -> dict[str, Any]:
    """R and the centre T of ``x_cam = R x_world + t``, R a matrix or a rotation vector (radians about its axis)."""
    R = rotation if rotation.shape == (3, 3) else from_vector(rotation.flatten())
    return {"R": R, "T": -(R.mT @ t.flatten())}


def from_opencv(
    name: str, K: Tensor, distortion: Tensor, rotation: Tensor, t: Tensor, image_size: tuple[int, int], metres: float
) -> Camera:
    """The camera of OpenCV's quantities, with t in units of ``metres``."""
    return Camera(**lens(K, distortion, name), **place(rotation, t * metres), image_size=image_size, names=name)


def _kind(value: object) -> str:
    return "nothing" if value is None else type(value).__name__
