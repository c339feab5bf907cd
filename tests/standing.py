"""Someone who stands before the camera and looks into it, in the camera's axes, for tests of files and axes."""

import numpy as np

from skelgraph.poses.pose3d import Pose3D
from skelgraph.skeleton import Skeleton
from skelgraph.skeleton.builtin import HUMAN36M

_HEIGHTS = {  # above the floor, and how far out to the left
    **{"ankle": (0.08, 0.1), "knee": (0.5, 0.1), "hip": (0.93, 0.1), "spine": (1.2, 0), "thorax": (1.45, 0)},
    **{"neck": (1.55, 0), "head": (1.75, 0), "nose": (1.6, 0), "eye": (1.64, 0.03), "ear": (1.62, 0.08)},
    **{"shoulder": (1.43, 0.2), "elbow": (1.15, 0.25), "wrist": (0.95, 0.3), "big_toe": (0.02, 0.1)},
    **{"small_toe": (0.02, 0.15), "heel": (0.02, 0.1)},
}


def standing(skeleton: Skeleton = HUMAN36M, frames: int = 4, fps: float | None = 30, sway: float = 0.01) -> Pose3D:
    """Frames that differ by up to ``sway`` m."""
    rng = np.random.default_rng(0)
    joints = []
    for joint in skeleton.joints:
        side, _, rest = joint.partition("_")
        height, out = _HEIGHTS.get(rest if side in ("left", "right") else joint, (0.9, 0.3))
        out = 0 if joint == "hip" else -out if side == "right" else out
        if rest.startswith("hand_"):
            finger, knuckle = divmod(int(rest.removeprefix("hand_")) - 1, 4)
            height -= 0 if finger < 0 else 0.03 * (knuckle + 1)
        else:
            finger = 0
        ahead = 0.12 if rest.endswith("toe") else 0.1 if joint == "nose" else 0.01 * finger
        joints.append((out, 0.9 - height, -ahead))
    places = np.array(joints) + rng.uniform(-sway, sway, (frames, len(joints), 3))
    return Pose3D(places - places[:, list(skeleton.origin)].mean(1, keepdims=True), skeleton, fps)
