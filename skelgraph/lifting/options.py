"""How files are lifted, and what is written."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Literal

from skelgraph.geometry import axes
from skelgraph.io import poses
from skelgraph.lifting import lifter
from skelgraph.training.plugins import Plugins

_ONE_CAMERA = ("image_size", "focal", "fov", "flip", "truth", "trajectory", "height")
_SEVERAL_CAMERAS = ("up", "refine")
_TIMED = {"bvh", "trc", "c3d"}


@dataclass(frozen=True, kw_only=True)
class LiftOptions:
    """What :func:`skelgraph.lift` can be asked for; values are checked when it is made, before anything is read.

    Args:
        checkpoint: a run folder, a checkpoint file, ``"body"`` or ``"whole-body"``; default what suits the keypoints,
            see :func:`skelgraph.lifting.weights.choose`. Of several cameras a model for several views; default RANSAC
            and refinement.
        format: of the keypoint files, see :func:`skelgraph.io.keypoints.read`; default detected from their content.
        person: which person, or ``"all"`` (of one camera), where a frame holds several; default the one who is the
            largest in the picture, the sizes in all frames added up.
        fps: frames per second, where the files do not say it.
        smooth: filter the pose over time, see :mod:`skelgraph.motion.smoothing`.
        write: further files, by their endings: bvh, csv, trc, c3d.
        axes: of these files, see :mod:`skelgraph.geometry.axes`; default what each format's readers expect. Of several
            cameras also ``"world"``, the calibration's own.
        device: auto, cpu, cuda or cuda:1.
        force: overwrite outputs, and lift what looks wrong.
        plugins: packages, as modules or by name, whose ``__all__`` the model's name may come from.
        image_size: width and height in px, where the file does not say it.
        focal: the camera's focal length in px, where it is known.
        fov: its horizontal field of view in degrees, in place of ``focal``.
        flip: average with the mirrored input's pose; twice the model's time.
        truth: a pose npz of the same frames to compare with.
        trajectory: move the person in the further files along an estimate of the root's path, see
            :mod:`skelgraph.motion.trajectory`; smoothed as the pose is.
        height: the person's height in m, to which the pose is scaled for that; default the pose's own.
        up: the axis of the calibration's world that points up: x, y, z, -x, -y or -z; default
            :func:`skelgraph.multiview.up_axis.up_axis`.
        refine: move the joints to the keypoints that agree, bones rigid, see
            :func:`skelgraph.multiview.body_refinement.refine_body`.

    Raises:
        TypeError: for an option that does not exist.
        ValueError: for values that mean nothing, alone or together.
    """

    checkpoint: str | Path | None = None
    format: str | None = None
    person: int | Literal["all"] | None = None
    fps: float | None = None
    smooth: bool = False
    write: Sequence[str] = ()
    axes: str | None = None
    device: str = "auto"
    force: bool = False
    plugins: Plugins = ()
    image_size: tuple[float, float] | None = None
    focal: float | None = None
    fov: float | None = None
    flip: bool = True
    truth: str | Path | None = None
    trajectory: bool = False
    height: float | None = None
    up: str | None = None
    refine: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "write", (self.write,) if isinstance(self.write, str) else tuple(self.write))
        poses.check_endings(self.write)
        if self.fps is not None and not 0 < self.fps < math.inf:
            raise ValueError(f"fps={self.fps:g}: expected frames per second, above 0")
        if self.person == "all" and self.truth is not None:
            raise ValueError("truth= is of one person: choose who it is with person=N")
        if self.up is not None and self.up not in axes.LEVEL:
            raise ValueError(f"up={self.up!r}: expected the world's axis that points up: {', '.join(axes.LEVEL)}")
        self._check_camera()
        self._check_trajectory()

    def _check_camera(self) -> None:
        if self.focal is not None and self.fov is not None:
            raise ValueError("focal= and fov= say the same: give one of them")
        lifter.check_focal(self.focal)
        self.focal_px(1.0)  # raises for a field of view that is none

    def _check_trajectory(self) -> None:
        if self.trajectory and self.focal is None and self.fov is None:
            raise ValueError("trajectory=True needs the focal length: give focal= or fov=")
        if self.trajectory and not self.write:
            known = " or ".join(f"write={each.ENDING[1:]!r}" for each in poses.FORMATS if each.ENDING != ".npz")
            raise ValueError(f"trajectory=True needs a file that holds it: {known}")
        if self.height is not None and not self.trajectory:
            raise ValueError("height= is for trajectory=True: give both or none")

    def check_cameras(self, num_files: int, *, several: bool) -> None:
        """Refuses what means nothing for one camera, or for several with a calibration.

        Raises:
            ValueError: naming the options.
        """
        if not several and num_files != 1:
            raise ValueError(f"{num_files} files: of several cameras? Then give calibration=FILE; else one file")
        useless = self._given(_ONE_CAMERA if several else _SEVERAL_CAMERAS)
        if several and self.person == "all":
            useless.append("person='all'")
        if useless and several:
            raise ValueError(f"{', '.join(useless)}: is for one camera; with calibration= leave it out")
        if useless:
            raise ValueError(f"{', '.join(useless)}: is for several cameras, with calibration=FILE")
        poses.check_axes(self.axes, self.write, in_world=several)

    def _given(self, names: Sequence[str]) -> list[str]:
        """Those of the options that are not as by default, as one writes them."""
        values = {each.name: (getattr(self, each.name), each.default) for each in fields(self) if each.name in names}
        changed = {name: value for name, (value, default) in values.items() if value != default}
        return [f"{name}={value if isinstance(value, bool) else ''}" for name, value in changed.items()]

    def check_rate(self, fps: float | None, source: object) -> None:
        """
        Raises:
            ValueError: if the files of ``source`` have no frame rate where one is needed.
        """
        if fps is None and (self.smooth or _TIMED & set(self.write)):
            raise ValueError(f"{source}: does not say how many frames a second it has, which is needed here: give fps=")

    def focal_px(self, width: float) -> float | None:
        """The focal length in px in an image ``width`` px wide; None: not known."""
        return self.focal if self.fov is None else lifter.focal_length(self.fov, width)
