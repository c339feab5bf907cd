"""The tensors that every dataset draws."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor
from torch_geometric.data import Data

from skelgraph.data.transforms import model_input
from skelgraph.skeleton import Skeleton


class Poses(NamedTuple):
    """``N`` poses of one skeleton with ``J`` joints: 2D in, 3D out, as contiguous tensors.

    A missing joint has confidence 0 and keypoints 0. The target is in the camera frame (x right, y down, z forward)
    and relative to the mean of the skeleton's ``origin`` joints.
    """

    keypoints: Tensor  #: ``[N, J, 2]`` pixels
    confidence: Tensor  #: ``[N, J]`` in [0, 1], 0 = missing
    image_size: Tensor  #: ``[N, 2]`` width and height in pixels
    target: Tensor  #: ``[N, J, 3]`` metres
    action: Tensor  #: ``[N]`` index into the dataset's ``actions``

    def to(self, device: torch.device | str | None) -> Poses:
        """The same poses on ``device`` (unchanged when it is None)."""
        return self if device is None else Poses(*(field.to(device) for field in self))

    def take(self, index: Tensor | slice) -> Poses:
        """The poses at ``index`` of the first dimension."""
        return Poses(*(field[index] for field in self))

    def to_data(self, skeleton: Skeleton, index: int) -> Data:
        """Pose ``index`` as a graph: x ``[J, 2]`` normalised keypoints, y ``[J, 3]`` m, action ``[1]``."""
        x = model_input(self.keypoints[index], self.confidence[index], self.image_size[index])
        return skeleton.to_data(x, y=self.target[index], action=self.action[index].reshape(1))
