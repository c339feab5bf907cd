"""What a check of keypoints says, and what the checks measure people by."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from skelgraph.poses.keypoints import Keypoints

HEAD = ("head", "head_top", "nose", "left_eye", "right_eye", "left_ear", "right_ear")
FEET = ("left_ankle", "right_ankle")
# lengths in m of a person of 1.75 m, after Drillis and Contini (1966); a hip is a joint, not the hip bone
BONES: tuple[tuple[str, str, float], ...] = (
    *(
        (f"{side}_{a}", f"{side}_{b}", metres)
        for side in ("left", "right")
        for a, b, metres in (
            ("shoulder", "elbow", 0.29),
            ("elbow", "wrist", 0.25),
            ("hip", "knee", 0.42),
            ("knee", "ankle", 0.41),
            ("shoulder", "hip", 0.50),
        )
    ),
    ("left_shoulder", "right_shoulder", 0.34),
    ("left_hip", "right_hip", 0.24),
)
_LEAST_BONES, _LONGEST = 6, (2, 3)


class Suspicion(NamedTuple):
    """Something that looks wrong.

    Args:
        kind: one word or two, the same for every file.
        message: what was seen, in how many frames, and what to do.
        sure: the result would be nonsense: an error unless it is overridden; else a warning.
    """

    kind: str
    message: str
    sure: bool


def joint(keypoints: Keypoints, *names: str) -> NDArray[np.float64]:
    """[F, 2] px, the mean of those of the joints that are seen; NaN in frames without any."""
    index = [keypoints.joints.index(name) for name in names if name in keypoints.joints]
    weight = (keypoints.confidence[:, index] > 0).astype(np.float64)[..., None]
    count = weight.sum(axis=1)
    return np.where(count > 0, (keypoints.xy[:, index] * weight).sum(axis=1) / np.maximum(count, 1), np.nan)


def length(vector: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.hypot(vector[..., 0], vector[..., 1])


def bones(keypoints: Keypoints) -> NDArray[np.float64]:
    """[F, B] lengths in px of :data:`BONES`, NaN where an end is not seen."""
    ends = {name: joint(keypoints, name) for name in {end for a, b, _ in BONES for end in (a, b)}}
    return np.stack([length(ends[a] - ends[b]) for a, b, _ in BONES], axis=1)


def metre(keypoints: Keypoints) -> NDArray[np.float64]:
    """[F] px to a metre of the person: the mean of the third and fourth largest quotient of a bone's length in px and
    in m, as bones that point at the camera look short; NaN with fewer than 6 bones seen."""
    share = bones(keypoints) / [metres for *_, metres in BONES]
    seen = np.isfinite(share).sum(axis=1) >= _LEAST_BONES
    falling = -np.sort(-np.nan_to_num(share), axis=1)
    return np.where(seen & (falling[:, 3] > 0), falling[:, list(_LONGEST)].mean(axis=1), np.nan)


def median(values: NDArray[np.float64]) -> float:
    """Of the finite ones; NaN of none."""
    finite = values[np.isfinite(values)]
    return float(np.median(finite)) if finite.size else float("nan")
