"""One person in metres, z up, out of the points of any rig."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from skelgraph.datasets.mocap.rig_names import ABOVE_EYES, JOINTS, PARENTS, RigMatch
from skelgraph.geometry.axes import z_up

UNITS = {"m": 1.0, "cm": 0.01, "mm": 0.001, "inch": 0.0254, "CMU (0.45 inch)^-1": 0.0254 / 0.45}
"""Metres of what a BVH may count in; the last is that of CMU's own files, whose numbers are inches times 0.45."""

_LEG_M = (0.55, 1.1)  # thigh and shin; narrow enough that no length is human in two units
_BONES_M = {"head": (0.04, 0.4), "l_toe": (0.04, 0.35), "r_toe": (0.04, 0.35)}
_LIMBS = tuple(JOINTS.index(f"{side}_{part}") for side in "lr" for part in ("knee", "ankle", "elbow", "wrist"))
_LIMB_JUMP, _TRUNK_JUMP = 0.15, 0.5  # shares of a bone's median length; shoulders and trunk are no rigid bones
_ABOVE = 5 / 3
_Array = NDArray[np.float64]


def joints(points: _Array, match: RigMatch) -> _Array:
    """The 19 joints [F, 19, 3] of a file's points [F, J, 3]; see
    :func:`skelgraph.datasets.mocap.motion_import.convert`."""
    found = np.empty((len(points), len(JOINTS), 3))
    for place, joint in enumerate(JOINTS):
        how, indices = match.sources[joint]
        parts = points[:, list(indices)]
        found[:, place] = _above_eyes(parts) if how == ABOVE_EYES else parts.mean(1)
    return found


def _above_eyes(parts: _Array) -> _Array:
    skull, left, right = parts.swapaxes(0, 1)
    eyes, across = (left + right) / 2 - skull, left - right
    across = across / np.maximum(np.linalg.norm(across, axis=1, keepdims=True), 1e-9)
    return skull + _ABOVE / np.sqrt(2) * (eyes + np.cross(eyes, across))


def _place(joints: _Array, name: str) -> _Array:
    return joints[:, JOINTS.index(name)]


def _leg(joints: _Array) -> float:
    """The median length of thigh and shin, of both sides' mean."""
    lengths = [
        np.linalg.norm(_place(joints, f"{side}_{a}") - _place(joints, f"{side}_{b}"), axis=1)
        for side in "lr"
        for a, b in (("hip", "knee"), ("knee", "ankle"))
    ]
    return float(np.median(np.sum(lengths, axis=0) / 2))


def unit(joints: _Array) -> tuple[str, float]:
    """The unit of joints [F, 19, 3] in which thigh and shin are as long as a person's, and its length in m.

    Raises:
        ValueError: if there is none.
    """
    leg = _leg(joints)
    for name, scale in UNITS.items():
        if _LEG_M[0] <= leg * scale <= _LEG_M[1]:
            return name, scale
    raise ValueError(f"thigh and shin are {leg:.4g} long, which is human in none of {', '.join(UNITS)}")


def upright(joints: _Array, up: str) -> tuple[_Array, str]:
    """The rotation [3, 3] that turns the axis that is up to z, and that axis.

    ``up`` is y, z or auto: where the neck is, seen from the ankles, in the median of the frames [F, 19, 3].
    """
    way = f"+{up}"
    if up == "auto":
        feet = (_place(joints, "l_ankle") + _place(joints, "r_ankle")) / 2
        standing = np.median(_place(joints, "neck") - feet, axis=0)
        axis = int(np.abs(standing).argmax())
        way = ("+" if standing[axis] > 0 else "-") + "xyz"[axis]
    return z_up(way.removeprefix("+")), way


def check_person(joints: _Array) -> None:
    """Refuses joints [F, 19, 3], m, z up, with bones that no person has or the left on the right.

    Raises:
        ValueError: telling the bone.
    """
    if not _LEG_M[0] <= _leg(joints) <= _LEG_M[1]:
        raise ValueError(f"thigh and shin are {_leg(joints):.3g} m long; expected {_LEG_M[0]} to {_LEG_M[1]} m")
    for name, (low, high) in _BONES_M.items():
        bone = _place(joints, name) - joints[:, PARENTS[JOINTS.index(name)]]
        length = float(np.median(np.linalg.norm(bone, axis=1)))
        if not low <= length <= high:
            raise ValueError(f"{name} is {length:.3g} m from the joint before it; expected {low} to {high} m")
    ahead = sum(_place(joints, f"{side}_toe") - _place(joints, f"{side}_ankle") for side in "lr")
    left = np.cross(_place(joints, "thorax") - _place(joints, "pelvis"), ahead)  # of the body: some lie
    if np.median(((_place(joints, "l_hip") - _place(joints, "r_hip")) * left).sum(1)) < 0:
        raise ValueError("the left hip is on the right: sides are swapped, or the axes are left-handed")


def glitches(joints: _Array, whole: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Frames [F] of joints [F, 19, 3], m, in which a bone is far off its median length over the ``whole`` frames, or a
    joint farther from the pelvis than the file can hold."""
    lengths = np.linalg.norm(joints[:, 1:] - joints[:, PARENTS[1:]], axis=-1)
    limits = np.full(len(JOINTS), _TRUNK_JUMP)
    limits[list(_LIMBS)] = _LIMB_JUMP
    usual = np.median(lengths[whole], axis=0)
    far = np.abs(joints - joints[:, :1]).max((1, 2)) * 10_000 > np.iinfo(np.int16).max
    jumps: NDArray[np.bool_] = (np.abs(lengths - usual) > limits[1:] * usual + 1e-3).any(1) | far
    return jumps
