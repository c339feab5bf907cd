"""COCO, 17 joints (Lin et al. 2014)."""

from skelgraph.skeleton import Skeleton

_limbs = {
    "head": ("nose", "left_eye", "right_eye", "left_ear", "right_ear"),
    "left_arm": ("left_shoulder", "left_elbow", "left_wrist"),
    "right_arm": ("right_shoulder", "right_elbow", "right_wrist"),
    "left_leg": ("left_hip", "left_knee", "left_ankle"),
    "right_leg": ("right_hip", "right_knee", "right_ankle"),
}

COCO = Skeleton(
    name="COCO",
    joints=(
        *("nose", "left_eye", "right_eye", "left_ear", "right_ear"),
        *("left_shoulder", "right_shoulder", "left_elbow", "right_elbow", "left_wrist", "right_wrist"),
        *("left_hip", "right_hip", "left_knee", "right_knee", "left_ankle", "right_ankle"),
    ),
    parents=(-1, 0, 0, 0, 0, 0, 0, 5, 6, 7, 8, 5, 6, 11, 12, 13, 14),
    center="nose",
    origin=("left_hip", "right_hip"),
    parts=_limbs,
    limbs=_limbs,
)
"""COCO's own drawing has cycles. The tree is that of the first 17 joints of H3WB (Zhu et al. 2023), same points."""
