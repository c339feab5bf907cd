"""Lifting files: keypoints in; numbers, pictures and a page out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, overload

from skelgraph.lifting.lifter import Progress
from skelgraph.lifting.options import LiftOptions
from skelgraph.lifting.several_views import lift_recording
from skelgraph.lifting.single_view import lift_file
from skelgraph.lifting.summary import LiftSummary
from skelgraph.lifting.views_summary import ViewsSummary


@overload
def lift(
    files: str | Path | Sequence[str | Path],
    out: str | Path,
    calibration: None = None,
    *,
    progress: Progress | None = None,
    **options: Any,
) -> LiftSummary: ...


@overload
def lift(
    files: str | Path | Sequence[str | Path],
    out: str | Path,
    calibration: str | Path,
    *,
    progress: Progress | None = None,
    **options: Any,
) -> ViewsSummary: ...


def lift(
    files: str | Path | Sequence[str | Path],
    out: str | Path,
    calibration: str | Path | None = None,
    *,
    progress: Progress | None = None,
    **options: Any,
) -> LiftSummary | ViewsSummary:
    """Lifts 2D keypoints to 3D, and writes pose.npz, pose.json, pose.png and pose.html into a folder.

    Of one camera: the pose in the camera's frame; of everybody (``person="all"``) pose_N.npz, pose_N.json and
    pose_N.png of each person N, and one page. Of several calibrated cameras: one person in the calibration's world.

    Nothing appears in the folder before all is done; the inputs are never written to.

    Args:
        files: keypoints or a video, see :func:`skelgraph.io.keypoints.read`; of several cameras one each, see
            :func:`skelgraph.multiview.pairing.pair`.
        out: the folder to write into; made if need be.
        calibration: of several cameras, see :func:`skelgraph.io.calibrations.read`.
        progress: called now and then, in a video first while people are looked for.
        **options: fields of :class:`skelgraph.lifting.options.LiftOptions`.

    Returns:
        What was read, converted, missing, suspected and written; ``str`` of it is for people.

    Raises:
        FileNotFoundError: if keypoints, calibration, checkpoint or truth are not there.
        OutputExistsError: if an output is there already and ``force`` is not given.
        SuspiciousInputError: if the input looks wrong and ``force`` is not given.
        ValueError: if something does not fit; the message says what and how to go on. Of everybody, only if nobody can
            be lifted.
        TypeError: for an option that does not exist.

    Example:
        >>> summary = skelgraph.lift("walk.json", "out", fov=60, write=["bvh"], smooth=True)
        >>> summary.people[0].pose.joints.shape
        (100, 17, 3)
        >>> skelgraph.lift(["cam1.json", "cam2.json"], "out", "Calib.toml", refine=True)
    """
    chosen = LiftOptions(**options)
    if calibration is None:
        given = [files] if isinstance(files, str | Path) else list(files)
        chosen.check_cameras(len(given), several=False)
        return lift_file(given[0], out, chosen, progress)
    return lift_recording([files] if isinstance(files, str | Path) else files, calibration, out, chosen, progress)
