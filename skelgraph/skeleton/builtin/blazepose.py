"""BlazePose, the 33 landmarks of MediaPipe Pose (Bazarevsky et al. 2020)."""

from skelgraph.skeleton import Skeleton

_eyes = [f"{side}_{point}" for side in ("left", "right") for point in ("eye_inner", "eye", "eye_outer")]
_pairwise = ("shoulder", "elbow", "wrist", "pinky", "index", "thumb", "hip", "knee", "ankle", "heel", "foot_index")
_limbs = {
    "head": ("nose", *_eyes, "left_ear", "right_ear", "left_mouth", "right_mouth"),
    **{f"{side}_arm": [f"{side}_{joint}" for joint in _pairwise[:6]] for side in ("left", "right")},
    **{f"{side}_leg": [f"{side}_{joint}" for joint in _pairwise[6:]] for side in ("left", "right")},
}

BLAZEPOSE = Skeleton(
    name="BLAZEPOSE",
    joints=(*_limbs["head"], *(f"{side}_{joint}" for joint in _pairwise for side in ("left", "right"))),
    parents=(
        *(-1, 0, 1, 2, 0, 4, 5, 3, 6, 0, 0),
        *(0, 0, 11, 12, 13, 14, 15, 16, 15, 16, 15, 16),
        *(11, 12, 23, 24, 25, 26, 27, 28, 29, 30),
    ),
    center="nose",
    origin=("left_hip", "right_hip"),
    parts=_limbs,
    limbs=_limbs,
    extra_edges=((9, 10), (11, 12), (17, 19), (18, 20), (23, 24), (27, 31), (28, 32)),
)
"""No tree is published. Bones and extra edges are together MediaPipe's ``POSE_CONNECTIONS`` (35 edges) and four links
of our own from the nose, to both corners of the mouth and, as in H3WB's tree, both shoulders."""
