"""OpenPose's COCO model, 18 joints (Cao et al. 2017)."""

from skelgraph.skeleton import Skeleton

_limbs = {
    "left_arm": ("left_shoulder", "left_elbow", "left_wrist"),
    "right_arm": ("right_shoulder", "right_elbow", "right_wrist"),
    "left_leg": ("left_hip", "left_knee", "left_ankle"),
    "right_leg": ("right_hip", "right_knee", "right_ankle"),
    "head": ("nose", "neck", "right_eye", "left_eye", "right_ear", "left_ear"),
}

OPENPOSE_COCO18 = Skeleton(
    name="OPENPOSE_COCO18",
    joints=(
        *("nose", "neck", "right_shoulder", "right_elbow", "right_wrist", "left_shoulder", "left_elbow", "left_wrist"),
        *("right_hip", "right_knee", "right_ankle", "left_hip", "left_knee", "left_ankle"),
        *("right_eye", "left_eye", "right_ear", "left_ear"),
    ),
    parents=(1, -1, 1, 2, 3, 1, 5, 6, 1, 8, 9, 1, 11, 12, 0, 0, 14, 15),
    center="neck",
    origin=("left_hip", "right_hip"),
    parts=_limbs,
    limbs=_limbs,
)
"""The bones are OpenPose's ``POSE_COCO_PAIRS_RENDER`` (poseParameters.cpp), a tree; ``neck`` is the middle of the
shoulders."""
