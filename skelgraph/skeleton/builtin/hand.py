"""A hand, 21 joints (Simon et al. 2017): the wrist and four joints a finger, from the palm to the tip."""

from skelgraph.skeleton import Skeleton

HAND = Skeleton(
    name="HAND",
    joints=("wrist", *(f"{f}_{i}" for f in ("thumb", "index", "middle", "ring", "pinky") for i in range(1, 5))),
    parents=(-1, 0, 1, 2, 3, 0, 5, 6, 7, 0, 9, 10, 11, 0, 13, 14, 15, 0, 17, 18, 19),
    center="wrist",
    origin=("wrist",),
)
"""The tree is OpenPose's and MediaPipe's (without its edges across the palm); its limbs are the fingers."""
