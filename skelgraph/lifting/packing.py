"""A run as one small file to hand on: weights in half precision, and what the foretold errors mean in mm."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from skelgraph.files.new_file import new_file
from skelgraph.lifting.error_estimate import ErrorEstimate
from skelgraph.nn import metrics
from skelgraph.nn.models import PoseModel
from skelgraph.nn.prediction import judged, predict
from skelgraph.skeleton import Skeleton
from skelgraph.training import checkpoint, config, experiment
from skelgraph.training.plugins import Plugins

KEPT = ("config", "skeleton", "in_channels", "mean_pose", "step", "epoch", "versions")


@dataclass(frozen=True)
class PackSummary:
    """What was written.

    Args:
        path: the file.
        size: its bytes.
        poses: on how many the error estimate was fitted; 0 for models that foretell none.
        error_mm: mean error on them.
    """

    path: Path
    size: int
    poses: int
    error_mm: float | None

    def __str__(self) -> str:
        lines = [f"written: {self.path}, {self.size:,} bytes"]
        if self.error_mm is not None:
            lines.append(f"error estimate: fitted to {self.poses:,} poses, mean error {self.error_mm:.1f} mm")
        return "\n".join(lines)


def pack(
    run: str | Path,
    out: str | Path,
    changes: Sequence[str] = (),
    *,
    which: checkpoint.Which | None = None,
    force: bool = False,
    plugins: Plugins = (),
) -> PackSummary:
    """Writes a checkpoint with its weights in float16 and without the optimiser's state.

    For a model that foretells its error the curves of :class:`ErrorEstimate` are fitted on the training split of the
    run's data, changed to show what the model has not seen: other subjects, another seed.

    Args:
        run: a run folder or a checkpoint file.
        out: the file to write, NAME.safetensors.
        changes: of the configuration's data, such as ``data.name=MotionCapture`` or ``data.noise_px=5``.
        which: which checkpoint of a folder; default the last.
        force: overwrite ``out``.
        plugins: packages, as modules or by name, whose ``__all__`` names may come from.

    Raises:
        OutputExistsError: if ``out`` is there and ``force`` is not given.
        FileNotFoundError: if there is no checkpoint, or no data.
        ValueError: for another ending, or weights beyond float16.
    """
    out = new_file(out, ".safetensors", force)
    model, skeleton, meta = checkpoint.load_run(run, which, plugins=plugins)
    half = {name: t.half() if t.is_floating_point() else t for name, t in model.state_dict().items()}
    model.load_state_dict(half)  # what is judged below is what a reader of the file gets
    settings = config.changed(config.Section(meta["config"]), changes)
    dataset = experiment.build_data(settings["data"], skeleton, "train", 1, plugins)
    errors = _errors(model, dataset, skeleton)
    kept = {key: meta[key] for key in KEPT if key in meta}
    if errors is not None:
        kept["error_estimate"] = ErrorEstimate.fit(*errors, parts_of(skeleton)).to_dict()
    checkpoint.save(out, {f"model.{name}": tensor for name, tensor in half.items()}, kept)
    poses, error_mm = (0, None) if errors is None else (len(errors[1]), float(errors[1].mean()))
    return PackSummary(out, out.stat().st_size, poses, error_mm)


def parts_of(skeleton: Skeleton) -> list[int]:
    """The number of the part that each joint is in, [J]."""
    parts = [set(joints) for joints in skeleton.parts.values()]
    return [next(number for number, part in enumerate(parts) if joint in part) for joint in range(skeleton.num_joints)]


def _errors(
    model: PoseModel, dataset: Any, skeleton: Skeleton
) -> tuple[NDArray[np.float32], NDArray[np.float32]] | None:
    """Foretold errors in m and true ones in mm, [N, J] each, of the joints of an epoch whose focal length is not told,
    as it mostly is not; None if none are foretold."""
    poses = dataset.draw(0)
    x = poses._replace(focal=torch.zeros_like(poses.focal)).inputs(model.in_channels)
    pose, error = predict(model, x, skeleton)
    if error is None:
        return None
    return error.numpy(), (1000 * metrics.per_joint(pose, judged(poses.target, model.input_kind))).numpy()
