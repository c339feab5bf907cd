"""Keypoints of one skeleton as those of another, matched by joint name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from skelgraph.files.messages import shortened
from skelgraph.skeleton import Skeleton, builtin

RULES: Mapping[str, tuple[tuple[str, ...], ...]] = MappingProxyType(
    {
        "hip": (("left_hip", "right_hip"),),
        "thorax": (("left_shoulder", "right_shoulder"),),
        "spine": (("hip", "thorax"),),
        "neck": (("nose",),),
        "head": (("left_eye", "right_eye"), ("left_ear", "right_ear")),
        "mid_head": (("left_ear", "right_ear"), ("left_eye", "right_eye")),
        "left_wrist": (("left_hand_0",),),
        "right_wrist": (("right_hand_0",),),
        "left_hand_0": (("left_wrist",),),
        "right_hand_0": (("right_wrist",),),
        "left_big_toe": (("left_foot_index",),),
        "right_big_toe": (("right_foot_index",),),
        "left_hand_2": (("left_thumb",),),
        "right_hand_2": (("right_thumb",),),
        "left_hand_5": (("left_index",),),
        "right_hand_5": (("right_index",),),
        "left_hand_17": (("left_pinky",),),
        "right_hand_17": (("right_pinky",),),
        "face_36": (("right_eye_outer",),),
        "face_39": (("right_eye_inner",),),
        "face_42": (("left_eye_inner",),),
        "face_45": (("left_eye_outer",),),
        "face_48": (("right_mouth",),),
        "face_54": (("left_mouth",),),
    }
)
"""Where a joint comes from that the source lacks: the mean of the first group of joints that can all be had, themselves
by a rule if need be. The rules for the trunk and the head are MMPose's for COCO to Human3.6M (``inference_3d.py``).
Those from ``left_big_toe`` on give BlazePose's points the places that they have in COCO-WholeBody: the tip of the foot
is the big toe; ``thumb``, ``index`` and ``pinky`` are knuckles (2, 5 and 17 of a hand); the corners of the eyes and the
mouth are iBUG's, left and right being the person's. Source: MediaPipe, Pose landmark model, figure of the landmarks.

Two words mean different joints in different skeletons. A ``neck`` without a ``thorax`` beside it (OpenPose, Halpe,
MPI-INF-3DHP) lies between the shoulders and is taken for the thorax; beside a ``thorax`` (Human3.6M) it is the joint
under the head. Beside a ``head_top`` (MPI-INF-3DHP) ``head`` is the middle of the head (here ``mid_head``) and
``head_top`` what is called ``head`` elsewhere.
"""


@dataclass(frozen=True)
class Match:
    """What each joint of a skeleton is made of.

    Args:
        skeleton: the target, J joints.
        source: names of the S joints that there are.
        weights: for each of the J joints its source joints and their weights, (index, weight) pairs; none: missing.
    """

    skeleton: Skeleton
    source: tuple[str, ...]
    weights: tuple[tuple[tuple[int, float], ...], ...]

    @property
    def copied(self) -> tuple[str, ...]:
        """Target joints that the source has under the same name (or its word for the same joint)."""
        return tuple(joint for i, joint in enumerate(self.skeleton.joints) if self._is_copied(i))

    @property
    def averaged(self) -> dict[str, tuple[str, ...]]:
        """Target joints made of other joints, and of which."""
        return {
            joint: tuple(self.source[s] for s, _ in parts)
            for i, (joint, parts) in enumerate(zip(self.skeleton.joints, self.weights, strict=True))
            if parts and not self._is_copied(i)
        }

    @property
    def missing(self) -> tuple[str, ...]:
        """Target joints that cannot be had from the source."""
        return tuple(joint for joint, parts in zip(self.skeleton.joints, self.weights, strict=True) if not parts)

    @property
    def unused(self) -> tuple[str, ...]:
        """Source joints that no target joint needs."""
        used = {s for parts in self.weights for s, _ in parts}
        return tuple(joint for s, joint in enumerate(self.source) if s not in used)

    def __call__(
        self, xy: NDArray[np.floating], confidence: NDArray[np.floating]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Converts keypoints.

        Args:
            xy: [..., S, 2] px.
            confidence: [..., S], 0 = missing.

        Returns:
            xy [..., J, 2] and confidence [..., J]: the least of the joints averaged, 0 (at 0, 0) where one is missing.
        """
        if xy.shape[-2:] != (len(self.source), 2) or confidence.shape != xy.shape[:-1]:
            expected = f"[..., {len(self.source)}, 2] and [..., {len(self.source)}]"
            raise ValueError(f"keypoints {list(xy.shape)} and confidence {list(confidence.shape)}: expected {expected}")
        to_xy = np.zeros((*xy.shape[:-2], self.skeleton.num_joints, 2), dtype=np.float32)
        to_confidence = np.zeros(to_xy.shape[:-1], dtype=np.float32)
        alone = [(joint, parts[0][0]) for joint, parts in enumerate(self.weights) if len(parts) == 1]
        target, source = np.array(alone, dtype=np.int64).reshape(-1, 2).T
        to_confidence[..., target], to_xy[..., target, :] = confidence[..., source], xy[..., source, :]
        for joint, parts in enumerate(self.weights):
            if len(parts) > 1:
                index = [s for s, _ in parts]
                weight = np.array([w for _, w in parts])
                to_confidence[..., joint] = confidence[..., index].min(axis=-1)
                to_xy[..., joint, :] = (xy[..., index, :] * weight[:, None]).sum(axis=-2)
        to_xy[to_confidence == 0] = 0
        return to_xy, to_confidence

    def report(self) -> str:
        """Which joints were copied, averaged or missing, in up to three lines."""
        lines = [f"copied: {len(self.copied)} of {self.skeleton.num_joints} joints of {self.skeleton.name}"]
        if self.averaged:
            made = [f"{joint} ({' + '.join(of)})" for joint, of in self.averaged.items()]
            lines.append(f"averaged: {shortened(made)}")
        if self.missing:
            lines.append(f"missing, masked: {shortened(self.missing)}")
        return "\n".join(lines)

    def _is_copied(self, joint: int) -> bool:
        parts = self.weights[joint]
        return len(parts) == 1 and _meaning(self.source)[parts[0][0]] == _meaning(self.skeleton.joints)[joint]


def match(source_joints: Sequence[str], skeleton: Skeleton) -> Match:
    """Finds each joint of a skeleton among named joints: copied, else averaged by :data:`RULES`, else missing.

    Raises:
        ValueError: if a name is duplicated.
    """
    source = tuple(source_joints)
    twice = sorted({joint for joint in source if source.count(joint) > 1})
    if twice:
        raise ValueError(f"the keypoints have duplicated joints: {', '.join(map(repr, twice))}")
    known = {joint: i for i, joint in enumerate(_meaning(source))}
    found = (_resolve(joint, known, frozenset()) for joint in _meaning(skeleton.joints))
    return Match(skeleton, source, tuple(tuple(sorted(parts.items())) for parts in found))


def closest(count: int) -> str:
    """The built-in skeletons with the number of joints nearest to ``count``, in words."""
    known = [(name, getattr(builtin, name)) for name in builtin.__all__]
    sizes = {name: value.num_joints for name, value in known if isinstance(value, Skeleton)}
    nearest = min(abs(size - count) for size in sizes.values())
    return ", ".join(f"{name} ({size})" for name, size in sizes.items() if abs(size - count) == nearest)


def _resolve(joint: str, known: Mapping[str, int], above: frozenset[str]) -> dict[int, float]:
    if joint in known:
        return {known[joint]: 1.0}
    for group in RULES.get(joint, ()) if joint not in above else ():
        parts = [_resolve(name, known, above | {joint}) for name in group]
        if all(parts):
            total: dict[int, float] = {}
            for part in parts:
                for source, weight in part.items():
                    total[source] = total.get(source, 0.0) + weight / len(group)
            return total
    return {}


def _meaning(joints: Sequence[str]) -> tuple[str, ...]:
    other = {} if "thorax" in joints else {"neck": "thorax"}
    if "head_top" in joints:
        other |= {"head_top": "head", "head": "mid_head"}
    return tuple(other.get(joint, joint) for joint in joints)
