"""A face, 68 points of iBUG 300-W (Sagonas et al. 2016), in their order; left and right are the person's."""

from skelgraph.skeleton import Skeleton

_parts = {
    "jaw": range(0, 17),
    "right_brow": range(17, 22),
    "left_brow": range(22, 27),
    "nose": range(27, 36),
    "right_eye": range(36, 42),
    "left_eye": range(42, 48),
    "mouth": range(48, 68),
}

FACE = Skeleton(
    name="FACE",
    joints=[f"face_{i}" for i in range(68)],
    parents=(
        *(17, 0, 1, 2, 3, 4, 5, 6, 7, 10, 11, 12, 13, 14, 15, 16, 26),
        *(18, 19, 20, 21, 27),
        *(27, 22, 23, 24, 25),
        *(28, 29, 30, -1, 32, 33, 30, 33, 34),
        *(37, 38, 39, 27, 39, 40),
        *(27, 42, 43, 44, 47, 42),
        *(49, 50, 51, 33, 51, 52, 53, 54, 55, 58, 59, 48),
        *(48, 60, 61, 64, 54, 64, 67, 60),
    ),
    center="face_30",
    origin=("face_30",),
    pairs=(
        *((16 - i, i) for i in range(8)),
        *((26 - i, 17 + i) for i in range(5)),
        *((35, 31), (34, 32)),
        *((45, 36), (44, 37), (43, 38), (42, 39), (47, 40), (46, 41)),
        *((54, 48), (53, 49), (52, 50), (56, 58), (55, 59)),
        *((64, 60), (63, 61), (65, 67)),
    ),
    parts=_parts,
    limbs=_parts,
    extra_edges=((8, 9), (36, 41), (45, 46), (56, 57), (62, 63), (65, 66)),
)
"""No tree is published. Bones and extra edges are together the nine contours of the iBUG 300-W mark-up, joined to one
tree, rooted at the tip of the nose (face_30), by ten links of our own: jaw to brows (0-17, 16-26), brows and eyes to
the ridge of the nose (21, 22, 39, 42 to 27), ridge to nostrils to mouth (30-33, 33-51), outer to inner lips (48-60,
54-64)."""
