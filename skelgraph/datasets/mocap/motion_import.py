"""Motion capture of any making, BVH and C3D, as one npz file that ``MotionCapture`` reads."""

from __future__ import annotations

import io
import os
import re
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from skelgraph.datasets.mocap import motion_file, rig_pose
from skelgraph.datasets.mocap.rig_names import ABOVE_EYES, JOINTS, MIDDLE, PARENTS, RigMatch, find
from skelgraph.files import atomic
from skelgraph.files.new_file import new_file
from skelgraph.io.motions import c3d, read_motion

_Array = NDArray[np.float64]
_MARKERS = "; a C3D can be used if its points are named as the joints of a rig: marker sets are not joints"


@dataclass(frozen=True)
class ImportedRecording:
    """One file that was used.

    ``frames`` are those written, ``glitches`` of them are marked as unfit; ``fps`` is the file's own; ``unit``, ``up``
    and ``rig`` are what was found; ``derived`` tells the joints that no joint of the file is.
    """

    name: str
    subject: str
    split: str
    frames: int
    glitches: int
    fps: float
    unit: str
    up: str
    rig: str
    derived: tuple[str, ...]

    def __str__(self) -> str:
        return (
            f"{self.name}: subject {self.subject}, {self.split}, {self.frames} frames ({self.glitches} glitches), from "
            f"{self.fps:.4g} fps, {self.unit}, {self.up} up, rig {self.rig}; derived: {'; '.join(self.derived)}"
        )


@dataclass(frozen=True)
class Summary:
    """What was written, from which files, and why the others could not be used."""

    path: Path
    fps: float
    recordings: tuple[ImportedRecording, ...]
    failed: Mapping[str, str]

    def __str__(self) -> str:
        frames = sum(recording.frames for recording in self.recordings)
        tests = sorted({recording.subject for recording in self.recordings if recording.split == "test"})
        lines = [*map(str, self.recordings), *(f"not used: {reason}" for reason in self.failed.values())]
        held_out = f"test subjects: {', '.join(tests)}" if tests else "no test subjects: evaluation needs some"
        return "\n".join([*lines, f"{frames} frames at {self.fps:g} fps; {held_out}", f"written: {self.path}"])


class _Points(NamedTuple):
    """What a file holds: points [F, J, 3], NaN where they are missing; ``unit`` is "" where the file has none."""

    names: Sequence[str]
    points: _Array
    fps: float
    unit: str
    match: RigMatch


class _Clip(NamedTuple):
    """A recording and its joints [F, 19, 3], m, z up; ``ok`` [F]."""

    about: ImportedRecording
    joints: _Array
    ok: NDArray[np.bool_]


def convert(
    folder: str | Path,
    out: str | Path,
    *,
    test: Sequence[str] = (),
    fps: float = 30.0,
    up: str = "auto",
    force: bool = False,
) -> Summary:
    """Reads every .bvh and .c3d below a folder and writes the npz that ``MotionCapture(file=...)`` reads.

    The joints, found by name (``skelgraph.datasets.mocap.rig_names.RIGS``; case, separators and namespaces do not
    count):

    - hips, knees, ankles, toes (where they bend, else the end site of the foot), shoulders, elbows, wrists: the rig's.
    - ``pelvis``: the middle of the hips, in every rig, as in Human3.6M. The rig's own root may lie 0.1 m above it.
    - ``spine``: the spine's joint about 0.2 m above the pelvis.
    - ``thorax``: the joint at the base of the neck, ``neck``: the joint that carries the head.
    - ``head``, its top: the end site of the head, or, where the rig has eyes instead, the point above the eyes: with e
      from the joint that carries the head to between the eyes, and l from the right eye to the left, of length 1,

      .. math:: x = x_{neck} + \\tfrac{5}{3} \\tfrac{1}{\\sqrt{2}} (e + e \\times l),

      as e points forward and up by 45 degrees. It lies 0.19 m above the neck's joint.

    A BVH has no unit: that of :data:`skelgraph.datasets.mocap.rig_pose.UNITS` is taken in which thigh and shin
    together are 0.55
    to 1.1 m. A C3D has one. Up is the axis along which the neck is farthest from the ankles, in the median; it becomes
    z. Where people only lie, give ``up``. Of two frame rates the nearest frames are taken: nothing is interpolated, and
    slower recordings repeat frames. Frames in which a limb's bone is off its median length by 15 %, another bone by
    50 %, or a joint is missing, are glitches: ``frame_ok`` is False.

    Args:
        folder: searched with all folders in it, in the order of the names.
        out: the file to write, NAME.npz, whole or not at all.
        test: subjects for the test split; all others are for training. A subject is the folder in ``folder`` that the
            file is in, else the number that the file's name begins with ("02" of 02_03.bvh, "subject1" where the name
            has it), else ``folder`` itself.
        fps: frames per second to write.
        up: auto, y or z.
        force: replace a file that is there.

    Raises:
        FileNotFoundError: if there is no such folder, or no such file in it.
        OutputExistsError: if ``out`` is there and ``force`` is not given.
        ValueError: for unknown test subjects or options out of range, or if no file can be used; says why for each. As
            long as one can, the others are warnings.
        OSError: disk full, read-only folder; nothing is written then.
    """
    folder, out = Path(folder), _checked(out, fps, up, force)
    clips: list[_Clip] = []
    failed: dict[str, str] = {}
    for path in _files(folder):
        name = path.relative_to(folder).with_suffix("").as_posix()
        try:
            clips.append(_clip(path, name, _subject(folder, path), fps, up))
        except (ValueError, OSError) as error:
            failed[str(path)] = str(error)
    if not clips:
        raise ValueError(f"{folder}: none of {len(failed)} files can be used:\n" + "\n".join(failed.values()))
    _check_test(test, clips)
    for reason in failed.values():
        warnings.warn(f"not used: {reason}", stacklevel=2)
    split = {True: "test", False: "train"}
    clips = [clip._replace(about=replace(clip.about, split=split[clip.about.subject in test])) for clip in clips]
    _write(out, clips, fps)
    return Summary(out, fps, tuple(clip.about for clip in clips), failed)


def _checked(out: str | Path, fps: float, up: str, force: bool) -> Path:
    out = new_file(out, ".npz", force)
    if not 0 < fps < 1e4 or up not in ("auto", "y", "z"):
        raise ValueError(f"fps is {fps}, up is {up!r}; expected a number above 0, and auto, y or z")
    return out


def _files(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise FileNotFoundError(f"{folder}: no such folder")
    found = sorted(path for path in folder.rglob("*") if path.suffix.lower() in (".bvh", ".c3d") and path.is_file())
    if not found:
        raise FileNotFoundError(f"{folder}: no .bvh or .c3d file in it or below")
    return found


def _subject(folder: Path, path: Path) -> str:
    within = path.relative_to(folder).parts
    number = re.match(r"\d+", path.stem) or re.search(r"subject[ _-]?\d+", path.stem, re.IGNORECASE)
    return within[0] if len(within) > 1 else number[0] if number else folder.resolve().name or "everybody"


def _check_test(test: Sequence[str], clips: Sequence[_Clip]) -> None:
    subjects = sorted({clip.about.subject for clip in clips})
    unknown = [subject for subject in test if subject not in subjects]
    if unknown:
        raise ValueError(f"test: no subject {', '.join(map(repr, unknown))}; there are {', '.join(subjects)}")


def _clip(path: Path, name: str, subject: str, fps: float, up: str) -> _Clip:
    """Reads one file.

    Raises:
        ValueError: naming it, if it cannot be used.
    """
    found = _read(path)
    try:
        joints = rig_pose.joints(found.points, found.match)[_nearest(len(found.points), found.fps, fps)]
        whole: NDArray[np.bool_] = np.asarray(np.isfinite(joints).all((1, 2)))
        if not whole.any():
            raise ValueError("no frame has all joints")
        unit, scale = (found.unit, 1.0) if found.unit else rig_pose.unit(joints[whole])
        turn, way = rig_pose.upright(joints[whole], up)
        joints = scale * joints @ turn.T
        rig_pose.check_person(joints[whole])
        ok = whole & ~rig_pose.glitches(joints, whole)
        if not ok.any():
            raise ValueError("bones change their length in every frame")
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None
    glitches, rig, derived = int((~ok).sum()), found.match.rig, _derived(found)
    about = ImportedRecording(name, subject, "train", len(ok), glitches, found.fps, unit, way, rig, derived)
    return _Clip(about, joints, ok)


def _read(path: Path) -> _Points:
    motion = read_motion(path, end_sites=True)
    if not len(motion.positions):
        raise ValueError(f"{path}: has no frames")
    try:
        match = _matched(path, motion.names)
    except ValueError as error:
        raise ValueError(f"{error}{_MARKERS if motion.unit else ''}") from None
    if not motion.unit:
        return _Points(motion.names, motion.positions, motion.fps, "", match)
    return _Points(motion.names, motion.positions / c3d.PER_M[motion.unit], motion.fps, "m", match)


def _matched(path: Path, names: Sequence[str]) -> RigMatch:
    try:
        return find(names)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None


def _derived(found: _Points) -> tuple[str, ...]:
    told, names = [], found.names
    for joint in JOINTS:
        how, indices = found.match.sources[joint]
        ends = [name for name in (names[i] for i in indices) if name.endswith("_end")]
        if how == MIDDLE:
            told.append(f"{joint} is the middle of {' and '.join(names[i] for i in indices)}")
        elif how == ABOVE_EYES:
            told.append(f"{joint} lies above {' and '.join(names[i] for i in indices[1:])}")
        elif ends:
            told.append(f"{joint} is an end site, {ends[0]}")
    return tuple(told)


def _nearest(frames: int, rate: float, fps: float) -> NDArray[np.int64]:
    """Which frames come nearest to the times 0, 1/fps, ..."""
    count = int((frames - 1) * fps / rate + 0.5) + 1
    return np.minimum((np.arange(count) * rate / fps + 0.5).astype(np.int64), frames - 1)


def _write(path: Path, clips: Sequence[_Clip], fps: float) -> None:
    content = io.BytesIO()
    np.savez_compressed(content, **_arrays(clips, fps))  # type: ignore[arg-type]
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.stem}.{os.getpid()}.tmp.npz")
    try:
        atomic.write(draft, content.getvalue())
        motion_file.read(draft)
        os.replace(draft, path)
    except ValueError as error:
        raise ValueError(str(error).replace(str(draft), str(path))) from None
    finally:
        draft.unlink(missing_ok=True)


def _arrays(clips: Sequence[_Clip], fps: float) -> dict[str, np.ndarray]:
    ok = np.concatenate([clip.ok for clip in clips])
    joints = np.concatenate([np.where(clip.ok[:, None, None], clip.joints, 0) for clip in clips])
    lengths = [len(clip.ok) for clip in clips]
    about = [clip.about for clip in clips]
    return {
        "root": (joints[:, 0] * 1000).astype(np.float32),
        "joints_dmm": np.rint((joints - joints[:, :1]) * 10_000).astype(np.int16),
        "frame_ok": ok,
        "seq_start": np.cumsum([0, *lengths[:-1]]).astype(np.int32),
        "seq_len": np.array(lengths, dtype=np.int32),
        "seq_subject": np.array([each.subject for each in about]),
        "seq_name": np.array([each.name for each in about]),
        "seq_split": np.array([each.split for each in about]),
        "joint_names": np.array(JOINTS),
        "parents": np.array(PARENTS, dtype=np.int8),
        "fps": np.array(fps, dtype=np.float32),
    }


__all__ = ["ImportedRecording", "Summary", "convert"]
