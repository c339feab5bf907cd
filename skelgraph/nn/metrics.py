"""What is reported: errors of poses, as the field's benchmarks define them.

Poses are [..., J, 3], relative to the same origin. Errors are scalars in the unit of the poses (metres, inside
skelgraph), averaged over joints and leading dimensions. Nothing here has a gradient.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from skelgraph.geometry.alignment import procrustes
from skelgraph.skeleton.bones import center_on, difference

__all__ = [
    "auc",
    "bone_variation",
    "h3wb",
    "keypoint_mse",
    "keypoint_pck",
    "mpjpe",
    "n_mpjpe",
    "p_mpjpe",
    "pck",
    "per_joint",
    "velocity_error",
]


@torch.no_grad()
def per_joint(pred: Tensor, target: Tensor) -> Tensor:
    r"""Euclidean error :math:`\lVert \hat y_j - y_j \rVert` of each joint: [..., J].

    Raises:
        ValueError: if the shapes differ or are empty, as for every metric here.
    """
    return difference(pred, target).norm(dim=-1)


def mpjpe(pred: Tensor, target: Tensor) -> Tensor:
    r"""Mean per joint position error :math:`\frac{1}{J} \sum_j \lVert \hat y_j - y_j \rVert` (protocol 1)."""
    return per_joint(pred, target).mean()


@torch.no_grad()
def p_mpjpe(pred: Tensor, target: Tensor) -> Tensor:
    """MPJPE after each pose is aligned by a similarity without reflection (protocol 2).

    A pose that cannot be aligned (:func:`skelgraph.geometry.alignment.procrustes`) counts with its error as it is.
    """
    return mpjpe(procrustes(pred, target), target)


@torch.no_grad()
def n_mpjpe(pred: Tensor, target: Tensor) -> Tensor:
    r"""MPJPE after each pose is times :math:`\sum_j \langle \hat y_j, y_j \rangle / \sum_j \lVert \hat y_j \rVert^2`.

    Nothing is re-centred (Rhodin et al. 2018; protocol 3). A pose that is 0 everywhere keeps its error.
    """
    difference(pred, target)
    along = (pred * target).sum((-2, -1), keepdim=True)
    squared = pred.square().sum((-2, -1), keepdim=True)
    return mpjpe(pred * torch.where(squared > 0, along / squared, 1.0), target)


@torch.no_grad()
def velocity_error(pred: Tensor, target: Tensor) -> Tensor:
    r"""Mean error :math:`\lVert (\hat y_{f+1} - \hat y_f) - (y_{f+1} - y_f) \rVert` of the motion, per frame.

    Args:
        pred: one or more sequences [..., F, J, 3], consecutive in F.
        target: sequences of the same shape.

    Raises:
        ValueError: if there are fewer than two frames.
    """
    if pred.dim() < 3 or pred.size(-3) < 2:
        raise ValueError(f"pred is {list(pred.shape)}; a velocity needs [..., F, J, 3] with at least 2 frames")
    return mpjpe(pred.diff(dim=-3), target.diff(dim=-3))


def pck(pred: Tensor, target: Tensor, threshold_mm: float = 150.0, joints: Sequence[int] | None = None) -> Tensor:
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
) -> Tensor:
    """Mean of :func:`pck` over thresholds (default 0, 5, ..., 150 mm, 31 of them), a fraction from 0 to 1."""
    if not len(thresholds_mm):
        raise ValueError("thresholds_mm is empty; expected at least one threshold")
    error_mm = per_joint(pred, target) * 1000
    if joints is not None:
        error_mm = error_mm[..., list(joints)]
    return torch.stack([(error_mm < threshold).to(error_mm.dtype).mean() for threshold in thresholds_mm]).mean()


@torch.no_grad()
def keypoint_pck(pred: Tensor, target: Tensor, share: float = 0.05) -> Tensor:
    r"""Share of 2D keypoints nearer than ``share`` of the longer side of the true pose's bounding box.

    Args:
        pred: px, [..., J, 2].
        target: px, [..., J, 2].
        share: of the longer side (PCK of Yang and Ramanan 2013; detectors' papers use 0.2 to 0.05).
    """
    side = (target.amax(-2) - target.amin(-2)).amax(-1, keepdim=True)
    return (per_joint(pred, target) < share * side).to(target.dtype).mean()


@torch.no_grad()
def keypoint_mse(pred: Tensor, target: Tensor) -> Tensor:
    r"""Mean squared distance of 2D keypoints [..., J, 2], px^2: :math:`\frac{1}{J} \sum_j \|\hat x_j - x_j\|^2`."""
    return per_joint(pred, target).square().mean()


@torch.no_grad()
def bone_variation(poses: Tensor, bones: Sequence[tuple[int, int]]) -> Tensor:
    r"""How much bones change their length over time: the mean of all bones' :math:`\mathrm{sd}(l) / \mathrm{mean}(l)`.

    Needs no ground truth; 0 for a rigid skeleton.

    Args:
        poses: a sequence [F, J, 3]; NaN where a joint was not found: that frame does not count for its bones.
        bones: pairs of joints.

    Raises:
        ValueError: if a bone is found in fewer than two frames.
    """
    ends = poses[:, torch.tensor(bones, device=poses.device)]  # [F, bones, 2, 3]
    length = (ends[:, :, 0] - ends[:, :, 1]).norm(dim=-1)
    found = length.isfinite()
    count = found.sum(0)
    if bool((count < 2).any()):
        raise ValueError(
            f"bones {[bones[i] for i in (count < 2).nonzero().flatten()]} are found in fewer than 2 frames"
        )
    mean = length.nansum(0) / count
    square = torch.where(found, length - mean, 0).square().sum(0) / (count - 1)
    return (square.sqrt() / mean).mean()


@torch.no_grad()
def h3wb(pred: Tensor, target: Tensor) -> dict[str, Tensor]:
    """The H3WB protocol (Zhu et al. 2023, leaderboard script) for whole bodies in COCO-WholeBody order.

    MPJPE with the middle of the hips (11, 12) at zero, of all joints and of each part; ``face_nose`` with the nose at
    zero instead, ``hands_wrist`` the mean of both hands, each with its own root (91, 112) at zero.

    Args:
        pred: poses [..., 133, 3].
        target: poses of the same shape.

    Returns:
        ``all``, ``body``, ``face``, ``face_nose``, ``hands``, ``hands_wrist``, in this order.

    Raises:
        ValueError: if there are not 133 joints.
    """
    if pred.dim() < 2 or pred.size(-2) != 133:
        raise ValueError(f"pred is {list(pred.shape)}; the H3WB protocol needs the 133 joints of COCO_WHOLEBODY")
    apart, hips = difference(pred, target), (11, 12)

    def error(start: int, stop: int, origin: Sequence[int]) -> Tensor:
        return center_on(apart, origin)[..., start:stop, :].norm(dim=-1).mean()

    return {
        "all": error(0, 133, hips),
        "body": error(0, 23, hips),
        "face": error(23, 91, hips),
        "face_nose": error(23, 91, (0,)),
        "hands": error(91, 133, hips),
        "hands_wrist": (error(91, 112, (91,)) + error(112, 133, (112,))) / 2,
    }
