"""The files that lifting writes into a folder: all of them or none."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from skelgraph.files.new_file import refuse_existing
from skelgraph.io import poses
from skelgraph.lifting.summary import LiftedPerson
from skelgraph.multiview.recording import Recording
from skelgraph.poses.pose3d import Pose3D
from skelgraph.viz import page
from skelgraph.viz.drawings.pose_drawing import draw_pose

_PAGE = "pose.html"
_NUMBERS, _PICTURE = (".npz", ".json"), ".png"


def names(stems: Iterable[str], further: Sequence[str]) -> list[str]:
    """The files of people, by the stems of their names, and the page of all; ``further`` are endings."""
    endings = (*_NUMBERS, _PICTURE, *(f".{each}" for each in further))
    return [*(stem + ending for stem in stems for ending in endings), _PAGE]


def check(inputs: Sequence[Path], out: Path, names: Sequence[str], force: bool) -> None:
    """Refuses to write files called ``names``.

    Raises:
        ValueError: if ``out`` is a file, or one of the inputs would be written to.
        OutputExistsError: if one of the files is there and ``force`` is not given.
    """
    if out.exists() and not out.is_dir():
        raise ValueError(f"{out}: is a file; out= is a folder")
    for given in inputs:
        if given.resolve() in {out.resolve(), *((out / name).resolve() for name in names)}:
            raise ValueError(f"{given}: is what out={str(out)!r} would write to; give another folder")
    refuse_existing([out / name for name in names], force)


def write(
    out: Path,
    people: Mapping[str, LiftedPerson],
    further: Sequence[str],
    axes: str | None,
    truth: Pose3D | None,
    model: str,
) -> tuple[Path, ...]:
    """Writes the files of people, by the stems of their names, and the page of all.

    Args:
        out: the folder; made if need be.
        people: at least one.
        further: endings of further files.
        axes: of these files.
        truth: of the only person.
        model: its name.
    """
    first, *others = people.values()
    if first.pose.num_frames:
        every = names(people, further)
    else:  # nothing to look at in an empty file
        every = [stem + ending for stem in people for ending in _NUMBERS]
    with _staged(out, every) as folder:
        for stem, each in people.items():
            each.pose.save(folder / f"{stem}.npz")
            if each.pose.num_frames:
                draw_pose(each.keypoints, each.pose, folder / (stem + _PICTURE), truth)
                for ending in further:
                    file = folder / f"{stem}.{ending}"
                    poses.write(each.pose, file, axes=axes)
        if first.pose.num_frames:
            page.write_page(
                folder / _PAGE,
                first.pose,
                first.keypoints,
                truth,
                model=model,
                name=first.name if others else "",
                others={each.name: each.pose for each in others},
            )
    return tuple(out / name for name in every)


def write_world(
    out: Path, world: Pose3D, recording: Recording, further: Sequence[str], axes: str | None, model: str
) -> tuple[Path, ...]:
    """Writes the files of a person in the world, and a picture and a page beside the first camera's view.

    Args:
        out: the folder; made if need be.
        world: the person.
        recording: what was lifted.
        further: endings of further files.
        axes: of these files, see :func:`skelgraph.io.poses.write`.
        model: what lifted.
    """
    keypoints, every = recording.views[0], names(["pose"], further)
    with _staged(out, every) as folder:
        world.save(folder / "pose.npz")
        draw_pose(keypoints, world, folder / f"pose{_PICTURE}")
        for ending in further:
            poses.write(world, folder / f"pose.{ending}", axes=axes)
        page.write_page(folder / _PAGE, world, keypoints, model=model)
    return tuple(out / name for name in every)


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
            with (folder / name).open("r+b") as file:  # Windows syncs what can be written only
                os.fsync(file.fileno())
        for name in names:
            os.replace(folder / name, out / name)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
