"""PyG transforms of skeleton graphs."""

from __future__ import annotations

import torch
from torch import Tensor
from torch_geometric.data import Data
from torch_geometric.transforms import BaseTransform

from skelgraph.nn.inputs import flip_input, flip_pose
from skelgraph.skeleton import Skeleton
from skelgraph.skeleton.bones import center_on, parent_distance, safe_norm


class TypedEdges(BaseTransform):
    """Gives every edge its type: 0 self loop, 1 from the joint nearer the center, 2 from the farther one.

    A graph without edges gets the skeleton's.

    Raises:
        ValueError: (when called) for a number of nodes that does not fit the skeleton, or an edge it does not have.
    """

    def __init__(self, skeleton: Skeleton) -> None:
        self.skeleton = skeleton
        size = skeleton.num_joints
        source, target = skeleton.edge_index
        self._type_of = torch.full((size * size,), -1)
        self._type_of[target * size + source] = skeleton.edge_type

    def forward(self, data: Data) -> Data:
        size, graphs = self.skeleton.num_joints, _num_graphs(self.skeleton, data)
        if data.edge_index is None:
            offset = torch.arange(graphs).repeat_interleave(self.skeleton.num_edges) * size
            data.edge_index = (self.skeleton.edge_index.repeat(1, graphs) + offset).to(data.x.device)
        source, target = data.edge_index
        types = self._type_of.to(source.device)[target % size * size + source % size]
        wrong = (types < 0) | (source // size != target // size)
        if wrong.any():
            a, b = data.edge_index[:, wrong][:, 0].tolist()
            joints = self.skeleton.joints
            raise ValueError(
                f"skeleton {self.skeleton.name!r} has no edge {a} -> {b} ({joints[a % size]} -> {joints[b % size]}); "
                f"{int(wrong.sum())} such edges"
            )
        data.edge_type = types
        return data


class ParentDistance(BaseTransform):
    r"""Sets ``parent_distance`` :math:`\|x_i - x_{parent(i)}\|` ``[N, 1]`` of the 2D positions (0 at roots).

    Source: SemGAN (arXiv:2406.01196), section III.
    """

    def __init__(self, skeleton: Skeleton) -> None:
        self.skeleton = skeleton

    def forward(self, data: Data) -> Data:
        poses = _poses(self.skeleton, data)[..., :2]
        data.parent_distance = parent_distance(poses, self.skeleton.parents).flatten(0, 1)
        return data


class Center(BaseTransform):
    """Subtracts the mean of the skeleton's origin joints from the 2D positions in ``x`` and from ``y`` if there is one.

    Channels of ``x`` after the second (confidence) stay.
    """

    def __init__(self, skeleton: Skeleton) -> None:
        self.skeleton = skeleton

    def forward(self, data: Data) -> Data:
        poses, origin = _poses(self.skeleton, data), self.skeleton.origin
        data.x = torch.cat([center_on(poses[..., :2], origin), poses[..., 2:]], -1).flatten(0, 1)
        if data.y is not None:
            data.y = center_on(data.y.view(*poses.shape[:2], -1), origin).flatten(0, 1)
        return data


class RandomFlip(BaseTransform):
    """Mirrors each graph with probability ``p``: ``x`` and, where there is one, ``y``.

    The lengths that :meth:`Skeleton.to_data` derives from ``x`` (edge_attr, parent_distance) are derived again.

    Args:
        skeleton: its pairs change places.
        p: probability of a flip.
        generator: source of randomness; default torch's global one.

    Raises:
        ValueError: if ``p`` is not in [0, 1].
    """

    def __init__(self, skeleton: Skeleton, p: float = 0.5, generator: torch.Generator | None = None) -> None:
        if not 0 <= p <= 1:
            raise ValueError(f"p must be a probability in [0, 1], found {p}")
        self.skeleton, self.p, self.generator = skeleton, p, generator

    def forward(self, data: Data) -> Data:
        x, index = _poses(self.skeleton, data), self.skeleton.flip_index
        flipped = (torch.rand(len(x), generator=self.generator) < self.p).to(x.device)[:, None, None]
        data.x = torch.where(flipped, flip_input(x, index), x).flatten(0, 1)
        if data.y is not None:
            y = data.y.view(*x.shape[:2], -1)
            data.y = torch.where(flipped, flip_pose(y, index), y).flatten(0, 1)
        if data.get("edge_attr") is not None:
            source, target = data.edge_index
            data.edge_attr = safe_norm(data.x[source, :2] - data.x[target, :2], keepdim=True)
        if data.get("parent_distance") is not None:
            data = ParentDistance(self.skeleton)(data)
        return data


def _num_graphs(skeleton: Skeleton, data: Data) -> int:
    if data.x is None or data.x.dim() != 2 or data.x.size(0) == 0 or data.x.size(0) % skeleton.num_joints:
        found = "none" if data.x is None else list(data.x.shape)
        raise ValueError(
            f"skeleton {skeleton.name!r} has {skeleton.num_joints} joints: x must be "
            f"[graphs * {skeleton.num_joints}, C], found {found}"
        )
    return data.x.size(0) // skeleton.num_joints


def _poses(skeleton: Skeleton, data: Data) -> Tensor:
    graphs = _num_graphs(skeleton, data)
    return data.x.view(graphs, skeleton.num_joints, -1)
