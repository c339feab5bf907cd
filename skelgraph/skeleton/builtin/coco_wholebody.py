"""COCO-WholeBody, 133 joints (Jin et al. 2020): body 17, feet 6, face 68, hands 42."""

from skelgraph.skeleton import Skeleton
from skelgraph.skeleton.builtin.coco import COCO

_left_foot, _right_foot = (
    tuple(f"{side}_{joint}" for joint in ("big_toe", "small_toe", "heel")) for side in ("left", "right")
)
_face = tuple(f"face_{i}" for i in range(68))
_left_hand, _right_hand = (tuple(f"{side}_hand_{i}" for i in range(21)) for side in ("left", "right"))

# iBUG 68: jaw, brows, nostrils, eyes and mouth mirror within themselves; given as subject's (left, right).
_face_pairs = (
    *((16 - i, i) for i in range(8)),
    *((26 - i, 17 + i) for i in range(5)),
    *((35, 31), (34, 32)),
    *((45, 36), (44, 37), (43, 38), (42, 39), (47, 40), (46, 41)),
    *((54, 48), (53, 49), (52, 50), (56, 58), (55, 59)),
    *((64, 60), (63, 61), (65, 67)),
)

COCO_WHOLEBODY = Skeleton(
    name="COCO_WHOLEBODY",
    joints=(*COCO.joints, *_left_foot, *_right_foot, *_face, *_left_hand, *_right_hand),
    parents=(
        *COCO.parents,
        *(15, 15, 15, 16, 16, 16),
        *(0 for _ in _face),
        *(9, 91, 92, 93, 94, 91, 96, 97, 98, 91, 100, 101, 102, 91, 104, 105, 106, 91, 108, 109, 110),
        *(10, 112, 113, 114, 115, 112, 117, 118, 119, 112, 121, 122, 123, 112, 125, 126, 127, 112, 129, 130, 131),
    ),
    center="nose",
    pairs=(
        *((f"left_{j}", f"right_{j}") for j in ("eye", "ear", "shoulder", "elbow", "wrist", "hip", "knee", "ankle")),
        *zip(_left_foot, _right_foot, strict=True),
        *((f"face_{left}", f"face_{right}") for left, right in _face_pairs),
        *zip(_left_hand, _right_hand, strict=True),
    ),
    origin=("left_hip", "right_hip"),
    parts={
        "body": (*COCO.joints, *_left_foot, *_right_foot),
        "face": _face,
        "hands": (*_left_hand, *_right_hand),
    },
    limbs={
        "head": COCO.joints[:5],
        "left_arm": ("left_shoulder", "left_elbow", "left_wrist"),
        "right_arm": ("right_shoulder", "right_elbow", "right_wrist"),
        "left_leg": ("left_hip", "left_knee", "left_ankle", *_left_foot),
        "right_leg": ("right_hip", "right_knee", "right_ankle", *_right_foot),
        "face": _face,
        "left_hand": _left_hand,
        "right_hand": _right_hand,
    },
)
"""The tree is H3WB's (Zhu et al. 2023, ``utils/prepare_data_h3wb.py``): every face point hangs on the nose, the legs on
the shoulders. :data:`COCO_WHOLEBODY_CONTOURS` adds edges within the face."""
