"""Human3.6M, 17 joints, in the order of Martinez et al. 2017 and Pavllo et al. 2019 (VideoPose3D)."""

from skelgraph.skeleton import Skeleton

_limbs = {
    "left_arm": ("left_shoulder", "left_elbow", "left_wrist"),
    "right_arm": ("right_shoulder", "right_elbow", "right_wrist"),
    "left_leg": ("left_hip", "left_knee", "left_ankle"),
    "right_leg": ("right_hip", "right_knee", "right_ankle"),
    "torso": ("hip", "spine", "thorax", "neck", "head"),
}

HUMAN36M = Skeleton(
    name="HUMAN36M",
    joints=(
        *("hip", "right_hip", "right_knee", "right_ankle", "left_hip", "left_knee", "left_ankle"),
        *("spine", "thorax", "neck", "head"),
        *("left_shoulder", "left_elbow", "left_wrist", "right_shoulder", "right_elbow", "right_wrist"),
    ),
    parents=(-1, 0, 1, 2, 0, 4, 5, 0, 7, 8, 9, 8, 11, 12, 8, 14, 15),
    center="hip",
    origin=("hip",),
    parts=_limbs,
    limbs=_limbs,
)
"""Joint 9, ``neck``, is the point between neck and nose, joint 10 the top of the head. The tree is VideoPose3D's."""
