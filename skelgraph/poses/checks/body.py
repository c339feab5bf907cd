"""Signs of a wrong joint order, of y up, and of swapped sides, by what bodies look like in an image."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from skelgraph.poses.checks.suspicion import BONES, FEET, HEAD, Suspicion, bones, joint, length, median, metre
from skelgraph.poses.keypoints import Keypoints
from skelgraph.skeleton import builtin

_MPII = (
    *("right_ankle", "right_knee", "right_hip", "left_hip", "left_knee", "left_ankle", "hip", "thorax", "neck", "head"),
    *("right_wrist", "right_elbow", "right_shoulder", "left_shoulder", "left_elbow", "left_wrist"),
)
_LIMBS = tuple(dict.fromkeys(name for a, b, _ in BONES for name in (a, b)))
_NECK_M = 0.25  # from between the shoulders to the middle of the head's joints
_LOOKED_AT = 200
_SCRAMBLED, _BETTER = 1.3, 0.06
_NOISE, _NOISE_FRAMES = 0.8, 32
_MOSTLY, _UPRIGHT_M, _TRUNK_M = 0.8, 0.4, 0.3
_WIDE_M = {"shoulder": 0.17, "hip": 0.12, "ear": 0.08, "eye": 0.045}
_CONFIDENT, _DOUBTFUL, _CLEARLY, _ASIDE_M, _FEWEST_SAYING = 0.6, 0.35, 0.3, 0.05, 3


def order(keypoints: Keypoints) -> Suspicion | None:
    """Bones of implausible length: another order of the joints.

    With lengths l of the bones in the image, their lengths m on a person, and d the mean distance of any two joints,
    the score is mean(l) / d + |l - s m| / |l|, s fitted: how far apart joints are that a bone joins, and how unlike a
    person's the proportions are. Right orders score 0.6 to 1.0, seldom above 1.2 (who lies along the line of sight),
    random ones 1.3 to 1.9. Sure if another known order of as many joints scores better by 0.06, or above 1.3; not if
    no two joints keep their distance from frame to frame: that is noise, of no person in any order. The median over up
    to 200 frames in which arms, legs and head are seen.
    """
    ours = _disorder(keypoints)
    if np.isnan(ours):
        return None
    others = {name: _disorder(_as(keypoints, names)) for name, names in _orders(keypoints).items()}
    best = min(others, key=lambda name: others[name], default="")
    if best and others[best] < ours - _BETTER and not _is_noise(keypoints):
        return Suspicion(
            "joint order",
            f"over {keypoints.num_frames} frames bones have lengths that no person has, and in the order of {best} "
            f"they would be plausible: these are the joints of {best}; name them so (array 'skeleton' in an npz)",
            True,
        )
    if ours > _SCRAMBLED:
        return Suspicion(
            "joint order",
            f"over {keypoints.num_frames} frames joints that a bone joins are {ours:.1f} times as far apart as they "
            "should be at most: the joints are in another order than their names",
            not _is_noise(keypoints),
        )
    return None


def _is_noise(keypoints: Keypoints) -> bool:
    """Whether the distances of two joints vary from frame to frame nearly as much as those of any two joints."""
    frames = np.linspace(0, keypoints.num_frames - 1, min(keypoints.num_frames, _NOISE_FRAMES)).astype(int)
    xy = np.where(keypoints.confidence[frames, :, None] > 0, keypoints.xy[frames], np.nan)
    first, second = np.triu_indices(xy.shape[1], 1)
    apart = length(xy[:, first] - xy[:, second])
    whole = apart[:, np.isfinite(apart).all(axis=0)]
    if len(frames) < 2 or whole.shape[1] < 2:
        return False
    return bool(whole.var(axis=0, ddof=1).mean() > _NOISE * whole.var(ddof=1))


def upside_down(keypoints: Keypoints) -> Suspicion | None:
    """Head below ankles in 80 % of the frames, in the median by more than 0.4 m of the person, and the shoulders below
    the hips by more than 0.3 m.

    Who lies, even with the feet up or the head towards a camera that looks down a little, or stands on the hands for a
    while, is not meant.
    """
    px = metre(keypoints)
    down = (joint(keypoints, *FEET) - joint(keypoints, *HEAD))[:, 1] / px
    judged = down[np.isfinite(down)]
    under = judged < 0
    if not judged.size or under.mean() < _MOSTLY or np.median(judged) > -_UPRIGHT_M:
        return None
    if not median(_trunk(keypoints) / px) < -_TRUNK_M:
        return None
    return Suspicion(
        "upside down",
        f"the head is below the ankles in {int(under.sum())} of {judged.size} frames: y points down in an image; turn "
        "it over (y = height - y) if yours points up or the image is flipped",
        True,
    )


def sides(keypoints: Keypoints) -> Suspicion | None:
    """The line from the right to the left hip runs against that of the shoulders, or the face's against it.

    Judged in frames where both are seen wide, at least 3 of a clip, and found if it is so in 80 % of them: nobody is
    turned by more than 120 degrees within the trunk. The face can be turned away and is only a warning.
    """
    across = _across(keypoints, "shoulder")
    for other, sure in (("hip", True), ("ear", False), ("eye", False)):
        cosine = _cosine(across, _across(keypoints, other))
        against, along = cosine < -0.5, cosine > 0.5
        judged = int((against | along).sum())
        if judged >= min(_FEWEST_SAYING, keypoints.num_frames) and against.sum() >= _MOSTLY * judged:
            return Suspicion(
                "sides disagree",
                f"in {int(against.sum())} of {judged} frames seen from the front or back, left and right {other} lie "
                "the other way round than left and right shoulder: left and right are swapped in a part of the joints; "
                "check their order",
                sure,
            )
    return None


def mirrored(keypoints: Keypoints) -> Suspicion | None:
    """Confidences of the face show another side of the head than its joints do: sides swapped, or a mirrored image.

    From points alone it cannot be known: what is seen of a person with left and right swapped is, but for perspective,
    what is seen of one reflected in the image plane, who is as possible; a mirrored person is that one turned about.
    So only detectors that are unsure of what they cannot see help. A frame says so if the face is seen (nose and eyes
    above 0.6) of someone who should be seen from behind, or not (below 0.35, an ear above 0.6) of someone who should
    be seen from the front, or if someone who looks left or right shows the ear of the other side (0.3 more). Found if
    it is so in 80 % of the frames that say anything, at least 3.
    """
    for_it, against = _votes(keypoints)
    if for_it < _FEWEST_SAYING or for_it < _MOSTLY * (for_it + against):
        return None
    return Suspicion(
        "mirrored",
        f"in {for_it} of {for_it + against} frames the detector is sure of a side of the head that should be hidden: "
        "is the video mirrored (a selfie), or are left and right swapped?",
        False,
    )


def _votes(keypoints: Keypoints) -> tuple[int, int]:
    """In how many frames confidences speak for a mirror, and in how many against."""
    names = ("nose", "left_eye", "right_eye", "left_ear", "right_ear")
    if not set(names) <= set(keypoints.joints) or not keypoints.num_frames:
        return 0, 0
    index = [keypoints.joints.index(name) for name in names]
    nose, left_eye, right_eye, left_ear, right_ear = keypoints.confidence[:, index].astype(np.float64).T
    px = metre(keypoints)
    upright = _trunk(keypoints)
    across = _across(keypoints, "shoulder")[:, 0] / px
    frontal = (np.abs(across) > _WIDE_M["shoulder"]) & (upright > _WIDE_M["shoulder"] * px)
    face = np.minimum(np.minimum(nose, left_eye), right_eye) > _CONFIDENT
    nape = (np.maximum(np.maximum(nose, left_eye), right_eye) < _DOUBTFUL) & (
        np.maximum(left_ear, right_ear) > _CONFIDENT
    )
    given = keypoints.confidence[:, index]
    given = given[given > 0]
    informative = given.size and np.ptp(given) > _CLEARLY  # where what is seen has 1 throughout, it says nothing
    front_wrong = frontal & ((face & (across < 0)) | (nape & (across > 0))) & informative
    front_right = frontal & ((face & (across > 0)) | (nape & (across < 0))) & informative
    looks = (joint(keypoints, "nose") - joint(keypoints, "left_ear", "right_ear"))[:, 0] / px
    # who looks to the image's left shows the left side
    shown = np.where(looks < 0, left_ear - right_ear, right_ear - left_ear)
    turned = (np.abs(looks) > _ASIDE_M) & (np.abs(shown) > _CLEARLY) & (upright > 0) & informative
    wrong = front_wrong.sum() + (turned & (shown < 0)).sum()
    return int(wrong), int(front_right.sum() + (turned & (shown > 0)).sum())


def _disorder(keypoints: Keypoints) -> float:
    head = joint(keypoints, *HEAD)
    limbs = np.stack([joint(keypoints, name) for name in _LIMBS], axis=1)
    points = np.concatenate([limbs, head[:, None]], axis=1)
    whole = np.flatnonzero(np.isfinite(points).all(axis=(1, 2)))
    if not whole.size:
        return float("nan")
    some = whole[np.linspace(0, whole.size - 1, min(whole.size, _LOOKED_AT)).astype(int)]
    neck = length(head - joint(keypoints, "left_shoulder", "right_shoulder"))
    lengths = np.concatenate([bones(keypoints), neck[:, None]], axis=1)[some]
    metres = np.array([*(m for *_, m in BONES), _NECK_M])
    apart = length(points[some, :, None] - points[some, None]).sum(axis=(1, 2)) / (13 * 12)
    fitted = (lengths @ metres / (metres @ metres))[:, None] * metres
    unlike = np.sqrt(((lengths - fitted) ** 2).sum(axis=1) / np.maximum((lengths**2).sum(axis=1), 1e-9))
    return median(lengths.mean(axis=1) / np.maximum(apart, 1e-9)) + median(unlike)


def _orders(keypoints: Keypoints) -> Mapping[str, tuple[str, ...]]:
    """Other orders of as many joints, by the name of their skeleton."""
    every = {name: getattr(builtin, name) for name in builtin.__all__}
    known = {name: each.joints for name, each in every.items() if hasattr(each, "joints")} | {"MPII": _MPII}
    return {
        name: names
        for name, names in known.items()
        if len(names) == keypoints.num_joints and names != keypoints.joints and set(_LIMBS) <= set(names)
    }


def _as(keypoints: Keypoints, names: tuple[str, ...]) -> Keypoints:
    few = slice(None, None, max(1, keypoints.num_frames // _LOOKED_AT))
    return Keypoints(keypoints.xy[few], keypoints.confidence[few], names)


def _trunk(keypoints: Keypoints) -> NDArray[np.float64]:
    """[F] px, how far the hips are below the shoulders in the image."""
    return (joint(keypoints, "left_hip", "right_hip") - joint(keypoints, "left_shoulder", "right_shoulder"))[:, 1]


def _across(keypoints: Keypoints, name: str) -> NDArray[np.float64]:
    """[F, 2] from the right to the left one, NaN where they are closer than a frontal view would show them."""
    line = joint(keypoints, f"left_{name}") - joint(keypoints, f"right_{name}")
    return np.where((length(line) > _WIDE_M[name] * metre(keypoints))[:, None], line, np.nan)


def _cosine(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.nan_to_num((a * b).sum(axis=-1) / np.maximum(length(a) * length(b), 1e-9))


CHECKS: tuple[Callable[[Keypoints], Suspicion | None], ...] = (upside_down, sides, mirrored)
