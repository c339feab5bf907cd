"""What several cameras give: errors in the world and in the images, by number of views."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from skelgraph.datasets.multiview import Clips, film
from skelgraph.nn import metrics
from skelgraph.nn.models import PoseModel
from skelgraph.nn.output import as_output
from skelgraph.skeleton import Skeleton
from skelgraph.skeleton.bones import center_on


@torch.no_grad()
def views_report(
    model: PoseModel, clips: Clips, skeleton: Skeleton, batch_size: int = 64, check: Callable[[], None] = lambda: None
) -> dict[str, Any]:
    """Errors on the middle frames of clips.

    Args:
        model: takes [B, V, T, J, 9], gives [B, T, J, 3] m, world.
        clips: N of them.
        skeleton: J joints.
        batch_size: clips at a time.
        check: called between batches; may raise to break off.

    Returns:
        ``views``: by the number of views 1 to V that are left of each clip that has so many, world MPJPE in mm, not
        re-centred (``mpjpe_mm``), and that of the joints which at least two of them see (``met_mpjpe_mm``, where there
        are any). With all views ``origin_mpjpe_mm`` relative to the origin; ``keypoint_pck`` and ``keypoint_mse``
        (px^2) of the poses projected into all views against the exact projections; ``reprojection_px``, the median
        distance to the keypoints seen; and, of more than one frame, ``bone_variation`` over a clip, the mean of all.
    """
    x, middle = clips.inputs(9), clips.keypoints.size(2) // 2
    target, count = clips.target[:, middle], x.size(1)
    result: dict[str, Any] = {"views": {}}
    present = (x[..., 2] > 0).any(-1).any(-1)  # [N, V]
    for views in range(1, count + 1):
        enough = present.sum(1) >= views
        if enough.any():
            kept = present & (present.cumsum(1) <= views)
            left = torch.where(kept[..., None, None, None], x, 0)[enough]
            pose = _poses(model, left, batch_size, check)
            result["views"][str(views)] = _world_errors(pose[:, middle], target[enough], left[:, :, middle])
    pose = _poses(model, x, batch_size, check)
    relative = metrics.mpjpe(*(center_on(each, skeleton.origin) for each in (pose[:, middle], target)))
    truth, px = (film(clips.cameras, each)[0] for each in (clips.target, pose))
    residual = (px - clips.keypoints).norm(dim=-1)[clips.confidence > 0]
    in_front = px[:, :, middle].isfinite().all(-1).all(-1)  # of the camera, as only a pose that is far off is not
    offered: dict[str, Any] = {"pred_px": px[:, :, middle][in_front], "target_px": truth[:, :, middle][in_front]}
    if x.size(2) > 1:
        offered |= {"pred_frames": pose, "bones": skeleton.bones}
    result |= {"origin_mpjpe_mm": float(relative) * 1000, "reprojection_px": float(residual.nanmedian())}
    return result | metrics.reported(offered)


def _world_errors(pose: Tensor, target: Tensor, x: Tensor) -> dict[str, float]:
    """Of poses [N, J, 3] made of ``x`` [N, V, J, 9]."""
    error = metrics.per_joint(pose, target) * 1000
    met = (x[..., 2] > 0).sum(1) >= 2
    return {"mpjpe_mm": float(error.mean())} | ({"met_mpjpe_mm": float(error[met].mean())} if met.any() else {})


def _poses(model: PoseModel, x: Tensor, batch_size: int, check: Callable[[], None]) -> Tensor:
    parts = []
    for part in x.split(batch_size):
        check()
        parts.append(as_output(model(part)).pose.float())
    return torch.cat(parts)
