"""Where bones point in the rest pose of a rig: a person in a T, palms down, facing z, y up, x to the left."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_UP, _DOWN, _OUT = (0, 1, 0), (0, -1, 0), (1, 0, 0)
_DIRECTIONS: dict[str, tuple[float, float, float]] = {
    **dict.fromkeys(("spine", "thorax", "neck", "head", "head_top"), _UP),
    **dict.fromkeys(("hip", "shoulder", "elbow", "wrist", "hand_0"), _OUT),
    **dict.fromkeys(("knee", "ankle"), _DOWN),
    **{"nose": (0, 0.9, 0.4), "eye": (0.6, 0.7, -0.4), "ear": (0.6, 0.2, -0.8)},
    **{"heel": (0, -0.6, -0.8), "big_toe": (0, -0.5, 0.9), "small_toe": (0.3, -0.5, 0.8), "foot_index": (0, -0.5, 0.9)},
    **{"thumb": (0.7, 0, 0.7), "index": (1, 0, 0.2), "pinky": (1, 0, -0.2)},
    **{f"hand_{1 + 4 * finger}": (1, 0, ahead) for finger, ahead in enumerate((0.9, 0.3, 0.1, -0.1, -0.3))},
    **{f"hand_{i}": (0.8, 0, 0.6) if i <= 4 else _OUT for i in range(2, 21) if i % 4 != 1},
}
"""From parent to joint, of the left side or the middle."""


def direction(joint: str) -> NDArray[np.float64] | None:
    """The unit vector [3] from a joint's parent to the joint in the rest pose; None where the name tells none."""
    side, _, rest = joint.partition("_")
    known = _DIRECTIONS.get(rest if side in ("left", "right") else joint)
    if known is None:
        return None
    vector = np.array(known, dtype=np.float64) * (-1 if side == "right" else 1, 1, 1)
    unit: NDArray[np.float64] = vector / np.linalg.norm(vector)
    return unit
