"""Reads BVH files of any making, by forward kinematics."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from skelgraph.errors import FormatError
from skelgraph.files import text_file
from skelgraph.geometry.rotations import about
from skelgraph.poses.motion import Motion

ENDING = ".bvh"
MAX_JOINTS, MAX_DEPTH, MAX_FRAMES, MAX_POINTS = 1000, 256, 1_000_000, 20_000_000
_Array = NDArray[np.float64]
_Lines = Iterator[tuple[int, str]]


@dataclass
class _Joint:
    name: str
    parent: int
    is_end: bool
    offset: _Array | None = None
    channels: list[str] = field(default_factory=list)


def read(path: str | Path, *, end_sites: bool = False) -> Motion:
    """Reads a BVH by forward kinematics: x_j = x_p + G_p o_j, G_j = G_p R_j, R_j the product of its channels in order.

    Joints may have any channels in any order, and files several roots. A position channel stands for that component of
    the offset, as in Blender.

    Args:
        path: the file.
        end_sites: give end sites too, each as ``PARENT_end``.

    Raises:
        FileNotFoundError: if there is no such file.
        FormatError: naming the file and the line, for anything that does not fit, or more than ``MAX_JOINTS`` joints,
            ``MAX_DEPTH`` levels, ``MAX_FRAMES`` frames or ``MAX_POINTS`` joints times frames.
    """
    path = Path(path)
    lines = ((number, line.strip()) for number, line in enumerate(text_file.lines(path), 1) if line.strip())
    joints = _hierarchy(path, lines)
    frames, time = _times(path, lines)
    if frames * len(joints) > MAX_POINTS:
        raise FormatError(f"{path}: {frames} frames of {len(joints)} joints; at most {MAX_POINTS} places are read")
    values = _rows(path, lines, frames, sum(len(joint.channels) for joint in joints))
    with np.errstate(over="ignore", invalid="ignore"):
        positions = _positions(joints, values)
    if not np.isfinite(positions).all():
        raise FormatError(f"{path}: holds numbers too large to be places")
    kept = [i for i, joint in enumerate(joints) if end_sites or not joint.is_end]
    new = {old: i for i, old in enumerate(kept)} | {-1: -1}
    names, parents = (joints[i].name for i in kept), (new[joints[i].parent] for i in kept)
    return Motion(tuple(names), tuple(parents), positions[:, kept], 1 / time)


def _hierarchy(path: Path, lines: _Lines) -> list[_Joint]:
    """The joints, parents first, up to the line MOTION."""
    number, line = next(lines, (1, ""))
    if line.upper() != "HIERARCHY":
        raise FormatError(f"{path}, line {number}: expected HIERARCHY, found {line[:40]!r}")
    joints: list[_Joint] = []
    stack: list[int] = []
    announced = False  # a joint whose brace has not opened yet
    for number, line in lines:
        where = f"{path}, line {number}"
        if line.upper() == "MOTION":
            if stack or announced or not joints:
                raise FormatError(f"{where}: MOTION before the hierarchy is closed")
            return joints
        words = line.split()
        opens = words[-1] == "{"
        words = words[:-1] if opens else words
        if announced and (words or not opens):
            raise FormatError(f"{where}: expected {{, found {line[:40]!r}")
        if words == ["}"] and stack and not opens:
            if joints[stack[-1]].offset is None:
                raise FormatError(f"{where}: {joints[stack[-1]].name} has no OFFSET")
            stack.pop()
        elif words and words[0].upper() in ("ROOT", "JOINT", "END"):
            joints.append(_joint(where, words, joints, stack))
            announced = True
        elif words and not opens and stack:
            _field(where, words, joints[stack[-1]])
        elif words or not announced:
            raise FormatError(f"{where}: found {line[:40]!r} outside of any joint")
        if opens:
            stack.append(len(joints) - 1)
            announced = False
    raise FormatError(f"{path}, line {number}: the file ends before MOTION")


def _joint(where: str, words: list[str], joints: list[_Joint], stack: list[int]) -> _Joint:
    kind, parent = words[0].upper(), stack[-1] if stack else -1
    above = joints[parent] if stack else None
    if (kind == "ROOT") != (above is None) or (above is not None and above.is_end) or len(words) < 2:
        raise FormatError(f"{where}: {' '.join(words)[:40]!r} cannot stand here")
    is_end = kind == "END"
    count = 1 + sum(joint.is_end == is_end for joint in joints)
    if count > MAX_JOINTS or len(stack) >= MAX_DEPTH:
        raise FormatError(f"{where}: more than {MAX_JOINTS} joints or end sites, or {MAX_DEPTH} levels")
    name = f"{above.name}_end" if is_end and above is not None else " ".join(words[1:])
    return _Joint(name, parent, is_end)


def _field(where: str, words: list[str], joint: _Joint) -> None:
    kind = words[0].upper()
    if kind == "OFFSET" and joint.offset is None:
        joint.offset = _numbers(where, words[1:], 3)
    elif kind == "CHANNELS" and not joint.is_end and not joint.channels:
        channels = [word.lower() for word in words[2:]]
        known = all(re.fullmatch("[xyz](position|rotation)", channel) for channel in channels)
        if words[1:2] != [str(len(channels))] or not known or len(set(channels)) < len(channels):
            raise FormatError(f"{where}: {' '.join(words)[:80]!r}; expected a number and that many different channels")
        joint.channels = channels
    else:
        raise FormatError(f"{where}: {' '.join(words)[:40]!r} is unknown or is duplicated in {joint.name[:64]}")


def _times(path: Path, lines: _Lines) -> tuple[int, float]:
    """The number of frames and the time between two, s."""
    found = []
    for pattern in (r"frames\s*:\s*(\d{1,9})", r"frame\s+time\s*:\s*(\S+)"):
        number, line = next(lines, (0, ""))
        match = re.fullmatch(pattern, line, re.IGNORECASE | re.ASCII)
        if match is None:
            where = f"{path}, line {number or 'last'}"
            raise FormatError(f"{where}: found {line[:40]!r}; expected Frames: N, Frame Time: T")
        found.append((number, match[1]))
    (first, frames), (second, time) = found
    if int(frames) > MAX_FRAMES:
        raise FormatError(f"{path}, line {first}: {frames} frames; at most {MAX_FRAMES} are read")
    seconds = float(_numbers(f"{path}, line {second}", [time], 1)[0])
    if not 1e-6 < seconds < 1e6:
        raise FormatError(f"{path}, line {second}: Frame Time {time[:20]}; expected seconds above 0")
    return int(frames), seconds


def _rows(path: Path, lines: _Lines, frames: int, channels: int) -> _Array:
    rows = list(lines) if channels else []
    if len(rows) != (frames if channels else 0):
        raise FormatError(f"{path}: Frames: {frames}, found {len(rows)} lines of motion")
    values = np.empty((frames, channels))
    for index, (number, line) in enumerate(rows):
        values[index] = _numbers(f"{path}, line {number}", line.split(), channels)
    return values


def _numbers(where: str, words: list[str], count: int) -> _Array:
    if len(words) != count:
        raise FormatError(f"{where}: {len(words)} numbers; expected {count}")
    try:
        numbers = np.array([float(word) for word in words])
    except ValueError as error:
        raise FormatError(f"{where}: {str(error)[:80]}") from None
    if not np.isfinite(numbers).all():
        raise FormatError(f"{where}: holds a number that is not finite")
    return numbers


def _positions(joints: list[_Joint], values: _Array) -> _Array:
    places = np.zeros((len(values), len(joints), 3))
    turns: dict[int, _Array] = {-1: np.broadcast_to(np.eye(3), (len(values), 3, 3))}
    column = 0
    for index, joint in enumerate(joints):
        offset = np.broadcast_to(np.zeros(3) if joint.offset is None else joint.offset, (len(values), 3)).copy()
        turn = turns[joint.parent]
        for channel in joint.channels:
            axis = "xyz".index(channel[0])
            if channel.endswith("position"):
                offset[:, axis] = values[:, column]
            else:
                turn = turn @ about(axis, torch.from_numpy(np.deg2rad(values[:, column]))).numpy()
            column += 1
        above = places[:, joint.parent] if joint.parent >= 0 else 0
        places[:, index] = above + np.einsum("fij,fj->fi", turns[joint.parent], offset)
        if not joint.is_end:
            turns[index] = turn
    return places
