"""Halpe, the 26 joints of the body (Li et al. 2020, Fang et al. 2022): COCO's 17, head, neck, hip and feet."""

from skelgraph.skeleton import Skeleton
from skelgraph.skeleton.builtin.coco import COCO

_feet = tuple(f"{side}_{joint}" for joint in ("big_toe", "small_toe", "heel") for side in ("left", "right"))
_limbs = {
    "left_arm": ("left_shoulder", "left_elbow", "left_wrist"),
    "right_arm": ("right_shoulder", "right_elbow", "right_wrist"),
    "left_leg": ("left_hip", "left_knee", "left_ankle", "left_big_toe", "left_small_toe", "left_heel"),
    "right_leg": ("right_hip", "right_knee", "right_ankle", "right_big_toe", "right_small_toe", "right_heel"),
    "torso": (*COCO.joints[:5], "head", "neck", "hip"),
}

HALPE26 = Skeleton(
    name="HALPE26",
    joints=(*COCO.joints, "head", "neck", "hip", *_feet),
    parents=(
        *(18, 0, 0, 1, 2, 18, 18, 5, 6, 7, 8, 19, 19, 11, 12, 13, 14),
        *(18, 19, -1),
        *(24, 25, 24, 25, 15, 16),
    ),
    center="hip",
    origin=("hip",),
    parts=_limbs,
    limbs=_limbs,
)
"""No tree is published. The bones are the 24 links of AlphaPose's drawing (``alphapose/utils/vis.py``) and one of our
own, neck to nose, which joins its two pieces. ``head`` is the top of the head, ``neck`` the middle of the shoulders;
the toes come in another order than in COCO_WHOLEBODY."""
