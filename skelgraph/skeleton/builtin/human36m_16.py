"""Human3.6M without the point between neck and nose: 16 joints, as SemGCN (Zhao et al. 2019) trains on."""

from skelgraph.skeleton import Skeleton

_limbs = {
    "left_arm": ("left_shoulder", "left_elbow", "left_wrist"),
    "right_arm": ("right_shoulder", "right_elbow", "right_wrist"),
    "left_leg": ("left_hip", "left_knee", "left_ankle"),
    "right_leg": ("right_hip", "right_knee", "right_ankle"),
    "torso": ("hip", "spine", "thorax", "head"),
}

HUMAN36M_16 = Skeleton(
    name="HUMAN36M_16",
    joints=(
        *("hip", "right_hip", "right_knee", "right_ankle", "left_hip", "left_knee", "left_ankle"),
        *("spine", "thorax", "head"),
        *("left_shoulder", "left_elbow", "left_wrist", "right_shoulder", "right_elbow", "right_wrist"),
    ),
    parents=(-1, 0, 1, 2, 0, 4, 5, 0, 7, 8, 8, 10, 11, 8, 13, 14),
    center="hip",
    origin=("hip",),
    parts=_limbs,
    limbs=_limbs,
)
"""SemGCN's code hangs the shoulders on the thorax (8), as here."""
