"""What is minimised: differentiable errors of poses, and their weighted sum.

Poses are [..., J, 3] in metres; each loss is a scalar, the mean over joints and leading dimensions. Gradients are
finite on every finite pose.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from inspect import signature
from types import ModuleType
from typing import Any

import torch
from torch import Tensor

from skelgraph.errors import ConfigError
from skelgraph.files.messages import nearest
from skelgraph.nn.output import PoseOutput, as_output
from skelgraph.skeleton import Skeleton
from skelgraph.skeleton.bones import bones, difference, normals, safe_norm

__all__ = ["mpjpe", "mse", "l1", "error", "normal", "bone", "velocity"]
"""The register of losses: an experiment names them, and :func:`objective` passes each what its signature asks for."""

Triangle = tuple[int, int, int]


def mse(pred: Tensor, target: Tensor) -> Tensor:
    r"""Mean squared error :math:`\frac{1}{3J} \sum_{j,d} (\hat y_{jd} - y_{jd})^2`, in square metres.

    Raises:
        ValueError: if the shapes differ or are empty, as for every loss here.
    """
    return difference(pred, target).square().mean()


def l1(pred: Tensor, target: Tensor) -> Tensor:
    r"""Mean absolute error :math:`\frac{1}{3J} \sum_{j,d} |\hat y_{jd} - y_{jd}|`, in metres."""
    return difference(pred, target).abs().mean()


def mpjpe(pred: Tensor, target: Tensor) -> Tensor:
    r"""Mean per joint position error :math:`\frac{1}{J} \sum_j \lVert \hat y_j - y_j \rVert`, in metres."""
    return safe_norm(difference(pred, target)).mean()


def error(pred_error: Tensor, pred: Tensor, target: Tensor) -> Tensor:
    r"""How well a model predicts its own error: MSE of :math:`\hat e` and :math:`|\hat y - y|`, per coordinate.

    The true error is a target: no gradient reaches ``pred`` (JointFormer, Lutz et al. 2022).
    """
    return mse(pred_error, difference(pred.detach(), target).abs())


def bone(pred: Tensor, target: Tensor, parents: Sequence[int]) -> Tensor:
    r"""Bone loss :math:`\frac{1}{J} \sum_j \lVert b_j - \hat b_j \rVert_1`, 0 at roots (Wen et al. 2024, eq. 5).

    Args:
        pred: poses [..., J, 3] in metres.
        target: poses of the same shape.
        parents: the index of each joint's parent, -1 for a root.
    """
    return bones(difference(pred, target), parents).abs().sum(-1).mean()


def normal(pred: Tensor, target: Tensor, triangles: Sequence[Triangle]) -> Tensor:
    r"""Normal loss :math:`\frac{1}{M} \sum_m \lVert n_m - \hat n_m \rVert_1` of unit normals (Wen et al. 2024, eq. 4).

    A straight limb has no normal: where it is straight in ``pred`` or ``target`` it counts 0.

    Args:
        pred: poses [..., J, 3].
        target: poses of the same shape.
        triangles: M triples of joints, such as shoulder, elbow, wrist.
    """
    difference(pred, target)
    n, n_true = normals(pred, triangles), normals(target, triangles)
    defined = (n != 0).any(-1) & (n_true != 0).any(-1)
    return ((n - n_true).abs().sum(-1) * defined).mean()


def velocity(pred_frames: Tensor, target_frames: Tensor) -> Tensor:
    r"""Mean error :math:`\lVert (\hat y_{f+1} - \hat y_f) - (y_{f+1} - y_f) \rVert` of sequences [..., F, J, 3].

    In metres a frame. A sequence of one frame has no velocity and gives 0.
    """
    residual = difference(pred_frames, target_frames)
    if residual.dim() < 3:
        raise ValueError(f"pred_frames is {list(residual.shape)}; a velocity needs sequences [..., F, J, 3]")
    change = safe_norm(residual.diff(dim=-3))
    return change.sum() / max(1, change.numel())


@lru_cache(maxsize=64)
def limb_triangles(skeleton: Skeleton) -> tuple[Triangle, ...]:
    """The arms and legs that the skeleton has: shoulder, elbow, wrist and hip, knee, ankle of each side, by name.

    Raises:
        ValueError: if it has none of them whole.
    """
    limbs = [
        [f"{side}_{joint}" for joint in limb]
        for limb in (("shoulder", "elbow", "wrist"), ("hip", "knee", "ankle"))
        for side in ("left", "right")
    ]
    found = [limb for limb in limbs if set(limb) <= set(skeleton.joints)]
    if not found:
        raise ValueError(
            f"skeleton {skeleton.name!r} has no whole arm or leg by name (left_shoulder, left_elbow, left_wrist, ...): "
            "leave the loss 'normal' out, or call losses.normal with triangles of your own"
        )
    return tuple((skeleton.index(a), skeleton.index(b), skeleton.index(c)) for a, b, c in found)


def objective(
    output: Tensor | PoseOutput,
    target: Tensor,
    skeleton: Skeleton,
    weights: Mapping[str, float],
    namespace: Sequence[ModuleType] = (),
    *,
    frames: bool = False,
) -> tuple[Tensor, dict[str, Tensor]]:
    r"""The weighted sum :math:`\sum_k w_k L_k` of losses by name.

    A loss is a function whose parameters say what it needs: ``pred`` and ``target``; ``pred_error``; ``pred_frames``
    and ``target_frames``, sequences [..., F, J, 3]; ``skeleton``, its ``parents`` or ``triangles``.

    Args:
        output: poses [..., J, 3] in metres, or a :class:`PoseOutput`. One with ``poses`` and ``errors`` [L, ..., J, 3]
            of its layers is judged by these: intermediate supervision.
        target: poses of the shape of ``pose``.
        skeleton: gives the bones and the limbs.
        weights: weight of each loss, by its name in the ``__all__`` of this module or of one in ``namespace``.
        namespace: further modules of losses.
        frames: whether the poses are sequences [..., F, J, 3].

    Returns:
        The sum, and each loss by name: not weighted, without gradient, still on its device.

    Raises:
        ConfigError: for an unknown name, no weights, or a loss that the output or skeleton cannot give.
    """
    given = as_output(output)
    pred, error = (given.pose, given.error) if given.poses is None else (given.poses, given.errors)
    target = target if given.poses is None else target.expand_as(pred)
    pred = pred.to(torch.promote_types(pred.dtype, target.dtype))
    if not weights:
        raise ConfigError(f"loss names no terms; expected weights of some of {', '.join(__all__)}")
    offered = _offered(pred, target, error, skeleton, frames)
    total, values = torch.zeros((), dtype=pred.dtype, device=pred.device), {}
    for name, weight in weights.items():
        value = _called(name, _named(name, namespace), offered)
        total = total + weight * value
        values[name] = value.detach()
    return total, values


def _offered(
    pred: Tensor, target: Tensor, error: Tensor | None, skeleton: Skeleton, frames: bool
) -> dict[str, Callable[[], Any]]:
    """What a loss may ask for by its parameters' names; calling it gives the value."""
    offered: dict[str, Callable[[], Any]] = {
        "pred": lambda: pred,
        "target": lambda: target,
        "skeleton": lambda: skeleton,
        "parents": lambda: skeleton.parents,
        "triangles": lambda: limb_triangles(skeleton),
    }
    if frames:
        offered |= {"pred_frames": lambda: pred, "target_frames": lambda: target}
    if error is not None:
        offered["pred_error"] = lambda: error
    return offered


def _named(name: str, namespace: Sequence[ModuleType]) -> Callable[..., Tensor]:
    known = {each: vars(module)[each] for module in (*namespace, sys.modules[__name__]) for each in module.__all__}
    if name not in known:
        raise ConfigError(f"unknown loss {name!r}{nearest(name, known)}")
    loss: Callable[..., Tensor] = known[name]
    return loss


_MISSING = {
    "pred_error": "a model that predicts its error, such as SemGAN",
    "pred_frames": "a model of clips that answers all their frames, such as STGCN with num_frames",
}


@lru_cache(maxsize=64)
def _needed(loss: Callable[..., Tensor]) -> tuple[str, ...]:
    return tuple(each.name for each in signature(loss).parameters.values() if each.default is each.empty)


def _called(name: str, loss: Callable[..., Tensor], offered: Mapping[str, Callable[[], Any]]) -> Tensor:
    needed = _needed(loss)
    missing = [each for each in needed if each not in offered]
    if missing:
        what = _MISSING.get(missing[0], f"{missing[0]}, which is none of {', '.join(offered)}")
        raise ConfigError(f"the loss {name!r} needs {what}: leave it out")
    return loss(**{each: offered[each]() for each in needed})
