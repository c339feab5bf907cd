"""A pose as BVH holds it: joints with fixed bones, and the rotations that bring them nearest to the positions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from skelgraph.geometry import axes as presets
from skelgraph.geometry.alignment import nearest_rotation
from skelgraph.io.poses import rest_pose
from skelgraph.skeleton import Skeleton

_Array = NDArray[np.float64]
_PERSON = {"left_hip", "right_hip", "left_shoulder", "right_shoulder"}
_PIVOTS = {
    **{"spine": "lower_back", "thorax": "lower_back", "neck": "neck_base", "head": "neck_base", "nose": "neck_base"},
    **{f"{side}_shoulder": f"{side}_collar" for side in ("left", "right")},
}
_PIVOT_WEIGHT = 0.01


class Tree(NamedTuple):
    """K joints, parents first, depth first.

    Args:
        names: of the joints.
        parents: -1 for the root, which is the first.
        sources: the skeleton's joints whose mean each joint is.
        pivots: joints that lie on their parent, so that their only child can turn on its own.
    """

    names: tuple[str, ...]
    parents: tuple[int, ...]
    sources: tuple[tuple[int, ...], ...]
    pivots: frozenset[int]

    def children(self, joint: int) -> list[int]:
        return [i for i, parent in enumerate(self.parents) if parent == joint]


@dataclass(frozen=True, eq=False)
class BvhSkeleton:
    """Fixed offsets [K, 3] from the parent at rest, the root's places [F, 3] and rotations [F, K, 3, 3] relative to the
    parent's: x_j = x_p + G_p o_j, G_j = G_p R_j."""

    tree: Tree
    offsets: _Array
    root: _Array
    rotations: _Array

    def positions(self) -> _Array:
        """Forward kinematics: [F, K, 3] in the unit of the offsets."""
        places, turns = np.zeros(self.rotations.shape[:3]), np.zeros(self.rotations.shape)
        for joint, parent in enumerate(self.tree.parents):
            if parent < 0:
                places[:, joint], turns[:, joint] = self.root, self.rotations[:, joint]
            else:
                places[:, joint] = places[:, parent] + turns[:, parent] @ self.offsets[joint]
                turns[:, joint] = turns[:, parent] @ self.rotations[:, joint]
        return places


def tree_of(skeleton: Skeleton) -> Tree:
    """The joints of a BVH for a skeleton; see :mod:`skelgraph.io.poses.formats.bvh` for what is changed.

    Raises:
        ValueError: if the skeleton has several roots; names them.
    """
    kept = [*range(skeleton.num_joints)]
    if "face" in skeleton.parts and len(skeleton.parts) > 1:
        kept = [i for i in kept if i not in skeleton.parts["face"]]
    bones = skeleton.subset(kept)
    if len(bones.roots) > 1:
        roots = ", ".join(bones.joints[i] for i in bones.roots[:5])
        raise ValueError(f"skeleton {skeleton.name!r} has the roots {roots}; a BVH needs one tree")
    parent_of = {joint: bones.joints[p] if p >= 0 else "" for joint, p in zip(bones.joints, bones.parents, strict=True)}
    sources: dict[str, tuple[int, ...]] = {joint: (kept[i],) for i, joint in enumerate(bones.joints)}
    pivots: set[str] = set()
    if set(bones.joints) >= _PERSON:
        if "hip" not in parent_of and "thorax" not in parent_of:
            _root_at_hips(parent_of, sources)
        pivots = _add_pivots(parent_of, sources)
    return _ordered(parent_of, sources, pivots)


def _root_at_hips(parent_of: dict[str, str], sources: dict[str, tuple[int, ...]]) -> None:
    """Adds ``hip`` and ``thorax``, the middles of hips and shoulders, and hangs these and the old root on them."""
    root = next(joint for joint, parent in parent_of.items() if not parent)
    parent_of[root] = "thorax"
    for middle, pair in (("hip", "hip"), ("thorax", "shoulder")):
        sources[middle] = tuple(sources[f"{side}_{pair}"][0] for side in ("left", "right"))
        parent_of |= {f"{side}_{pair}": middle for side in ("left", "right")}
    parent_of |= {"hip": "", "thorax": "hip"}


def _add_pivots(parent_of: dict[str, str], sources: dict[str, tuple[int, ...]]) -> set[str]:
    pivots: set[str] = set()
    above = list(parent_of.values())
    for joint, parent in list(parent_of.items()):
        name = (
            "lower_back" if parent and not parent_of[parent] and joint in ("neck", "head") else _PIVOTS.get(joint, "")
        )
        if name and parent and name not in parent_of and above.count(parent) > 1:
            parent_of |= {name: parent, joint: name}
            sources[name] = sources[parent]
            pivots.add(name)
    return pivots


def _ordered(parent_of: dict[str, str], sources: dict[str, tuple[int, ...]], pivots: set[str]) -> Tree:
    below: dict[str, list[str]] = {joint: [] for joint in ("", *parent_of)}
    for joint, parent in parent_of.items():
        below[parent].append(joint)
    order: list[str] = []
    waiting = below[""]
    while waiting:
        order.append(waiting.pop())
        waiting.extend(reversed(below[order[-1]]))
    index = {joint: i for i, joint in enumerate(order)} | {"": -1}
    return Tree(
        tuple(order),
        tuple(index[parent_of[joint]] for joint in order),
        tuple(sources[joint] for joint in order),
        frozenset(index[joint] for joint in pivots),
    )


def fit(skeleton: Skeleton, joints: _Array, axes: str) -> BvhSkeleton:
    """Fits bones and rotations to positions.

    Bones get their median length over frames. A joint's rotation, relative to its parent's, is
    min_R sum_c w_c |v_c - R o_c|^2 over its children (Kabsch 1976), of all the best the smallest: with one child the
    shortest that turns the bone at rest to the bone seen. At rest, siblings stand as in the mean of all frames, and the
    body as :mod:`skelgraph.io.poses.rest_pose` says; joints it does not name stand as in the first frame.

    Args:
        skeleton: J joints.
        joints: [F, J, 3] in m, F > 0.
        axes: the right-handed preset they are in.

    Raises:
        ValueError: if the skeleton has several roots.
    """
    tree = tree_of(skeleton)
    places = np.stack([joints[:, list(sources)].mean(axis=1) for sources in tree.sources], axis=1)
    offsets = np.zeros((len(tree.names), 3))
    rotations = np.broadcast_to(np.eye(3), (*places.shape, 3)).copy()
    turns = rotations.copy()
    for joint, parent in enumerate(tree.parents):
        targets, weights = _targets(tree, joint)
        if parent >= 0:
            turns[:, joint] = turns[:, parent]
        if not targets:
            continue
        bones = _of_median_length(places[:, targets] - places[:, [joint]])
        if joint not in tree.pivots:
            offsets[targets] = _at_rest([tree.names[i] for i in targets], bones, weights, axes)
        seen = bones @ turns[:, joint]  # v R is R^T v: into the parent's frame
        rotations[:, joint] = _nearest_rotation(offsets[targets], seen, weights)
        turns[:, joint] = turns[:, joint] @ rotations[:, joint]
    return BvhSkeleton(tree, offsets, places[:, 0], rotations)


def _nearest_rotation(rest: _Array, seen: _Array, weights: _Array) -> _Array:
    rotation: _Array = nearest_rotation(*map(torch.from_numpy, (rest, seen, weights))).numpy()
    return rotation


def _targets(tree: Tree, joint: int) -> tuple[list[int], _Array]:
    """The joints whose places turn a joint, and their weights: its children, and those behind a pivot a little."""
    children = tree.children(joint)
    targets = [tree.children(child)[0] if child in tree.pivots else child for child in children]
    return targets, np.array([_PIVOT_WEIGHT if child in tree.pivots else 1.0 for child in children])


def _of_median_length(vectors: _Array) -> _Array:
    """Vectors [F, N, 3] with the median length over frames, 0 where they have none."""
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return vectors / np.where(lengths > 0, lengths, 1) * np.median(lengths, axis=0)


def _at_rest(names: list[str], bones: _Array, weights: _Array, axes: str) -> _Array:
    """The bones [F, N, 3] of a joint at rest, [N, 3]."""
    lengths = np.median(np.linalg.norm(bones, axis=-1), axis=0)[:, None]
    first = bones[0]
    shape = np.einsum("fji,fnj->ni", _nearest_rotation(first, bones, weights), bones)  # all turned onto the first
    norms = np.linalg.norm(shape, axis=-1, keepdims=True)
    shape = np.where(norms > 0, shape / np.where(norms > 0, norms, 1), first) * lengths
    known = [rest_pose.direction(name) for name in names]
    given = np.array([direction is not None for direction in known])
    if not given.any():
        return shape
    target = np.array([np.zeros(3) if direction is None else direction for direction in known])
    target = presets.convert(target, "y_up", axes) * lengths
    turned: _Array = shape @ _nearest_rotation(shape, target, weights * given).T
    return turned
