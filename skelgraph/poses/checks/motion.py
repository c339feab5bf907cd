"""Signs that frames do not follow one another as those of one moving person do."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from skelgraph.poses.checks.suspicion import HEAD, Suspicion, joint, length, median, metre
from skelgraph.poses.keypoints import Keypoints

_SIDED = ("shoulder", "elbow", "wrist", "hip", "knee", "ankle", "eye", "ear", "big_toe", "heel")
_BODY = frozenset((*HEAD, "hip", "neck", "thorax", *(f"{s}_{name}" for s in ("left", "right") for name in _SIDED)))
_LEGS = ("hip", "knee", "ankle", "big_toe", "heel")
_FEWEST_FRAMES, _STILL_SHARE, _STILL_M = 5, 0.9, 1e-4
_UNRELATED_M = 0.25
_FAR_M, _POINT_FAR_M, _POINT_SHARE = 0.5, 0.5, 0.005
_SWAP_GAIN, _SWAP_M, _SWAP_LEGS_M = 0.5, 0.05, 0.15


def frozen(keypoints: Keypoints) -> Suspicion | None:
    """The same pose in 90 % of at least 5 frames, to 0.1 mm of the person."""
    steps, px = _steps(keypoints), median(metre(keypoints))
    seen = np.isfinite(steps)
    judged = seen.any(axis=1)
    if keypoints.num_frames < _FEWEST_FRAMES or not judged.any():
        return None
    still = np.where(seen, steps, 0).max(axis=1)[judged] <= (_STILL_M * px if np.isfinite(px) else 0)
    if still.mean() < _STILL_SHARE:
        return None
    return Suspicion(
        "frozen",
        f"nothing moves from one frame to the next in {int(still.sum())} of {still.size}: is it a single picture, or "
        "did the detector stop?",
        False,
    )


def jumps(keypoints: Keypoints) -> Suspicion | None:
    """Half of the joints further than 0.5 m of the person from where they were, or 0.5 % of single joints for one frame
    as far from the middle between where they are before and after.

    Not judged where the frames have nothing to do with one another, the median step being above 0.25 m: single images.
    """
    middle = _middle(_steps(keypoints)) / median(metre(keypoints))
    whole = middle > _FAR_M
    if not np.isfinite(middle).any() or median(middle) > _UNRELATED_M:
        return None
    if whole.any():
        first = np.flatnonzero(whole)[0] + 1
        return Suspicion(
            "jumps",
            f"the person jumps by more than {_FAR_M:g} m {int(whole.sum())} times in {keypoints.num_frames} frames, "
            f"first to frame {first}: is it always the same one? Choose with person=N, or cut the clip there",
            False,
        )
    xy = _body(keypoints)
    off = length(xy[1:-1] - (xy[:-2] + xy[2:]) / 2) / median(metre(keypoints))
    single = off > _POINT_FAR_M
    if single.sum() < max(2, _POINT_SHARE * np.isfinite(off).sum()):
        return None
    return Suspicion(
        "jumps",
        f"joints are for one frame more than {_POINT_FAR_M:g} m of the person beside where they are before and after, "
        f"in {int(single.any(axis=1).sum())} of {keypoints.num_frames} frames ({int(single.sum())} points): give such "
        "points a lower confidence, 0 where they are wrong",
        False,
    )


def swaps(keypoints: Keypoints) -> Suspicion | None:
    """Steps after which joints are less than half as far from where those of the other side were.

    All joints that have sides, moving by 0.05 m of the person and more, or the legs by 0.15 m. Not judged for single
    images.
    """
    px = median(metre(keypoints))
    if not np.isfinite(px) or median(_middle(_steps(keypoints) / px)) > _UNRELATED_M:
        return None
    found = _swapped(keypoints, _SIDED) & (_kept(keypoints, _SIDED) > _SWAP_M * px)
    found |= _swapped(keypoints, _LEGS) & (_kept(keypoints, _LEGS) > _SWAP_LEGS_M * px)
    if not found.any():
        return None
    first = np.flatnonzero(found)[0] + 1
    return Suspicion(
        "sides jump",
        f"left and right trade places {int(found.sum())} times in {keypoints.num_frames} frames, first in frame "
        f"{first}: the detector mixed them up; trade them back in the frames between",
        False,
    )


def _swapped(keypoints: Keypoints, names: tuple[str, ...]) -> NDArray[np.bool_]:
    return _moved(keypoints, names, True) < _SWAP_GAIN * _kept(keypoints, names)


def _kept(keypoints: Keypoints, names: tuple[str, ...]) -> NDArray[np.float64]:
    return _moved(keypoints, names, False)


def _moved(keypoints: Keypoints, names: tuple[str, ...], across: bool) -> NDArray[np.float64]:
    """[F - 1] mean step in px of the joints of both sides, to their own or the other's place; NaN of none."""
    steps = []
    for name in names:
        left, right = joint(keypoints, f"left_{name}"), joint(keypoints, f"right_{name}")
        before = (right, left) if across else (left, right)
        steps.append(length(left[1:] - before[0][:-1]) + length(right[1:] - before[1][:-1]))
    total = np.stack(steps)
    count = np.isfinite(total).sum(axis=0)
    return np.where(count > 0, np.nan_to_num(total).sum(axis=0) / np.maximum(2 * count, 1), np.nan)


def _steps(keypoints: Keypoints) -> NDArray[np.float64]:
    """[F - 1, K] px from one frame to the next, NaN where a joint is missing in either."""
    return length(np.diff(_body(keypoints), axis=0))


def _body(keypoints: Keypoints) -> NDArray[np.float64]:
    """[F, K, 2] px of the joints of the body, of all where there are none; NaN where missing."""
    named = [i for i, name in enumerate(keypoints.joints) if name in _BODY]
    index = named or list(range(keypoints.num_joints))
    return np.where(keypoints.missing[:, index, None], np.nan, keypoints.xy[:, index].astype(np.float64))


def _middle(steps: NDArray[np.float64]) -> NDArray[np.float64]:
    """[F - 1] the median over the joints seen, NaN of none."""
    count = np.isfinite(steps).sum(axis=1)
    if not steps.size:
        return np.full(len(steps), np.nan)
    return np.take_along_axis(np.sort(steps, axis=1), np.maximum(count - 1, 0)[:, None] // 2, axis=1)[:, 0]


CHECKS = (frozen, jumps, swaps)
