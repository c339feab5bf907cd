"""3D poses and the files they are written to."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from numpy.typing import ArrayLike

from skelgraph.files.messages import nearest
from skelgraph.files.new_file import refuse_existing
from skelgraph.io.poses.formats import bvh, c3d, csv_table, trc
from skelgraph.poses.pose3d import Pose3D

WRITERS = {".csv": csv_table.write, ".bvh": bvh.write, ".trc": trc.write, ".c3d": c3d.write}


def write(
    pose: Pose3D,
    path: str | Path,
    *,
    axes: str | None = None,
    root_estimate: ArrayLike | None = None,
    force: bool = False,
) -> None:
    """Writes a pose in the format that the file's ending names: .csv, .bvh, .trc, .c3d or .npz.

    Args:
        pose: F frames.
        path: the file.
        axes: a preset of :mod:`skelgraph.geometry.axes`; default what the format's readers expect: ``camera`` for .csv
            and .npz, ``y_up`` for .bvh, ``opensim`` for .trc and .c3d. An .npz is always of the camera's axes.
        root_estimate: [F, 3] m, camera axes: an estimate of the root's place to move the joints by; not for .npz.
        force: replace a file that is there.

    Raises:
        ValueError: for another ending, and as the format's own ``write``.
        OutputExistsError: if the file is there and ``force`` is not given.
        OSError: disk full, read-only folder; nothing is written then.
    """
    path = Path(path)
    ending = path.suffix.lower()
    if ending == ".npz":
        _write_npz(pose, path, axes, root_estimate, force)
    elif ending in WRITERS:
        options = {} if axes is None else {"axes": axes}
        WRITERS[ending](pose, path, root_estimate=root_estimate, force=force, **options)
    else:
        raise ValueError(
            f"{path}: no pose format ends in {ending or 'nothing'!r}; known are .npz, {', '.join(WRITERS)}"
        )


def check_endings(endings: Sequence[str]) -> None:
    """Checks before any work whether files can be written.

    Args:
        endings: csv, bvh, trc, c3d.

    Raises:
        ValueError: for an unknown ending.
        MissingExtraError: for a format whose library is not installed.
    """
    known = [ending[1:] for ending in WRITERS]
    unknown = [ending for ending in endings if ending not in known]
    if unknown:
        raise ValueError(f"write={unknown[0]!r} is not known{nearest(unknown[0], known)}")
    if "c3d" in endings:
        c3d.ezc3d_library()


def _write_npz(pose: Pose3D, path: Path, axes: str | None, root_estimate: ArrayLike | None, force: bool) -> None:
    if axes not in (None, "camera") or root_estimate is not None:
        raise ValueError(f"{path}: an npz holds poses in the camera's axes, relative to their origin")
    refuse_existing([path, path.with_suffix(".json")], force)
    pose.save(path)


__all__ = ["WRITERS", "Pose3D", "check_endings", "write"]
