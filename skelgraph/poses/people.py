"""One person out of the people that a file holds in each frame."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from skelgraph.poses import tracking
from skelgraph.poses.frames import check_points

EVERYONE = -2
"""In place of a person: who is there?"""
_BY = {True: "in the file's order", False: "by first appearance"}


class Person(NamedTuple):
    """A detected person: track id, where the file has ids, and joints [J, 3] as x px, y px, confidence."""

    track: int | None
    joints: NDArray[np.float64]


def track_id(value: object) -> int | None:
    """A track id as files give it; trackers write -1 for none."""
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


class SeveralError(ValueError):
    """A frame holds several people and none was asked for."""


class Present(Exception):
    """The answer of :func:`choose` to :data:`EVERYONE`: who there is.

    Args:
        ids: what ``person`` can be.
    """

    def __init__(self, ids: Sequence[int]) -> None:
        super().__init__(f"people {_listed(ids)}")
        self.ids = tuple(ids)


def choose(
    frames: Sequence[Sequence[Person]],
    num_joints: int,
    person: int | None,
    source: str,
    names: Sequence[str] = (),
    *,
    by_place: bool = False,
) -> NDArray[np.float64]:
    """Picks one person's joints from each frame.

    People are known by their track ids where every one has one; else, where frames hold several, they are followed
    from frame to frame (:func:`tracking.identities`) and count from 0 by first appearance, those of the first frame in
    the file's order.

    Args:
        frames: the people of each of F frames, in the file's order.
        person: who; None: there is only one; :data:`EVERYONE` asks who there is.
        names: what the file calls the people by place, for messages.
        by_place: without track ids, the place in each frame says who it is.

    Returns:
        [F, J, 3]; zeros in frames without the person.

    Raises:
        Present: if everyone is asked for.
        SeveralError: (a ValueError) if a frame has more than one person and none is asked for.
        ValueError: if the one asked for is not there, or there are too many frames or joints.
    """
    check_points(len(frames), num_joints, 1, source)
    tracks = sorted({p.track for people in frames for p in people if p.track is not None})
    tracked = bool(tracks) and all(p.track is not None for people in frames for p in people)
    most = max((len(people) for people in frames), default=0)
    if frames and most == 0:
        raise ValueError(f"{source}: no person in any of the {len(frames)} frames")
    who = _identities(frames, tracked, by_place or most < 2)
    there = tracks if tracked else sorted({number for numbers in who for number in numbers})
    if person == EVERYONE:
        raise Present(there)
    told = f"track ids {_listed(tracks)}" if tracked else f"people 0 to {len(there) - 1}, {_BY[by_place]}"
    if names:
        told = _listed([f"{place} ({name[:64]})" for place, name in enumerate(names)])
    if person is None and most > 1:
        first = next(f for f, people in enumerate(frames) if len(people) > 1)
        raise SeveralError(
            f"{source}: frame {first} holds {len(frames[first])} people; choose one with --person N ({told})"
        )
    if person is not None and person not in there:
        raise ValueError(f"{source}: there is no person {person}; --person can be one of {told}")
    picked = np.zeros((len(frames), num_joints, 3))
    for frame, (people, numbers) in enumerate(zip(frames, who, strict=True)):
        same = [p.joints for p, number in zip(people, numbers, strict=True) if person in (None, number)]
        if len(same) > 1:
            raise ValueError(f"{source}: frame {frame} holds track id {person} {len(same)} times")
        if same:
            picked[frame] = same[0]
    return picked


def _identities(frames: Sequence[Sequence[Person]], tracked: bool, by_place: bool) -> list[list[int]]:
    if tracked:
        return [[p.track for p in people if p.track is not None] for people in frames]
    if by_place:
        return [list(range(len(people))) for people in frames]
    return tracking.identities([[np.nan_to_num(p.joints.astype(np.float64)) for p in people] for people in frames])


def _listed(tracks: Sequence[int | str], most: int = 10) -> str:
    return ", ".join(map(str, tracks[:most])) + (" ..." if len(tracks) > most else "")
