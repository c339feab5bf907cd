"""Which frame something belongs to, by the number or name that the file gives it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from skelgraph.errors import FormatError

MAX_FRAMES, MAX_JOINTS, MAX_POINTS = 1_000_000, 2000, 1 << 27
_SPARSEST, _LONGEST_NAME = 10, 255
_NUMBERED = re.compile(r"(.*?)(\d{1,18})(\D*)", re.DOTALL)


def in_order(keys: Iterable[str | int], source: str) -> tuple[Mapping[str | int, int], int]:
    """Frame indices of the keys, and the number of frames.

    Keys of one numbered series (``7``, ``"walk_000007.jpg"``) go by their numbers. Numbers between the first and the
    last that are not there are frames without anybody, as detectors leave them out, if at least a tenth is there;
    else the keys are taken for single images, one after another. Keys of no one series keep their order.

    Raises:
        FormatError: for more than a million frames.
    """
    found = dict.fromkeys(keys)
    numbers = _numbers(found)
    order = {
        key: place for place, key in enumerate(found if numbers is None else sorted(found, key=numbers.__getitem__))
    }
    count = len(order)
    if numbers:
        first, last = min(numbers.values()), max(numbers.values())
        if last - first < _SPARSEST * count:
            order, count = {key: number - first for key, number in numbers.items()}, last - first + 1
    if count > MAX_FRAMES:
        raise FormatError(f"{source}: {count} frames; at most {MAX_FRAMES} are read at once")
    return order, count


def check_points(frames: int, joints: int, people: int, source: str) -> None:
    """Refuses tables too large to be held.

    Raises:
        FormatError: naming the sizes.
    """
    if frames > MAX_FRAMES:
        raise FormatError(f"{source}: {frames} frames; at most {MAX_FRAMES} are read at once")
    if joints > MAX_JOINTS:
        raise FormatError(f"{source}: {joints} joints; at most {MAX_JOINTS} are read")
    if frames * joints * people > MAX_POINTS:
        raise FormatError(
            f"{source}: {frames} frames of {people} people of {joints} joints are more than {MAX_POINTS} points; "
            "split the file"
        )


def _numbers(keys: Iterable[str | int]) -> dict[str | int, int] | None:
    """The keys' numbers, if they are one series and all different."""
    numbers: dict[str | int, int] = {}
    series = set()
    for key in keys:
        if isinstance(key, int):
            prefix, number, suffix = "", key, ""
        else:
            found = _NUMBERED.fullmatch(key) if len(key) <= _LONGEST_NAME else None
            if not found:
                return None
            prefix, number, suffix = found[1], int(found[2]), found[3]
        numbers[key] = number
        series.add((prefix, suffix))
    return numbers if len(series) <= 1 and len(set(numbers.values())) == len(numbers) else None
