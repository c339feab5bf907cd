"""Screen coordinates: pixels without the image's size."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor


def normalize_screen(px: Tensor, image_size: Tensor | Sequence[float]) -> Tensor:
    """Pixels to screen coordinates ``x/w*2 - 1, y/w*2 - h/w``: x spans [-1, 1], the aspect ratio stays.

    Args:
        px: ``[..., J, 2]`` or ``[..., 2]`` pixels.
        image_size: width and height in px: ``[2]``, or one per pose, its leading dimensions those of ``px``.

    Raises:
        ValueError: if a width or height is not positive.
    """
    size = image_size if isinstance(image_size, Tensor) else torch.tensor(image_size)
    size = size.to(px)
    if size.shape[-1:] != (2,):
        raise ValueError(f"image_size must be (width, height) or [..., 2], found shape {list(size.shape)}")
    if 1 < size.dim() < px.dim():
        size = size.view(*size.shape[:-1], *[1] * (px.dim() - size.dim()), 2)
    if not torch.compiler.is_compiling() and size.device.type == "cpu" and not (size > 0).all():
        raise ValueError(f"image_size must be positive px, found {size[~(size > 0).all(-1)][:5].tolist()}")
    return (px * 2 - size) / size[..., :1]
