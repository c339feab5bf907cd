"""Pose files on one page."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from skelgraph.files.new_file import new_file
from skelgraph.poses.pose3d import Pose3D
from skelgraph.viz.page import write_page


def compare(
    poses: Sequence[str | Path], out: str | Path, truth: str | Path | None = None, *, force: bool = False
) -> Path:
    """Writes a page with the poses of several files overlaid, see :func:`skelgraph.viz.page.write_page`.

    Args:
        poses: pose npz files of as many frames each; named by their folders, or by their files where these differ.
        out: the page, NAME.html.
        truth: a pose npz of the frames and joints of the first.
        force: overwrite ``out``.

    Raises:
        FileNotFoundError: if a file is not there.
        OutputExistsError: if ``out`` is, and ``force`` is not given.
        ValueError: if ``out`` is not called .html, a file is no pose, or the poses differ in their frames.
    """
    out = new_file(out, ".html", force)
    first, *others = [Pose3D.load(path) for path in poses]
    name, *names = _names([Path(path) for path in poses])
    true = None if truth is None else Pose3D.load(truth)
    return write_page(out, first, truth=true, title=out.stem, name=name, others=dict(zip(names, others, strict=True)))


def _names(paths: Sequence[Path]) -> list[str]:
    """Each file's own name: its stem, its folder's name, or as much of its path as tells it from the others."""
    for depth in range(1, max(len(path.resolve().parts) for path in paths)):
        names = ["/".join(path.resolve().with_suffix("").parts[-depth:]) for path in paths]
        if len(set(names)) == len(names):
            break
    else:
        raise ValueError(f"the same pose file is given twice: {', '.join(map(str, paths))}")
    shown = [name.removesuffix("/pose") for name in names]
    return shown if len(set(shown)) == len(shown) else names
