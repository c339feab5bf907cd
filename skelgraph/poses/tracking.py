"""Who is who from frame to frame, where a file does not say it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

_GATE, _LONGER, _WIDEST = 0.5, 0.05, 1.0  # in sizes of the person: at once, more a frame missed, at most
_FORGOTTEN = 30
_TRUST = 0.4


@dataclass
class _Track:
    """A person so far: joints last seen [J, 3], the frame of it, and how many px it moves a frame [2]."""

    joints: NDArray[np.float64]
    frame: int
    moves: NDArray[np.float64] = field(default_factory=lambda: np.zeros(2))
    steps: int = 0

    def at(self, frame: int) -> NDArray[np.float64]:
        """[J, 3] where the joints should be."""
        there = self.joints.copy()
        there[:, :2] += self.moves * (frame - self.frame)
        return there

    def follow(self, joints: NDArray[np.float64], frame: int) -> None:
        both = (self.joints[:, 2] > 0) & (joints[:, 2] > 0)
        if both.any():
            new = (joints[both, :2] - self.joints[both, :2]).mean(axis=0) / (frame - self.frame)
            self.moves = new if not self.steps else self.moves + _TRUST * (new - self.moves)
            self.steps += 1
        self.joints, self.frame = joints, frame


def identities(frames: Sequence[Sequence[NDArray[np.float64]]]) -> list[list[int]]:
    """A number for each detection, the same for one person; numbers count people by first appearance.

    Every person is expected to move on as in the last frames (a smoothed velocity of the whole body). The distance
    between a person and a detection is the mean distance of the joints that both have, in sizes of the person (the
    diagonal of its box); the nearest pair is joined first, then the nearest of those left, within 0.5, and 0.05 more
    for each frame missed, up to 1. What is left is a new person; nobody comes back after 30 frames.

    Args:
        frames: for each frame the people in it, [J, 3] as x px, y px, confidence.
    """
    tracks: list[_Track] = []
    numbers: list[list[int]] = []
    for frame, found in enumerate(frames):
        live = [t for t, track in enumerate(tracks) if frame - track.frame <= _FORGOTTEN]
        number = [-1] * len(found)
        for t, d in _joined([tracks[t] for t in live], found, frame):
            number[d] = live[t]
            tracks[live[t]].follow(found[d], frame)
        for d, joints in enumerate(found):
            if number[d] < 0:
                number[d] = len(tracks)
                tracks.append(_Track(joints, frame))
        numbers.append(number)
    return numbers


def _joined(tracks: Sequence[_Track], found: Sequence[NDArray[np.float64]], frame: int) -> list[tuple[int, int]]:
    """Pairs of a track and a detection, the nearest first."""
    if not tracks or not found:
        return []
    expected, there = np.stack([track.at(frame) for track in tracks]), np.stack(found)
    gate = np.minimum(_GATE + _LONGER * np.array([frame - track.frame - 1 for track in tracks]), _WIDEST)
    far = _distance(expected, there) / gate[:, None]
    pairs: list[tuple[int, int]] = []
    for place in np.argsort(far, axis=None, kind="stable"):
        t, d = divmod(int(place), len(found))
        if not far[t, d] <= 1:
            break
        if all(t != a and d != b for a, b in pairs):
            pairs.append((t, d))
    return pairs


def _distance(tracks: NDArray[np.float64], found: NDArray[np.float64]) -> NDArray[np.float64]:
    """[T, D] mean distance of the joints in common in sizes of the person; infinite without any."""
    both = (tracks[:, None, :, 2] > 0) & (found[None, :, :, 2] > 0)
    off = np.where(both[..., None], tracks[:, None, :, :2] - found[None, :, :, :2], 0)
    mean = np.hypot(off[..., 0], off[..., 1]).sum(axis=-1) / np.maximum(both.sum(axis=-1), 1)
    size = np.maximum(_size(tracks)[:, None], _size(found))
    return np.where(both.any(axis=-1), mean / np.maximum(size, 1e-9), np.inf)


def _size(people: NDArray[np.float64]) -> NDArray[np.float64]:
    """[P] px, the diagonal of the box around the joints seen."""
    seen = people[..., 2:] > 0
    low = np.where(seen, people[..., :2], np.inf).min(axis=1)
    high = np.where(seen, people[..., :2], -np.inf).max(axis=1)
    return np.where(seen.any(axis=(1, 2)), np.hypot(*np.where(high > low, high - low, 0).T), 0)
