"""Calibrated pinhole cameras with lens distortion: one, or any number at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import normalize

from skelgraph.geometry import camera_checks as checks
from skelgraph.geometry import lens

_EVENTS = {"R": (3, 3), "T": (3,), "f": (2,), "c": (2,), "k": (3,), "p": (2,), "image_size": (2,)}
"""The parameters, and the shape of each behind the leading dimensions."""
SKEW_TOLERANCE = 1e-6
"""The most skew, as a share of the focal length, that passes for the rounding of none."""


class Camera:
    """A calibrated camera, or a batch of cameras; axes x right, y down, z forward.

    Every parameter has the same leading dimensions ``[...]``: none for a single camera, ``[V]`` for the V cameras of a
    recording, ``[S, V]`` for those of S places. Points and pixels that the methods take begin with the cameras'
    dimensions (or with 1 where all cameras take the same) and may have more behind them: for V cameras ``[V, J, 3]``,
    ``[V, F, J, 3]``, or ``[1, F, J, 3]``. The parameters follow the dtype and device of what is given to a method.

    Example:
        >>> eye = [[1, 0, 0], [0, 1, 0], [0, 0, 1]]
        >>> left = Camera(eye, [0, 0, -4], [1100, 1100], [960, 540], image_size=(1920, 1080), names="left")
        >>> right = Camera(eye, [1, 0, -4], [1100, 1100], [960, 540], image_size=(1920, 1080), names="right")
        >>> both = Camera.stack([left, right])
        >>> both.project(both.to_camera(torch.zeros(1, 17, 3))).shape
        torch.Size([2, 17, 2])

    Args:
        R: rotation from world to camera, ``[..., 3, 3]``; like all parameters as a tensor or nested sequence.
        T: camera centre in the world, metres, ``[..., 3]``: ``x_cam = R (x_world - T)``.
        f: focal lengths, px, ``[..., 2]``.
        c: principal point, px, ``[..., 2]``.
        k: radial distortion k1, k2, k3, ``[..., 3]``; default 0.
        p: tangential distortion p1, p2, ``[..., 2]``; default 0.
        image_size: width and height, px, ``[..., 2]``.
        names: one per camera, row by row; used in messages and for :meth:`__getitem__`.
        dtype: float64 or float32.

    Raises:
        ValueError: naming the camera, for a wrong shape, a number that is not finite, f <= 0, an empty image or an R
            that is no rotation. Only the constructor checks: a batch that is indexed, stacked or turned is not checked
            again.
    """

    R: Tensor
    T: Tensor
    f: Tensor
    c: Tensor
    k: Tensor
    p: Tensor
    image_size: Tensor
    names: tuple[str, ...]

    def __init__(
        self,
        R: Tensor | Sequence[Any],
        T: Tensor | Sequence[Any],
        f: Tensor | Sequence[Any],
        c: Tensor | Sequence[Any],
        k: Tensor | Sequence[Any] = (0, 0, 0),
        p: Tensor | Sequence[Any] = (0, 0),
        *,
        image_size: Tensor | Sequence[Any],
        names: str | Sequence[str] = (),
        dtype: torch.dtype = torch.float64,
    ) -> None:
        given = {"R": R, "T": T, "f": f, "c": c, "k": k, "p": p, "image_size": image_size}
        device = R.device if isinstance(R, Tensor) else None
        values = {key: torch.as_tensor(value, dtype=dtype, device=device) for key, value in given.items()}
        named = (names,) if isinstance(names, str) else tuple(names)
        values = checks.broadcast(values, _EVENTS, checks.called(named))
        checks.check_names(named, values["T"].shape[:-1])
        checks.check_numbers(values, named)
        checks.check_rotations(values["R"], named)
        self.__dict__.update(values, names=named)

    @classmethod
    def from_projection(
        cls,
        P: Tensor | Sequence[Any],
        image_size: Tensor | Sequence[Any],
        names: str | Sequence[str] = (),
    ) -> Camera:
        """The cameras of projection matrices: ``P ~ K [R | -R T]`` by RQ (Hartley and Zisserman 2004, section 6.2.4).

        Args:
            P: ``[..., 3, 4]``, px per metre, up to scale and sign (for px per mm multiply the first three columns by
                1000).
            image_size, names: as of the camera; P does not say.

        Raises:
            ValueError: if P has another shape, is not finite, or is no pinhole camera without skew.
        """
        P = torch.as_tensor(P, dtype=torch.float64).cpu()
        named = (names,) if isinstance(names, str) else tuple(names)
        checks.check_matrices(P, named)
        M = P[..., :3] * torch.linalg.det(P[..., :3]).sign()[..., None, None]
        # M = K R is the QR of the inverse: M^-1 = R^T K^-1; signs such that the diagonal of K is positive.
        q, r = torch.linalg.qr(torch.linalg.inv(M))
        signs = r.diagonal(dim1=-2, dim2=-1).sign()
        K = torch.linalg.inv(signs[..., :, None] * r)
        K = K / K[..., 2:, 2:]
        checks.check_skew(K, SKEW_TOLERANCE, named)
        T = -torch.linalg.solve(P[..., :3], P[..., 3])
        f, c = K.diagonal(dim1=-2, dim2=-1)[..., :2], K[..., :2, 2]
        return cls((q * signs[..., None, :]).mT, T, f, c, image_size=image_size, names=named)

    @classmethod
    def stack(cls, cameras: Sequence[Camera]) -> Camera:
        """Cameras ``[...]`` of the same leading dimensions as one batch ``[V, ...]``.

        Raises:
            ValueError: if there are none, or their dimensions differ.
        """
        shapes = {tuple(camera.shape) for camera in cameras}
        if len(shapes) != 1:
            found = " and ".join(str(list(shape)) for shape in sorted(shapes)) or "none"
            raise ValueError(f"cameras must have the same leading dimensions to be stacked, found {found}")
        values = {key: torch.stack([getattr(camera, key) for camera in cameras]) for key in _EVENTS}
        named = all(camera.names for camera in cameras)
        return cls._made(values, tuple(name for camera in cameras for name in camera.names) if named else ())

    @classmethod
    def where(cls, condition: Tensor, chosen: Camera, otherwise: Camera) -> Camera:
        """The cameras ``[...]`` of ``chosen`` where ``condition`` [...] holds, else those of ``otherwise``; unnamed."""
        values = {}
        for key, event in _EVENTS.items():
            mask = condition.view(*condition.shape, *[1] * len(event))
            values[key] = torch.where(mask, getattr(chosen, key), getattr(otherwise, key))
        return cls._made(values)

    # ---- a batch

    @property
    def shape(self) -> torch.Size:
        """The leading dimensions."""
        return self.T.shape[:-1]

    @property
    def name(self) -> str:
        """A single camera's name; ``camera`` if it has none."""
        return self.names[0] if len(self.names) == 1 else "camera"

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError(f"camera {self.name!r} is a single camera: it has no length")
        return self.shape[0]

    def __iter__(self) -> Iterator[Camera]:
        return (self[i] for i in range(len(self)))

    def __getitem__(self, index: Any) -> Camera:
        """The cameras at an index of the leading dimensions, as a tensor is indexed, or the camera of a name.

        Indices of integers, slices and lists keep the names; cameras at a tensor of indices have none.

        Raises:
            KeyError: if no camera has the name.
            IndexError: if there are fewer dimensions or cameras.
        """
        if isinstance(index, str):
            index = self._position(index)
        parts = index if isinstance(index, tuple) else (index,)
        if any(part is None or part is ... for part in parts) or _dims(parts) > len(self.shape):
            raise IndexError(f"cameras {list(self.shape)} have no index {index!r}")
        names: tuple[str, ...] = ()
        if self.names and not any(isinstance(part, Tensor) for part in parts):
            positions = np.arange(len(self.names)).reshape(self.shape)[index]
            names = tuple(self.names[i] for i in np.ravel(positions))
        return self._made({key: getattr(self, key)[index] for key in _EVENTS}, names)

    def _position(self, name: str) -> tuple[int, ...]:
        if name not in self.names:
            raise KeyError(f"no camera {name!r}; there are {', '.join(self.names) or 'no names'}")
        return tuple(int(i) for i in np.unravel_index(self.names.index(name), tuple(self.shape)))

    def flatten(self) -> Camera:
        """The cameras in one dimension, row by row."""
        dims = len(self.shape)
        values = {key: getattr(self, key).reshape(-1, *event) for key, event in _EVENTS.items()}
        return self if dims == 1 else self._made(values, self.names)

    def to(self, *where: Any) -> Camera:
        """The cameras in another dtype, on another device, or in those of a tensor: arguments as of ``Tensor.to``."""
        values = {key: getattr(self, key).to(*where) for key in _EVENTS}
        same = all(value is getattr(self, key) for key, value in values.items())
        return self if same else self._made(values, self.names)

    # ---- matrices

    @property
    def K(self) -> Tensor:
        """``[[f_x, 0, c_x], [0, f_y, c_y], [0, 0, 1]]``, ``[..., 3, 3]``."""
        K = torch.diag_embed(torch.cat([self.f, torch.ones_like(self.f[..., :1])], -1))
        K[..., :2, 2] = self.c
        return K

    @property
    def P(self) -> Tensor:
        """``K [R | -R T]``, ``[..., 3, 4]``: world in metres to the pixels that :meth:`undistort` gives."""
        return self.K @ torch.cat([self.R, -(self.R @ self.T[..., None])], -1)

    # ---- points and pixels

    def to_camera(self, points: Tensor) -> Tensor:
        """World ``[..., 3]`` m to camera frame: ``x_cam = R (x_world - T)``."""
        return self._product(points - self._like("T", points), self.R.mT)

    def to_world(self, points: Tensor) -> Tensor:
        """Camera frame ``[..., 3]`` m to world: ``x_world = R^T x_cam + T``."""
        return self._product(points, self.R) + self._like("T", points)

    def project(self, points: Tensor) -> Tensor:
        """Camera frame ``[..., 3]`` m to pixels ``[..., 2]``; see :func:`skelgraph.geometry.lens.project`."""
        return lens.project(points, *(self._like(key, points) for key in "fckp"))

    def project_jacobian(self, points: Tensor) -> Tensor:
        """The derivative of :meth:`project`, ``[..., 2, 3]``; see :func:`skelgraph.geometry.lens.project_jacobian`."""
        return lens.project_jacobian(points, *(self._like(key, points) for key in "fkp"))

    def directions_to_world(self, vectors: Tensor) -> Tensor:
        """Directions ``[..., 3]`` of the camera frame in the world's axes, ``R^T d``; derivatives by the point too."""
        return self._product(vectors, self.R)

    def contains(self, px: Tensor) -> Tensor:
        """Whether pixels ``[..., 2]`` lie in the image, bool ``[...]``."""
        return (px >= 0).all(-1) & (px <= self._like("image_size", px)).all(-1)

    def undistort(self, px: Tensor) -> Tensor:
        """Pixels ``[..., 2]`` of the image to those of the same camera without distortion, NaN where no point has this
        image; see :func:`skelgraph.geometry.lens.undistort`."""
        return lens.undistort(px, *(self._like(key, px) for key in "fckp"))

    def rays(self, px: Tensor) -> Tensor:
        """Unit vectors ``d`` in the world, ``[..., 3]``: what is seen at ``px`` lies at ``T + s d`` with s > 0 m."""
        xy = (self.undistort(px) - self._like("c", px)) / self._like("f", px)
        forward = torch.cat([xy, torch.ones_like(xy[..., :1])], -1)
        return normalize(self.directions_to_world(forward), dim=-1)

    # ---- other cameras

    def replace(self, **parameters: Any) -> Camera:
        """The cameras with other parameters or names, given and checked as those of the constructor."""
        own = {key: getattr(self, key) for key in (*_EVENTS, "names")}
        return Camera(**{**own, "dtype": self.T.dtype, **parameters})

    def turned(self, rotation: Tensor) -> Camera:
        """The cameras turned about their own centres: R becomes ``rotation R``, with rotations ``[..., 3, 3]``."""
        return self._changed(R=rotation.to(self.R) @ self.R)

    def in_turned_world(self, rotation: Tensor) -> Camera:
        """The cameras after the world, they and all, is turned about its origin by rotations ``[..., 3, 3]``."""
        rotation = rotation.to(self.R)
        return self._changed(R=self.R @ rotation.mT, T=(self.T[..., None, :] @ rotation.mT)[..., 0, :])

    # ---- value semantics

    def __repr__(self) -> str:
        what = f"{list(self.shape)}, " if self.shape else ""
        return f"Camera({what}{', '.join(map(repr, self.names)) or 'unnamed'})"

    def __setattr__(self, key: str, value: object) -> None:
        raise AttributeError(f"a Camera is frozen: {key!r} cannot be set; make a new one")

    # ---- inside

    @classmethod
    def _made(cls, values: dict[str, Tensor], names: Sequence[str] = ()) -> Camera:
        """A camera of values that were checked."""
        camera = cls.__new__(cls)
        camera.__dict__.update(values, names=tuple(names))
        return camera

    def _changed(self, **values: Tensor) -> Camera:
        return self._made({**{key: getattr(self, key) for key in _EVENTS}, **values}, self.names)

    def _like(self, key: str, points: Tensor) -> Tensor:
        """A parameter in the dtype and on the device of points ``[..., D]``, and broadcasting against them."""
        return self._behind(getattr(self, key).to(points), points.dim() - 1)

    def _behind(self, value: Tensor, dims: int) -> Tensor:
        """A parameter ``[..., *event]`` with as many dimensions of 1 behind the leading ones as make ``dims``."""
        own = len(self.shape)
        if not own:
            return value
        if dims < own:
            raise ValueError(f"cameras {list(self.shape)} take points and pixels that begin with these dimensions")
        return value.reshape(*value.shape[:own], *[1] * (dims - own), *value.shape[own:])

    def _product(self, points: Tensor, matrix: Tensor) -> Tensor:
        """Row vectors ``[..., 3]`` times a matrix of each camera."""
        matrix = matrix.to(points)
        if points.dim() - 1 == len(self.shape):
            return (points[..., None, :] @ matrix)[..., 0, :]
        return points @ self._behind(matrix, points.dim() - 2)


def _dims(index: tuple[Any, ...]) -> int:
    """How many dimensions an index takes."""
    return sum(part.dim() if isinstance(part, Tensor) and part.dtype == torch.bool else 1 for part in index)
