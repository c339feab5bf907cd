"""Evaluation: every metric per part, joint and action."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import torch
from torch import Tensor

from skelgraph.errors import ConfigError
from skelgraph.files import atomic
from skelgraph.nn import metrics
from skelgraph.nn.inputs import RAY_CHANNELS
from skelgraph.nn.models import PoseModel
from skelgraph.nn.prediction import gives_frames, judged, judged_answer, predict
from skelgraph.skeleton import Skeleton
from skelgraph.skeleton.builtin import COCO_WHOLEBODY
from skelgraph.training import checkpoint, config, experiment
from skelgraph.training import plugins as packages
from skelgraph.training.multi_view_metrics import views_report
from skelgraph.training.plugins import Plugins
from skelgraph.training.seeds import over_seeds, seed_runs


class PosePairs(NamedTuple):
    """Inputs and what predictions are compared with."""

    x: Tensor
    """[N, J, C], of clips [N, T, J, C], of views [N, V, T, J, C], of images [N, V, T, C, H, W]."""
    target: Tensor
    """[N, J, 3] in metres, of clips and views the middle frame's; of images [N * V * T, J, 3]."""
    action: Tensor
    """The index of each target's action."""
    target_frames: Tensor | None = None
    """[..., T, J, 3], all frames, for models that give them."""


def evaluate(
    run: str | Path,
    *,
    which: checkpoint.Which | None = None,
    overrides: Sequence[str] = (),
    device: str | None = None,
    batch_size: int = 1024,
    plugins: Plugins = (),
    check: Callable[[], None] = lambda: None,
) -> dict[str, Any]:
    """Evaluates a run on the test split of its data, and writes metrics.json beside its checkpoint.

    Args:
        run: a run folder or a checkpoint file; or the folder of a training with several seeds.
        which: which checkpoint of a folder; default the last. (The best was chosen by looking at the test split, or at
            samples held out of the training split where there were any.)
        overrides: changes to the configuration, such as ``data.file=other.npz``; nothing is written then. A converted
            checkpoint knows no data: ``data.name=MotionCapture``.
        device: default that of the run's configuration.
        batch_size: poses at a time.
        plugins: packages, as modules or by name, whose ``__all__`` names may come from.
        check: called between batches; may raise to break off.

    Returns:
        The metrics of :func:`report` (lengths in mm), of several calibrated cameras (whose MPJPE is in the world, not
        re-centred) those of :func:`views_report` too, those of the mean training pose under ``mean_pose`` (where the
        checkpoint has it), and the numbers of poses, parameters and training steps. Of several seeds the means, with
        ``spread`` and ``seeds``, see :func:`skelgraph.training.seeds.over_seeds`.

    Raises:
        FileNotFoundError: if there is no checkpoint or data file.
        ValueError: if they do not fit each other.
    """
    if seeds := seed_runs(run):
        options: dict[str, Any] = {"which": which, "overrides": overrides, "device": device, "batch_size": batch_size}
        options |= {"plugins": plugins, "check": check}
        return over_seeds({seed: evaluate(each, **options) for seed, each in seeds.items()})
    run, modules = Path(run), packages.load(plugins)
    model, skeleton, meta = checkpoint.load_run(run, which, plugins=plugins)
    settings = config.changed(config.Section(meta["config"]), overrides)
    if "data" not in settings:
        example = 'overrides=["data.name=MotionCapture"]'
        raise ConfigError(f"{run}: was not trained here and names no data: name some, such as {example}")
    training = experiment.build_training({"train": {"epochs": 1}, **settings})
    where = experiment.torch_device(device or training.device)
    dataset = experiment.build_data(settings["data"], skeleton, "test", 0, plugins)
    experiment.check_fit(model, dataset)
    experiment.check_flip(training, model)
    drawn = dataset.draw(0).to(where)
    poses = pose_pairs(drawn, model)
    options = {"flip": training.flip_test, "batch_size": batch_size, "check": check}
    pose = predict(model.to(where), poses.x, skeleton, all_frames=True, **options).pose
    frames = pose if gives_frames(model) else None
    result = {
        **report(judged_answer(pose, model), poses, skeleton, dataset.actions, pred_frames=frames, plugins=modules),
        "poses": len(poses.target),
        "parameters": sum(p.numel() for p in model.parameters()),
        "steps": meta["step"],
        "train_seconds": meta.get("seconds", 0.0),
        "flip_test": training.flip_test,
    }
    if "mean_pose" in meta:
        mean_pose = torch.tensor(meta["mean_pose"], device=where).expand_as(poses.target)
        result["mean_pose"] = report(mean_pose, poses, skeleton, dataset.actions, plugins=modules)
    if (model.input_kind, model.in_channels) == ("views", RAY_CHANNELS) and drawn.calibrated:
        result |= views_report(model, drawn, skeleton, check=check)
    if not overrides:
        folder = run if run.is_dir() else run.parent
        atomic.write(folder / "metrics.json", json.dumps(result, indent=1, allow_nan=False) + "\n")
    return result


def pose_pairs(poses: Any, model: PoseModel, limit: int | None = None) -> PosePairs:
    """Drawn poses as a model takes them; at most ``limit``, evenly spaced."""
    if len(poses.target) == 0:
        raise ConfigError("the test split holds no poses")
    if limit is not None and len(poses.target) > limit:
        index = torch.linspace(0, len(poses.target) - 1, limit, device=poses.target.device)
        poses = poses.take(index.round().long())
    target = judged(poses.target, model.input_kind)
    action = poses.action.repeat_interleave(len(target) // len(poses.action))
    frames = poses.target if gives_frames(model) else None
    return PosePairs(poses.inputs(model.in_channels), target, action, frames)


def report(
    pose: Tensor,
    poses: PosePairs,
    skeleton: Skeleton,
    actions: Sequence[str],
    *,
    pred_frames: Tensor | None = None,
    plugins: Sequence[ModuleType] = (),
) -> dict[str, Any]:
    """All metrics of predicted poses [N, J, 3] in metres; those that are lengths in mm.

    ``parts`` and ``joints`` are MPJPE over all poses; ``actions`` holds the protocols on each action's poses. With
    ``pred_frames`` [..., T, J, 3] the metrics of motion are among them, and with the joints of COCO_WHOLEBODY the H3WB
    protocol as ``h3wb``. What ``plugins`` register is reported too, see :func:`skelgraph.nn.metrics.reported`.
    """
    target = poses.target
    error = metrics.per_joint(pose, target) * 1000
    offered: dict[str, Any] = {"pred": pose, "target": target, "skeleton": skeleton}
    if skeleton.joints == COCO_WHOLEBODY.joints:
        offered |= {"pred_whole_body": pose, "target_whole_body": target}
    if pred_frames is not None and pred_frames.size(-3) > 1:
        offered |= {"pred_frames": pred_frames, "target_frames": poses.target_frames, "bones": skeleton.bones}
    result: dict[str, Any] = metrics.reported(offered, plugins)
    result["parts"] = {name: float(error[:, list(joints)].mean()) for name, joints in skeleton.parts.items()}
    result["joints"] = dict(zip(skeleton.joints, error.mean(0).tolist(), strict=True))
    result["actions"] = {}
    for number, action in enumerate(actions):
        chosen = poses.action == number
        if bool(chosen.any()):
            of_action = {"pred": pose[chosen], "target": target[chosen], "skeleton": skeleton}
            result["actions"][action] = metrics.reported(of_action, plugins)
    return result
