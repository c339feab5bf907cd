"""A real recording by several cameras: keypoints of any format, one file per camera, and their calibration."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from skelgraph.errors import SuspiciousInputError
from skelgraph.geometry.cameras import Camera
from skelgraph.io import calibrations, keypoints
from skelgraph.multiview import view_agreement
from skelgraph.multiview.pairing import pair
from skelgraph.poses import joint_matching
from skelgraph.poses.adapt import adapt
from skelgraph.poses.keypoints import Keypoints
from skelgraph.skeleton import Skeleton, builtin

_OVERRIDE = "If it is right as it is: force=True"
_FPS_TOLERANCE = 1e-3


@dataclass(frozen=True, eq=False)
class Recording:
    """One person, T frames of J joints, seen by V calibrated cameras at once.

    Args:
        cameras: V of them.
        views: each camera's keypoints of the skeleton's joints.
        skeleton: of the joints.
        match: how the files' joints became the skeleton's.
        warnings: what looks wrong but was taken as it is; each names its file.
    """

    cameras: Camera
    views: tuple[Keypoints, ...]
    skeleton: Skeleton
    match: joint_matching.Match
    warnings: tuple[str, ...] = ()

    @property
    def keypoints(self) -> Tensor:
        """[V, T, J, 2] px as filmed; 0 where missing."""
        return torch.from_numpy(np.stack([view.xy for view in self.views]))

    @property
    def confidence(self) -> Tensor:
        """[V, T, J], 0 = missing."""
        return torch.from_numpy(np.stack([view.confidence for view in self.views]))

    @property
    def fps(self) -> float | None:
        return next((view.fps for view in self.views if view.fps is not None), None)

    @property
    def num_frames(self) -> int:
        return self.views[0].num_frames

    @classmethod
    def read(
        cls,
        files: Sequence[str | Path] | Mapping[str, str | Path],
        calibration: str | Path,
        skeleton: Skeleton | None = None,
        *,
        person: int | None = None,
        force: bool = False,
    ) -> Recording:
        """Reads keypoint files and a calibration.

        Args:
            files: one per camera, by the camera's name; or in any order, see :func:`skelgraph.multiview.pairing.pair`.
            calibration: see :func:`skelgraph.io.calibrations.read`; may hold more cameras.
            skeleton: as of :meth:`of`.
            person: which person of every file, see :func:`skelgraph.io.keypoints.read`.
            force: as of :meth:`of`.

        Raises:
            FileNotFoundError: if a file is not there.
            ValueError: naming the file or the two files that do not fit.
        """
        cameras = calibrations.read(calibration)
        given = [f"{name}={file}" for name, file in files.items()] if isinstance(files, Mapping) else files
        paired = pair(given, cameras, calibration)
        views = {name: keypoints.read(path, person=person) for name, path in paired.items()}
        return cls.of(views, cameras, skeleton, force=force)

    @classmethod
    def of(
        cls,
        views: Mapping[str, Keypoints],
        cameras: Mapping[str, Camera],
        skeleton: Skeleton | None = None,
        *,
        force: bool = False,
    ) -> Recording:
        """Puts keypoints and cameras together, and checks that they belong together.

        Args:
            views: at least two, by their cameras' names; of the same joints, as many frames each.
            cameras: by name; those without keypoints are left out.
            skeleton: its joints are found by name; default that of the keypoints, see :func:`skeleton_of`.
            force: only warn of what looks wrong.

        Raises:
            ValueError: naming the files, if they have no frames, differ in frames, frame rate or joints, hold the same
                keypoints, or an image is not of its camera's size.
            SuspiciousInputError: unless ``force`` is given, if two files look unsynchronised, as if their cameras were
                exchanged, or as if they showed different scenes.
        """
        if len(views) < 2:
            held = ", ".join(view.source for view in views.values()) or "none"
            raise ValueError(f"a point in space takes at least two cameras' keypoints, found {held}")
        _check_alike(list(views.values()))
        first = next(iter(views.values()))
        used = Camera.stack([cameras[name] for name in views])
        for camera, view in zip(used, views.values(), strict=True):
            _check_size(camera, view)
        skeleton = skeleton or skeleton_of(first)
        fitted = [
            adapt(view, skeleton, _size(camera), force=force) for camera, view in zip(used, views.values(), strict=True)
        ]
        warnings = [f"{each.keypoints.source}: {warning}" for each in fitted for warning in each.warnings]
        found = cls(used, tuple(each.keypoints for each in fitted), skeleton, fitted[0].match)
        wrong = _disagreement(found)
        if wrong and not force:
            raise SuspiciousInputError(f"{wrong}. {_OVERRIDE}")
        return dataclasses.replace(found, warnings=(*warnings, *([wrong] if wrong else [])))


def skeleton_of(view: Keypoints) -> Skeleton:
    """The skeleton of named keypoints: the built-in one of these joints, else the joints with the bones that they have
    in built-in ones, those that are there as a whole first (OpenPose's body with hands: BODY_25's, then
    COCO_WHOLEBODY's).

    Raises:
        ValueError: if the joints have no names.
    """
    if not view.joints:
        raise ValueError(
            f"{view.source}: does not name its {view.num_joints} joints (array 'joints' or 'skeleton' in an npz)"
        )
    joints = view.joints

    def unlike(each: Skeleton) -> tuple[bool, int, int]:
        return not {*each.joints} <= {*joints}, -len({*each.joints} & {*joints}), each.num_joints

    known = sorted(map(builtin.get, builtin.__all__), key=unlike)
    if {*known[0].joints} == {*joints}:
        return known[0]
    parents: dict[str, int] = {}
    for each in known:
        for joint in {*each.joints} & {*joints} - {*parents}:
            above = each.parents[each.index(joint)]
            while above >= 0 and each.joints[above] not in joints:
                above = each.parents[above]
            parents[joint] = joints.index(each.joints[above]) if above >= 0 else -1
    return Skeleton(f"{len(joints)}-joints", joints, [parents.get(joint, -1) for joint in joints])


def _check_alike(views: Sequence[Keypoints]) -> None:
    first = views[0]
    if not first.num_frames:
        raise ValueError(f"{first.source}: has no frames")
    for view in views[1:]:
        both = f"{first.source} and {view.source}"
        if view.num_frames != first.num_frames:
            raise ValueError(f"{both}: {first.num_frames} and {view.num_frames} frames; cut them to the same stretch")
        if view.joints != first.joints or view.num_joints != first.num_joints:
            other = sorted({*first.joints} ^ {*view.joints})[:5]
            difference = f", not in both: {', '.join(other)}" if other else ", in another order or without names"
            raise ValueError(f"{both}: other joints, {first.num_joints} and {view.num_joints}{difference}")
    for one, other_view in itertools.combinations(views, 2):
        both = f"{one.source} and {other_view.source}"
        a, b = one.fps, other_view.fps
        if a is not None and b is not None and abs(a - b) > _FPS_TOLERANCE * a:
            raise ValueError(f"{both}: {a:g} and {b:g} frames per second; several cameras must film at one rate")
        if one.xy.any() and np.array_equal(one.xy, other_view.xy):
            raise ValueError(f"{both}: hold the same keypoints, so one of them is not of its camera")


def _check_size(camera: Camera, view: Keypoints) -> None:
    size = view.image_size
    expected = _size(camera)
    if size is not None and size != expected:
        raise ValueError(
            f"{view.source}: its image is {size[0]:g}x{size[1]:g} px, that of camera {camera.name!r} in the "
            f"calibration {expected[0]:g}x{expected[1]:g}"
        )


def _size(camera: Camera) -> tuple[float, float]:
    width, height = camera.image_size.tolist()
    return width, height


def _disagreement(recording: Recording) -> str | None:
    """What speaks against two files being of their cameras at the same time."""
    seen = recording.confidence > 0
    given = recording.cameras, recording.keypoints, seen
    if not (seen.any(-1).sum(0) >= 2).any():
        return None
    names = [f"{view.source} ({name})" for name, view in zip(recording.cameras.names, recording.views, strict=True)]
    if exchanged := view_agreement.find_exchange(*given):
        return (
            f"{names[exchanged.view]} and {names[exchanged.other]} look exchanged: keypoints are "
            f"{exchanged.before:.0f} px off each other's epipolar lines (median), and "
            f"{exchanged.after:.0f} px with these two cameras exchanged"
        )
    if shift := view_agreement.find_shift(*given):
        late, early = (shift.view, shift.other) if shift.frames > 0 else (shift.other, shift.view)
        return (
            f"{names[late]} and {names[early]} look unsynchronised: the first is {abs(shift.frames)} frames late "
            f"(median epipolar error {shift.before:.1f} px, {shift.after:.1f} px without them); cut off its first "
            f"{abs(shift.frames)} frames, and as many at the other's end"
        )
    if different := view_agreement.find_different_scenes(*given):
        return (
            f"{names[different.view]} and {names[different.other]} do not show the same scene, or not by this "
            f"calibration: keypoints are {different.before:.0f} px off each other's epipolar lines (median)"
        )
    return None
