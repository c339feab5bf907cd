"""What lifting the file of one camera reports."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from skelgraph.lifting.weights import Choice
from skelgraph.motion.smoothing import Smoothed
from skelgraph.poses.joint_matching import Match
from skelgraph.poses.keypoints import Keypoints
from skelgraph.poses.pose3d import Pose3D


@dataclass(frozen=True, eq=False)
class LiftedPerson:
    """One person's pose, and what was missing and suspected.

    Args:
        keypoints: what was lifted, of the model's joints; ``person`` says who of the file it is.
        match: how the file's joints became the model's.
        warnings: what looks wrong but was gone on with.
        pose: F frames, with its root where a trajectory was asked for.
        focal: the focal length that was given, px.
        smoothed: what the filter over time did, where it was asked for.
    """

    keypoints: Keypoints
    match: Match
    warnings: tuple[str, ...]
    pose: Pose3D
    focal: float | None = None
    smoothed: Smoothed | None = None

    @property
    def name(self) -> str:
        return f"person {self.keypoints.person}"

    @property
    def points_missing(self) -> int:
        """Of the frames x joints of the model."""
        return int(self.keypoints.missing.sum())

    @property
    def frames_empty(self) -> int:
        """Frames without any point."""
        return int(self.keypoints.missing.all(axis=1).sum())

    @property
    def expected_mm(self) -> dict[str, float]:
        """The mean error expected of all joints (``all``) and of each part's; empty where it is not estimated."""
        error = self.pose.error_mm
        if error is None or not error.size:
            return {}
        skeleton = self.pose.skeleton
        parts = {name: float(error[:, list(joints)].mean()) for name, joints in skeleton.parts.items()}
        return {"all": float(error.mean()), **(parts if len(parts) > 1 else {})}

    def lines(self) -> list[str]:
        """What the summary says of this person."""
        missing = f"{self.points_missing} of {self.keypoints.missing.size}"
        found = [f"points missing: {missing}; frames without any: {self.frames_empty}"]
        found += [f"warning: {warning}" for warning in self.warnings]
        if self.smoothed is not None:
            found.append(str(self.smoothed))
        if self.pose.root is not None:
            low, high = self.pose.root[:, 2].min(), self.pose.root[:, 2].max()
            found.append(f"trajectory: an estimate, {low:.1f} to {high:.1f} m from the camera")
        if self.expected_mm:
            told = ", ".join(f"{name} {mm:.0f}" for name, mm in self.expected_mm.items())
            found.append(f"expected error, mm (an estimate): {told}")
        return found


@dataclass(frozen=True, eq=False)
class LiftSummary:
    """What was read, converted, missing, suspected and written.

    Args:
        source: the keypoint file.
        format: the format it was read as.
        everyone: how many people the file holds; 1 where one was asked for.
        people: who was lifted, at least one.
        problems: why others of the people asked for were not.
        weights: which of the package's were taken; None: others were given.
        model: name of the model.
        takes_focal: whether the model takes one.
        outputs: the files written.
        mpjpe_mm: error against the truth, mm; None without truth.
        seconds: time of lifting, without reading and drawing.
    """

    source: Path
    format: str
    everyone: int
    people: tuple[LiftedPerson, ...]
    problems: tuple[str, ...]
    weights: Choice | None
    model: str
    takes_focal: bool
    outputs: tuple[Path, ...]
    mpjpe_mm: float | None
    seconds: float

    @property
    def frames(self) -> int:
        return self.people[0].pose.num_frames

    def __str__(self) -> str:
        first, match = self.people[0], self.people[0].match
        lines = [f"read: {self.source} ({self.format}): {self.frames} frames of {len(match.source)} joints"]
        several = len(self.people) + len(self.problems) > 1
        if several:
            lines.append(f"people: {self.everyone}, lifted: {len(self.people)}")
        elif self.everyone > 1:
            lines.append(f"people: {self.everyone}, lifted: {first.name}, the largest in the picture")
            lines[-1] += "; choose with person=N or person='all'"
        if self.weights is not None:
            lines.append(f"weights: {self.weights.name} of the package: {self.weights.why}")
        lines += match.report().split("\n")
        for person in self.people:
            lines += [f"{person.name}: {line}" if several else line for line in person.lines()]
        lines += [f"not lifted: {problem}" for problem in self.problems]
        lines.append(f"lifted by {self.model} in {self.seconds:.1f} s{self._focal()}")
        if self.mpjpe_mm is not None:
            lines.append(f"MPJPE against the truth: {self.mpjpe_mm:.1f} mm")
        return "\n".join([*lines, *(f"written: {path}" for path in self.outputs)])

    def _focal(self) -> str:
        if not self.takes_focal:
            return ""
        focal = self.people[0].focal
        return ", focal length not known (focal= or fov=)" if focal is None else f", focal length {focal:.0f} px"
