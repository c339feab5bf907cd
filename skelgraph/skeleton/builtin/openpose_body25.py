"""OpenPose BODY_25 (Cao et al. 2019)."""

from skelgraph.skeleton import Skeleton

_limbs = {
    "left_arm": ("left_shoulder", "left_elbow", "left_wrist"),
    "right_arm": ("right_shoulder", "right_elbow", "right_wrist"),
    "left_leg": ("left_hip", "left_knee", "left_ankle", "left_big_toe", "left_small_toe", "left_heel"),
    "right_leg": ("right_hip", "right_knee", "right_ankle", "right_big_toe", "right_small_toe", "right_heel"),
    "torso": ("nose", "neck", "hip", "right_eye", "left_eye", "right_ear", "left_ear"),
}

OPENPOSE_BODY25 = Skeleton(
    name="OPENPOSE_BODY25",
    joints=(
        *("nose", "neck", "right_shoulder", "right_elbow", "right_wrist", "left_shoulder", "left_elbow", "left_wrist"),
        *("hip", "right_hip", "right_knee", "right_ankle", "left_hip", "left_knee", "left_ankle"),
        *("right_eye", "left_eye", "right_ear", "left_ear"),
        *("left_big_toe", "left_small_toe", "left_heel", "right_big_toe", "right_small_toe", "right_heel"),
    ),
    parents=(1, 8, 1, 2, 3, 1, 5, 6, -1, 8, 9, 10, 8, 12, 13, 0, 0, 15, 16, 14, 19, 14, 11, 22, 11),
    center="hip",
    origin=("hip",),
    parts=_limbs,
    limbs=_limbs,
)
"""The bones are OpenPose's ``POSE_BODY_25_PAIRS_RENDER`` (poseParameters.cpp), a tree, rooted here at ``hip`` (MidHip);
``neck`` is the middle of the shoulders."""
