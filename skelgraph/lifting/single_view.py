"""Lifting files: keypoints in, numbers, pictures and a page out."""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Literal

import torch

from skelgraph.geometry import axes
from skelgraph.io import keypoints, poses
from skelgraph.lifting import lifter, output_files, weights
from skelgraph.lifting.lifter import Lifter, Progress
from skelgraph.lifting.summary import LiftedPerson, LiftSummary
from skelgraph.motion import smoothing, trajectory
from skelgraph.nn import metrics
from skelgraph.poses.adapt import Adapted, adapt
from skelgraph.poses.keypoints import Keypoints
from skelgraph.poses.pose3d import Pose3D
from skelgraph.skeleton.bones import center_on
from skelgraph.training.plugins import Plugins


@dataclasses.dataclass(frozen=True)
class _Options:
    """What a person is lifted with and written as, see :func:`lift`; checked before anything is read."""

    focal: float | None
    fov: float | None
    smooth: bool
    trajectory: bool
    height: float | None
    write: tuple[str, ...]
    into: str | None

    def __post_init__(self) -> None:
        poses.check_endings(self.write)
        if self.into is not None:
            axes.get(self.into)
        if self.focal is not None and self.fov is not None:
            raise ValueError("--focal and --fov say the same: give one of them")
        if self.focal is not None and not 0 < self.focal < math.inf:
            raise ValueError(f"--focal {self.focal:g}: expected the focal length in px, above 0")
        if self.fov is not None and not 0 < self.fov < 180:
            raise ValueError(f"--fov {self.fov:g}: expected the horizontal field of view in degrees, between 0 and 180")
        if self.trajectory and self.focal is None and self.fov is None:
            raise ValueError("--trajectory needs the focal length: give --focal or --fov")
        if self.trajectory and not self.write:
            known = " or ".join(ending[1:] for ending in poses.WRITERS)
            raise ValueError(f"--trajectory needs a file that holds it: --write {known}")
        if self.height is not None and not self.trajectory:
            raise ValueError("--height is for the --trajectory: give both or none")

    def focal_px(self, width: float) -> float | None:
        return self.focal if self.fov is None else lifter.focal_length(self.fov, width)


def lift(
    path: str | Path,
    out: str | Path,
    *,
    checkpoint: str | Path | None = None,
    format: str | None = None,
    image_size: tuple[float, float] | None = None,
    person: int | Literal["all"] | None = None,
    focal: float | None = None,
    fov: float | None = None,
    force: bool = False,
    flip: bool = True,
    device: str = "auto",
    truth: str | Path | None = None,
    write: Sequence[str] = (),
    into: str | None = None,
    trajectory: bool = False,
    height: float | None = None,
    smooth: bool = False,
    fps: float | None = None,
    plugins: Plugins = (),
    progress: Progress | None = None,
) -> LiftSummary:
    """Lifts a keypoint file and writes pose.npz, pose.json, pose.png and pose.html into a folder; of everybody,
    pose_N.npz, pose_N.json and pose_N.png of each person N, and one page.

    Nothing appears in the folder before all is done; the input is never written to.

    Args:
        path: keypoints or a video, see :func:`skelgraph.io.keypoints.read`.
        out: the folder to write into; made if need be.
        checkpoint: as of :func:`skelgraph.load`; default what suits the keypoints, see :func:`weights.choose`.
        format: see :func:`skelgraph.io.keypoints.read`.
        image_size: width and height in px; needed where the file does not say it.
        person: which person, or ``all``, where a frame holds several; default the one who is the largest in the
            picture, the sizes in all frames added up.
        focal: the camera's focal length in px, where it is known.
        fov: its horizontal field of view in degrees, in place of ``focal``.
        force: overwrite outputs, and lift what looks wrong.
        flip: average with the mirrored input's pose; twice the model's time.
        device: auto, cpu or cuda.
        truth: a pose npz of the same frames to compare with.
        write: further files, by their endings: bvh, csv, trc, c3d.
        into: axes of these files, see :mod:`skelgraph.geometry.axes`; default what each format's readers expect.
        trajectory: move the person in the further files along an estimate of the root's path, see
            :mod:`skelgraph.motion.trajectory`.
        height: the person's height in m, to which the pose is scaled for that; default the pose's own.
        smooth: filter the pose over time, see :mod:`skelgraph.motion.smoothing`, and the path.
        fps: frames per second, where the file does not say it.
        plugins: packages, as modules or by name, whose ``__all__`` the model's name may come from.
        progress: called now and then, in a video first while people are looked for.

    Raises:
        FileNotFoundError: if the keypoints, the checkpoint or the truth are not there.
        FileExistsError: if an output is there already and ``force`` is not given.
        ValueError: if something does not fit; the message says what and how to go on. Of everybody, only if nobody can
            be lifted.
    """
    path, out = Path(path), Path(out)
    options = _Options(focal, fov, smooth, trajectory, height, tuple(write), into)
    if person == "all" and truth is not None:
        raise ValueError("--truth is of one person: choose who it is with --person N")
    inputs = [path, *([] if truth is None else [Path(truth)])]
    stems = [] if person == "all" else ["pose"]
    output_files.check(inputs, out, output_files.names(stems, options.write), force)
    load = partial(lifter.load, flip=flip, device=device, plugins=plugins)
    model = None if checkpoint is None else load(checkpoint)  # before a video is looked through
    people = keypoints.read_people(path, format, progress=progress)
    read = people.everybody() if person == "all" else [people.choose("largest" if person is None else person)]
    if fps is not None:
        read = [dataclasses.replace(each, fps=fps) for each in read]
    if read[0].fps is None and (smooth or {"bvh", "trc", "c3d"} & set(write)):
        raise ValueError(f"{path}: does not say how many frames a second it has, which is needed here: give --fps")
    if person == "all":
        stems = [f"pose_{each.person}" for each in read]
        output_files.check(inputs, out, output_files.names(stems, options.write), force)
    choice = weights.choose(read[0]) if model is None else None
    model = load(choice.name) if choice is not None else model
    assert model is not None
    start = time.perf_counter()
    lifted, problems = _lift_all(read, model, options, image_size, force, progress)
    seconds = time.perf_counter() - start
    by_stem = {stem: found for stem, found in zip(stems, lifted, strict=True) if found is not None}
    first = next(iter(by_stem.values()))
    true = None if truth is None else _truth(Path(truth), first.pose)
    return LiftSummary(
        source=path,
        format=read[0].format,
        everyone=len(people.ids) if person == "all" or (person is None and people.crowded.size) else 1,
        people=tuple(by_stem.values()),
        problems=problems,
        weights=choice,
        model=model.name,
        takes_focal=model.in_channels >= 4,
        outputs=output_files.write(out, by_stem, options.write, into, true, model.name),
        mpjpe_mm=None if true is None else 1000 * _mpjpe(first.pose, true),
        seconds=seconds,
    )


def _lift_all(
    read: Sequence[Keypoints],
    model: Lifter,
    options: _Options,
    image_size: tuple[float, float] | None,
    force: bool,
    progress: Progress | None,
) -> tuple[list[LiftedPerson | None], tuple[str, ...]]:
    """Each person, None where it cannot be, and why not.

    Raises:
        ValueError: if nobody can be lifted: what the first one's keypoints have against it.
    """
    lifted: list[LiftedPerson | None] = []
    errors = {}
    for number, each in enumerate(read):
        try:
            adapted = adapt(each, model.skeleton, image_size, force=force)
            lifted.append(_lifted(adapted, model, options, _shifted(progress, number, len(read))))
        except ValueError as error:
            lifted.append(None)
            errors[each.person] = error
    if len(errors) == len(read):
        raise next(iter(errors.values()))
    return lifted, tuple(f"person {number}: {error}" for number, error in errors.items())


def _shifted(progress: Progress | None, number: int, count: int) -> Progress | None:
    """The progress of one person as that of ``count``."""
    if progress is None:
        return None
    return lambda done, total: progress(number * total + done, count * total)


def _lifted(adapted: Adapted, model: Lifter, options: _Options, progress: Progress | None) -> LiftedPerson:
    given = adapted.keypoints
    assert given.image_size is not None  # adapt sees to it
    size = given.image_size
    focal = options.focal_px(size[0])
    pose, moved, root = model.lift(given, focal=focal, progress=progress), None, None
    if options.smooth:
        pose, moved = smoothing.smooth(pose)
    if options.trajectory and focal is not None:
        height = trajectory.body_height(pose) if options.height is None else options.height
        center = (size[0] / 2, size[1] / 2)
        pose, root, _ = trajectory.estimate_trajectory(pose, given.xy, given.confidence, focal, center, height)
        if options.smooth and pose.fps is not None:
            root = smoothing.one_euro(root[:, None], pose.fps).joints[:, 0]
    return LiftedPerson(given, adapted.match, adapted.warnings, pose, focal, moved, root)


def _truth(path: Path, pose: Pose3D) -> Pose3D:
    """The truth with the pose's joints, relative to its origin."""
    truth = Pose3D.load(path)
    absent = [joint for joint in pose.skeleton.joints if joint not in truth.skeleton.joints]
    if absent or truth.num_frames != pose.num_frames:
        what = f"lacks the joints {', '.join(absent[:5])}" if absent else f"has {truth.num_frames} frames"
        raise ValueError(
            f"{path}: {what}; to be compared it needs {pose.num_frames} frames of {pose.skeleton.name}'s joints"
        )
    joints = truth.joints[:, [truth.skeleton.index(joint) for joint in pose.skeleton.joints]]
    centred = center_on(torch.from_numpy(joints), pose.skeleton.origin).numpy()
    return Pose3D(centred, pose.skeleton, pose.fps)


def _mpjpe(pose: Pose3D, truth: Pose3D) -> float:
    return float(metrics.mpjpe(torch.from_numpy(pose.joints), torch.from_numpy(truth.joints)))


__all__ = ["LiftSummary", "LiftedPerson", "lift"]
