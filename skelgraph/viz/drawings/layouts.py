"""Where the joints of a skeleton are drawn in a schematic picture: a T-pose where the names say so, else a tree."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from skelgraph.skeleton import Skeleton

Points = dict[str, tuple[float, float]]

# A person of height 1.8 who faces us, so that left is at positive x; y is up. The head is drawn large.
_MIDDLE: Points = {
    "hip": (0, 1.0), "spine": (0, 1.22), "thorax": (0, 1.45), "neck": (0, 1.56), "head": (0, 1.80),
    "head_top": (0, 1.94), "nose": (0, 1.70),
}  # fmt: skip
_LEFT: Points = {
    "shoulder": (0.24, 1.45), "elbow": (0.56, 1.45), "wrist": (0.86, 1.45), "hip": (0.14, 1.0), "knee": (0.17, 0.56),
    "ankle": (0.19, 0.14), "heel": (0.15, 0.0), "big_toe": (0.25, -0.04), "small_toe": (0.36, 0.02),
    "toe": (0.27, -0.02), "foot_index": (0.29, -0.04), "foot": (0.29, -0.04), "hand": (0.98, 1.45),
    "collar": (0.12, 1.45), "clavicle": (0.12, 1.45), "eye": (0.12, 1.82), "eye_inner": (0.05, 1.79),
    "eye_outer": (0.19, 1.80), "ear": (0.27, 1.73), "mouth": (0.08, 1.61), "thumb": (0.94, 1.53), "index": (1.03, 1.49),
    "pinky": (1.01, 1.39),
}  # fmt: skip
# A hand of length 1 with the fingers up and the palm to us; joints root to tip, thumb to pinky.
_HAND = (
    (0, 0), (-0.22, 0.12), (-0.40, 0.30), (-0.52, 0.48), (-0.60, 0.64), (-0.20, 0.52), (-0.24, 0.72), (-0.26, 0.86),
    (-0.27, 0.99), (0, 0.55), (0, 0.78), (0, 0.94), (0, 1.08), (0.17, 0.51), (0.20, 0.71), (0.22, 0.86), (0.23, 0.99),
    (0.33, 0.43), (0.39, 0.58), (0.43, 0.69), (0.47, 0.79),
)  # fmt: skip
_FINGERS = ("thumb", "index", "middle", "ring", "pinky")


def layout(skeleton: Skeleton) -> NDArray[np.float64]:
    """A schematic place of each joint, [J, 2], y up.

    People, faces and hands are recognised by their joint names; any other skeleton is laid out as a tree around its
    root, left joints at the right as in a person who faces us.
    """
    known = _known()
    named = [joint for joint in skeleton.joints if joint in known]
    if 3 * len(named) >= 2 * skeleton.num_joints and len({known[joint] for joint in named}) == len(named):
        return _completed(skeleton, known)
    return _tree(skeleton)


def _known() -> Points:
    points = dict(_MIDDLE)
    for name, (x, y) in _LEFT.items():
        for left, right in ((f"left_{name}", f"right_{name}"), (f"{name}_left", f"{name}_right")):
            points[left], points[right] = (x, y), (-x, y)
    for i, (x, y) in enumerate(_HAND):
        out, up = 0.91 + 0.2 * y, 1.45 - 0.2 * x
        points[f"left_hand_{i}"], points[f"right_hand_{i}"] = (out, up), (-out, up)
        points["wrist" if i == 0 else f"{_FINGERS[(i - 1) // 4]}_{(i - 1) % 4 + 1}"] = (x, y)
    for i, (x, y) in enumerate(_face()):
        points[f"face_{i}"] = (0.15 * x, 1.718 + 0.15 * y)
    return points


def _face() -> list[tuple[float, float]]:
    """The 68 iBUG landmarks of a schematic face of half width 1, in order, seen from the front."""
    jaw = [(-math.cos(math.pi * i / 16), 0.15 - 1.3 * math.sin(math.pi * i / 16) ** 0.8) for i in range(17)]
    brow = [(-0.84 + 0.16 * i, 0.5 + 0.13 * math.sin(math.pi * (i + 0.5) / 5)) for i in range(5)]
    nose = [(0.0, 0.3 - 0.18 * i) for i in range(4)]
    nose += [(0.11 * i, -0.42 - 0.05 * math.cos(0.5 * math.pi * i / 2)) for i in range(-2, 3)]

    def ellipse(x: float, y: float, a: float, b: float, n: int) -> list[tuple[float, float]]:
        return [(x - a * math.cos(2 * math.pi * i / n), y + b * math.sin(2 * math.pi * i / n)) for i in range(n)]

    eyes = ellipse(-0.48, 0.24, 0.19, 0.1, 6) + ellipse(0.48, 0.24, 0.19, 0.1, 6)
    mouth = ellipse(0, -0.74, 0.42, 0.2, 12) + ellipse(0, -0.74, 0.28, 0.08, 8)
    return jaw + brow + [(-x, y) for x, y in reversed(brow)] + nose + eyes + mouth


def _completed(skeleton: Skeleton, known: Points) -> NDArray[np.float64]:
    """Known places; an unknown joint goes on from its parent in the direction that led there, or down."""
    places = np.full((skeleton.num_joints, 2), np.nan)
    for joint in sorted(range(skeleton.num_joints), key=lambda i: skeleton.depth[i]):
        parent = skeleton.parents[joint]
        if skeleton.joints[joint] in known:
            places[joint] = known[skeleton.joints[joint]]
        elif parent < 0:
            places[joint] = (0, 1.2)
        else:
            above = skeleton.parents[parent]
            step = places[parent] - places[above] if above >= 0 else np.array([0.0, -0.2])
            turn = 0.5 * (sum(p == parent for p in skeleton.parents[:joint]))
            c, s = math.cos(turn), math.sin(turn)
            places[joint] = places[parent] + 0.6 * np.array([c * step[0] - s * step[1], s * step[0] + c * step[1]])
    return places


def _tree(skeleton: Skeleton) -> NDArray[np.float64]:
    """Each tree of the forest around its root: radius = depth, leaves evenly spread; trees side by side."""
    left, right = ({pair[side] for pair in skeleton.pairs} for side in (0, 1))
    children: dict[int, list[int]] = {}
    for parent, child in skeleton.bones:
        children.setdefault(parent, []).append(child)
    for below in children.values():  # clockwise from the top: left, middle, right from the feet up
        lefts, rights = [c for c in below if c in left], [c for c in below if c in right]
        below[:] = lefts + [c for c in below if c not in left | right] + rights[::-1]
    places, offset = np.zeros((skeleton.num_joints, 2)), 0.0
    for root in skeleton.roots:
        leaves: list[int] = []
        angle: dict[int, float] = {}
        order = [root]
        for joint in order:
            order += children.get(joint, [])
        _walk(root, children, leaves)
        for i, leaf in enumerate(leaves):
            angle[leaf] = math.pi * (0.5 - 2 * (i + 0.5) / len(leaves)) if len(leaves) > 1 else 0.0
        for joint in reversed(order):
            below = children.get(joint, [])
            if below:
                angle[joint] = sum(angle[c] for c in below) / len(below)
            radius = skeleton.depth[joint]
            places[joint] = radius * math.cos(angle[joint]), radius * math.sin(angle[joint])
        reach = max(1.0, *(skeleton.depth[joint] for joint in order))
        places[order] += (offset + reach, 0)
        offset += 2 * reach + 1
    return places


def _walk(root: int, children: dict[int, list[int]], leaves: list[int]) -> None:
    """Appends the leaves below ``root``, left to right, without recursion: a chain may be long."""
    stack = [root]
    while stack:
        joint = stack.pop()
        below = children.get(joint, [])
        if not below:
            leaves.append(joint)
        stack += reversed(below)
