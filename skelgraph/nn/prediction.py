"""What models give: poses and predicted errors, with flip augmentation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from skelgraph.nn.inputs import flip_input, flip_pose
from skelgraph.skeleton import Skeleton


def answered(target: Tensor, pose: Tensor) -> Tensor:
    """What a model that gives ``pose`` is asked for: of clips ``[N, T, J, 3]`` all frames, or the middle ones."""
    return middle_frame(target) if pose.dim() < target.dim() else target


def judged(poses: Tensor) -> Tensor:
    """What errors are counted on, ``[N, J, C]``: poses as they are, of clips ``[N, T, J, C]`` the middle frames, and of
    pictures from several views ``[N, V, T, J, C]`` all, one after another."""
    return poses.flatten(0, 2) if poses.dim() == 5 else middle_frame(poses)


def middle_frame(clips: Tensor) -> Tensor:
    """Of clips ``[N, T, J, C]`` the middle frames ``[N, J, C]``; poses ``[N, J, C]`` as they are."""
    return clips[:, clips.size(1) // 2] if clips.dim() == 4 else clips


class Prediction(NamedTuple):
    """Poses [N, J, 3] in m, and for models that foretell it, how far off they take each joint to be [N, J], m."""

    pose: Tensor
    error: Tensor | None


@torch.no_grad()
def predict(
    model: nn.Module,
    x: Tensor,
    skeleton: Skeleton,
    *,
    flip: bool = True,
    batch_size: int = 1024,
    check: Callable[[], None] = lambda: None,
) -> Prediction:
    """Predictions for inputs [N, J, C], the middle of clips [N, T, J, C], or all pictures [N, V, T, C, H, W], in
    evaluation mode.

    With ``flip`` the prediction is averaged with that of the mirrored input, mirrored back; whatever the model derives
    from its input it derives anew. A skeleton without pairs cannot be mirrored and is not. The error is the length of
    the vector of the coordinates' errors.
    """
    was_training = model.training
    model.eval()
    index = skeleton.flip_index.to(x.device)
    parts = []
    try:
        for part in x.split(max(1, batch_size // (x.shape[1:3].numel() if x.dim() == 6 else 1))):
            check()
            found = _prediction(model(part))
            if flip and skeleton.pairs:
                mirrored = _prediction(model(flip_input(part, index)))
                error = None if mirrored.error is None else mirrored.error[:, index]
                found = Prediction(
                    (found.pose + flip_pose(mirrored.pose, index)) / 2,
                    None if found.error is None or error is None else (found.error + error) / 2,
                )
            parts.append(found)
    finally:
        model.train(was_training)
    poses, errors = zip(*parts, strict=True)
    return Prediction(torch.cat(poses), None if errors[0] is None else torch.cat(errors))


def _prediction(output: Any) -> Prediction:
    error = None if isinstance(output, Tensor) else getattr(output, "error", None)
    error = None if error is None else judged(error).float().norm(dim=-1)
    return Prediction(judged(pose_of(output)).float(), error)


def pose_of(output: Any) -> Tensor:
    """The pose of a model's output: the tensor itself, or the first of a NamedTuple."""
    pose: Tensor = output if isinstance(output, Tensor) else output[0]
    return pose
