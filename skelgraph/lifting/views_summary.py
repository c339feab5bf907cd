"""What lifting the files of several cameras reports."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from skelgraph.motion.smoothing import Smoothed
from skelgraph.multiview.recording import Recording
from skelgraph.poses.pose3d import Pose3D

_WORST, _FAR_OFF = 3, 3.0


@dataclass(frozen=True, eq=False)
class ViewsSummary:
    """What was read of several cameras, how well they agree, and what was written.

    Args:
        calibration: its file.
        num_cameras: how many cameras that holds.
        recording: what was lifted.
        crowded: which files hold several people, and who was taken.
        world: the pose.
        tilt_deg: how far the cameras' up is from the world's axis; None: the axis was given.
        by: what lifted, in words.
        smoothed: what the filter over time did, where it was asked for.
        outputs: the files written.
        seconds: time of lifting, without reading and drawing.
    """

    calibration: Path
    num_cameras: int
    recording: Recording
    crowded: tuple[str, ...]
    world: Pose3D
    tilt_deg: float | None
    by: str
    smoothed: Smoothed | None
    outputs: tuple[Path, ...]
    seconds: float

    @property
    def _missing(self) -> NDArray[np.bool_]:
        """[F, J]"""
        world = self.world
        return np.zeros(world.joints.shape[:2], bool) if world.missing is None else world.missing

    @property
    def _error_px(self) -> NDArray[np.float32]:
        """[V, F, J]"""
        world = self.world
        unknown = np.full((len(world.cameras), *world.joints.shape[:2]), np.nan, np.float32)
        return unknown if world.error_px is None else world.error_px

    @property
    def reprojection_px(self) -> dict[str, float]:
        """The median reprojection error by camera; NaN where it saw nothing."""
        return {name: _quantile(error, 0.5) for name, error in zip(self.world.cameras, self._error_px, strict=True)}

    def __str__(self) -> str:
        found, world = self.recording, self.world
        frames, joints = self._missing.shape
        lines = [f"read: {frames} frames of {len(found.match.source)} joints before {len(found.cameras)} cameras"]
        lines[0] += f" of the {self.num_cameras} in {self.calibration}"
        lines += [self._camera(view) for view in range(len(found.cameras))]
        told = "as told" if self.tilt_deg is None else f"by the cameras, {self.tilt_deg:.0f} degrees off"
        lines += [f"world: that of the calibration, metres, {world.up} up ({told})", *found.match.report().split("\n")]
        missing = int(self._missing.sum())
        where = f" (most: {self._worst(self._missing.mean(axis=0), '{:.0%}')})" if missing else ""
        lines.append(f"joints without two cameras, so guessed: {missing} of {frames * joints}{where}")
        by_joint = np.array([_quantile(self._error_px[:, :, joint], 0.5) for joint in range(joints)])
        worst = self._worst(by_joint, "{:.1f}")
        lines.append(f"reprojection error: median {_quantile(self._error_px, 0.5):.1f} px; largest of {worst}")
        lines += [f"warning: {warning}" for warning in (*found.warnings, *self.crowded, *self._far_off())]
        lines += [] if self.smoothed is None else [str(self.smoothed)]
        lines.append(f"{self.by} in {self.seconds:.1f} s")
        return "\n".join([*lines, *(f"written: {path}" for path in self.outputs)])

    def _camera(self, view: int) -> str:
        keypoints, error = self.recording.views[view], self._error_px[view]
        missing = f"points missing: {int(keypoints.missing.sum())} of {keypoints.missing.size}"
        told = f"median {_quantile(error, 0.5):.1f} px, 90 % below {_quantile(error, 0.9):.1f} px"
        read = f"{self.world.cameras[view]}: {keypoints.source} ({keypoints.format})"
        return f"{read}: {missing}; reprojection error: {told}"

    def _worst(self, values: NDArray[np.floating], form: str) -> str:
        order = [joint for joint in np.argsort(-np.nan_to_num(values))[:_WORST] if values[joint] > 0]
        return ", ".join(f"{self.world.skeleton.joints[joint]} {form.format(values[joint])}" for joint in order)

    def _far_off(self) -> list[str]:
        """Cameras whose error is far above the others'."""
        errors = self.reprojection_px
        told = []
        for name, error in errors.items():
            others = [other for key, other in errors.items() if key != name and np.isfinite(other)]
            if len(others) > 1 and error > _FAR_OFF * float(np.median(others)):
                told.append(
                    f"{name} is {error:.1f} px off, the others {np.median(others):.1f} px: look at its keypoints"
                )
        return told


def _quantile(values: NDArray[np.floating], share: float) -> float:
    """Of the finite ones; NaN of none."""
    finite = values[np.isfinite(values)]
    return float(np.quantile(finite, share)) if finite.size else float("nan")
