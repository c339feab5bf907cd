"""One person out of the people that a file holds in each frame."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from skelgraph.keypoints.frames import check_points


class Person(NamedTuple):
    """A detected person: track id, where the file has ids, and joints [J, 3] as x px, y px, confidence."""

    track: int | None
    joints: NDArray[np.float64]


def track_id(value: object) -> int | None:
    """A track id as files give it; trackers write -1 for none."""
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def choose(
    frames: Sequence[Sequence[Person]],
    num_joints: int,
    person: int | None,
    source: str,
    names: Sequence[str] = (),
) -> NDArray[np.float64]:
    """Picks one person's joints from each frame.

    Args:
        frames: the people of each of F frames, in the file's order.
        person: the track id where every person has one, else the place in each frame, from 0; None: there is only one.
        names: what the file calls the people by place, for messages.

    Returns:
        [F, J, 3]; zeros in frames without the person.

    Raises:
        ValueError: if a frame has more than one person and none is asked for, the one asked for is not there, or there
            are too many frames or joints.
    """
    check_points(len(frames), num_joints, 1, source)
    tracks = sorted({p.track for people in frames for p in people if p.track is not None})
    tracked = bool(tracks) and all(p.track is not None for people in frames for p in people)
    most = max((len(people) for people in frames), default=0)
    if frames and most == 0:
        raise ValueError(f"{source}: no person in any of the {len(frames)} frames")
    there = f"track ids {_listed(tracks)}" if tracked else f"people 0 to {most - 1} of a frame, in the file's order"
    if names:
        there = _listed([f"{place} ({name[:64]})" for place, name in enumerate(names)])
    if person is None and most > 1:
        first = next(f for f, people in enumerate(frames) if len(people) > 1)
        raise ValueError(
            f"{source}: frame {first} holds {len(frames[first])} people; choose one with --person N ({there})"
        )
    if person is not None and (person not in tracks if tracked else not 0 <= person < most):
        raise ValueError(f"{source}: there is no person {person}; --person can be one of {there}")
    picked = np.zeros((len(frames), num_joints, 3))
    for frame, people in enumerate(frames):
        if tracked and person is not None:
            same = [p.joints for p in people if p.track == person]
            if len(same) > 1:
                raise ValueError(f"{source}: frame {frame} holds track id {person} {len(same)} times")
        else:
            place = person or 0
            same = [p.joints for p in people[place : place + 1]]
        if same:
            picked[frame] = same[0]
    return picked


def _listed(tracks: Sequence[int | str], most: int = 10) -> str:
    return ", ".join(map(str, tracks[:most])) + (" ..." if len(tracks) > most else "")
