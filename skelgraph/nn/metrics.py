"""What is reported: errors of poses, as the field's benchmarks define them.

Poses are [..., J, 3], relative to the same origin. Errors are scalars in the unit of the poses (metres, inside
skelgraph), averaged over joints and leading dimensions. Nothing here has a gradient.

A metric is one function. Its parameters say what it needs: ``pred`` and ``target``, poses; ``pred_frames`` and
``target_frames``, sequences [..., F, J, 3]; ``pred_px`` and ``target_px``, keypoints; ``pred_whole_body`` and
``target_whole_body``, poses in COCO-WholeBody order; ``bones``. The type that it returns says in which unit:
:data:`Metres`, :data:`Share` or :data:`SquarePixels`. An evaluation reports every metric of ``__all__`` that it has all
of this for, see :func:`reported`.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from inspect import isfunction, signature
from types import ModuleType
from typing import Annotated, Any, NamedTuple, get_args, get_type_hints

import torch
from torch import Tensor

from skelgraph.geometry.alignment import procrustes
from skelgraph.skeleton.bones import center_on, difference

__all__ = [
    "mpjpe",
    "p_mpjpe",
    "n_mpjpe",
    "velocity_error",
    "pck",
    "auc",
    "keypoint_pck",
    "keypoint_mse",
    "bone_variation",
    "h3wb",
]


class Unit(NamedTuple):
    """How a metric is reported: what is added to its name, and what its value is multiplied by."""

    suffix: str
    scale: float


Metres = Annotated[Tensor, Unit("_mm", 1000.0)]
Share = Annotated[Tensor, Unit("", 1.0)]
SquarePixels = Annotated[Tensor, Unit("", 1.0)]


def reported(offered: Mapping[str, Any], namespace: Sequence[ModuleType] = ()) -> dict[str, float | dict[str, float]]:
    """The value of every registered metric that ``offered`` has all parameters of, by name and unit (``mpjpe_mm``).

    Args:
        offered: values by the names that metrics' parameters have. What has a default is not passed.
        namespace: further modules; of their ``__all__``, what returns one of the units here is a metric.
    """
    result: dict[str, float | dict[str, float]] = {}
    for module in (sys.modules[__name__], *namespace):
        for name in module.__all__:
            metric = vars(module)[name]
            asked = _asked(metric) if isfunction(metric) else None
            if asked is None or not set(asked.needed) <= offered.keys():
                continue
            value = metric(**{each: offered[each] for each in asked.needed})
            if isinstance(value, dict):
                result[name] = {part: float(each) * asked.unit.scale for part, each in value.items()}
            else:
                result[name + asked.unit.suffix] = float(value) * asked.unit.scale
    return result


class _Asked(NamedTuple):
    needed: tuple[str, ...]
    unit: Unit


@cache
def _asked(function: Callable[..., Any]) -> _Asked | None:
    """The parameters that a metric needs, and its unit; None for a function that is no metric."""
    hint = get_type_hints(function, include_extras=True).get("return")
    units = [each for part in (hint, *get_args(hint)) for each in (part, *get_args(part)) if isinstance(each, Unit)]
    if not units:
        return None
    parameters = signature(function).parameters.values()
    return _Asked(tuple(each.name for each in parameters if each.default is each.empty), units[0])


@torch.no_grad()
def per_joint(pred: Tensor, target: Tensor) -> Tensor:
    r"""Euclidean error :math:`\lVert \hat y_j - y_j \rVert` of each joint: [..., J].

    Raises:
        ValueError: if the shapes differ or are empty, as for every metric here.
    """
    return difference(pred, target).norm(dim=-1)


def mpjpe(pred: Tensor, target: Tensor) -> Metres:
    r"""Mean per joint position error :math:`\frac{1}{J} \sum_j \lVert \hat y_j - y_j \rVert` (protocol 1)."""
    return per_joint(pred, target).mean()


@torch.no_grad()
def p_mpjpe(pred: Tensor, target: Tensor) -> Metres:
    """MPJPE after each pose is aligned by a similarity without reflection (protocol 2).

    A pose that cannot be aligned (:func:`skelgraph.geometry.alignment.procrustes`) counts with its error as it is.
    """
    return mpjpe(procrustes(pred, target), target)


@torch.no_grad()
def n_mpjpe(pred: Tensor, target: Tensor) -> Metres:
    r"""MPJPE after each pose is times :math:`\sum_j \langle \hat y_j, y_j \rangle / \sum_j \lVert \hat y_j \rVert^2`.

    Nothing is re-centred (Rhodin et al. 2018; protocol 3). A pose that is 0 everywhere keeps its error.
    """
    difference(pred, target)
    along = (pred * target).sum((-2, -1), keepdim=True)
    squared = pred.square().sum((-2, -1), keepdim=True)
    return mpjpe(pred * torch.where(squared > 0, along / squared, 1.0), target)


@torch.no_grad()
def velocity_error(pred_frames: Tensor, target_frames: Tensor) -> Metres:
    r"""Mean error :math:`\lVert (\hat y_{f+1} - \hat y_f) - (y_{f+1} - y_f) \rVert` of the motion, per frame.

    Args:
        pred_frames: one or more sequences [..., F, J, 3], consecutive in F.
        target_frames: sequences of the same shape.

    Raises:
        ValueError: if there are fewer than two frames.
    """
    shape = list(pred_frames.shape)
    if len(shape) < 3 or shape[-3] < 2:
        raise ValueError(f"pred_frames is {shape}; a velocity needs [..., F, J, 3] with at least 2 frames")
    return mpjpe(pred_frames.diff(dim=-3), target_frames.diff(dim=-3))


def pck(pred: Tensor, target: Tensor, threshold_mm: float = 150.0, joints: Sequence[int] | None = None) -> Share:
    """Fraction (0 to 1) of joints whose error is less than, not equal to, a threshold (Mehta et al. 2017).

    Args:
        pred: poses [..., J, 3] in metres.
        target: poses of the same shape.
        threshold_mm: the threshold in millimetres.
        joints: the joints to count; default all. The MPI-INF-3DHP tables count 14.
    """
    return auc(pred, target, (threshold_mm,), joints)


@torch.no_grad()
def auc(
    pred: Tensor,
    target: Tensor,
    thresholds_mm: Sequence[float] = tuple(range(0, 151, 5)),
    joints: Sequence[int] | None = None,
) -> Share:
    """Mean of :func:`pck` over thresholds (default 0, 5, ..., 150 mm, 31 of them), a fraction from 0 to 1."""
    if not len(thresholds_mm):
        raise ValueError("thresholds_mm is empty; expected at least one threshold")
    error_mm = per_joint(pred, target) * 1000
    if joints is not None:
        error_mm = error_mm[..., list(joints)]
    return torch.stack([(error_mm < threshold).to(error_mm.dtype).mean() for threshold in thresholds_mm]).mean()


@torch.no_grad()
def keypoint_pck(pred_px: Tensor, target_px: Tensor, share: float = 0.05) -> Share:
    r"""Share of 2D keypoints nearer than ``share`` of the longer side of the true pose's bounding box.

    Args:
        pred_px: [..., J, 2].
        target_px: [..., J, 2].
        share: of the longer side (PCK of Yang and Ramanan 2013; detectors' papers use 0.2 to 0.05).
    """
    side = (target_px.amax(-2) - target_px.amin(-2)).amax(-1, keepdim=True)
    return (per_joint(pred_px, target_px) < share * side).to(target_px.dtype).mean()


@torch.no_grad()
def keypoint_mse(pred_px: Tensor, target_px: Tensor) -> SquarePixels:
    r"""Mean squared distance of 2D keypoints [..., J, 2], px^2: :math:`\frac{1}{J} \sum_j \|\hat x_j - x_j\|^2`."""
    return per_joint(pred_px, target_px).square().mean()


@torch.no_grad()
def bone_variation(pred_frames: Tensor, bones: Sequence[tuple[int, int]]) -> Share:
    r"""How much bones change their length over time: the mean of all bones' :math:`\mathrm{sd}(l) / \mathrm{mean}(l)`.

    Needs no ground truth; 0 for a rigid skeleton.

    Args:
        pred_frames: sequences [..., F, J, 3], each judged by itself; NaN where a joint is missing: that frame does not
            count for its bones.
        bones: pairs of joints.

    Raises:
        ValueError: if a bone is there in fewer than two frames of a sequence.
    """
    start, end = torch.tensor(bones, device=pred_frames.device).unbind(1)
    length = (pred_frames.index_select(-2, start) - pred_frames.index_select(-2, end)).norm(dim=-1)  # [..., F, bones]
    known = length.isfinite()
    count = known.sum(-2)
    if bool((count < 2).any()):
        rare = (count < 2).view(-1, len(bones)).any(0).nonzero().flatten().tolist()
        raise ValueError(f"bones {[bones[i] for i in rare]} are found in fewer than 2 frames")
    mean = length.nansum(-2) / count
    residual = torch.where(known, length - mean.unsqueeze(-2), 0)
    return ((residual.square().sum(-2) / (count - 1)).sqrt() / mean).mean()


@torch.no_grad()
def h3wb(pred_whole_body: Tensor, target_whole_body: Tensor) -> dict[str, Metres]:
    """The H3WB protocol (Zhu et al. 2023, leaderboard script) for whole bodies in COCO-WholeBody order.

    MPJPE with the middle of the hips (11, 12) at zero, of all joints and of each part; ``face_nose`` with the nose at
    zero instead, ``hands_wrist`` the mean of both hands, each with its own root (91, 112) at zero.

    Args:
        pred_whole_body: poses [..., 133, 3].
        target_whole_body: poses of the same shape.

    Returns:
        ``all``, ``body``, ``face``, ``face_nose``, ``hands``, ``hands_wrist``, in this order.

    Raises:
        ValueError: if there are not 133 joints.
    """
    shape = list(pred_whole_body.shape)
    if len(shape) < 2 or shape[-2] != 133:
        raise ValueError(f"pred_whole_body is {shape}; the H3WB protocol needs the 133 joints of COCO_WHOLEBODY")
    residual, hips = difference(pred_whole_body, target_whole_body), (11, 12)

    def error(start: int, stop: int, origin: Sequence[int]) -> Tensor:
        return center_on(residual, origin)[..., start:stop, :].norm(dim=-1).mean()

    return {
        "all": error(0, 133, hips),
        "body": error(0, 23, hips),
        "face": error(23, 91, hips),
        "face_nose": error(23, 91, (0,)),
        "hands": error(91, 133, hips),
        "hands_wrist": (error(91, 112, (91,)) + error(112, 133, (112,))) / 2,
    }
