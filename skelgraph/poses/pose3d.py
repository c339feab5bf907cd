"""3D poses over time, with what their numbers mean, in an npz and a JSON sidecar."""

from __future__ import annotations

import dataclasses
import io
import json
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from skelgraph.errors import FormatError
from skelgraph.files import atomic, json_file, npz
from skelgraph.geometry import axes as presets
from skelgraph.geometry.alignment import kabsch
from skelgraph.skeleton import Skeleton
from skelgraph.skeleton.bones import center_on

FORMAT = 1
UNIT, AXES = "m", "x right, y down, z forward"
WORLD_AXES = MappingProxyType({up: f"world, {up} up" for up in presets.LEVEL})
"""By the axis that points up, what the axes of a calibration's world are called."""
ERROR = "expected distance of each joint from its true place, mm: an estimate, not measured"
_ROOT = "where the mean of the origin joints is, m, in the axes of the joints: an estimate"


@dataclass(frozen=True, eq=False)
class Pose3D:
    """One person's joints in F frames, relative to the mean of the origin joints, and where that is if it is known.

    Lifted from one camera, joints are in the camera's frame, and a root is an estimate. Triangulated from V calibrated
    cameras, joints and root are in the world of the calibration; :meth:`in_world` makes such a pose.

    Args:
        joints: [F, J, 3] in m; a single frame may leave F out. float32, in a world float64.
        skeleton: J joints.
        fps: frames per second.
        missing: [F, J] joints that were not seen in 2D, or by fewer than two of several cameras, so that their position
            is a guess; None: unknown.
        error_mm: [F, J] expected distance of each joint from its true place, mm; None: not estimated.
        origin: names of the joints whose mean is zero; default the skeleton's.
        unit: always "m".
        axes: "x right, y down, z forward" of a camera, or one of :data:`WORLD_AXES`, such as "world, z up".
        root: [F, 3] m, in ``axes``: where the mean of the origin joints is; None: unknown.
        error_px: [V, F, J] distance of each keypoint from the joint's projection, px; NaN where it was not seen.
        cameras: names of the V cameras.
        view: [3, 3] turn from the world to x right, y down, z forward of the level camera that pictures show it from.

    Raises:
        ValueError: for shapes that disagree with the skeleton, values that are not finite, another unit or axes, or a
            world without root or view.

    Example:
        >>> pose = Pose3D.load("walk/pose.npz")  # doctest: +SKIP
        >>> pose.joints[0, pose.skeleton.index("left_wrist")]  # doctest: +SKIP
        array([ 0.21, -0.34,  0.05], dtype=float32)
    """

    joints: NDArray[np.floating]
    skeleton: Skeleton
    fps: float | None = None
    missing: NDArray[np.bool_] | None = None
    error_mm: NDArray[np.float32] | None = None
    origin: tuple[str, ...] = ()
    unit: str = UNIT
    axes: str = AXES
    root: NDArray[np.float64] | None = None
    error_px: NDArray[np.float32] | None = None
    cameras: tuple[str, ...] = ()
    view: NDArray[np.float64] | None = None

    def __post_init__(self) -> None:
        if self.unit != UNIT or self.axes not in (AXES, *WORLD_AXES.values()):
            expected = ", ".join(map(repr, (AXES, *WORLD_AXES.values())))
            raise ValueError(
                f"pose: unit {self.unit!r} and axes {self.axes!r}; expected {UNIT!r} and one of {expected}"
            )
        if self.fps is not None and not 0 < self.fps < 1e6:
            raise ValueError(f"pose: fps {self.fps}; expected a number above 0")
        joints = np.array(self.joints, dtype=np.float64 if self.is_in_world else np.float32)
        joints = joints[None] if joints.ndim == 2 else joints
        count = self.skeleton.num_joints
        if joints.ndim != 3 or joints.shape[1:] != (count, 3):
            raise ValueError(f"pose: joints are {list(joints.shape)}; expected [F, {count}, 3] of {self.skeleton.name}")
        _check_finite(joints, self.skeleton)
        error_mm = _of_each_joint("error_mm", self.error_mm, np.float32, joints)
        if error_mm is not None and not (np.isfinite(error_mm) & (error_mm >= 0)).all():
            raise ValueError("pose: error_mm holds numbers that are negative or not finite")
        origin = tuple(self.origin) or tuple(self.skeleton.joints[i] for i in self.skeleton.origin)
        for joint in origin:
            self.skeleton.index(joint)
        views = (len(self.cameras), *joints.shape[:2])
        checked = {
            "joints": joints,
            "missing": _of_each_joint("missing", self.missing, np.bool_, joints),
            "error_mm": error_mm,
            "origin": origin,
            "fps": None if self.fps is None else float(self.fps),
            "root": _numbers("root", self.root, np.float64, (len(joints), 3), finite=True),
            "error_px": _numbers("error_px", self.error_px, np.float32, views, finite=False),
            "cameras": tuple(self.cameras),
            "view": _numbers("view", self.view, np.float64, (3, 3), finite=True),
        }
        for field, value in checked.items():
            object.__setattr__(self, field, value)
        if self.is_in_world and (self.root is None or self.view is None):
            raise ValueError(f"pose: axes {self.axes!r} need a root [F, 3] and a view [3, 3]")

    @classmethod
    def in_world(
        cls,
        positions: ArrayLike,
        skeleton: Skeleton,
        up: str,
        view: ArrayLike,
        *,
        fps: float | None = None,
        missing: NDArray[np.bool_] | None = None,
        cameras: tuple[str, ...] = (),
        error_px: NDArray[np.float32] | None = None,
    ) -> Pose3D:
        """The pose of joints in the world of a calibration.

        Args:
            positions: [F, J, 3] m in the world.
            skeleton: J joints.
            up: the axis of the world that points up, a key of :data:`WORLD_AXES`.
            view: [3, 3], as of :class:`Pose3D`, see :func:`skelgraph.geometry.axes.level_view`.
            fps, missing, cameras, error_px: as of :class:`Pose3D`.

        Raises:
            ValueError: for another ``up``, and as :class:`Pose3D`.
        """
        if up not in WORLD_AXES:
            raise ValueError(f"up={up!r}: expected one of {', '.join(WORLD_AXES)}")
        joints, root = _centred(np.asarray(positions, dtype=np.float64).reshape(-1, skeleton.num_joints, 3), skeleton)
        axes = WORLD_AXES[up]
        return cls(
            *(joints, skeleton, fps, missing),
            axes=axes,
            root=root,
            error_px=error_px,
            cameras=cameras,
            view=np.asarray(view, dtype=np.float64),
        )

    @property
    def num_frames(self) -> int:
        return self.joints.shape[0]

    @property
    def is_in_world(self) -> bool:
        """Whether the axes are a calibration's, not a camera's."""
        return self.axes != AXES

    @property
    def up(self) -> str:
        """The axis that points up: ``-y`` of a level camera."""
        return next((up for up, axes in WORLD_AXES.items() if axes == self.axes), "-y")

    @property
    def positions(self) -> NDArray[np.float64]:
        """[F, J, 3] m, where the joints are; relative to the origin joints where the root is not known."""
        joints = self.joints.astype(np.float64)
        return joints if self.root is None else joints + self.root[:, None]

    def at(self, positions: ArrayLike) -> Pose3D:
        """The same with joints at other positions [F, J, 3], and the root where they put it."""
        joints, root = _centred(np.asarray(positions, dtype=np.float64), self.skeleton)
        return dataclasses.replace(self, joints=joints, root=root)

    def as_seen(self) -> Pose3D:
        """The pose x right, y down, z forward: as a camera sees it that is held level, without its root."""
        if self.view is None or not self.is_in_world:
            return self if self.root is None else dataclasses.replace(self, root=None)
        joints, _ = _centred(self.positions @ self.view.T, self.skeleton)
        return Pose3D(joints, self.skeleton, self.fps, self.missing, self.error_mm, self.origin)

    def describe(self) -> dict[str, Any]:
        """What the numbers mean, as plain JSON values: joints, bones, unit, axes, origin, fps, skeleton."""
        return {
            "format": FORMAT,
            "frames": self.num_frames,
            "joints": list(self.skeleton.joints),
            "bones": [[self.skeleton.joints[a], self.skeleton.joints[b]] for a, b in self.skeleton.bones],
            "unit": self.unit,
            "axes": self.axes,
            "origin": list(self.origin),
            "fps": self.fps,
            "error_mm": None if self.error_mm is None else ERROR,
            "skeleton": self.skeleton.to_dict(),
        }

    def save(self, path: str | Path) -> None:
        """Writes ``path``, an npz, and, beside it and for people and other programs, its description as ``.json``.

        The arrays are ``joints`` [F, J, 3], ``missing`` and ``error_mm`` [F, J] and ``root`` [F, 3] where they are
        known, and ``description``, JSON text. Of a pose in a world ``joints`` are :meth:`as_seen`, and ``world``
        [F, J, 3] m and ``error_px`` [V, F, J] are added. Each file appears whole or not at all.

        Raises:
            ValueError: if the name does not end in .npz.
        """
        path = Path(path)
        if path.suffix != ".npz":
            raise ValueError(f"{path}: a pose is saved as .npz")
        shown = self.as_seen()
        about = shown.describe()
        arrays = {"joints": shown.joints, "missing": self.missing, "error_mm": self.error_mm}
        if self.is_in_world and self.view is not None:
            about["world"] = {"unit": "m", "up": self.up, "cameras": list(self.cameras), "view": self.view.tolist()}
            arrays |= {"world": self.positions, "error_px": self.error_px}
        elif self.root is not None:
            about["root"] = _ROOT
            arrays["root"] = self.root
        text = json.dumps(about, indent=1, allow_nan=False)
        known = {name: array for name, array in arrays.items() if array is not None}
        content = io.BytesIO()
        np.savez(content, **known, description=np.array(text))  # type: ignore[arg-type]
        atomic.write(path.with_suffix(".json"), text + "\n")
        atomic.write(path, content.getvalue())

    @classmethod
    def load(cls, path: str | Path) -> Pose3D:
        """Reads what :meth:`save` wrote; the npz alone is enough.

        Raises:
            FileNotFoundError: if there is no such file.
            FormatError: naming the file, if it is no pose that this package saved.
        """
        path = Path(path)
        arrays = npz.read(path)
        if not {"joints", "description"} <= arrays.keys() or arrays["description"].shape != ():
            raise FormatError(f"{path}: not a pose: expected arrays joints and description, found {', '.join(arrays)}")
        if arrays["joints"].dtype.kind != "f":
            raise FormatError(f"{path}: joints are {arrays['joints'].dtype}; expected floating point")
        description = json_file.parse(str(arrays["description"]), f"{path}: description")
        try:
            pose = _pose(description, arrays)
            return _moved_to_world(pose, description["world"], arrays) if "world" in description else pose
        except KeyError as error:
            raise FormatError(f"{path}: the description does not say its {error}") from None
        except (ValueError, TypeError, AttributeError) as error:
            raise FormatError(f"{path}: {error}") from None


def _pose(description: Any, arrays: dict[str, NDArray[Any]]) -> Pose3D:
    if not isinstance(description, dict) or description.get("format") != FORMAT:
        raise ValueError(f"the description is not of format {FORMAT}")
    fps = description["fps"]
    if fps is not None and (isinstance(fps, bool) or not isinstance(fps, int | float)):
        raise ValueError(f"fps {fps!r}; expected a number")
    return Pose3D(
        arrays["joints"],
        Skeleton.from_dict(description["skeleton"]),
        fps,
        arrays.get("missing"),
        arrays.get("error_mm"),
        tuple(description["origin"]),
        description["unit"],
        description["axes"],
        arrays.get("root"),
    )


def _moved_to_world(pose: Pose3D, description: Any, arrays: dict[str, NDArray[Any]]) -> Pose3D:
    """A pose as it is seen, where it is in its world."""
    if not isinstance(description, dict) or "world" not in arrays or arrays["world"].shape != pose.joints.shape:
        raise ValueError(f"expected an array world {list(pose.joints.shape)} and its up and cameras")
    world = np.asarray(arrays["world"], dtype=np.float64)
    view = description.get("view")  # files of older versions do not say it
    return Pose3D.in_world(
        *(world, pose.skeleton, description["up"]),
        view=_view(world, pose) if view is None else view,
        fps=pose.fps,
        missing=pose.missing,
        cameras=tuple(description["cameras"]),
        error_px=arrays.get("error_px"),
    )


def _view(world: NDArray[np.float64], pose: Pose3D) -> NDArray[np.float64]:
    """The turn [3, 3] that takes joints in the world to the joints as they are seen."""
    joints, _ = _centred(world, pose.skeleton)
    covariance = np.einsum("fji,fjk->ik", pose.joints.astype(np.float64), joints)
    return kabsch(torch.from_numpy(covariance))[0].numpy()


def _centred(positions: NDArray[np.float64], skeleton: Skeleton) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Joints relative to the mean of the origin joints [F, J, 3], and where that is [F, 3]."""
    points = torch.from_numpy(positions)
    joints = center_on(points, skeleton.origin)
    return joints.numpy(), (points - joints)[:, 0].numpy()


def _of_each_joint(name: str, given: Any, dtype: Any, joints: NDArray[np.floating]) -> NDArray[Any] | None:
    """[F, J] values of the joints [F, J, 3]; a single frame may leave F out."""
    if given is None:
        return None
    values = np.array(given, dtype=dtype)
    values = values[None] if values.ndim == 1 else values
    if values.shape != joints.shape[:2]:
        raise ValueError(f"pose: {name} is {list(values.shape)}; expected {list(joints.shape[:2])}")
    return values


def _numbers(name: str, given: Any, dtype: Any, shape: tuple[int, ...], finite: bool) -> NDArray[Any] | None:
    values = None if given is None else np.array(given, dtype=dtype)
    if values is not None and (values.shape != shape or (finite and not np.isfinite(values).all())):
        what = "finite " if finite else ""
        raise ValueError(f"pose: {name} is {list(values.shape)}; expected {what}{list(shape)}")
    return values


def _check_finite(joints: NDArray[np.floating], skeleton: Skeleton) -> None:
    odd = np.argwhere(~np.isfinite(joints).all(axis=-1))
    if len(odd):
        places = ", ".join(f"frame {f} joint {skeleton.joints[j]}" for f, j in odd[:5])
        raise ValueError(f"pose: {len(odd)} joints are not finite: {places}")
