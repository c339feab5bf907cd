"""Joints over time as motion files hold them: any names, any unit."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Motion(NamedTuple):
    """J joints or markers in F frames.

    Args:
        names: of the joints.
        parents: of the joints, -1 for a root; markers are all roots.
        positions: [F, J, 3] in ``unit``; NaN where one was not measured.
        fps: frames per second; 0 where the file does not say it.
        unit: m, cm or mm; "" where the file does not say it, as in BVH.
    """

    names: tuple[str, ...]
    parents: tuple[int, ...]
    positions: NDArray[np.float64]
    fps: float
    unit: str = ""
