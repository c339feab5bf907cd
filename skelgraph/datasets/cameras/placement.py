"""Places poses before calibrated cameras so that every joint is in the image."""

from __future__ import annotations

import torch
from torch import Tensor

from skelgraph.geometry.cameras import Camera
from skelgraph.geometry.rotations import rotate

_NEAREST_M = 0.5
_FAR_M = 6.0  # a person fits the image at this distance on the optical axis
_STEPS_BACK = 6
_MAX_STEPS = 24


def place(joints: Tensor, position: Tensor, cameras: Camera) -> tuple[Tensor, Tensor]:
    """Puts each pose at its position in the world, or as near to it as its camera can see all of it.

    A pose that leaves the image moves in six steps to the point 6 m before the camera, and then away from the camera by
    one metre a step. Its height stays.

    Args:
        joints: ``[N, J, 3]`` m, relative to the position, axes of the world (z up).
        position: ``[N, 3]`` m, world.
        cameras: ``[N]``, one per pose.

    Returns:
        Joints in the camera frame ``[N, J, 3]`` m and their keypoints ``[N, J, 2]`` px.

    Raises:
        ValueError: if a pose is seen from no place tried.
    """
    turned = rotate(cameras.R, joints)
    points, keypoints = _seen_from(turned, position, cameras)
    todo = (~_inside(points, keypoints, cameras)).nonzero().squeeze(1)
    for step in range(1, _MAX_STEPS + 1):
        if not len(todo):
            return points, keypoints
        views = cameras[todo]
        distance = _FAR_M + max(0, step - _STEPS_BACK)
        ahead = views.R[:, 2, :2] / views.R[:, 2, :2].norm(dim=1, keepdim=True)
        nearer = position[todo].clone()
        nearer[:, :2] = torch.lerp(nearer[:, :2], views.T[:, :2] + distance * ahead, min(1.0, step / _STEPS_BACK))
        points[todo], keypoints[todo] = _seen_from(turned[todo], nearer, views)
        todo = todo[~_inside(points[todo], keypoints[todo], views)]
    if len(todo):
        raise ValueError(
            f"{len(todo)} poses do not fit into the image from {_FAR_M + _MAX_STEPS - _STEPS_BACK:g} m away, the first "
            f"is {int(todo[0])}: are the poses in metres, and is the scale option sensible?"
        )
    return points, keypoints


def _seen_from(turned: Tensor, position: Tensor, cameras: Camera) -> tuple[Tensor, Tensor]:
    """Joints ``[N, J, 3]``, turned into the cameras' axes already, at positions ``[N, 3]``."""
    points = turned + cameras.to_camera(position).unsqueeze(1)
    return points, cameras.project(points)


def _inside(points: Tensor, keypoints: Tensor, cameras: Camera) -> Tensor:
    """``[N]`` True where all joints are in front of the camera and in the image."""
    return (cameras.contains(keypoints) & (points[..., 2] > _NEAREST_M)).all(1)
