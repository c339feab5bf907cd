"""Reads and checks motion capture in the project's npz layout."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from skelgraph.files import npz
from skelgraph.files.messages import shortened

LAYOUT = (
    "root [N, 3] float mm (world, z up), joints_dmm [N, K, 3] int (joint minus root, 0.1 mm), frame_ok [N] bool, "
    "joint_names [K] and parents [K] (-1 = root), and a row a sequence: seq_start, seq_len, seq_name, seq_subject, "
    "seq_split ('train' or 'test')"
)
_DIMS = {"root": 2, "joints_dmm": 3, "frame_ok": 1, "joint_names": 1, "parents": 1}
_SEQUENCE = ("seq_start", "seq_len", "seq_name", "seq_subject", "seq_split")
_TYPES = {"root": "f", "joints_dmm": "i", "frame_ok": "b", "joint_names": "U", "parents": "i"} | {
    **{"seq_start": "iu", "seq_len": "iu", "seq_name": "U", "seq_subject": "U", "seq_split": "U"}
}
_HEIGHT_M = (0.5, 2.5)
_UPSIDE_DOWN = 0.8


@dataclass(frozen=True)
class MocapSequence:
    """One recording: frames [start, stop) of a file."""

    name: str
    subject: str
    split: str
    start: int
    stop: int


@dataclass(frozen=True, eq=False)
class MotionFile:
    """Poses of a motion capture file, z up, metres.

    ``offsets`` [N, K, 3] are joints relative to the root joint, ``ground`` [N, 2] is the root's x and y and ``height``
    [N] its z, ``ok`` [N] marks the frames that are fit for use.
    """

    path: Path
    joints: tuple[str, ...]
    parents: tuple[int, ...]
    offsets: np.ndarray
    ground: np.ndarray
    height: np.ndarray
    ok: np.ndarray
    sequences: tuple[MocapSequence, ...]


def locate(file: str | Path) -> Path:
    """The path of a data file: under ``$SKELGRAPH_DATA``, else under ``data/``.

    Raises:
        FileNotFoundError: if it is not there; says where it was looked for.
    """
    folder = os.environ.get("SKELGRAPH_DATA")
    path = Path(folder or "data") / file
    if not path.is_file():
        source = "$SKELGRAPH_DATA" if folder else "data/, as $SKELGRAPH_DATA is not set"
        raise FileNotFoundError(
            f"no motion capture file {str(file)!r}: looked for {path.absolute()} ({source}). Set SKELGRAPH_DATA to the "
            f"folder that holds it; expected is an npz with {LAYOUT}"
        )
    return path


def read(path: Path) -> MotionFile:
    """Reads a file and checks all of it.

    Raises:
        ValueError: naming the file, the field and the first places, for anything that does not fit the layout.
    """
    arrays = npz.read(path)
    missing = [name for name in (*_DIMS, *_SEQUENCE) if name not in arrays]
    if missing:
        raise ValueError(f"{path}: lacks {', '.join(missing)}; expected is {LAYOUT}")
    _check_shapes(path, arrays)
    ok, root, offsets = arrays["frame_ok"], arrays["root"], arrays["joints_dmm"].astype(np.float32) / 10_000
    finite = np.isfinite(root).all(1)
    if not finite[ok].all():
        odd = shortened(np.flatnonzero(ok & ~finite).tolist(), 5)
        raise ValueError(f"{path}: root is not finite in frames {odd}; set frame_ok False there")
    joints = tuple(str(name) for name in arrays["joint_names"])
    motion = MotionFile(
        path=path,
        joints=joints,
        parents=_checked_parents(path, joints, arrays["parents"]),
        offsets=offsets,
        ground=np.where(ok[:, None], root[:, :2], 0).astype(np.float32) / 1000,
        height=np.where(ok, root[:, 2], 0).astype(np.float32) / 1000,
        ok=ok,
        sequences=_sequences(path, arrays),
    )
    _check_units(motion)
    return motion


def _check_shapes(path: Path, arrays: dict[str, np.ndarray]) -> None:
    frames, joints, rows = len(arrays["root"]), arrays["joint_names"].size, arrays["seq_start"].size
    shapes = {"root": (frames, 3), "joints_dmm": (frames, joints, 3), "frame_ok": (frames,)}
    shapes |= {"joint_names": (joints,), "parents": (joints,)} | {name: (rows,) for name in _SEQUENCE}
    for name, shape in shapes.items():
        array = arrays[name]
        if array.shape != shape or array.dtype.kind not in _TYPES[name]:
            raise ValueError(
                f"{path}: {name} is {array.dtype} {list(array.shape)}, expected kind {_TYPES[name]!r} {list(shape)}; "
                f"the layout is {LAYOUT}"
            )


def _checked_parents(path: Path, joints: tuple[str, ...], parents: np.ndarray) -> tuple[int, ...]:
    if len(set(joints)) < len(joints):
        raise ValueError(f"{path}: joint_names holds {sorted({j for j in joints if joints.count(j) > 1})} twice")
    for joint, parent in enumerate(parents.tolist()):
        if not (parent == -1 if joint == 0 else 0 <= parent < len(joints)):
            raise ValueError(
                f"{path}: parents[{joint}] ({joints[joint]}) is {parent}, expected "
                f"{'-1, the first joint being the only root' if joint == 0 else f'0 to {len(joints) - 1}'}"
            )
    for joint in range(len(joints)):
        above, seen = joint, [joint]
        while (above := int(parents[above])) != -1:
            if above in seen:
                raise ValueError(f"{path}: parents form a cycle: {' -> '.join(joints[j] for j in [*seen, above])}")
            seen.append(above)
    return tuple(parents.tolist())


def _sequences(path: Path, arrays: dict[str, np.ndarray]) -> tuple[MocapSequence, ...]:
    rows = zip(*(arrays[name].tolist() for name in ("seq_name", "seq_subject", "seq_split")), strict=True)
    starts = arrays["seq_start"].astype(np.int64)
    stops = starts + arrays["seq_len"].astype(np.int64)
    bad = (starts < 0) | (stops < starts) | (stops > len(arrays["root"]))
    if bad.any():
        outside = shortened(np.flatnonzero(bad).tolist(), 5)
        raise ValueError(f"{path}: seq_start, seq_len leave the {len(arrays['root'])} frames in rows {outside}")
    order = np.argsort(starts, kind="stable")
    overlap = np.zeros(len(order), bool)
    overlap[order[1:]] = starts[order[1:]] < stops[order[:-1]]
    if overlap.any():
        late = shortened(np.flatnonzero(overlap).tolist(), 5)
        raise ValueError(f"{path}: sequences overlap: rows {late} start before the one before has ended")
    sequences = tuple(
        MocapSequence(name, subject, split, int(start), int(stop))
        for (name, subject, split), start, stop in zip(rows, starts, stops, strict=True)
    )
    _check_splits(path, sequences)
    return sequences


def _check_splits(path: Path, sequences: tuple[MocapSequence, ...]) -> None:
    splits: dict[str, str] = {}
    for row, sequence in enumerate(sequences):
        if sequence.split not in ("train", "test"):
            raise ValueError(f"{path}: seq_split[{row}] is {sequence.split!r}, expected 'train' or 'test'")
        if splits.setdefault(sequence.subject, sequence.split) != sequence.split:
            raise ValueError(
                f"{path}: subject {sequence.subject!r} is both in train and in test (row {row}, {sequence.name!r}): "
                "the test would see a known body; give each subject one split"
            )


def _check_units(motion: MotionFile) -> None:
    offsets = motion.offsets[motion.ok]
    if not len(offsets):
        raise ValueError(f"{motion.path}: no frame is left: frame_ok is False in all {len(motion.ok)}")
    span = float(np.median(np.linalg.norm(np.ptp(offsets, axis=1), axis=-1)))
    if not _HEIGHT_M[0] <= span <= _HEIGHT_M[1]:
        raise ValueError(
            f"{motion.path}: joints_dmm spans {span:.3g} m in the median pose, expected {_HEIGHT_M[0]} to "
            f"{_HEIGHT_M[1]} m: it must be in units of 0.1 mm"
        )
    if "head" in motion.joints and "l_ankle" in motion.joints:
        head, ankle = (offsets[:, motion.joints.index(name), 2] for name in ("head", "l_ankle"))
        if (head < ankle).mean() > _UPSIDE_DOWN:
            share = (head < ankle).mean()
            raise ValueError(f"{motion.path}: the head is below the ankle in {share:.0%} of the frames: z must be up")
