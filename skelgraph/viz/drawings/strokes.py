"""What is drawn of a skeleton: which lines, and on which side and in which part its joints are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from skelgraph.skeleton import Skeleton, builtin

MIDDLE, LEFT, RIGHT = range(3)
_FAN = 20

# The iBUG landmarks 0 to 67: jaw, brows, bridge and base of the nose, eyes, outer and inner lips.
_FACE_CHAINS = ((0, 16), (17, 21), (22, 26), (27, 30), (31, 35), (36, 41), (42, 47), (48, 59), (60, 67))
_FACE_LOOPS = ((36, 41), (42, 47), (48, 59), (60, 67))
# Drawn where they are no bones: a person looks odd without them.
_GIRDLES = (("left_shoulder", "right_shoulder"), ("left_hip", "right_hip"))
_TRUNK = ("hip", "spine", "thorax", "neck", "mid_hip")


class Strokes(NamedTuple):
    """How to draw K named joints.

    Attributes:
        joints: K joint names.
        lines: index pairs of the joints that are joined.
        side: K times MIDDLE, LEFT or RIGHT.
        part: K indices into ``parts``, -1 for a joint of no part.
        parts: names of the parts.
    """

    joints: tuple[str, ...]
    lines: tuple[tuple[int, int], ...]
    side: tuple[int, ...]
    part: tuple[int, ...]
    parts: tuple[str, ...]


def of_skeleton(skeleton: Skeleton) -> Strokes:
    """The bones and extra edges of a skeleton, but for fans of many bones; contours of a face, shoulders and hips."""
    clouds = fans(skeleton)
    lines = [(a, b) for a, b in skeleton.bones if b not in clouds]
    lines += [edge for edge in skeleton.extra_edges if edge not in lines]
    drawn = {frozenset(line) for line in lines}
    for a, b in _contours(skeleton.joints):
        if frozenset((a, b)) not in drawn:
            drawn.add(frozenset((a, b)))
            lines.append((a, b))
    side = [MIDDLE] * skeleton.num_joints
    for left, right in skeleton.pairs:
        side[left], side[right] = LEFT, RIGHT
    part = {joint: i for i, members in enumerate(skeleton.parts.values()) for joint in members}
    order = range(skeleton.num_joints)
    return Strokes(skeleton.joints, tuple(lines), tuple(side), tuple(part[i] for i in order), tuple(skeleton.parts))


def side_of_line(drawn: Strokes, a: int, b: int) -> int:
    """The side of the joint that a line ends in; a line across the body belongs to none."""
    return MIDDLE if {drawn.side[a], drawn.side[b]} == {LEFT, RIGHT} else drawn.side[b]


def fans(skeleton: Skeleton) -> set[int]:
    """Joints that are one of at least 20 leaves below the same joint: a cloud of points rather than bones."""
    children = Counter(parent for parent, _ in skeleton.bones)
    return {b for a, b in skeleton.bones if b not in children and children[a] >= _FAN}


def of_joints(joints: Sequence[str], count: int, skeleton: Skeleton) -> Strokes:
    """How to draw keypoints of which only the names are known: lines of the skeleton that joins most of them.

    Args:
        joints: K names, any text; where there are none, the skeleton's if their number fits, else numbers.
        count: K.
        skeleton: the skeleton that the keypoints are lifted to; it wins ties against the built-in ones and its parts
            colour the joints of the same name.
    """
    if not joints:
        joints = skeleton.joints if count == skeleton.num_joints else [str(i) for i in range(count)]
    index = {joint: i for i, joint in enumerate(joints)}
    candidates = [of_skeleton(s) for s in (skeleton, *(getattr(builtin, name) for name in builtin.__all__))]
    best = max(candidates, key=lambda drawn: sum(a in index and b in index for a, b in _named_lines(drawn)))
    sides, own = dict(zip(best.joints, best.side, strict=True)), candidates[0]
    parts = dict(zip(own.joints, own.part, strict=True))
    return Strokes(
        tuple(joints),
        tuple((index[a], index[b]) for a, b in _named_lines(best) if a in index and b in index),
        tuple(sides.get(joint, _side_of(joint)) for joint in joints),
        tuple(parts.get(joint, -1) for joint in joints),
        own.parts,
    )


def _named_lines(drawn: Strokes) -> list[tuple[str, str]]:
    return [(drawn.joints[a], drawn.joints[b]) for a, b in drawn.lines]


def _side_of(joint: str) -> int:
    return LEFT if joint.startswith("left") else RIGHT if joint.startswith("right") else MIDDLE


def _contours(joints: Sequence[str]) -> list[tuple[int, int]]:
    index = {joint: i for i, joint in enumerate(joints)}
    lines = []
    if all(f"face_{i}" in index for i in range(68)):
        pairs = [(i, i + 1) for first, last in _FACE_CHAINS for i in range(first, last)]
        pairs += [(last, first) for first, last in _FACE_LOOPS]
        lines += [(index[f"face_{a}"], index[f"face_{b}"]) for a, b in pairs]
    if not any(joint in index for joint in _TRUNK):
        lines += [(index[a], index[b]) for a, b in _GIRDLES if a in index and b in index]
    return lines
