"""COCO-WholeBody with the contours of the face: in COCO_WHOLEBODY alone no two face points are neighbours."""

from itertools import pairwise

from skelgraph.skeleton import Skeleton
from skelgraph.skeleton.builtin.coco_wholebody import COCO_WHOLEBODY

_lines = (
    range(23, 40),  # jaw
    range(40, 45),  # right brow
    range(45, 50),  # left brow
    range(50, 54),  # ridge of the nose
    range(54, 59),  # nostrils
    (*range(59, 65), 59),  # right eye
    (*range(65, 71), 65),  # left eye
    (*range(71, 83), 71),  # outer lips
    range(83, 91),  # inner lips
    *((71, 83), (77, 87), (71, 90)),
)

COCO_WHOLEBODY_CONTOURS = Skeleton.from_dict(
    COCO_WHOLEBODY.to_dict()
    | {"name": "COCO_WHOLEBODY_CONTOURS", "extra_edges": [edge for line in _lines for edge in pairwise(line)]}
)
"""Bones as in COCO_WHOLEBODY; the extra edges are those of H3WB's official drawing (Zhu et al. 2023), which
closes the inner lips on the person's right by 71-90, where the mirror image of its left would be 83-90."""
