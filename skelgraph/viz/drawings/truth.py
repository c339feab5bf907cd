"""True poses, centred as predicted ones are."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skelgraph.poses.pose3d import Pose3D


def centred_truth(pose: Pose3D, truth: Pose3D | ArrayLike) -> NDArray[np.float32]:
    """True joints [F, J, 3], m, relative to the mean of the pose's origin joints.

    Raises:
        ValueError: if the truth has other joints or another shape than the pose.
    """
    if isinstance(truth, Pose3D) and truth.skeleton.joints != pose.skeleton.joints:
        raise ValueError(f"truth has the joints of {truth.skeleton.name!r}, the pose those of {pose.skeleton.name!r}")
    joints = np.asarray(truth.joints if isinstance(truth, Pose3D) else truth, dtype=np.float32)
    if joints.shape != pose.joints.shape:
        raise ValueError(f"truth has the shape {list(joints.shape)}, the pose {list(pose.joints.shape)} [F, J, 3]")
    origin = [pose.skeleton.index(joint) for joint in pose.origin]
    return joints - joints[:, origin].mean(axis=1, keepdims=True)
