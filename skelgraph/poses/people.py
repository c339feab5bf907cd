"""Everybody in a file, read once, and the keypoints of whoever is chosen."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skelgraph.errors import FormatError, SeveralPeopleError
from skelgraph.files.messages import shortened
from skelgraph.poses import tracking
from skelgraph.poses.frames import check_points
from skelgraph.poses.keypoints import Keypoints

IdSource = Literal["track ids", "order", "first appearance"]


class Detection(NamedTuple):
    """A person in one frame: track id, where the file has ids, and joints [J, 3] as x, y, confidence."""

    track: int | None
    joints: NDArray[np.float64]


def track_id(value: object) -> int | None:
    """A track id as files give it; trackers write -1 for none."""
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


@dataclass(frozen=True, eq=False)
class People:
    """N detections in F frames, and who each of them is.

    ``people.choose(3)`` gives one person's keypoints, ``people.everybody()`` those of all.

    Args:
        points: [N, J, 3] x, y, confidence, frame by frame.
        frame: [N] the frame of each.
        person: [N] the id of each.
        num_frames: F.
        ids: of the people there are, rising.
        ids_from: what the ids are: the file's track ids; the place of people in each frame, in the file's order; or
            numbers by first appearance, given by following people from frame to frame (:mod:`tracking`).
        names: what the file calls the people, by place.
        joints, image_size, fps, source, format, normalised: as of :class:`Keypoints`.

    Raises:
        FormatError: if there are frames, but nobody in any of them.
    """

    points: NDArray[np.float64]
    frame: NDArray[np.int64]
    person: NDArray[np.int64]
    num_frames: int
    ids: tuple[int, ...]
    ids_from: IdSource = "order"
    names: tuple[str, ...] = ()
    joints: tuple[str, ...] = ()
    image_size: tuple[float, float] | None = None
    fps: float | None = None
    source: str = "keypoints"
    format: str = ""
    normalised: bool = False

    def __post_init__(self) -> None:
        if self.num_frames and not len(self.points):
            raise FormatError(f"{self.source}: no person in any of the {self.num_frames} frames")

    @classmethod
    def of(cls, frames: Sequence[Sequence[Detection]], joints: Sequence[str], *, source: str, **more: Any) -> People:
        """People by their track ids where every detection has one; else, where frames hold several, they are followed
        from frame to frame and count from 0 by first appearance, those of the first frame in the file's order.

        Args:
            frames: the detections of each of F frames, in the file's order.
            joints: names of the J joints.
            more: image_size, fps, normalised.

        Raises:
            FormatError: if nobody is there, or there are too many frames or joints.
        """
        check_points(len(frames), len(joints), 1, source)
        detections = [each for people in frames for each in people]
        tracks = [each.track for each in detections if each.track is not None]
        counts = [len(people) for people in frames]
        ids_from: IdSource = "first appearance"
        if tracks and len(tracks) == len(detections):
            ids_from, person = "track ids", tracks
        elif max(counts, default=0) < 2:
            person = [0] * len(detections)
        else:
            known = [[np.nan_to_num(each.joints.astype(np.float64)) for each in people] for people in frames]
            person = [number for numbers in tracking.identities(known) for number in numbers]
        points = np.array([each.joints for each in detections], dtype=np.float64)
        return cls(
            points=points.reshape(len(detections), len(joints), 3),
            frame=np.repeat(np.arange(len(frames)), counts),
            person=np.array(person, dtype=np.int64),
            num_frames=len(frames),
            ids=tuple(sorted(set(person))),
            ids_from=ids_from,
            joints=tuple(joints),
            source=source,
            **more,
        )

    @classmethod
    def by_place(cls, points: NDArray[np.float64], joints: Sequence[str] = (), *, source: str, **more: Any) -> People:
        """People whose place in each frame says who they are.

        Args:
            points: [F, P, J, 3] x, y, confidence of P people.
            joints: J names; empty where they are not known.
            more: names, image_size, fps, normalised.

        Raises:
            FormatError: if there are too many frames, people or joints, or frames but no people.
        """
        frames, count, num_joints = points.shape[:3]
        check_points(frames, num_joints, count, source)
        return cls(
            points=points.reshape(frames * count, num_joints, 3),
            frame=np.repeat(np.arange(frames), count),
            person=np.tile(np.arange(count), frames),
            num_frames=frames,
            ids=tuple(range(count)),
            joints=tuple(joints),
            source=source,
            **more,
        )

    @property
    def crowded(self) -> NDArray[np.int64]:
        """The frames that hold more than one person."""
        return np.flatnonzero(np.bincount(self.frame, minlength=self.num_frames) > 1)

    def choose(self, person: int | Literal["largest"] | None = None) -> Keypoints:
        """One person's keypoints over all frames, missing where that person is not there.

        Args:
            person: an id; ``largest``, the one who is the largest in the picture, height and width in all frames added
                up; None: there is only one, whatever the ids say. ``largest`` means that too where no frame holds
                several.

        Raises:
            SeveralPeopleError: if a frame holds several people and none is chosen.
            ValueError: if the one chosen is not there.
            FormatError: if a frame holds the one chosen more than once.
        """
        crowded = self.crowded
        if person == "largest":
            if crowded.size:
                return max(self.everybody(), key=_size)
            person = None
        if person is None and crowded.size:
            count = int((self.frame == crowded[0]).sum())
            raise SeveralPeopleError(
                f"{self.source}: frame {crowded[0]} holds {count} people; choose one with person=N ({self.describe()})"
            )
        if person is not None and person not in self.ids:
            raise ValueError(f"{self.source}: there is no person {person}; there are {self.describe()}")
        chosen = np.ones(len(self.frame), dtype=bool) if person is None else self.person == person
        times = np.bincount(self.frame[chosen], minlength=self.num_frames)
        if times.max(initial=0) > 1:
            frame = int(times.argmax())
            raise FormatError(f"{self.source}: frame {frame} holds track id {person} {times[frame]} times")
        joints = np.zeros((self.num_frames, *self.points.shape[1:]))
        joints[self.frame[chosen]] = self.points[chosen]
        found = Keypoints.of(
            joints,
            self.joints,
            image_size=self.image_size,
            fps=self.fps,
            source=self.source,
            normalised=self.normalised,
        )
        found = dataclasses.replace(found, format=self.format, person=person)
        return found if self.image_size is None else found.in_pixels()

    def everybody(self) -> list[Keypoints]:
        """Each person's keypoints, by :attr:`ids`."""
        return [self.choose(person) for person in self.ids]

    def describe(self) -> str:
        """Who there is, in words."""
        if self.names:
            return shortened([f"{place} ({name[:64]})" for place, name in enumerate(self.names)], 10)
        if self.ids_from == "track ids":
            return f"track ids {shortened(self.ids, 10)}"
        if len(self.ids) == 1:
            return f"person {self.ids[0]} only"
        by = "in the file's order" if self.ids_from == "order" else "by first appearance"
        return f"people 0 to {len(self.ids) - 1}, {by}"


def _size(person: Keypoints) -> float:
    """The height and the width that a person takes in the picture, added up over the frames."""
    visible = ~person.missing[..., None]
    low = person.xy.min(axis=1, where=visible, initial=math.inf)
    high = person.xy.max(axis=1, where=visible, initial=-math.inf)
    return float((high - low)[visible.any(axis=(1, 2))].sum())
