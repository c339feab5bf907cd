"""BVH: a tree of fixed bones and rotations over time, which Blender, and Unity by way of it, animate characters with.

A BVH holds rotations, poses hold positions: rotations are fitted (:func:`skelgraph.io.poses.bvh_skeleton.fit`), and
positions
read back differ from the pose's as far as its bones change their length from frame to frame and its branches their
shape. **How a bone turns about itself cannot be known from positions**: it follows its parent, so forearms and hands
may be twisted otherwise than they were.

What becomes of a skeleton:

- Points of a part ``face`` beside other parts (COCO_WHOLEBODY) are no bones and are left out; body, feet, hands stay.
- A person without ``hip`` and ``thorax`` (COCO, COCO_WHOLEBODY, BLAZEPOSE, whose published trees are rooted at the nose
  and may hang the legs on the shoulders) gets both as joints: ``hip``, the middle of the hips, is the root and carries
  the hips and ``thorax``, the middle of the shoulders, which carries the shoulders and the nose with what hangs on it.
- On a person, the trunk on the pelvis and the neck and shoulders on the chest turn by themselves: each hangs on a joint
  of no length of its own (``lower_back``, ``neck_base``, ``left_collar``, ``right_collar``), as in CMU's files.
- Any other skeleton is written as the tree it is.

A person rests in a T. Blender: File, Import, Motion Capture (.bvh), as it is offered (-Z forward, Y up).
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from skelgraph.files import atomic
from skelgraph.files.new_file import new_file
from skelgraph.geometry import axes as presets
from skelgraph.geometry.rotations import to_euler_zxy
from skelgraph.io.poses import bvh_skeleton, output
from skelgraph.io.poses.bvh_skeleton import BvhSkeleton
from skelgraph.poses.pose3d import Pose3D

_PER_M = {"m": 1, "cm": 100}
_END, _NO_END = 0.5, 0.05  # an end site's share of the bone before it, and its length in m where that has none

ENDING = ".bvh"


def write(
    pose: Pose3D,
    path: str | Path,
    *,
    axes: str | None = None,
    unit: str = "m",
    force: bool = False,
) -> None:
    """Writes a pose: root with 6 channels, every other joint Zrotation Xrotation Yrotation in degrees, end sites.

    Args:
        pose: F frames, at least one, with frames per second, of one tree.
        path: a name that ends in .bvh.
        axes: default ``y_up``, or another right-handed preset of :mod:`skelgraph.geometry.axes`. ``blender`` and
            ``unity`` mean ``y_up`` too: it is what their importers take and turn to their own.
        unit: m or cm; the file does not say it.
        force: replace a file that is there.

    Raises:
        ValueError: for another ending, unknown axes or unit, a skeleton of several roots, no frames per second or no
            frames.
        OutputExistsError: if the file is there and ``force`` is not given.
        OSError: disk full, read-only folder; nothing is written then.
    """
    path = new_file(path, ".bvh", force)
    if unit not in _PER_M:
        raise ValueError(f"{path}: unit {unit!r}; expected m or cm")
    axes = "y_up" if axes in (None, "blender", "unity") else presets.get(axes).name
    fps = output.rate(pose, path)
    fitted = bvh_skeleton.fit(pose.skeleton, output.points(pose, axes), axes)
    degrees = torch.rad2deg(to_euler_zxy(torch.from_numpy(fitted.rotations))).numpy()
    angles = np.unwrap(degrees, period=360, axis=0)
    rows = np.concatenate([fitted.root * _PER_M[unit], angles.reshape(len(angles), -1)], axis=1).round(6) + 0.0  # no -0
    lines = ["HIERARCHY", *_hierarchy(fitted, _PER_M[unit])]
    lines += ["MOTION", f"Frames: {len(rows)}", f"Frame Time: {1 / fps:.9g}"]
    lines += [" ".join(f"{value:.6f}" for value in row) for row in rows.tolist()]
    atomic.write(path, "\n".join(lines) + "\n")


def _hierarchy(fitted: BvhSkeleton, scale: float) -> list[str]:
    """The joints' lines, without recursion: braces close down to each joint's depth."""
    depths: list[int] = []
    lines: list[str] = []

    def close(depth: int) -> None:
        for open_at in range(depths[-1] if depths else -1, depth - 1, -1):
            lines.append(f"{'  ' * open_at}}}")

    for joint, (name, parent) in enumerate(zip(fitted.tree.names, fitted.tree.parents, strict=True)):
        depth = 0 if parent < 0 else depths[parent] + 1
        close(depth)
        depths.append(depth)
        tab = "  " * depth
        lines += [f"{tab}{'JOINT' if depth else 'ROOT'} {name}", f"{tab}{{"]
        places = "" if depth else "Xposition Yposition Zposition "
        lines += [_offset(tab, fitted.offsets[joint] * scale)]
        lines += [f"{tab}  CHANNELS {3 if depth else 6} {places}Zrotation Xrotation Yrotation"]
        if not fitted.tree.children(joint):
            end = fitted.offsets[joint] * _END if fitted.offsets[joint].any() else np.array([0, _NO_END, 0])
            lines += [f"{tab}  End Site", f"{tab}  {{", _offset(f"{tab}  ", end * scale), f"{tab}  }}"]
    close(0)
    return lines


def _offset(tab: str, vector: NDArray[np.float64]) -> str:
    return f"{tab}  OFFSET " + " ".join(f"{value:.6f}" for value in (vector.round(6) + 0.0).tolist())
