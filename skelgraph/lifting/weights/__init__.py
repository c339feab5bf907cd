"""The weights that come with the package, and which of them suit given keypoints."""

from __future__ import annotations

from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from skelgraph.poses import joint_matching
from skelgraph.poses.keypoints import Keypoints
from skelgraph.skeleton.builtin import COCO_WHOLEBODY

FOLDER = Path(__file__).parent
FILES = MappingProxyType({"body": "human36m.safetensors", "whole-body": "coco_wholebody.safetensors"})
"""By the names that :func:`skelgraph.load` and ``checkpoint=`` take: 17 joints of HUMAN36M, 133 of COCO_WHOLEBODY."""

_ENOUGH = 0.25
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
            "checkpoint of your own (checkpoint=RUN)"
        )
    return found


def find(run: str | Path) -> str | Path:
    """The checkpoint that a name of :data:`FILES` means; the path of anything else.

    Raises:
        FileNotFoundError: if there is neither such a name nor such a path.
    """
    if isinstance(run, str) and run in FILES:
        return path(run)
    if not Path(run).exists():
        raise FileNotFoundError(
            f"{run}: no such run folder or checkpoint file; the weights that come with the package are "
            f"{' and '.join(map(repr, FILES))}"
        )
    return run


def choose(keypoints: Keypoints) -> Choice:
    """``whole-body`` for keypoints with hands or a face, of one of which a quarter of all points in all frames is
    there to be lifted; else ``body``."""
    joints, count = keypoints.joints, keypoints.num_joints
    if not joints and count == COCO_WHOLEBODY.num_joints:
        return Choice("whole-body", f"the keypoints have {count} joints, as COCO-WholeBody")
    if joints and keypoints.num_frames:
        _, confidence = joint_matching.match(joints, COCO_WHOLEBODY)(keypoints.xy, keypoints.confidence)
        seen = {words: (confidence[:, list(COCO_WHOLEBODY.limbs[limb])] > 0).mean() for limb, words in _LIMBS.items()}
        there = [words for words, share in seen.items() if share >= _ENOUGH]
        if there:
            return Choice("whole-body", f"the keypoints have {', '.join(there)}")
    return Choice("body", "the keypoints have no hands and no face, or too little of them")
