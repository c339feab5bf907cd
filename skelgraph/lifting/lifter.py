"""Lifting in memory: 2D keypoints in, 3D poses out."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from skelgraph.errors import CheckpointError
from skelgraph.lifting import weights
from skelgraph.lifting.error_estimate import ErrorEstimate
from skelgraph.nn.inputs import model_input
from skelgraph.nn.models import check_model
from skelgraph.nn.prediction import Prediction, device_of, predict
from skelgraph.poses.adapt import adapt
from skelgraph.poses.keypoints import Keypoints
from skelgraph.poses.pose3d import Pose3D
from skelgraph.skeleton import Skeleton
from skelgraph.skeleton.bones import center_on
from skelgraph.training import experiment
from skelgraph.training.checkpoint import load_run
from skelgraph.training.plugins import Plugins

Progress = Callable[[int, int], None]
"""Called with the frames done and the frames in all."""

_POINTS_AT_A_TIME = 1 << 14


class Lifter:
    """A trained model that takes keypoints and gives poses.

    Args:
        model: of poses or clips, see :class:`skelgraph.nn.models.PoseModel`. One of clips is called with each frame in
            the middle of those around it, the first and the last frame of the video repeated. With 3 input channels
            it takes the confidence too, with 4 the focal length.
        skeleton: the model's J joints.
        flip: average with the mirrored input's pose, mirrored back; twice the model's time.
        frames_at_a_time: how many frames go through the model at once, which bounds memory; default by the joints.
        name: of the model, for reports.
        error_estimate: what the error that the model foretells means in mm; None: unknown.
    """

    def __init__(
        self,
        model: Any,
        skeleton: Skeleton,
        *,
        flip: bool = True,
        frames_at_a_time: int | None = None,
        name: str = "",
        error_estimate: ErrorEstimate | None = None,
    ) -> None:
        if check_model(model).input_kind not in ("pose", "clip"):
            raise ValueError(f"{type(model).__name__} takes {model.input_kind}, not the keypoints of one camera")
        if frames_at_a_time is not None and frames_at_a_time < 1:
            raise ValueError(f"frames_at_a_time is {frames_at_a_time}; expected at least 1")
        if error_estimate is not None and len(error_estimate.parts) != skeleton.num_joints:
            raise ValueError(f"the error estimate is of {len(error_estimate.parts)} joints, not {skeleton.num_joints}")
        self.model = model.eval()
        self.skeleton, self.flip = skeleton, flip
        self.in_channels, self.num_frames = model.in_channels, model.num_frames
        self.frames_at_a_time = frames_at_a_time or max(1, _POINTS_AT_A_TIME // (skeleton.num_joints * self.num_frames))
        self.name = name or type(model).__name__
        self.error_estimate = error_estimate

    def __call__(
        self,
        keypoints: Keypoints | ArrayLike,
        image_size: tuple[float, float] | None = None,
        *,
        focal: float | None = None,
        force: bool = False,
        progress: Progress | None = None,
    ) -> Pose3D:
        """Lifts keypoints.

        Args:
            keypoints: :class:`Keypoints` of any joints, matched by name; or an array in px of the model's joints,
                [F, J, 2], [F, J, 3] with confidence, or one frame without F. NaN or confidence 0 marks missing points.
            image_size: width and height in px; needed where the keypoints do not say it.
            focal: the camera's focal length in px, see :func:`focal_length`; None: not known.
            force: take what looks wrong (another order, normalised values) for right.
            progress: called after every few frames.

        Returns:
            F frames; ``missing`` tells the joints whose 2D was not there, ``error_mm`` the error expected, where the
            model foretells it and what it foretells was compared with the truth.

        Raises:
            ValueError: if the joints do not fit, the image size is unknown, or the values look wrong.
        """
        given = keypoints if isinstance(keypoints, Keypoints) else Keypoints.of(keypoints)
        fitted = adapt(given, self.skeleton, image_size, force=force).keypoints
        return self.lift(fitted, focal=focal, progress=progress)

    def lift(self, keypoints: Keypoints, *, focal: float | None = None, progress: Progress | None = None) -> Pose3D:
        """Lifts keypoints that already are of the model's joints and know their image size."""
        check_focal(focal)
        if focal is not None and self.in_channels < 4:
            warnings.warn(f"{self.name} takes no focal length: it lifts as if none were given", stacklevel=2)
        count, foretold = keypoints.num_frames, []
        joints = np.zeros((count, self.skeleton.num_joints, 3), dtype=np.float32)
        for start in range(0, count, self.frames_at_a_time):
            part = np.arange(start, min(start + self.frames_at_a_time, count))
            found = self._predict(keypoints, self._window(part, count), focal or 0.0)
            joints[part] = center_on(found.pose, self.skeleton.origin).cpu().numpy()
            if found.error is not None:
                foretold.append(found.error.cpu().numpy())
            if progress is not None:
                progress(int(part[-1]) + 1, count)
        odd = np.flatnonzero(~np.isfinite(joints).all(axis=(1, 2)))
        if odd.size:
            raise ValueError(
                f"{keypoints.source}: the model {self.name} gives values that are not finite in {odd.size} of "
                f"{len(joints)} frames, first in frame {odd[0]}"
            )
        estimate = self.error_estimate if foretold else None
        error_mm = None if estimate is None else estimate(np.concatenate(foretold))
        return Pose3D(joints, self.skeleton, keypoints.fps, keypoints.missing, error_mm)

    def _window(self, frames: NDArray[np.int64], count: int) -> NDArray[np.int64]:
        """Which frames [n] or [n, T] the model sees for each of ``frames``."""
        if self.model.input_kind == "pose":
            return frames
        around = np.arange(self.num_frames) - self.num_frames // 2
        return np.clip(frames[:, None] + around, 0, count - 1)

    def _predict(self, keypoints: Keypoints, window: NDArray[np.int64], focal: float) -> Prediction:
        where = device_of(self.model)
        x, seen = (torch.tensor(each[window], device=where) for each in (keypoints.xy, keypoints.confidence))
        size = torch.tensor(keypoints.image_size, dtype=torch.float32, device=where).expand(len(x), 2)
        return predict(
            self.model,
            model_input(x, seen, size, self.in_channels, torch.tensor(focal)),
            self.skeleton,
            flip=self.flip,
            batch_size=self.frames_at_a_time,
        )


def load(run: str | Path, *, flip: bool = True, device: str = "auto", plugins: Plugins = ()) -> Lifter:
    """Loads a trained lifter.

    Args:
        run: a run folder or a checkpoint file; or, as text, ``body`` or ``whole-body``, which come with the package
            (``./body`` is a folder of that name).
        flip: as of :class:`Lifter`.
        device: auto, cpu, cuda or cuda:1.
        plugins: packages, as modules or by name, whose ``__all__`` the model's name may come from.

    Raises:
        FileNotFoundError: if there is no checkpoint there.
        CheckpointError: if the file is damaged, not of this package, or of a model that takes no keypoints of one
            camera.
        ValueError: if there is no such device, or the model's package is not among the plugins.

    Example:
        >>> lifter = skelgraph.load("body", flip=False)  # or "runs/mine", plugins=["my_models"], device="cuda"
        >>> pose = lifter(keypoints, image_size=(1920, 1080))  # [F, J, 2] px
        >>> pose.joints.shape
        (100, 17, 3)
    """
    model, skeleton, meta = load_run(weights.find(run), plugins=plugins)
    spec = meta["config"]["model"]
    name = spec if isinstance(spec, str) else str(spec.get("name", ""))
    told, where = meta.get("error_estimate"), experiment.torch_device(device)
    try:
        return Lifter(
            model.to(where),
            skeleton,
            flip=flip,
            name=name,
            error_estimate=None if told is None else ErrorEstimate.from_dict(told),
        )
    except ValueError as error:
        raise CheckpointError(f"{run}: {error}") from None


def check_focal(focal: float | None) -> None:
    """
    Raises:
        ValueError: for what is no focal length in px; None is: it is not known.
    """
    if focal is not None and not 0 < focal < math.inf:
        raise ValueError(f"focal={focal:g}: expected the focal length in px, above 0")


def focal_length(fov: float, width: float) -> float:
    """The focal length in px of a camera that sees ``fov`` degrees from the left to the right of an image ``width`` px
    wide.

    Raises:
        ValueError: for an angle that is not between 0 and 180.
    """
    if not 0 < fov < 180:
        raise ValueError(f"fov={fov:g}: expected the horizontal field of view in degrees, between 0 and 180")
    return width / (2 * math.tan(math.radians(fov) / 2))


__all__ = ["Lifter", "Progress", "check_focal", "focal_length", "load"]
