"""Where the axes of other programs and of worlds point, and poses from one to the other; the unit is the metre.

A preset's ``facing`` is where a person looks who looks into the camera; all but ``camera`` lay the axis that their
program calls forward there. The camera is taken to be level: what is up in the picture is up in the world.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skelgraph.files.messages import nearest

_Vector = tuple[int, int, int]


@dataclass(frozen=True)
class Axes:
    """Three axes, given as vectors of the camera's frame (x right, y down, z forward).

    Args:
        name: of the preset.
        words: where x, y and z point.
        rows: the axes x, y, z, each as a vector of the camera's frame.
    """

    name: str
    words: str
    rows: tuple[_Vector, _Vector, _Vector]

    @property
    def matrix(self) -> NDArray[np.float64]:
        """M [3, 3] in x_here = M x_camera; orthogonal, det M = -1 if left-handed."""
        return np.array(self.rows, dtype=np.float64)

    @property
    def up(self) -> NDArray[np.float64]:
        """The vector [3] that points up."""
        return self.matrix @ (0, -1, 0)

    @property
    def facing(self) -> NDArray[np.float64]:
        """The vector [3] along which a person looks who looks into the camera."""
        return self.matrix @ (0, 0, -1)


_ALL = (
    Axes("camera", "x right, y down, z forward, of the camera; right-handed", ((1, 0, 0), (0, 1, 0), (0, 0, 1))),
    Axes("blender", "z up, -y forward; right-handed", ((1, 0, 0), (0, 0, 1), (0, -1, 0))),
    Axes("unity", "y up, z forward, x to the person's right; left-handed", ((-1, 0, 0), (0, -1, 0), (0, 0, -1))),
    Axes("opensim", "x forward, y up, z to the person's right; right-handed", ((0, 0, -1), (0, -1, 0), (-1, 0, 0))),
    Axes("y_up", "y up, z forward, x to the person's left; right-handed", ((1, 0, 0), (0, -1, 0), (0, 0, -1))),
)
PRESETS = MappingProxyType({axes.name: axes for axes in _ALL})
"""``camera``: ours. ``blender``: Blender's world, whose front view shows who looks along -y. ``unity``: Unity's world;
its left-handedness mirrors the numbers, not the person: shown by a program with right-handed axes they look mirrored.
``opensim``: OpenSim's ground. ``y_up``: that of BVH files, glTF and OpenGL."""


LEVEL: Mapping[str, tuple[_Vector, _Vector, _Vector]] = MappingProxyType(
    {
        "x": ((0, 1, 0), (-1, 0, 0), (0, 0, 1)),
        "y": ((1, 0, 0), (0, -1, 0), (0, 0, -1)),
        "z": ((1, 0, 0), (0, 0, -1), (0, 1, 0)),
        "-x": ((0, -1, 0), (1, 0, 0), (0, 0, 1)),
        "-y": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
        "-z": ((1, 0, 0), (0, 0, 1), (0, -1, 0)),
    }
)
"""By the axis of a world that points up: the rows of the turn by right angles after which y points down, as in a camera
that is held level."""


def y_down(up: str) -> NDArray[np.float64]:
    """The turn [3, 3] of :data:`LEVEL` for a world in which ``up`` points up."""
    return np.array(LEVEL[up], dtype=np.float64)


def z_up(up: str) -> NDArray[np.float64]:
    """The turn [3, 3] by right angles of a world in which ``up`` points up to one in which z does."""
    return PRESETS["blender"].matrix @ y_down(up)


def up_vector(up: str) -> NDArray[np.float64]:
    """The unit vector [3] of the axis that points up."""
    return y_down(up).T @ (0, -1, 0)


def level_view(R: ArrayLike, up: str) -> NDArray[np.float64]:
    """The turn [3, 3] of a world in which ``up`` points up to x right, y down, z forward of a camera held level.

    Args:
        R: [3, 3] world to camera, of the camera as it is; of one that looks straight up or down, what is up in its
            picture lies ahead.
        up: a key of :data:`LEVEL`.
    """
    rotation, down = np.asarray(R, dtype=np.float64), -up_vector(up)
    forward = rotation[2] - (rotation[2] @ down) * down
    if np.linalg.norm(forward) < 1e-3:
        forward = -rotation[1] + (rotation[1] @ down) * down
    forward = forward / np.linalg.norm(forward)
    return np.stack([np.cross(down, forward), down, forward])


def get(name: str) -> Axes:
    """The preset of a name.

    Raises:
        ValueError: if there is none; the message gives the nearest name.
    """
    if name not in PRESETS:
        raise ValueError(f"unknown axes {name!r}{nearest(name, PRESETS)}")
    return PRESETS[name]


def convert(points: ArrayLike, source: str, target: str) -> NDArray[np.float64]:
    """Points [..., 3] of one preset's axes in another's: x_t = M_t M_s^T x_s.

    Raises:
        ValueError: for an unknown preset, or points that are not [..., 3].
    """
    values = np.asarray(points, dtype=np.float64)
    if values.ndim < 1 or values.shape[-1] != 3:
        raise ValueError(f"points are {list(values.shape)}; expected [..., 3]")
    return values @ (get(target).matrix @ get(source).matrix.T).T


def from_camera(points: ArrayLike, target: str) -> NDArray[np.float64]:
    """As :func:`convert`, from the axes of :class:`skelgraph.poses.pose3d.Pose3D`."""
    return convert(points, "camera", target)


def to_camera(points: ArrayLike, source: str) -> NDArray[np.float64]:
    """As :func:`convert`, to the axes of :class:`skelgraph.poses.pose3d.Pose3D`."""
    return convert(points, source, "camera")
