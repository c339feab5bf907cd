"""Made-up clips of any skeleton: poses that move, and the keypoints they were lifted from."""

import numpy as np

from skelgraph import Skeleton
from skelgraph.poses.keypoints import Keypoints
from skelgraph.poses.pose3d import Pose3D
from skelgraph.skeleton import builtin

LEGS = [f"{side}_{place}" for side in ("left", "right") for place in ("front", "middle", "back")]
HEXAPOD = Skeleton.from_edges("hexapod", [("body", leg) for leg in LEGS])


def walk(frames: int = 12, skeleton: Skeleton = builtin.HUMAN36M) -> np.ndarray:
    """Joints [F, J, 3] that move, about the origin, m."""
    time = np.arange(frames)[:, None, None] / 5
    rest = np.random.default_rng(0).normal(0, 0.4, (1, skeleton.num_joints, 3))
    joints = rest + 0.1 * np.sin(time + 7 * rest)
    return joints - joints[:, list(skeleton.origin)].mean(1, keepdims=True)


def example(frames: int = 12, skeleton: Skeleton = builtin.HUMAN36M) -> tuple[Pose3D, Keypoints]:
    joints = walk(frames, skeleton)
    xy = 500 + 400 * joints[..., :2]
    confidence = np.full(xy.shape[:2], 0.75)
    confidence[:, -1] = 0
    missing = np.zeros(xy.shape[:2], dtype=bool)
    missing[:, -1] = True
    keypoints = Keypoints(xy, confidence, skeleton.joints, (1000, 1000), 25.0, "folder/clip.json")
    return Pose3D(joints, skeleton, 25.0, missing), keypoints
