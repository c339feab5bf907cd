"""What models predict, in evaluation mode and averaged with the mirrored input; and which frames are judged."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

import torch
from torch import Tensor

from skelgraph.nn.inputs import flip_input, flip_pose
from skelgraph.nn.models.pose_model import InputKind, PoseModel
from skelgraph.nn.output import PoseOutput, as_output
from skelgraph.skeleton import Skeleton


def answered(target: Tensor, model: PoseModel) -> Tensor:
    """What a model is asked for of targets as datasets draw them: of clips ``[N, T, J, 3]`` all frames, or the middle
    ones where it answers these alone."""
    return middle_frame(target) if model.answers == "middle" and model.input_kind != "pose" else target


def gives_frames(model: PoseModel) -> bool:
    """Whether a model gives consecutive frames, ``[..., T, J, 3]``."""
    return model.answers == "all" and model.input_kind != "pose"


def judged(poses: Tensor, kind: InputKind) -> Tensor:
    """What errors are counted on, ``[N, J, C]``: poses as they are, of clips and views ``[N, T, J, C]`` the middle
    frames, and of images from several views ``[N, V, T, J, C]`` all, one after another."""
    if kind == "images":
        return poses.flatten(0, 2)
    return poses if kind == "pose" else middle_frame(poses)


def judged_answer(poses: Tensor, model: PoseModel) -> Tensor:
    """As :func:`judged`, of what a model gives, which may be the middle frames already."""
    return judged(poses, "pose" if model.answers == "middle" else model.input_kind)


def middle_frame(clips: Tensor) -> Tensor:
    """Of clips ``[N, T, ...]`` the middle frames ``[N, ...]``."""
    return clips[:, clips.size(1) // 2]


class Prediction(NamedTuple):
    """Poses [N, J, 3] in m, and for models that predict it, the error of each joint [N, J], m."""

    pose: Tensor
    error: Tensor | None


@torch.no_grad()
def predict(
    model: PoseModel,
    x: Tensor,
    skeleton: Skeleton,
    *,
    flip: bool = True,
    batch_size: int = 1024,
    all_frames: bool = False,
    check: Callable[[], None] = lambda: None,
) -> Prediction:
    """Predictions for inputs [N, J, C], the middle of clips [N, T, J, C] and of views [N, V, T, J, C], or all images
    [N, V, T, C, H, W], in evaluation mode.

    With ``flip`` the prediction is averaged with that of the mirrored input, mirrored back; whatever the model derives
    from its input it derives anew. A skeleton without pairs cannot be mirrored and is not. The error is the length of
    the vector of the coordinates' errors. With ``all_frames`` poses and errors are those of all frames that the model
    gives, [..., T, J, 3] and [..., T, J].
    """
    was_training = model.training
    model.train(False)
    index = flip_index_on(skeleton, x.device)
    images = x.shape[1:3].numel() if model.input_kind == "images" else 1
    parts = []
    try:
        for part in x.split(max(1, batch_size // images)):
            check()
            prediction = _prediction(model(part), model, all_frames)
            if flip and skeleton.pairs:
                mirrored = _prediction(model(flip_input(part, index)), model, all_frames)
                prediction = _averaged(prediction, mirrored, index)
            parts.append(prediction)
    finally:
        model.train(was_training)
    poses, errors = zip(*parts, strict=True)
    return Prediction(torch.cat(poses), None if errors[0] is None else torch.cat(errors))


def _averaged(prediction: Prediction, mirrored: Prediction, index: Tensor) -> Prediction:
    pose = (prediction.pose + flip_pose(mirrored.pose, index)) / 2
    if prediction.error is None or mirrored.error is None:
        return Prediction(pose, None)
    return Prediction(pose, (prediction.error + mirrored.error.index_select(-1, index)) / 2)


def _prediction(output: Tensor | PoseOutput, model: PoseModel, all_frames: bool) -> Prediction:
    given = as_output(output)

    def chosen(part: Tensor) -> Tensor:
        return (part if all_frames else judged_answer(part, model)).float()

    error = None if given.error is None else chosen(given.error).norm(dim=-1)
    return Prediction(chosen(given.pose), error)


def device_of(model: PoseModel) -> torch.device:
    """Where a model's parameters are; the CPU for one without any."""
    return next((parameter.device for parameter in model.parameters()), torch.device("cpu"))


def flip_index_on(skeleton: Skeleton, device: torch.device) -> Tensor:
    """``skeleton.flip_index`` on a device, copied there once."""
    return skeleton.flip_index if device.type == "cpu" else _copied(skeleton, device)


@lru_cache(maxsize=64)
def _copied(skeleton: Skeleton, device: torch.device) -> Tensor:
    return skeleton.flip_index.to(device)
