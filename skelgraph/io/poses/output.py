"""What the writers and readers of pose files share: numbers in other axes, the frame rate, files that are there."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skelgraph.errors import FormatError
from skelgraph.files.messages import shortened
from skelgraph.geometry import axes as presets
from skelgraph.poses.pose3d import Pose3D
from skelgraph.skeleton import Skeleton


def points(pose: Pose3D, axes: str, root_estimate: ArrayLike | None) -> NDArray[np.float64]:
    """The joints [F, J, 3] in m in a preset's axes, moved by the root's estimated position [F, 3] if there is one.

    Raises:
        ValueError: for unknown axes, or a root of another shape or not finite.
    """
    joints = pose.joints.astype(np.float64)
    if root_estimate is not None:
        root = np.asarray(root_estimate, dtype=np.float64)
        if root.shape != (pose.num_frames, 3) or not np.isfinite(root).all():
            raise ValueError(f"root_estimate is {list(root.shape)}; expected finite [{pose.num_frames}, 3] in m")
        joints = joints + root[:, None]
    return presets.from_camera(joints, axes)


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
