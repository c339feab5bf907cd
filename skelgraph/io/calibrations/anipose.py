"""Anipose's ``calibration.toml`` (aniposelib, FreeMoCap): Pose2Sim's layout, in the unit of the calibration board: mm.

The file does not name its unit: a board given in other units than mm needs ``unit=``.
"""

from __future__ import annotations

from typing import Any

from skelgraph.io.calibrations import pose2sim

NAME = "anipose"
UNIT = "mm"
read = pose2sim.read


def matches(content: dict[str, Any]) -> bool:
    return pose2sim.holds_cameras(content)
