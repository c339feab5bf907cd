"""Pinhole cameras with lens distortion, and pixels to screen coordinates and back."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import Any, NamedTuple

import torch
from torch import Tensor

_SHAPES = {"R": (3, 3), "T": (3,), "f": (2,), "c": (2,), "k": (3,), "p": (2,)}
_ROTATION_TOLERANCE = 1e-3
SKEW_TOLERANCE = 1e-6
"""The most skew, as a share of the focal length, that passes for the rounding of none."""
_NEWTON_STEPS, _UNDISTORTED_PX = 10, 1e-6


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

    @classmethod
    def from_projection(cls, P: Tensor | Sequence[Any], width: int, height: int, name: str = "camera") -> Camera:
        """The camera of a projection matrix: ``P ~ K [R | -R T]`` by RQ (Hartley and Zisserman 2004, section 6.2.4).

        Args:
            P: ``[3, 4]``, px per metre, up to scale and sign (for px per mm multiply the first three columns by 1000).
            width, height, name: as of the camera; P does not say.

        Raises:
            ValueError: if P has another shape, is not finite, or is no pinhole camera without skew.
        """
        P = torch.as_tensor(P, dtype=torch.float64).cpu()
        if P.shape != (3, 4) or not P.isfinite().all():
            raise ValueError(f"camera {name!r}: P must be [3, 4] and finite, found {list(P.shape)}: {P.tolist()}")
        M = P[:, :3] * torch.linalg.det(P[:, :3]).sign()
        if torch.linalg.matrix_rank(M) < 3:
            raise ValueError(f"camera {name!r}: the left three columns of P are singular: the camera is at infinity")
        # M = K R is the QR of the inverse: M^-1 = R^T K^-1; signs such that the diagonal of K is positive.
        q, r = torch.linalg.qr(torch.linalg.inv(M))
        signs = r.diagonal().sign()
        K = torch.linalg.inv(signs[:, None] * r)
        K = K / K[2, 2]
        if K[0, 1].abs() > SKEW_TOLERANCE * K[0, 0]:
            raise ValueError(f"camera {name!r}: P has a skew of {K[0, 1].item():.6g} px; only 0 is read")
        T = -torch.linalg.solve(P[:, :3], P[:, 3])
        return cls((q * signs).mT, T, K.diagonal()[:2], K[:2, 2], width=width, height=height, name=name)

    @property
    def image_size(self) -> Tensor:
        """Width and height in px, ``[2]``."""
        return torch.tensor([self.width, self.height], dtype=torch.float64)

    @property
    def K(self) -> Tensor:
        """``[[f_x, 0, c_x], [0, f_y, c_y], [0, 0, 1]]``."""
        K = torch.diag(torch.cat([self.f, self.f.new_ones(1)]))
        K[:2, 2] = self.c
        return K

    @property
    def P(self) -> Tensor:
        """``K [R | -R T]``, ``[3, 4]``: world in metres to the pixels that :meth:`undistort` gives."""
        return self.K @ torch.cat([self.R, -(self.R @ self.T)[:, None]], 1)

    def project(self, points: Tensor) -> Tensor:
        """Camera frame ``[..., 3]`` m to pixels ``[..., 2]``; see :func:`project`."""
        return project(points, *(value.to(points) for value in (self.f, self.c, self.k, self.p)))

    def project_slope(self, points: Tensor) -> Tensor:
        """The derivative of :meth:`project`, ``[..., 2, 3]``; see :func:`project_slope`."""
        return project_slope(points, *(value.to(points) for value in (self.f, self.k, self.p)))

    def to_camera(self, points: Tensor) -> Tensor:
        """World ``[..., 3]`` m to camera frame: ``x_cam = R (x_world - T)``."""
        return (points - self.T.to(points)) @ self.R.to(points).mT

    def to_world(self, points: Tensor) -> Tensor:
        """Camera frame ``[..., 3]`` m to world: ``x_world = R^T x_cam + T``."""
        return points @ self.R.to(points) + self.T.to(points)

    def undistort(self, px: Tensor) -> Tensor:
        """Pixels ``[..., 2]`` of the image to those of the same camera without distortion; see :func:`undistort`."""
        return undistort(px, *(value.to(px) for value in (self.f, self.c, self.k, self.p)))

    def rays(self, px: Tensor) -> Tensor:
        """Unit vectors ``d`` in the world, ``[..., 3]``: what is seen at ``px`` lies at ``T + s d`` with s > 0 m."""
        xy = (self.undistort(px) - self.c.to(px)) / self.f.to(px)
        d = torch.cat([xy, torch.ones_like(xy[..., :1])], -1)
        return (d / d.norm(dim=-1, keepdim=True)) @ self.R.to(px)

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
    return f * _distorted(points[..., :2] / torch.where(z > 0, z, torch.nan), k, p) + c


def project_slope(points: Tensor, f: Tensor, k: Tensor, p: Tensor) -> Tensor:
    r"""The derivative of :func:`project` by the point, ``[..., 2, 3]`` px per metre; c plays no part in it.

    .. math:: \frac{\partial (u, v)}{\partial (X, Y, Z)} = \mathrm{diag}(f) \, D(x, y)
        \begin{pmatrix} 1 & 0 & -x \\ 0 & 1 & -y \end{pmatrix} / Z

    with D the derivative of the distortion. NaN where :func:`project` is.
    """
    z = torch.where(points[..., 2:] > 0, points[..., 2:], torch.nan)
    xy = points[..., :2] / z
    D = f[..., :, None] * _slope(xy, k, p) / z[..., None]
    return torch.cat([D, -(D @ xy[..., None])], -1)


def undistort(px: Tensor, f: Tensor, c: Tensor, k: Tensor, p: Tensor) -> Tensor:
    """Inverts the distortion of :func:`project`: ``project(X / Z) = px`` becomes ``f X / Z + c``.

    Newton's method in float64, at the same parameters as :func:`project`. OpenCV's ``undistortPoints`` iterates to the
    same point but stops early unless told otherwise (``undistortPointsIter``).

    Returns:
        ``[..., 2]`` px, the dtype of ``px``; NaN where no point has this image: outside what the lens can show.
    """
    f64, c64, k64, p64 = (value.to(torch.float64) for value in (f, c, k, p))
    target = (px.to(torch.float64) - c64) / f64
    xy = target
    for _ in range(_NEWTON_STEPS):
        xy = xy - torch.linalg.solve_ex(_slope(xy, k64, p64), (_distorted(xy, k64, p64) - target)[..., None])[0][..., 0]
    off = (f64 * (_distorted(xy, k64, p64) - target)).abs().amax(-1)
    # Beyond the circle where the distortion folds back, its slope is no longer positive: that is another point's image.
    slope = _slope(xy, k64, p64)
    found = (off < _UNDISTORTED_PX) & (torch.linalg.det(slope) > 0) & (slope.diagonal(dim1=-2, dim2=-1).sum(-1) > 0)
    return torch.where(found[..., None], f64 * xy + c64, torch.nan).to(px.dtype)


def _distorted(xy: Tensor, k: Tensor, p: Tensor) -> Tensor:
    r2 = xy.square().sum(-1, keepdim=True)
    radial = 1 + r2 * (k[..., 0:1] + r2 * (k[..., 1:2] + r2 * k[..., 2:3]))
    # 2 p1 x y + p2 (r2 + 2 x2) = 2 x (p1 y + p2 x) + p2 r2, and likewise for y with p1.
    across = 2 * (p * xy.flip(-1)).sum(-1, keepdim=True)
    return xy * (radial + across) + p.flip(-1) * r2


def _slope(xy: Tensor, k: Tensor, p: Tensor) -> Tensor:
    """The derivative of :func:`_distorted`, ``[..., 2, 2]``."""
    r2, twice = xy.square().sum(-1, keepdim=True), 2 * p.flip(-1)
    rho = 1 + r2 * (k[..., 0:1] + r2 * (k[..., 1:2] + r2 * k[..., 2:3])) + (twice * xy).sum(-1, keepdim=True)
    gradient = 2 * xy * (k[..., 0:1] + r2 * (2 * k[..., 1:2] + 3 * r2 * k[..., 2:3])) + twice
    outer = xy[..., :, None] * gradient[..., None, :] + twice[..., :, None] * xy[..., None, :]
    return torch.diag_embed(rho.expand_as(xy)) + outer


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
    content = json.loads((resources.files("skelgraph.geometry") / "human36m_cameras.json").read_text("utf-8"))
    intrinsics = content["intrinsics"]
    return {name: {**view, **intrinsics[name.split("/")[1]]} for name, view in content["views"].items()}


def human36m_cameras() -> dict[str, Camera]:
    """The 36 cameras of Human3.6M as published, ``"S1/54138969"`` and so on: 9 subjects (sessions), 4 serial numbers.

    Source: Ionescu et al., "Human3.6M", TPAMI 2014. World axes: z up, metres. Their k and p are OpenCV's k1, k2, k3 and
    p1, p2, but their own code leaves out the 2 before p1 x y, which makes up to 1.5 px, in the corners of the image.
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


class Rig(NamedTuple):
    """The parameters of V cameras, stacked."""

    R: Tensor  #: ``[V, 3, 3]``
    T: Tensor  #: ``[V, 3]`` m
    f: Tensor  #: ``[V, 2]`` px
    c: Tensor  #: ``[V, 2]`` px
    k: Tensor  #: ``[V, 3]``
    p: Tensor  #: ``[V, 2]``
    image_size: Tensor  #: ``[V, 2]`` px

    @staticmethod
    def of(cameras: Sequence[Camera]) -> Rig:
        names = Rig._fields
        return Rig(*(torch.stack([getattr(camera, name) for camera in cameras]).float() for name in names))

    def take(self, index: Tensor | tuple[Tensor, ...]) -> Rig:
        """The cameras at ``index``: ``[N]``, one a pose, or as a tensor with more dimensions is indexed."""
        return Rig(*(value[index] for value in self))
