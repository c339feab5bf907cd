"""Drawn samples as PyG graphs."""

from __future__ import annotations

from typing import Any, Protocol

from torch import Tensor
from torch_geometric.data import Data, Dataset
from torch_geometric.transforms import BaseTransform

from skelgraph.nn.blocks.pose_input import nodes_of
from skelgraph.nn.prediction import middle_frame
from skelgraph.skeleton import Skeleton


class _Drawable(Protocol):
    skeleton: Skeleton
    input_kind: Any

    def __len__(self) -> int: ...

    def draw(self, epoch: int, indices: Tensor | slice | int | None = None) -> Any: ...


class PoseGraphs(Dataset):
    """The poses or clips of an epoch as PyG graphs of J nodes.

    ============  =======================================================================================
    ``x``         ``[J, C]``, what models take, normalised; of clips ``[J, T, C]``
    ``pos``       ``[J, 2]``, the 2D position in ``x``, of clips in the middle frame
    ``y``         ``[J, 3]`` m, relative to the skeleton's origin; of clips ``[J, T, 3]``
    ``action``    ``[1]``, index into the dataset's ``actions``
    ``edge_*``    ``edge_index``, ``edge_type`` and ``edge_attr`` of :meth:`skelgraph.Skeleton.to_data`
    ============  =======================================================================================

    A model of the skeleton takes these, and batches of them by PyG's ``DataLoader``.

    Args:
        dataset: of poses or clips, see :meth:`skelgraph.datasets.PoseDataset.graphs`.
        transform: called with each graph when it is asked for.
        epoch: which.
        channels: of ``x``.
    """

    def __init__(
        self, dataset: _Drawable, transform: BaseTransform | None = None, epoch: int = 0, channels: int = 2
    ) -> None:
        super().__init__(transform=transform)
        self.dataset, self.epoch, self.channels = dataset, epoch, channels

    def len(self) -> int:
        """How many graphs there are."""
        return len(self.dataset)

    def get(self, idx: int) -> Data:
        """Graph ``idx``, not transformed yet."""
        skeleton = self.dataset.skeleton
        sample = self.dataset.draw(self.epoch, slice(idx, idx + 1))
        x, y = sample.inputs(self.channels), sample.target
        pose = middle_frame(x) if self.dataset.input_kind == "clip" else x
        data: Data = skeleton.to_data(pose[0], y=nodes_of(y), action=sample.action)
        data.x = nodes_of(x)
        return data
