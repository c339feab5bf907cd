"""The pinhole and the Brown-Conrady distortion: camera frame to pixels and back, as functions of their parameters."""

from __future__ import annotations

import torch
from torch import Tensor

_NEWTON_STEPS, _UNDISTORTED_PX = 10, 1e-6


def project(points: Tensor, f: Tensor, c: Tensor, k: Tensor | None = None, p: Tensor | None = None) -> Tensor:
    r"""Projects camera-frame points to pixels, with the Brown-Conrady distortion as OpenCV documents it.

    .. math::
        u = f_x (x \rho + 2 p_1 x y + p_2 (r^2 + 2 x^2)) + c_x, \quad
        v = f_y (y \rho + p_1 (r^2 + 2 y^2) + 2 p_2 x y) + c_y, \quad \rho = 1 + k_1 r^2 + k_2 r^4 + k_3 r^6

    with :math:`x = X/Z, y = Y/Z, r^2 = x^2 + y^2`. The parameters broadcast over the leading dimensions.

    Args:
        points: ``[..., 3]`` metres.
        f: focal lengths ``[..., 2]`` px.
        c: principal point ``[..., 2]`` px.
        k: radial distortion ``[..., 3]``; without it and ``p`` an ideal pinhole.
        p: tangential distortion ``[..., 2]``.

    Returns:
        ``[..., 2]`` px; NaN for points at or behind the camera (z <= 0), which have no image.
    """
    z = points[..., 2:]
    xy = points[..., :2] / torch.where(z > 0, z, torch.nan)
    return f * (xy if k is None or p is None else _distorted(xy, k, p)) + c


def project_jacobian(points: Tensor, f: Tensor, k: Tensor, p: Tensor) -> Tensor:
    r"""The derivative of :func:`project` by the point, ``[..., 2, 3]`` px per metre; c plays no part in it.

    .. math:: \frac{\partial (u, v)}{\partial (X, Y, Z)} = \mathrm{diag}(f) \, D(x, y)
        \begin{pmatrix} 1 & 0 & -x \\ 0 & 1 & -y \end{pmatrix} / Z

    with D the derivative of the distortion. NaN where :func:`project` is.
    """
    z = torch.where(points[..., 2:] > 0, points[..., 2:], torch.nan)
    xy = points[..., :2] / z
    D = f[..., :, None] * _jacobian(xy, k, p) / z[..., None]
    return torch.cat([D, -(D @ xy[..., None])], -1)


def undistort(px: Tensor, f: Tensor, c: Tensor, k: Tensor, p: Tensor) -> Tensor:
    """Inverts the distortion of :func:`project`: ``project(X / Z) = px`` becomes ``f X / Z + c``.

    Newton's method in float64, at the same parameters as :func:`project`. OpenCV's ``undistortPoints`` iterates to the
    same point but stops early unless its termination criteria ask for more (``undistortPointsIter``).

    Returns:
        ``[..., 2]`` px, the dtype of ``px``; NaN where no point has this image: outside what the lens can show.
    """
    f64, c64, k64, p64 = (value.to(torch.float64) for value in (f, c, k, p))
    target = (px.to(torch.float64) - c64) / f64
    xy = target
    for _ in range(_NEWTON_STEPS):
        jacobian, residual = _jacobian(xy, k64, p64), _distorted(xy, k64, p64) - target
        xy = xy - _adjugate_times(jacobian, residual) / _determinant(jacobian)
    residual_px = (f64 * (_distorted(xy, k64, p64) - target)).abs().amax(-1)
    # Beyond the circle where the distortion folds back, its derivative is no longer positive definite: that is another
    # point's image.
    jacobian = _jacobian(xy, k64, p64)
    unfolded = (_determinant(jacobian)[..., 0] > 0) & (jacobian.diagonal(dim1=-2, dim2=-1).sum(-1) > 0)
    valid = (residual_px < _UNDISTORTED_PX) & unfolded
    return torch.where(valid[..., None], f64 * xy + c64, torch.nan).to(px.dtype)


def _determinant(matrix: Tensor) -> Tensor:
    """[..., 2, 2] -> [..., 1]."""
    return matrix[..., :1, 0] * matrix[..., 1:, 1] - matrix[..., :1, 1] * matrix[..., 1:, 0]


def _adjugate_times(matrix: Tensor, vector: Tensor) -> Tensor:
    """Solves ``matrix x = vector`` up to the determinant: [..., 2, 2], [..., 2] -> [..., 2]."""
    (a, b), (c, d) = (row.unbind(-1) for row in matrix.unbind(-2))
    u, v = vector.unbind(-1)
    return torch.stack([d * u - b * v, a * v - c * u], -1)


def _distorted(xy: Tensor, k: Tensor, p: Tensor) -> Tensor:
    r2 = xy.square().sum(-1, keepdim=True)
    radial = 1 + r2 * (k[..., 0:1] + r2 * (k[..., 1:2] + r2 * k[..., 2:3]))
    # 2 p1 x y + p2 (r2 + 2 x2) = 2 x (p1 y + p2 x) + p2 r2, and likewise for y with p1.
    across = 2 * (p * xy.flip(-1)).sum(-1, keepdim=True)
    return xy * (radial + across) + p.flip(-1) * r2


def _jacobian(xy: Tensor, k: Tensor, p: Tensor) -> Tensor:
    """The derivative of :func:`_distorted`, ``[..., 2, 2]``."""
    r2, twice = xy.square().sum(-1, keepdim=True), 2 * p.flip(-1)
    rho = 1 + r2 * (k[..., 0:1] + r2 * (k[..., 1:2] + r2 * k[..., 2:3])) + (twice * xy).sum(-1, keepdim=True)
    gradient = 2 * xy * (k[..., 0:1] + r2 * (2 * k[..., 1:2] + 3 * r2 * k[..., 2:3])) + twice
    outer = xy[..., :, None] * gradient[..., None, :] + twice[..., :, None] * xy[..., None, :]
    return torch.diag_embed(rho.expand(*rho.shape[:-1], 2)) + outer
