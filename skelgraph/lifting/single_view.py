"""Lifting what one camera saw: a person, or everybody, in the camera's frame."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Sequence
from pathlib import Path

import torch

from skelgraph.io import keypoints
from skelgraph.lifting import lifter, output_files, weights
from skelgraph.lifting.lifter import Lifter, Progress
from skelgraph.lifting.options import LiftOptions
from skelgraph.lifting.summary import LiftedPerson, LiftSummary
from skelgraph.motion import smoothing, trajectory
from skelgraph.nn import metrics
from skelgraph.poses.adapt import Adapted, adapt
from skelgraph.poses.keypoints import Keypoints
from skelgraph.poses.pose3d import Pose3D
from skelgraph.viz.drawings.truth import centred_truth


def lift_file(
    path: str | Path, out: str | Path, options: LiftOptions | None = None, progress: Progress | None = None
) -> LiftSummary:
    """Lifts the keypoints of one camera, see :func:`skelgraph.lift`.

    Args:
        path: keypoints or a video.
        out: the folder to write into.
        options: those for one camera.
        progress: called with the frames done and the frames in all.
    """
    path, out, options = Path(path), Path(out), options or LiftOptions()
    options.check_cameras(1, several=False)
    inputs = [path, *([] if options.truth is None else [Path(options.truth)])]
    stems = [] if options.person == "all" else ["pose"]
    output_files.check(inputs, out, output_files.names(stems, options.write), options.force)
    model = None if options.checkpoint is None else _load(options.checkpoint, options)  # before a video is searched
    read, everyone = _read(path, options, progress)
    if options.person == "all":
        stems = [f"pose_{each.person}" for each in read]
        output_files.check(inputs, out, output_files.names(stems, options.write), options.force)
    choice = None
    if model is None:
        choice = weights.choose(read[0])
        model = _load(choice.name, options)
    start = time.perf_counter()
    lifted, problems = _lift_all(read, model, options, progress)
    seconds = time.perf_counter() - start
    people = {stem: person for stem, person in zip(stems, lifted, strict=True) if person is not None}
    pose = next(iter(people.values())).pose
    truth = None if options.truth is None else Pose3D.load(options.truth)
    return LiftSummary(
        source=path,
        format=read[0].format,
        everyone=everyone,
        people=tuple(people.values()),
        problems=problems,
        weights=choice,
        model=model.name,
        takes_focal=model.in_channels >= 4,
        mpjpe_mm=None if truth is None else _mpjpe_mm(pose, truth, options.truth),
        outputs=output_files.write(out, people, options.write, options.axes, truth, model.name),
        seconds=seconds,
    )


def _load(checkpoint: str | Path, options: LiftOptions) -> Lifter:
    return lifter.load(checkpoint, flip=options.flip, device=options.device, plugins=options.plugins)


def _read(path: Path, options: LiftOptions, progress: Progress | None) -> tuple[list[Keypoints], int]:
    """Whom to lift, and of how many people in the file; 1 where one was chosen or no two are seen at once."""
    people = keypoints.read_people(path, options.format, progress=progress)
    if options.person == "all":
        read, everyone = people.everybody(), len(people.ids)
    else:
        read = [people.choose("largest" if options.person is None else options.person)]
        everyone = len(people.ids) if options.person is None and people.crowded.size else 1
    if options.fps is not None:
        read = [dataclasses.replace(each, fps=options.fps) for each in read]
    options.check_rate(read[0].fps, path)
    return read, everyone


def _lift_all(
    read: Sequence[Keypoints],
    model: Lifter,
    options: LiftOptions,
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
            adapted = adapt(each, model.skeleton, options.image_size, force=options.force)
            lifted.append(_lift_person(adapted, model, options, _shifted(progress, number, len(read))))
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


def _lift_person(adapted: Adapted, model: Lifter, options: LiftOptions, progress: Progress | None) -> LiftedPerson:
    given = adapted.keypoints
    assert given.image_size is not None  # adapt sees to it
    size = given.image_size
    focal = options.focal_px(size[0])
    pose, moved = model.lift(given, focal=focal, progress=progress), None
    if options.smooth:
        pose, moved = smoothing.smooth(pose)
    if options.trajectory and focal is not None:
        height = trajectory.body_height(pose) if options.height is None else options.height
        center = (size[0] / 2, size[1] / 2)
        pose = trajectory.estimate_trajectory(pose, given.xy, given.confidence, focal, center, height).pose
        if options.smooth and pose.fps is not None and pose.root is not None:
            root = smoothing.one_euro(pose.root[:, None], pose.fps).joints[:, 0]
            pose = dataclasses.replace(pose, root=root)
    return LiftedPerson(given, adapted.match, adapted.warnings, pose, focal, moved)


def _mpjpe_mm(pose: Pose3D, truth: Pose3D, path: object) -> float:
    try:
        true = torch.from_numpy(centred_truth(pose, truth))
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None
    return 1000 * float(metrics.mpjpe(torch.from_numpy(pose.joints), true))


__all__ = ["lift_file"]
