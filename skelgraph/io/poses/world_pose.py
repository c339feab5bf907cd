"""A person in the world of a calibration: which way is up there, and the files in its numbers or in other axes."""

from __future__ import annotations

import io
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from skelgraph.files import atomic, json_file, npz
from skelgraph.geometry import axes as presets
from skelgraph.geometry.cameras import Camera
from skelgraph.io import poses
from skelgraph.poses.pose3d import Pose3D
from skelgraph.skeleton import Skeleton
from skelgraph.skeleton.bones import center_on

WORLD = "world"
"""In place of a preset of :mod:`skelgraph.geometry.axes`: the calibration's own."""
_MOST_TILT_DEG = 40.0


def up_axis(cameras: Camera) -> tuple[str, float]:
    """The axis of the world that points up, as cameras [V] show it that on average are held upright.

    Returns:
        x, y, z, -x, -y or -z, and the degrees between it and the mean of what is up in the pictures.

    Raises:
        ValueError: if that is 40 degrees or more from every axis, or the cameras show no common direction.
    """
    up = -cameras.R[:, 1].mean(0)
    along = {axis: float(up @ torch.from_numpy(presets.up_vector(axis))) for axis in presets.LEVEL}
    name = max(along, key=lambda axis: along[axis])
    cosine = along[name] / max(float(up.norm()), 1e-9)
    tilt = math.degrees(math.acos(min(1.0, cosine)))
    if up.norm() < 0.5 or tilt > _MOST_TILT_DEG:
        raise ValueError(
            f"the cameras do not tell which way is up: none of the world's axes does (nearest {name}, "
            f"{tilt:.0f} degrees off); say it with --up: {', '.join(presets.LEVEL)}"
        )
    return name, tilt


@dataclass(frozen=True, eq=False)
class WorldPose:
    """One person's joints in F frames, where they are in the world of a calibration.

    Args:
        joints: [F, J, 3] m.
        skeleton: J joints.
        up: which axis points up, a key of :data:`skelgraph.geometry.axes.LEVEL`.
        fps: frames per second.
        missing: [F, J] joints that fewer than two cameras saw, so that their position is a guess.
        cameras: names of the V cameras.
        error_px: [V, F, J] distance of each keypoint to the joint's projection, px; NaN where it was not seen.

    Raises:
        ValueError: for another ``up``, and as :class:`Pose3D`.
    """

    joints: NDArray[np.float64]
    skeleton: Skeleton
    up: str
    fps: float | None
    missing: NDArray[np.bool_]
    cameras: tuple[str, ...]
    error_px: NDArray[np.float32]

    def __post_init__(self) -> None:
        if self.up not in presets.LEVEL:
            raise ValueError(f"up is {self.up!r}; expected one of {', '.join(presets.LEVEL)}")
        self._turned(np.eye(3))

    def seen_by(self, camera: Camera) -> Pose3D:
        """The pose relative to its origin joints, x right, y down, z forward of a camera that is held level."""
        down = -torch.from_numpy(presets.up_vector(self.up))
        ahead = camera.R[2] - (camera.R[2] @ down) * down
        if ahead.norm() < 1e-3:  # it looks straight up or down: what is up in the picture lies ahead
            ahead = -camera.R[1] - (-camera.R[1] @ down) * down
        ahead = ahead / ahead.norm()
        right = torch.linalg.cross(down, ahead)
        return self._turned(torch.stack([right, down, ahead]).numpy())[0]

    def write(self, path: str | Path, axes: str | None = None) -> None:
        """Writes a file that :mod:`skelgraph.io.poses` knows, where the person is in the world.

        Args:
            path: its ending names the format.
            axes: a preset of :mod:`skelgraph.geometry.axes` that has an up, turned by right angles from the world so
                that
                this is up, about the world's origin; or ``world``. Default ``world`` for .csv, else what the format's
                readers expect.

        Raises:
            ValueError, FileExistsError, OSError: as :func:`skelgraph.io.poses.write`.
        """
        own = axes == WORLD or (axes is None and Path(path).suffix == ".csv")
        turn = np.eye(3) if own else presets.y_down(self.up)
        pose, root = self._turned(turn)
        # "camera" writes numbers as they are
        poses.write(pose, path, axes="camera" if own else axes, root_estimate=root)

    def save(self, path: str | Path, camera: Camera) -> None:
        """Writes what :meth:`seen_by` a camera gives, as :meth:`Pose3D.save` does and :meth:`Pose3D.load` reads, and
        with it ``world`` [F, J, 3] m and ``error_px`` [V, F, J]; the description tells axes and cameras.

        Raises:
            ValueError: if the name does not end in .npz.
        """
        path, pose = Path(path), self.seen_by(camera)
        pose.save(path)
        arrays = npz.read(path)
        told = {**pose.describe(), "world": {"unit": "m", "up": self.up, "cameras": list(self.cameras)}}
        text = json.dumps(told, indent=1, allow_nan=False)
        arrays |= {"world": self.joints, "error_px": self.error_px, "description": np.array(text)}
        content = io.BytesIO()
        np.savez(content, **arrays)  # type: ignore[arg-type]
        atomic.write(path.with_suffix(".json"), text + "\n")
        atomic.write(path, content.getvalue())

    @classmethod
    def load(cls, path: str | Path) -> WorldPose:
        """Reads what :meth:`save` wrote.

        Raises:
            FileNotFoundError: if there is no such file.
            ValueError: naming the file, if it is no pose in a world.
        """
        path = Path(path)
        pose, arrays = Pose3D.load(path), npz.read(path)
        told: Any = json_file.parse(str(arrays["description"]), f"{path}: description").get("world")
        wanted = {"world": (*pose.joints.shape,), "missing": pose.joints.shape[:2]}
        fitting = all(name in arrays and arrays[name].shape == shape for name, shape in wanted.items())
        if not fitting or not isinstance(told, dict) or "error_px" not in arrays:
            raise ValueError(f"{path}: a pose relative to its origin, not in a world: lifted with one camera?")
        try:
            up, cameras = told["up"], tuple(told["cameras"])
            return cls(arrays["world"], pose.skeleton, up, pose.fps, arrays["missing"], cameras, arrays["error_px"])
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"{path}: world: {error}") from None

    def _turned(self, turn: NDArray[np.float64]) -> tuple[Pose3D, NDArray[np.float64]]:
        """The joints turned and relative to their origin joints, and where these are, [F, 3]."""
        joints = torch.from_numpy(self.joints @ turn.T)
        centred = center_on(joints, self.skeleton.origin)
        root = (joints - centred)[:, 0].numpy()
        return Pose3D(centred.numpy(), self.skeleton, self.fps, self.missing), root


def check_axes(name: str | None, write: Sequence[str]) -> None:
    """
    Raises:
        ValueError: for axes that a person in a world cannot be written in.
    """
    if name == "camera":
        raise ValueError(f"--axes camera: there are several; give {WORLD} for the calibration's own, or leave it out")
    if name == WORLD and "bvh" in write:
        raise ValueError("--axes world: BVH is y up; leave it out, and only csv is written in the calibration's axes")
    if name not in (None, WORLD):
        presets.get(str(name))


__all__ = ["WORLD", "WorldPose", "check_axes", "up_axis"]
