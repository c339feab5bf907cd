"""What models take: keypoints as input tensors, and their mirror images."""

from __future__ import annotations

import torch
from torch import Tensor

from skelgraph.geometry.cameras import Camera
from skelgraph.geometry.screen import normalize_screen


def model_input(
    keypoints: Tensor, confidence: Tensor, image_size: Tensor, channels: int = 2, focal: Tensor | None = None
) -> Tensor:
    """Keypoints as models take them: x/w*2 - 1, y/w*2 - h/w, and 0 where a joint is missing.

    Args:
        keypoints: ``[..., J, 2]`` px.
        confidence: ``[..., J]``; 0 marks a missing joint, whose keypoints may be anything, NaN included.
        image_size: width and height, px, ``[2]``, or ``[N, 2]``, ``[N, T, 2]`` with the first leading dimensions.
        channels: 2; 3 appends the confidence, at most 1; 4 appends f/w too, the same at every joint, 0 where the focal
            length is not known.
        focal: px, a scalar, or ``[N]``, ``[N, T]`` with the first leading dimensions, 0 where it is not known;
            None: nowhere.

    Returns:
        ``[..., J, channels]``.

    Raises:
        ValueError: for another number of channels.
    """
    if channels not in (2, 3, 4):
        raise ValueError(f"channels must be 2 (x, y), 3 (with confidence) or 4 (with f/w), found {channels}")
    if image_size.dim() > 1:  # one for each of what the first dimensions count
        between = [1] * (keypoints.dim() - 1 - image_size.dim())
        image_size = image_size.view(*image_size.shape[:-1], *between, 2).expand(*keypoints.shape[:-2], 2)
    seen = (confidence > 0).unsqueeze(-1)
    x = torch.where(seen, normalize_screen(torch.where(seen, keypoints, 0), image_size), 0)
    if channels == 2:
        return x
    x = torch.cat([x, confidence.clamp(max=1).unsqueeze(-1).to(x)], -1)
    if channels == 3:
        return x
    width = image_size[..., 0, None, None]
    focal = torch.zeros_like(width) if focal is None else focal.to(x).view(*focal.shape, *[1] * (x.dim() - focal.dim()))
    return torch.cat([x, (focal / width).expand(*x.shape[:-1], 1)], -1)


def flip_input(x: Tensor, flip_index: Tensor) -> Tensor:
    """The mirror image of a model input ``[..., J, C]``: x changes sign, left and right joints change places.

    Missing joints stay 0; further channels (y, confidence) go along. Flipping twice gives the input back.
    """
    return _mirrored(x, flip_index.to(x.device))


def flip_pose(pose: Tensor, flip_index: Tensor) -> Tensor:
    """The mirror image of a pose ``[..., J, 3]`` in the camera frame: x changes sign, left and right change places."""
    return _mirrored(pose, flip_index.to(pose.device))


def _mirrored(x: Tensor, flip_index: Tensor) -> Tensor:
    x = x.index_select(-2, flip_index)
    return torch.cat([-x[..., :1], x[..., 1:]], -1)


RAY_CHANNELS = 9


def multiview_input(cameras: Camera, keypoints: Tensor, confidence: Tensor, channels: int = RAY_CHANNELS) -> Tensor:
    """Keypoints as multi-view models take them.

    The channels are x/w*2 - 1, y/w*2 - h/w and the confidence, and of 9 also the joint's ray, made of the keypoint
    without distortion: the camera's centre (m, world) and the direction (a unit vector, world). All are 0 where a joint
    is missing.

    Args:
        cameras: ``[V]`` or ``[N, V]``.
        keypoints: ``[V, T, J, 2]`` or ``[N, V, T, J, 2]`` px as filmed.
        confidence: ``[V, T, J]`` or ``[N, V, T, J]``, 0 or NaN where a joint is missing.
        channels: 3 or 9.

    Raises:
        ValueError: for another number of channels, or another number of views than cameras.
    """
    if channels not in (3, RAY_CHANNELS):
        raise ValueError(f"channels must be 3 (x, y, confidence) or {RAY_CHANNELS} (with rays), found {channels}")
    if cameras.shape != keypoints.shape[:-3]:
        raise ValueError(f"there are {list(cameras.shape)} cameras and {list(keypoints.shape[:-3])} views")
    cameras = cameras.to(keypoints)
    size, center = (value[..., None, None, :] for value in (cameras.image_size, cameras.T))
    seen = (confidence > 0) & keypoints.isfinite().all(-1)
    sizes = size.expand_as(keypoints).flatten(0, -2)
    screen = normalize_screen(torch.where(seen.unsqueeze(-1), keypoints, 0).flatten(0, -2), sizes)
    parts = [screen.view_as(keypoints), confidence.clamp(max=1).unsqueeze(-1)]
    if channels == RAY_CHANNELS:
        ray = cameras.rays(keypoints)
        parts += [center.expand_as(ray), ray]
        seen = seen & ray.isfinite().all(-1)
    return torch.where(seen.unsqueeze(-1), torch.cat(parts, -1), 0)
