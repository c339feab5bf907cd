"""Pinhole cameras with lens distortion, and pixels to screen coordinates and back."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import Any

import torch
from torch import Tensor

_SHAPES = {"R": (3, 3), "T": (3,), "f": (2,), "c": (2,), "k": (3,), "p": (2,)}
_ROTATION_TOLERANCE = 1e-3


@dataclass(frozen=True, eq=False)
class Camera:
    """A calibrated camera; axes x right, y down, z forward. Numbers may be given as any nested sequence.

    Args:
        R: rotation from world to camera, ``[3, 3]``.
        T: camera centre in the world, metres, ``[3]``: ``x_cam = R (x_world - T)``.
        f: focal lengths, px, ``[2]``.
        c: principal point, px, ``[2]``.
        k: radial distortion k1, k2, k3, ``[3]``.
        p: tangential distortion p1, p2, ``[2]``.
        width: image width, px.
        height: image height, px.
        name: used in messages.

    Raises:
        ValueError: for a wrong shape, a number that is not finite, f <= 0, an empty image or an R that is no rotation.
    """

    R: Tensor
    T: Tensor
    f: Tensor
    c: Tensor
    k: Tensor = field(default_factory=lambda: torch.zeros(3))
    p: Tensor = field(default_factory=lambda: torch.zeros(2))
    width: int = 1000
    height: int = 1000
    name: str = "camera"

    def __post_init__(self) -> None:
        for name, shape in _SHAPES.items():
            value = torch.as_tensor(getattr(self, name), dtype=torch.float64).cpu()
            object.__setattr__(self, name, self._checked(name, value, shape))
        if (self.f <= 0).any():
            raise ValueError(f"camera {self.name!r}: f must be positive (px), found {self.f.tolist()}")
        if self.width <= 0 or self.height <= 0:
            raise ValueError(f"camera {self.name!r}: the image is empty: {self.width} x {self.height} px")
        determinant = torch.linalg.det(self.R).item()
        error = torch.linalg.norm(self.R @ self.R.mT - torch.eye(3, dtype=torch.float64)).item()
        if abs(determinant - 1) > _ROTATION_TOLERANCE or error > _ROTATION_TOLERANCE:
            raise ValueError(
                f"camera {self.name!r}: R is not a rotation: det(R) = {determinant:.6g} (expected 1), "
                f"|R R^T - I| = {error:.3g} (at most {_ROTATION_TOLERANCE:g}); "
                "R maps world to camera and has no scale and no mirror"
            )

    @property
    def image_size(self) -> Tensor:
        """Width and height in px, ``[2]``."""
        return torch.tensor([self.width, self.height], dtype=torch.float64)

    def project(self, points: Tensor) -> Tensor:
        """Camera frame ``[..., 3]`` m to pixels ``[..., 2]``; see :func:`project`."""
        return project(points, *(value.to(points) for value in (self.f, self.c, self.k, self.p)))

    def to_camera(self, points: Tensor) -> Tensor:
        """World ``[..., 3]`` m to camera frame: ``x_cam = R (x_world - T)``."""
        return (points - self.T.to(points)) @ self.R.to(points).mT

    def to_world(self, points: Tensor) -> Tensor:
        """Camera frame ``[..., 3]`` m to world: ``x_world = R^T x_cam + T``."""
        return points @ self.R.to(points) + self.T.to(points)

    def _checked(self, name: str, value: Tensor, shape: tuple[int, ...]) -> Tensor:
        if tuple(value.shape) != shape:
            raise ValueError(f"camera {self.name!r}: {name} must have shape {list(shape)}, found {list(value.shape)}")
        if not value.isfinite().all():
            raise ValueError(f"camera {self.name!r}: {name} must be finite, found {value.tolist()}")
        return value


def project(points: Tensor, f: Tensor, c: Tensor, k: Tensor, p: Tensor) -> Tensor:
    r"""Projects camera-frame points to pixels, with the Brown-Conrady distortion as OpenCV documents it.

    .. math::
        u = f_x (x \rho + 2 p_1 x y + p_2 (r^2 + 2 x^2)) + c_x, \quad
        v = f_y (y \rho + p_1 (r^2 + 2 y^2) + 2 p_2 x y) + c_y, \quad \rho = 1 + k_1 r^2 + k_2 r^4 + k_3 r^6

    with :math:`x = X/Z, y = Y/Z, r^2 = x^2 + y^2`. The parameters broadcast over the leading dimensions.

    Args:
        points: ``[..., 3]`` metres.
        f: focal lengths ``[..., 2]`` px.
        c: principal point ``[..., 2]`` px.
        k: radial distortion ``[..., 3]``.
        p: tangential distortion ``[..., 2]``.

    Returns:
        ``[..., 2]`` px; NaN for points at or behind the camera (z <= 0), which have no image.
    """
    z = points[..., 2:]
    xy = points[..., :2] / torch.where(z > 0, z, torch.nan)
    r2 = xy.square().sum(-1, keepdim=True)
    radial = 1 + r2 * (k[..., 0:1] + r2 * (k[..., 1:2] + r2 * k[..., 2:3]))
    # 2 p1 x y + p2 (r2 + 2 x2) = 2 x (p1 y + p2 x) + p2 r2, and likewise for y with p1.
    across = 2 * (p * xy.flip(-1)).sum(-1, keepdim=True)
    return f * (xy * (radial + across) + p.flip(-1) * r2) + c


def normalize_screen(px: Tensor, image_size: Tensor | Sequence[float]) -> Tensor:
    """Pixels to screen coordinates ``x/w*2 - 1, y/w*2 - h/w``: x spans [-1, 1], the aspect ratio stays.

    Args:
        px: ``[..., J, 2]`` or ``[..., 2]`` pixels.
        image_size: width and height in px: ``[2]``, or one a pose, its leading dimensions those of ``px``.

    Raises:
        ValueError: if a width or height is not positive.
    """
    width, height = _width_and_height(px, image_size)
    return (px * 2 - torch.cat([width, height], -1)) / width


def denormalize_screen(screen: Tensor, image_size: Tensor | Sequence[float]) -> Tensor:
    """Screen coordinates back to pixels: the inverse of :func:`normalize_screen`."""
    width, height = _width_and_height(screen, image_size)
    return (screen * width + torch.cat([width, height], -1)) / 2


@cache
def _human36m_parameters() -> dict[str, dict[str, Any]]:
    content = json.loads((resources.files("skelgraph") / "data" / "human36m_cameras.json").read_text("utf-8"))
    intrinsics = content["intrinsics"]
    return {name: {**view, **intrinsics[name.split("/")[1]]} for name, view in content["views"].items()}


def human36m_cameras() -> dict[str, Camera]:
    """The 36 cameras of Human3.6M as published, ``"S1/54138969"`` and so on: 9 subjects (sessions), 4 serial numbers.

    Source: Ionescu et al., "Human3.6M", TPAMI 2014. World axes: z up, metres.
    """
    return {name: Camera(**parameters, name=name) for name, parameters in _human36m_parameters().items()}


def _width_and_height(points: Tensor, image_size: Tensor | Sequence[float]) -> tuple[Tensor, Tensor]:
    size = torch.as_tensor(image_size, dtype=points.dtype, device=points.device)
    if size.shape[-1:] != (2,):
        raise ValueError(f"image_size must be (width, height) or [..., 2], found shape {list(size.shape)}")
    if 1 < size.dim() < points.dim():
        size = size.view(*size.shape[:-1], *[1] * (points.dim() - size.dim()), 2)
    if not torch.compiler.is_compiling() and size.device.type == "cpu" and not (size > 0).all():
        raise ValueError(f"image_size must be positive px, found {size[~(size > 0).all(-1)][:5].tolist()}")
    return size[..., :1], size[..., 1:]
