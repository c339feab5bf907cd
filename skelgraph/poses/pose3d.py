"""3D poses over time, with what their numbers mean, in an npz and a JSON sidecar."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skelgraph.files import atomic, json_file, npz
from skelgraph.skeleton import Skeleton

FORMAT = 1
UNIT, AXES = "m", "x right, y down, z forward"
ERROR = "expected distance of each joint from its true place, mm: an estimate, not measured"


@dataclass(frozen=True, eq=False)
class Pose3D:
    """One person's joints in F frames, in the camera's frame, relative to the mean of the origin joints.

    Args:
        joints: [F, J, 3] in m; a single frame may leave F out.
        skeleton: J joints.
        fps: frames per second.
        missing: [F, J] joints whose 2D was not seen, so that their position is a guess; None: unknown.
        error_mm: [F, J] expected distance of each joint from its true place, mm; None: not estimated.
        origin: names of the joints whose mean is zero; default the skeleton's.
        unit: always "m".
        axes: always "x right, y down, z forward".

    Raises:
        ValueError: for shapes that disagree with the skeleton, values that are not finite, or another unit or axes.
    """

    joints: NDArray[np.float32]
    skeleton: Skeleton
    fps: float | None = None
    missing: NDArray[np.bool_] | None = None
    error_mm: NDArray[np.float32] | None = None
    origin: tuple[str, ...] = ()
    unit: str = UNIT
    axes: str = AXES

    def __post_init__(self) -> None:
        joints = np.array(self.joints, dtype=np.float32)
        joints = joints[None] if joints.ndim == 2 else joints
        count = self.skeleton.num_joints
        if joints.ndim != 3 or joints.shape[1:] != (count, 3):
            raise ValueError(f"pose: joints are {list(joints.shape)}; expected [F, {count}, 3] of {self.skeleton.name}")
        _check_finite(joints, self.skeleton)
        missing = _of_each_joint("missing", self.missing, np.bool_, joints)
        error_mm = _of_each_joint("error_mm", self.error_mm, np.float32, joints)
        if error_mm is not None and not (np.isfinite(error_mm) & (error_mm >= 0)).all():
            raise ValueError("pose: error_mm holds numbers that are negative or not finite")
        if (self.unit, self.axes) != (UNIT, AXES):
            raise ValueError(f"pose: unit {self.unit!r} and axes {self.axes!r}; expected {UNIT!r} and {AXES!r}")
        if self.fps is not None and not 0 < self.fps < 1e6:
            raise ValueError(f"pose: fps {self.fps}; expected a number above 0")
        origin = tuple(self.origin) or tuple(self.skeleton.joints[i] for i in self.skeleton.origin)
        for joint in origin:
            self.skeleton.index(joint)
        fps = None if self.fps is None else float(self.fps)
        checked = {"joints": joints, "missing": missing, "error_mm": error_mm, "origin": origin, "fps": fps}
        for field, value in checked.items():
            object.__setattr__(self, field, value)

    @property
    def num_frames(self) -> int:
        return self.joints.shape[0]

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
        """Writes ``path`` (an npz: ``joints`` [F, J, 3], ``missing`` and ``error_mm`` [F, J] where they are known,
        ``description`` JSON text) and, beside it and for people and other programs, the description as ``.json``. Each
        file appears whole or not at all.

        Raises:
            ValueError: if the name does not end in .npz.
        """
        path = Path(path)
        if path.suffix != ".npz":
            raise ValueError(f"{path}: a pose is saved as .npz")
        text = json.dumps(self.describe(), indent=1, allow_nan=False)
        arrays = {"joints": self.joints, "description": np.array(text)}
        known = {"missing": self.missing, "error_mm": self.error_mm}
        arrays.update({name: array for name, array in known.items() if array is not None})
        content = io.BytesIO()
        np.savez(content, **arrays)  # type: ignore[arg-type]
        atomic.write(path.with_suffix(".json"), text + "\n")
        atomic.write(path, content.getvalue())

    @classmethod
    def load(cls, path: str | Path) -> Pose3D:
        """Reads what :meth:`save` wrote; the npz alone is enough.

        Raises:
            FileNotFoundError: if there is no such file.
            ValueError: naming the file, if it is no pose of ours.
        """
        path = Path(path)
        arrays = npz.read(path)
        if not {"joints", "description"} <= arrays.keys() or arrays["description"].shape != ():
            raise ValueError(f"{path}: not a pose: expected arrays joints and description, found {', '.join(arrays)}")
        if arrays["joints"].dtype.kind != "f":
            raise ValueError(f"{path}: joints are {arrays['joints'].dtype}; expected floating point")
        told = json_file.parse(str(arrays["description"]), f"{path}: description")
        try:
            return _pose(told, arrays)
        except KeyError as error:
            raise ValueError(f"{path}: the description does not say its {error}") from None
        except (ValueError, TypeError, AttributeError) as error:
            raise ValueError(f"{path}: {error}") from None


def _pose(told: Any, arrays: dict[str, NDArray[Any]]) -> Pose3D:
    if not isinstance(told, dict) or told.get("format") != FORMAT:
        raise ValueError(f"the description is not of format {FORMAT}")
    fps = told["fps"]
    if fps is not None and (isinstance(fps, bool) or not isinstance(fps, int | float)):
        raise ValueError(f"fps {fps!r}; expected a number")
    return Pose3D(
        arrays["joints"],
        Skeleton.from_dict(told["skeleton"]),
        fps,
        arrays.get("missing"),
        arrays.get("error_mm"),
        tuple(told["origin"]),
        told["unit"],
        told["axes"],
    )


def _of_each_joint(name: str, given: Any, dtype: Any, joints: NDArray[np.float32]) -> NDArray[Any] | None:
    """[F, J] values of the joints [F, J, 3]; a single frame may leave F out."""
    if given is None:
        return None
    values = np.array(given, dtype=dtype)
    values = values[None] if values.ndim == 1 else values
    if values.shape != joints.shape[:2]:
        raise ValueError(f"pose: {name} is {list(values.shape)}; expected {list(joints.shape[:2])}")
    return values


def _check_finite(joints: NDArray[np.float32], skeleton: Skeleton) -> None:
    odd = np.argwhere(~np.isfinite(joints).all(axis=-1))
    if len(odd):
        places = ", ".join(f"frame {f} joint {skeleton.joints[j]}" for f, j in odd[:5])
        raise ValueError(f"pose: {len(odd)} joints are not finite: {places}")
