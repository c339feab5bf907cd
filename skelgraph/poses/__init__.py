"""3D poses and the files they are written to."""

from __future__ import annotations

from skelgraph.poses.pose import Pose3D

__all__ = ["Pose3D"]
