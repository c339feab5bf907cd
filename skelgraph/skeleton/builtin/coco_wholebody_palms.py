"""COCO-WholeBody with the contours of the face and the palms of the hands."""

from itertools import pairwise

from skelgraph.skeleton import Skeleton
from skelgraph.skeleton.builtin.coco_wholebody_contours import COCO_WHOLEBODY_CONTOURS

_knuckles = (5, 9, 13, 17)
_palms = [(f"{side}_hand_{a}", f"{side}_hand_{b}") for side in ("left", "right") for a, b in pairwise(_knuckles)]
_fields = COCO_WHOLEBODY_CONTOURS.to_dict()

COCO_WHOLEBODY_PALMS = Skeleton.from_dict(
    _fields | {"name": "COCO_WHOLEBODY_PALMS", "extra_edges": [*_fields["extra_edges"], *_palms]}
)
"""As COCO_WHOLEBODY_CONTOURS, and the knuckles of each hand joined from index to little finger, as MediaPipe Hands
(Zhang et al. 2020) joins them."""
