"""Where to write names so that they hide neither each other nor the drawing."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

_ANGLES = 16
_DISTANCES = (0.9, 1.3, 1.9, 2.7, 3.8)  # of the text height, from the point to the near edge of the text


def place(
    points: NDArray[np.float64], names: Sequence[str], height: float, obstacles: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Centres of the names [N, 2] near their points [N, 2]; all in pixels.

    Greedy: crowded points first, each takes of its candidates around the point the one that overlaps least with names
    already placed and with the obstacles [M, 2], then the nearest that points away from its neighbours.
    """
    half = np.array([[0.31 * height * max(1, len(name)), 0.62 * height] for name in names]).reshape(-1, 2)
    apart = np.linalg.norm(points[:, None] - points[None], axis=-1)
    centres, boxes = np.zeros_like(points), np.zeros((0, 4))
    for i in np.argsort(np.sort(apart, axis=1)[:, :4].sum(1), kind="stable"):
        options = _candidates(points[i], half[i], height)
        cost = _cost(options, half[i], boxes, obstacles)
        away = points[i] - points[np.argsort(apart[i], kind="stable")[:6]].mean(0)
        outward = (options - points[i]) @ away / (np.linalg.norm(away) + 1e-9) / height
        cost += 0.4 * np.linalg.norm(options - points[i], axis=1) / height - 0.15 * outward
        centres[i] = options[cost.argmin()]
        boxes = np.concatenate([boxes, [[*(centres[i] - half[i]), *(centres[i] + half[i])]]])
    return centres


def _candidates(point: NDArray[np.float64], half: NDArray[np.float64], height: float) -> NDArray[np.float64]:
    angles = 2 * np.pi * np.arange(_ANGLES) / _ANGLES
    ways = np.stack([np.cos(angles), np.sin(angles)], -1)
    return np.concatenate([point + ways * (half * np.abs(ways) + height * d) for d in _DISTANCES])


def _cost(
    options: NDArray[np.float64], half: NDArray[np.float64], boxes: NDArray[np.float64], obstacles: NDArray[np.float64]
) -> NDArray[np.float64]:
    """20 for a name's area hidden by other names, 1 for each obstacle under it."""
    low, high = options - half, options + half
    shared = np.minimum(high[:, None], boxes[None, :, 2:]) - np.maximum(low[:, None], boxes[None, :, :2])
    overlap = np.clip(shared, 0, None).prod(-1).sum(1) / (4 * half.prod())
    hit = ((obstacles[None] > low[:, None] - 2) & (obstacles[None] < high[:, None] + 2)).all(-1).sum(1)
    return 20 * overlap + hit
