"""Human skeletons as graphs: 2D keypoints to 3D poses with graph networks."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from skelgraph.skeleton import Skeleton
from skelgraph.version import __version__

if TYPE_CHECKING:
    from skelgraph.lifting.lifter import Lifter

__all__ = ["Skeleton", "load", "__version__"]


def load(run: str | Path) -> Lifter:
    """Loads a trained lifter from a run folder or a checkpoint file, or one that comes with the package: ``body`` (17
    joints, HUMAN36M) or ``whole-body`` (133 joints, COCO_WHOLEBODY).

    Raises:
        FileNotFoundError: if there is no checkpoint there.
        ValueError: if the file is not one of ours or is damaged.
    """
    from skelgraph.lifting import lifter

    return lifter.load(run)
