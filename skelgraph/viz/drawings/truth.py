"""True poses, centred as predicted ones are."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skelgraph.poses.pose3d import Pose3D


def centred_truth(pose: Pose3D, truth: Pose3D | ArrayLike) -> NDArray[np.float32]:
    """True joints [F, J, 3], m, relative to the mean of the pose's origin joints.

    Args:
        pose: F frames of J joints.
        truth: a pose of as many frames, whose joints are found by name and may be more; or an array [F, J, 3], m.

    Raises:
        ValueError: if the truth lacks a joint of the pose, or has another number of frames.
    """
    if isinstance(truth, Pose3D):
        missing = [joint for joint in pose.skeleton.joints if joint not in truth.skeleton.joints]
        if missing:
            raise ValueError(f"truth has no joints {', '.join(missing[:5])}, which the pose has")
        truth = truth.as_seen().joints[:, [truth.skeleton.index(joint) for joint in pose.skeleton.joints]]
    joints = np.asarray(truth, dtype=np.float32)
    if joints.shape != pose.joints.shape:
        raise ValueError(f"truth has the shape {list(joints.shape)}, the pose {list(pose.joints.shape)} [F, J, 3]")
    origin = [pose.skeleton.index(joint) for joint in pose.origin]
    return joints - joints[:, origin].mean(axis=1, keepdims=True)
