"""Lifting: 2D keypoints in, 3D poses out, as Python values or as files."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import nn

from skelgraph import geometry, keypoints, metrics, poses
from skelgraph.checkpoint import load_run
from skelgraph.conversions import Match
from skelgraph.data.transforms import model_input
from skelgraph.evaluate import predict
from skelgraph.keypoints import Keypoints
from skelgraph.keypoints.adapt import adapt
from skelgraph.poses import Pose3D, axes, smoothing
from skelgraph.skeleton import Skeleton
from skelgraph.training import experiment

_POINTS_AT_A_TIME = 1 << 14
_OUTPUTS = ("pose.npz", "pose.json", "pose.png", "pose.html")


class Lifter:
    """A trained model that takes keypoints and gives poses.

    Args:
        model: called with [B, J, in_channels], gives [B, J, 3] in m, or a NamedTuple with that first. One with
            ``num_frames`` T > 1 is called with [B, T, J, in_channels]: each frame in the middle of those around it, the
            first and the last frame of the video repeated.
        skeleton: the model's J joints.
        in_channels: 2, or 3 where the model also takes the confidence.
        flip: average with the mirrored input's pose, mirrored back.
        frames_at_a_time: how many frames go through the model at once, which bounds memory; default by the joints.
        name: of the model, for reports.
    """

    def __init__(
        self,
        model: nn.Module,
        skeleton: Skeleton,
        *,
        in_channels: int = 2,
        flip: bool = True,
        frames_at_a_time: int | None = None,
        name: str = "",
    ) -> None:
        if frames_at_a_time is not None and frames_at_a_time < 1:
            raise ValueError(f"frames_at_a_time is {frames_at_a_time}; expected at least 1")
        self.model = model.eval()
        self.skeleton, self.in_channels, self.flip = skeleton, in_channels, flip
        self.num_frames = int(getattr(model, "num_frames", 1))
        self.frames_at_a_time = frames_at_a_time or max(1, _POINTS_AT_A_TIME // (skeleton.num_joints * self.num_frames))
        self.name = name or type(model).__name__

    def __call__(
        self,
        keypoints: Keypoints | ArrayLike,
        image_size: tuple[float, float] | None = None,
        *,
        force: bool = False,
    ) -> Pose3D:
        """Lifts keypoints.

        Args:
            keypoints: :class:`Keypoints` of any joints, matched by name; or an array in px of the model's joints,
                [F, J, 2], [F, J, 3] with confidence, or one frame without F. NaN or confidence 0 marks missing points.
            image_size: width and height in px; needed where the keypoints do not say it.
            force: take what looks wrong (another order, normalised values) for right.

        Returns:
            F frames; ``missing`` tells the joints whose 2D was not there.

        Raises:
            ValueError: if the joints do not fit, the image size is unknown, or the values look wrong.
        """
        given = keypoints if isinstance(keypoints, Keypoints) else Keypoints.of(keypoints)
        return self.lift(adapt(given, self.skeleton, image_size, force=force).keypoints)

    def lift(self, keypoints: Keypoints) -> Pose3D:
        """Lifts keypoints that already are of the model's joints and know their image size."""
        joints = np.zeros((keypoints.num_frames, self.skeleton.num_joints, 3), dtype=np.float32)
        for start in range(0, len(joints), self.frames_at_a_time):
            part = np.arange(start, min(start + self.frames_at_a_time, len(joints)))
            window = self._window(part, len(joints))
            joints[part] = self._predict(keypoints.xy[window], keypoints.confidence[window], keypoints.image_size)
        odd = np.flatnonzero(~np.isfinite(joints).all(axis=(1, 2)))
        if odd.size:
            raise ValueError(
                f"{keypoints.source}: the model {self.name} gives values that are not finite in {odd.size} of "
                f"{len(joints)} frames, first in frame {odd[0]}"
            )
        return Pose3D(joints, self.skeleton, keypoints.fps, keypoints.missing)

    def _window(self, frames: NDArray[np.int64], count: int) -> NDArray[np.int64]:
        """Which frames [n] or [n, T] the model sees for each of ``frames``."""
        if self.num_frames == 1:
            return frames
        around = np.arange(self.num_frames) - self.num_frames // 2
        return np.clip(frames[:, None] + around, 0, count - 1)

    def _predict(
        self, xy: NDArray[np.float32], confidence: NDArray[np.float32], image_size: tuple[float, float] | None
    ) -> NDArray[np.float32]:
        where = next((p.device for p in self.model.parameters()), torch.device("cpu"))
        x, seen = torch.tensor(xy, device=where), torch.tensor(confidence, device=where)
        size = torch.tensor(image_size, dtype=torch.float32, device=where).expand(len(x), 2)
        pose = predict(
            self.model,
            model_input(x, seen, size, self.in_channels),
            self.skeleton,
            flip=self.flip,
            batch_size=self.frames_at_a_time,
        )
        return geometry.center_on(pose, self.skeleton.origin).cpu().numpy()


def load(run: str | Path, *, flip: bool = True, device: str = "auto", plugins: Sequence[ModuleType] = ()) -> Lifter:
    """Loads a trained lifter from a run folder or a checkpoint file.

    Raises:
        FileNotFoundError: if there is no checkpoint there.
        ValueError: if the file is not one of ours or is damaged.
    """
    model, skeleton, meta = load_run(run, plugins=plugins)
    spec = meta["config"]["model"]
    name = spec if isinstance(spec, str) else str(spec.get("name", ""))
    where = experiment.torch_device(device)
    return Lifter(model.to(where), skeleton, in_channels=experiment.in_channels(spec), flip=flip, name=name)


@dataclass(frozen=True)
class LiftSummary:
    """What was read, converted, missing, suspected and written.

    Args:
        source: the keypoint file.
        format: the format it was read as.
        model: name of the model.
        frames: number of frames.
        match: how the file's joints became the model's.
        points_missing: missing among the frames x joints of the model.
        frames_empty: frames without any point.
        warnings: what looks wrong but was gone on with.
        outputs: the files written.
        mpjpe_mm: error against the truth, mm; None without truth.
        seconds: time of lifting, without reading and drawing.
        smoothed: what the filter over time did, where it was asked for.
    """

    source: Path
    format: str
    model: str
    frames: int
    match: Match
    points_missing: int
    frames_empty: int
    warnings: tuple[str, ...]
    outputs: tuple[Path, ...]
    mpjpe_mm: float | None
    seconds: float
    smoothed: str | None = None

    def __str__(self) -> str:
        total = self.frames * self.match.skeleton.num_joints
        lines = [
            f"read: {self.source} ({self.format}): {self.frames} frames of {len(self.match.source)} joints",
            *self.match.report().split("\n"),
            f"points missing: {self.points_missing} of {total}; frames without any: {self.frames_empty}",
            *(f"warning: {warning}" for warning in self.warnings),
            f"lifted by {self.model} in {self.seconds:.1f} s",
        ]
        if self.smoothed is not None:
            lines.append(self.smoothed)
        if self.mpjpe_mm is not None:
            lines.append(f"MPJPE against the truth: {self.mpjpe_mm:.1f} mm")
        return "\n".join([*lines, *(f"written: {path}" for path in self.outputs)])


def lift(
    path: str | Path,
    checkpoint: str | Path,
    out: str | Path,
    *,
    format: str | None = None,
    image_size: tuple[float, float] | None = None,
    person: int | None = None,
    force: bool = False,
    flip: bool = True,
    device: str = "auto",
    truth: str | Path | None = None,
    write: Sequence[str] = (),
    into: str | None = None,
    smooth: bool = False,
    fps: float | None = None,
    plugins: Sequence[ModuleType] = (),
) -> LiftSummary:
    """Lifts a keypoint file and writes pose.npz, pose.json, pose.png and pose.html into a folder.

    Nothing appears in the folder before all is done; the input is never written to.

    Args:
        path: keypoints, a file or an OpenPose folder.
        checkpoint: a run folder or a checkpoint file.
        out: the folder to write into; made if need be.
        format: see :func:`skelgraph.keypoints.read`.
        image_size: width and height in px; needed where the file does not say it.
        person: which person, where a frame holds several.
        force: overwrite outputs, and lift what looks wrong.
        flip: average with the mirrored input's pose.
        device: auto, cpu or cuda.
        truth: a pose npz of the same frames to compare with.
        write: further files, by their endings: bvh, csv, trc, c3d.
        into: axes of these files, see :mod:`skelgraph.poses.axes`; default what each format's readers expect.
        smooth: filter the pose over time, see :mod:`skelgraph.poses.smoothing`.
        fps: frames per second, where the file does not say it.
        plugins: packages whose ``__all__`` the model's name may come from.

    Raises:
        FileNotFoundError: if the keypoints, the checkpoint or the truth are not there.
        FileExistsError: if an output is there already and ``force`` is not given.
        ValueError: if something does not fit; the message says what and how to go on.
    """
    path, out = Path(path), Path(out)
    names = (*_OUTPUTS, *_further(write, into))
    _check_outputs([path, *([Path(truth)] if truth else [])], out, names, force)
    read = keypoints.read(path, format, person)
    if fps is not None:
        read = replace(read, fps=fps)
    if read.fps is None and (smooth or {"bvh", "trc", "c3d"} & set(write)):
        raise ValueError(f"{path}: does not say how many frames a second it has, which is needed here: give --fps")
    lifter = load(checkpoint, flip=flip, device=device, plugins=plugins)
    adapted = adapt(read, lifter.skeleton, image_size, force=force)
    start = time.perf_counter()
    pose = lifter.lift(adapted.keypoints)
    pose, smoothed = smoothing.smooth(pose) if smooth else (pose, None)
    seconds = time.perf_counter() - start
    true = None if truth is None else _truth(Path(truth), pose)
    missing = adapted.keypoints.missing
    return LiftSummary(
        source=path,
        format=read.format,
        model=lifter.name,
        frames=pose.num_frames,
        match=adapted.match,
        points_missing=int(missing.sum()),
        frames_empty=int(missing.all(axis=1).sum()),
        warnings=adapted.warnings,
        outputs=_write(out, names, into, pose, adapted.keypoints, true, lifter.name),
        mpjpe_mm=None if true is None else 1000 * _mpjpe(pose, true),
        seconds=seconds,
        smoothed=None if smoothed is None else str(smoothed),
    )


def _further(endings: Sequence[str], into: str | None) -> tuple[str, ...]:
    """Names of the further files."""
    unknown = [ending for ending in endings if f".{ending}" not in poses.WRITERS]
    if unknown:
        raise ValueError(f"--write {', '.join(unknown)}: known are {', '.join(each[1:] for each in poses.WRITERS)}")
    if into is not None:
        axes.get(into)
    return tuple(f"pose.{ending}" for ending in endings)


def _check_outputs(inputs: Sequence[Path], out: Path, names: Sequence[str], force: bool) -> None:
    if out.exists() and not out.is_dir():
        raise ValueError(f"{out}: is a file; --out is a folder")
    for given in inputs:
        if given.resolve() in {out.resolve(), *((out / name).resolve() for name in names)}:
            raise ValueError(f"{given}: is what --out {out} would write to; give another folder")
    there = [name for name in names if (out / name).exists()]
    if there and not force:
        raise FileExistsError(f"{out}: holds {', '.join(there)} already; overwrite with --force or give another folder")


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
    centred = geometry.center_on(torch.from_numpy(joints), pose.skeleton.origin).numpy()
    return Pose3D(centred, pose.skeleton, pose.fps)


def _mpjpe(pose: Pose3D, truth: Pose3D) -> float:
    return float(metrics.mpjpe(torch.from_numpy(pose.joints), torch.from_numpy(truth.joints)))


def _write(
    out: Path,
    names: tuple[str, ...],
    into: str | None,
    pose: Pose3D,
    shown: Keypoints,
    truth: Pose3D | None,
    model: str,
) -> tuple[Path, ...]:
    from skelgraph import page, report

    names = names if pose.num_frames else _OUTPUTS[:2]  # nothing to look at in an empty file
    with _staged(out, names) as folder:
        pose.save(folder / "pose.npz")
        if pose.num_frames:
            report.draw_pose(shown, pose, folder / "pose.png", truth)
            page.write_page(folder / "pose.html", pose, shown, truth, model=model)
        for name in names[len(_OUTPUTS) :]:
            poses.write(pose, folder / name, axes=into)
    return tuple(out / name for name in names)


@contextmanager
def _staged(out: Path, names: Sequence[str]) -> Iterator[Path]:
    """A folder inside ``out`` whose files move to ``out`` once all are written and synced."""
    folder = out / ".lift.tmp"
    out.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    try:
        yield folder
        for name in names:
            with (folder / name).open("rb") as file:
                os.fsync(file.fileno())
        for name in names:
            os.replace(folder / name, out / name)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


__all__ = ["LiftSummary", "Lifter", "lift", "load"]
