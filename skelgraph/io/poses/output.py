"""What the writers and readers of pose files share: numbers in other axes, the frame rate, files that are there."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from skelgraph.errors import FormatError
from skelgraph.files.messages import shortened
from skelgraph.geometry import axes as presets
from skelgraph.poses.pose3d import Pose3D
from skelgraph.skeleton import Skeleton

WORLD = "world"
"""In place of a preset of :mod:`skelgraph.geometry.axes`: those of the calibration that a pose is in the world of."""


def points(pose: Pose3D, axes: str) -> NDArray[np.float64]:
    """Where the joints are, [F, J, 3] in m.

    Args:
        axes: a preset of :mod:`skelgraph.geometry.axes`, of a pose in a world turned by right angles about the world's
            origin so that its up is up; or ``camera`` or ``world``, if these are the pose's own: as they are.

    Raises:
        ValueError: for unknown axes, or ``camera`` or ``world`` where they are not the pose's own.
    """
    if not pose.is_in_world:
        if axes == WORLD:
            raise ValueError("axes='world': the pose is of one camera, in whose axes it is; give another preset")
        return presets.from_camera(pose.positions, axes)
    if axes == "camera":
        raise ValueError(f"axes='camera': the pose is of several cameras; axes={WORLD!r} are the calibration's own")
    return pose.positions if axes == WORLD else presets.from_camera(pose.positions @ presets.y_down(pose.up).T, axes)


def rate(pose: Pose3D, path: Path) -> float:
    """Frames per second.

    Raises:
        ValueError: if the pose does not know them or has no frames, as the format cannot say either.
    """
    if pose.fps is None:
        raise ValueError(f"{path}: the format needs frames per second; give them: dataclasses.replace(pose, fps=30)")
    if not pose.num_frames:
        raise ValueError(f"{path}: the pose has no frames; the format needs at least one")
    return pose.fps


def pose_of(
    path: Path,
    joints: Sequence[str],
    values: NDArray[np.floating],
    *,
    axes: str,
    fps: float | None,
    missing: NDArray[np.bool_] | None,
    skeleton: Skeleton | None,
) -> Pose3D:
    """A file's points [F, K, 3], in m in a preset's axes, as a pose of ``skeleton``, its joints found by name.

    Without a skeleton the pose has the file's joints and no bones.

    Raises:
        FormatError: naming the file, if the skeleton's joints are not all there, or values are not finite.
    """
    try:
        if skeleton is None:
            name = re.sub(r"[^A-Za-z0-9_.:+-]", "_", path.stem)[:64] or "pose"
            skeleton = Skeleton(name, joints, [-1] * len(joints))
        absent = [joint for joint in skeleton.joints if joint not in joints]
        if absent:
            raise ValueError(f"lacks the joints {', '.join(absent[:5])} of {skeleton.name}; it has {shortened(joints)}")
        order = [joints.index(joint) for joint in skeleton.joints]
        with np.errstate(over="ignore"):
            camera = presets.to_camera(values[:, order], axes).astype(np.float32)
        return Pose3D(camera, skeleton, fps, None if missing is None else missing[:, order])
    except ValueError as error:
        raise FormatError(f"{path}: {error}") from None
