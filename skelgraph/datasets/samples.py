"""The tensors that every dataset draws."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from skelgraph.nn.inputs import model_input


class Poses(NamedTuple):
    """``N`` poses of one skeleton with ``J`` joints: 2D in, 3D out, as contiguous tensors.

    Of clips of ``T`` frames the fields have one dimension more: keypoints ``[N, T, J, 2]``, confidence ``[N, T, J]``,
    target ``[N, T, J, 3]``.

    A missing joint has confidence 0 and keypoints 0. The target is in the camera frame (x right, y down, z forward)
    and relative to the mean of the skeleton's ``origin`` joints.
    """

    keypoints: Tensor  #: ``[N, J, 2]`` pixels
    confidence: Tensor  #: ``[N, J]`` in [0, 1], 0 = missing
    image_size: Tensor  #: ``[N, 2]`` width and height in pixels
    target: Tensor  #: ``[N, J, 3]`` metres
    action: Tensor  #: ``[N]`` index into the dataset's ``actions``
    focal: Tensor  #: ``[N]`` focal length in pixels, 0 = not known

    def to(self, device: torch.device | str | None) -> Poses:
        """The same poses on ``device`` (unchanged when it is None)."""
        return self if device is None else Poses(*(field.to(device) for field in self))

    def take(self, index: Tensor | slice | int) -> Poses:
        """The poses at ``index`` of the first dimension."""
        return Poses(*(field[index] for field in self))

    def inputs(self, channels: int) -> Tensor:
        """What a model of so many input channels takes, see :func:`model_input`: ``[N, J, channels]``."""
        return model_input(self.keypoints, self.confidence, self.image_size, channels, self.focal)
