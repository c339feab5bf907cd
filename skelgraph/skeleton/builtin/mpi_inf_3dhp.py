"""MPI-INF-3DHP, the 17 joints of its test set (Mehta et al. 2017)."""

from skelgraph.skeleton import Skeleton

_limbs = {
    "left_arm": ("left_shoulder", "left_elbow", "left_wrist"),
    "right_arm": ("right_shoulder", "right_elbow", "right_wrist"),
    "left_leg": ("left_hip", "left_knee", "left_ankle"),
    "right_leg": ("right_hip", "right_knee", "right_ankle"),
    "torso": ("hip", "spine", "neck", "head", "head_top"),
}

MPI_INF_3DHP = Skeleton(
    name="MPI_INF_3DHP",
    joints=(
        *("head_top", "neck"),
        *("right_shoulder", "right_elbow", "right_wrist", "left_shoulder", "left_elbow", "left_wrist"),
        *("right_hip", "right_knee", "right_ankle", "left_hip", "left_knee", "left_ankle"),
        *("hip", "spine", "head"),
    ),
    parents=(1, 15, 1, 2, 3, 1, 5, 6, 14, 8, 9, 14, 11, 12, -1, 14, 1),
    center="hip",
    origin=("hip",),
    parts=_limbs,
    limbs=_limbs,
)
"""The right arm comes first. The tree is the dataset's. ``neck`` is its base (HUMAN36M's ``thorax``), ``head`` the
middle of the head, ``head_top`` HUMAN36M's ``head``."""
