"""The weights that come with the package, and which of them suit given keypoints."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from skelgraph import conversions
from skelgraph.skeletons import COCO_WHOLEBODY

FOLDER = Path(__file__).parent
FILES = MappingProxyType({"body": "human36m.safetensors", "whole-body": "coco_wholebody.safetensors"})
"""By the names that :func:`skelgraph.load` and ``--checkpoint`` take: 17 joints of HUMAN36M, 133 of COCO_WHOLEBODY."""

_LIMBS = {"left_hand": "the left hand", "right_hand": "the right hand", "face": "the face"}


class Choice(NamedTuple):
    """A name of :data:`FILES`, and why it was chosen, in words."""

    name: str
    why: str


def path(name: str) -> Path:
    """The checkpoint of a name of :data:`FILES`.

    Raises:
        FileNotFoundError: if this installation lacks it.
    """
    found = FOLDER / FILES[name]
    if not found.is_file():
        raise FileNotFoundError(
            f"{found}: the weights {name!r} are not part of this installation; install skelgraph again, or give a "
            "checkpoint of your own (--checkpoint RUN)"
        )
    return found


def find(run: str | Path) -> str | Path:
    """The checkpoint that a name of :data:`FILES` means; anything else as it is."""
    return path(run) if isinstance(run, str) and run in FILES else run


def choose(joints: Sequence[str], count: int) -> Choice:
    """``whole-body`` for keypoints with hands or a face, that is at least half of the joints of one in COCO_WHOLEBODY,
    which is lifted then; else ``body``.

    Args:
        joints: their names; empty where they have none.
        count: how many there are.
    """
    if not joints and count == COCO_WHOLEBODY.num_joints:
        return Choice("whole-body", f"the keypoints have {count} joints, as COCO-WholeBody")
    missing = conversions.match(joints, COCO_WHOLEBODY).missing
    there = [words for limb, words in _LIMBS.items() if _share(COCO_WHOLEBODY.limbs[limb], missing) >= 0.5]
    if there:
        return Choice("whole-body", f"the keypoints have {', '.join(there)}")
    return Choice("body", "the keypoints have no hands and no face")


def _share(limb: Sequence[int], missing: Sequence[str]) -> float:
    return sum(COCO_WHOLEBODY.joints[joint] not in missing for joint in limb) / len(limb)
