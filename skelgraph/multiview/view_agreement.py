"""Whether several cameras' keypoints are of the same person at the same time: epipolar distances, frame by frame."""

from __future__ import annotations

import itertools
from typing import NamedTuple

import torch
from torch import Tensor

from skelgraph.geometry.cameras import Camera
from skelgraph.geometry.epipolar import epipolar_distance

_FEWEST_FRAMES, _MOST_FRAMES, _MOST_JOINTS = 20, 200, 25
_LEAST_SHIFT, _MOST_SHIFT, _STRETCHES = 3, 30, 3
_GAIN, _GAIN_OF_FEW = 1.3, 60
_LEAST_GAIN = 1.2e-3  # of the focal length: less does no harm
_MOST_TRIED, _CURE = 100, 3.0
_APART = 0.02  # of the focal length: 10 cm at 5 m


class Shift(NamedTuple):
    """Two views of which one is late.

    Args:
        view: the one that also disagrees with the others.
        other: the one that gains the most.
        frames: what ``other`` shows in frame t, ``view`` shows in frame t + ``frames``.
        before: median distance in px as the frames are, each joint's own bias left out.
        after: the same, shifted.
    """

    view: int
    other: int
    frames: int
    before: float
    after: float


class Disagreement(NamedTuple):
    """Two views, and the median distance of keypoints to the epipolar lines of the other's, px, as they are and, where
    they were exchanged, then."""

    view: int
    other: int
    before: float
    after: float = float("nan")


def find_shift(cameras: Camera, px: Tensor, seen: Tensor) -> Shift | None:
    """The view that fits the others clearly better some frames earlier or later.

    Every view is moved by up to 30 frames, or a quarter of the recording, against all others. A calibration that is
    a little off, or a detector that puts a joint elsewhere from behind, gives distances that stay the same over time:
    they speak for no shift, and each joint's median is taken off. A detector that swaps left and right for a while
    gains from a shift then, but not always: each third of the recording has to gain. One or two frames are tolerated,
    by which detectors that filter over time lag. Nothing is found of a person who stands still.

    Args:
        cameras: V of them.
        px: ``[V, T, J, 2]`` as filmed.
        seen: ``[V, T, J]``.

    Returns:
        None where the views fit best as they are, not clearly better otherwise, or there are fewer than 20 frames.
    """
    frames = px.shape[1]
    if frames < _FEWEST_FRAMES:
        return None
    most = min(_MOST_SHIFT, frames // 4)
    kept = torch.linspace(most, frames - 1 - most, min(_MOST_FRAMES, frames - 2 * most)).round().long().unique()
    joints = torch.linspace(0, px.shape[2] - 1, min(_MOST_JOINTS, px.shape[2])).round().long().unique()
    ideal = _undistorted(cameras, px[:, :, joints], seen[:, :, joints])
    off = {(a, b): _moved(cameras[a], ideal[a], cameras[b], ideal[b], kept, most) for a, b in _pairs(cameras)}
    enough = 1 + (_GAIN - 1) * max(1.0, (_GAIN_OF_FEW / len(kept)) ** 0.5)
    least = _LEAST_GAIN * _focal(cameras)
    found = []
    for view in range(len(cameras)):
        pairs = {a + b - view: each if b == view else each.flip(0) for (a, b), each in off.items() if view in (a, b)}
        together = torch.cat(list(pairs.values()), -1)
        curve = _median(together)
        best = int(curve.nan_to_num(torch.inf).argmin())
        before, after = curve[most].item(), curve[best].item()
        stretches = [_median(part[[most, best]]).diff().item() for part in together.chunk(_STRETCHES, 1)]
        if before > enough * after and before - after > least and max(stretches) < 0:
            gain = {other: _median(each[[most, best]]).diff().item() for other, each in pairs.items()}
            other = min(gain, key=lambda key: gain[key])
            found.append((before / max(after, least), Shift(view, other, best - most, before, after)))
    shift = max(found, key=lambda each: each[0])[1] if found else None
    return None if shift is None or abs(shift.frames) < _LEAST_SHIFT else shift


def find_exchange(cameras: Camera, px: Tensor, seen: Tensor) -> Disagreement | None:
    """Two views that disagree with the cameras they are said to be of, and agree with each other's.

    Args:
        cameras, px, seen: as of :func:`find_shift`.

    Returns:
        None where the median distance is below 2 % of the focal length, or no exchange makes it a third.
    """
    px, seen = _some(px, seen)
    before = _disagreement(cameras, _undistorted(cameras, px, seen))
    if not before > _APART * _focal(cameras):
        return None
    count = len(cameras)
    ideal = torch.stack([_undistorted(cameras[[v] * count], px, seen) for v in range(count)])  # each file by each lens
    tried = []
    for a, b in _pairs(cameras):
        order = [b if v == a else a if v == b else v for v in range(count)]
        tried.append(Disagreement(a, b, before, _disagreement(cameras, ideal[range(count), order])))
    best = min(tried, key=lambda each: each.after)
    return best if best.after < before / _CURE else None


def find_different_scenes(cameras: Camera, px: Tensor, seen: Tensor) -> Disagreement | None:
    """The two views that agree the least, where their median distance is above 2 % of the focal length."""
    px, seen = _some(px, seen)
    ideal = _undistorted(cameras, px, seen)
    found = []
    for a, b in _pairs(cameras):
        off = epipolar_distance(cameras[a], ideal[a], cameras[b], ideal[b]).abs().nanmedian().item()
        found.append((off / _focal(cameras[[a, b]]), Disagreement(a, b, off)))
    share, worst = max(found, key=lambda each: each[0] if each[0] == each[0] else 0.0)
    return worst if share > _APART else None


def _disagreement(cameras: Camera, ideal: Tensor) -> float:
    """The median distance of all pairs of views ``[V, T, J, 2]``, px."""
    off = [epipolar_distance(cameras[a], ideal[a], cameras[b], ideal[b]) for a, b in _pairs(cameras)]
    return float(torch.stack(off).abs().nanmedian())


def _some(px: Tensor, seen: Tensor) -> tuple[Tensor, Tensor]:
    kept = torch.linspace(0, px.shape[1] - 1, min(_MOST_TRIED, px.shape[1])).round().long().unique()
    return px[:, kept], seen[:, kept]


def _undistorted(cameras: Camera, px: Tensor, seen: Tensor) -> Tensor:
    return torch.where(seen[..., None], cameras.undistort(px.to(torch.float64)), torch.nan)


def _moved(camera: Camera, px: Tensor, other: Camera, other_px: Tensor, kept: Tensor, most: int) -> Tensor:
    """Distances [2 most + 1, T, J] px of the kept frames, ``other`` being -most to most frames later, without sign and
    each joint's median."""
    off = torch.stack([epipolar_distance(camera, px[kept], other, other_px[kept + k]) for k in range(-most, most + 1)])
    return (off - off.nanmedian(1, keepdim=True).values).abs().float()


def _median(off: Tensor) -> Tensor:
    """[K, T, J] -> [K]."""
    return off.flatten(1).nanmedian(1).values


def _pairs(cameras: Camera) -> list[tuple[int, int]]:
    return list(itertools.combinations(range(len(cameras)), 2))


def _focal(cameras: Camera) -> float:
    """The mean focal length, px."""
    return float(cameras.f.mean())
