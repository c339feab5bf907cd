"""What is minimised: differentiable errors of poses, and their weighted sum.

Poses are [..., J, 3] in metres; each loss is a scalar, the mean over joints and leading dimensions. Gradients are
finite on every finite pose.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor

from skelgraph.files.messages import nearest
from skelgraph.skeleton import Skeleton
from skelgraph.skeleton.bones import bones, difference, normals, safe_norm

__all__ = ["bone", "error", "l1", "mpjpe", "mse", "normal", "objective", "velocity"]

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
    r"""How well a model foretells its own error: MSE of :math:`\hat e` and :math:`|\hat y - y|`, per coordinate.

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


def velocity(pred: Tensor, target: Tensor) -> Tensor:
    r"""Mean error :math:`\lVert (\hat y_{f+1} - \hat y_f) - (y_{f+1} - y_f) \rVert` of sequences [..., F, J, 3].

    In metres a frame. A sequence of one frame has no velocity and gives 0.
    """
    apart = difference(pred, target)
    if apart.dim() < 3:
        raise ValueError(f"pred is {list(apart.shape)}; a velocity needs sequences [..., F, J, 3]")
    change = safe_norm(apart.diff(dim=-3))
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
    output: Any, target: Tensor, skeleton: Skeleton, weights: Mapping[str, float]
) -> tuple[Tensor, dict[str, Tensor]]:
    r"""The weighted sum :math:`\sum_k w_k L_k` of losses by name.

    Args:
        output: poses [..., J, 3] in metres, or a NamedTuple with ``pose`` and, for the loss ``error``, ``error``. One
            with ``poses`` and ``errors`` [L, ..., J, 3] of its layers is judged by these: intermediate supervision.
        target: poses of the shape of ``pose``.
        skeleton: gives the bones and the limbs.
        weights: weight of each of ``mpjpe``, ``mse``, ``l1``, ``error``, ``normal``, ``bone``, ``velocity``.

    Returns:
        The sum, and each loss by name: not weighted, without gradient, still on its device.

    Raises:
        ValueError: for an unknown name, no weights, or a loss that the output or skeleton cannot give.
    """
    pose = output if isinstance(output, Tensor) else output.pose
    if getattr(output, "poses", None) is not None:
        pose, target = output.poses, target.expand_as(output.poses)
    pose = pose.to(torch.promote_types(pose.dtype, target.dtype))
    if not weights:
        raise ValueError(f"loss names no terms; expected weights of some of {', '.join(_TERMS)}")
    total, values = torch.zeros((), dtype=pose.dtype, device=pose.device), {}
    for name, weight in weights.items():
        if name not in _TERMS:
            raise ValueError(f"unknown loss {name!r}{nearest(name, _TERMS)}")
        value = _TERMS[name](output, pose, target, skeleton)
        total = total + weight * value
        values[name] = value.detach()
    return total, values


def _error(output: Any, pose: Tensor, target: Tensor, skeleton: Skeleton) -> Tensor:
    foretold = None
    if not isinstance(output, Tensor):
        foretold = getattr(output, "error" if getattr(output, "poses", None) is None else "errors", None)
    if foretold is None:
        raise ValueError("the loss 'error' needs a model that foretells its error (such as SemGAN): leave it out")
    return error(foretold, pose, target)


def _velocity(output: Any, pose: Tensor, target: Tensor, skeleton: Skeleton) -> Tensor:
    if pose.dim() < 4:
        raise ValueError(f"the loss 'velocity' needs sequences [B, F, J, 3], not single poses {list(pose.shape)}")
    return velocity(pose, target)


_TERMS = {
    "mpjpe": lambda output, pose, target, skeleton: mpjpe(pose, target),
    "mse": lambda output, pose, target, skeleton: mse(pose, target),
    "l1": lambda output, pose, target, skeleton: l1(pose, target),
    "bone": lambda output, pose, target, skeleton: bone(pose, target, skeleton.parents),
    "normal": lambda output, pose, target, skeleton: normal(pose, target, limb_triangles(skeleton)),
    "error": _error,
    "velocity": _velocity,
}
