"""COCO-WholeBody JSON, 133 joints: annotations and detection results.

As COCO's (see :mod:`coco`), with ``foot_kpts`` [6 x 3], ``face_kpts`` [68 x 3], ``lefthand_kpts`` [21 x 3] and
``righthand_kpts`` [21 x 3] beside ``keypoints`` [17 x 3], and ``foot_valid``, ``face_valid``, ...: an invalid part is
missing. Source: COCO-WholeBody, data_format.md.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from skelgraph.io.keypoints.formats import coco
from skelgraph.poses.people import People
from skelgraph.skeleton.builtin import COCO_WHOLEBODY

NAME = "coco-wholebody"
TAKES = frozenset({"JSON file"})
_PARTS = {"keypoints": 17, "foot_kpts": 6, "face_kpts": 68, "lefthand_kpts": 21, "righthand_kpts": 21}


def matches(path: Path, content: Any) -> bool:
    found = coco.entries(content) or []
    return any(part in entry for entry in found if isinstance(entry, dict) for part in coco.EXTRAS)


def read(path: Path, content: Any) -> People:
    """Reads annotations or results.

    Raises:
        ValueError: naming the entry and field, for other lengths than those above, images of different sizes, or an
            annotation of an image that is not listed.
    """
    return coco.read_entries(path, content, _PARTS, COCO_WHOLEBODY.joints)
