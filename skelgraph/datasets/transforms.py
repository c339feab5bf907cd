"""PyG transforms of skeleton graphs, single ones and batches, as :class:`skelgraph.datasets.pose_graphs.PoseGraphs` has
them: ``x`` [N, C], of clips [N, T, C], and ``pos`` [N, 2], the 2D position (of the middle frame)."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch_geometric.data import Data
from torch_geometric.transforms import BaseTransform

from skelgraph.nn.blocks.pose_input import nodes_of, poses_of
from skelgraph.nn.inputs import flip_input, flip_pose
from skelgraph.skeleton import Skeleton
from skelgraph.skeleton.bones import center_on, parent_distance, safe_norm


class TypedEdges(BaseTransform):
    """Gives every edge its type: 0 self loop, 1 from the joint nearer the center, 2 from the farther one.

    A graph without edges gets the skeleton's.

    Raises:
        ValueError: (when called) for a number of nodes that does not fit the skeleton, or an edge it does not have.

    Example::

        graphs = dataset.graphs(transform=TypedEdges(HUMAN36M))  # edge_type again, after the edges were reordered
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

    Example::

        graphs = dataset.graphs(transform=Compose([Center(COCO), ParentDistance(COCO)]))
    """

    def __init__(self, skeleton: Skeleton) -> None:
        self.skeleton = skeleton

    def forward(self, data: Data) -> Data:
        _num_graphs(self.skeleton, data)
        poses = poses_of(_positions(data), self.skeleton.num_joints)
        data.parent_distance = parent_distance(poses, self.skeleton.parents).flatten(0, 1)
        return data


class Center(BaseTransform):
    """Subtracts the mean of the skeleton's origin joints from the 2D positions in ``x`` and ``pos`` and from ``y``.

    Channels of ``x`` after the second (confidence) stay. Of a clip each frame is centred by itself.

    Example::

        graphs = dataset.graphs(transform=Center(HUMAN36M))  # the hip at (0, 0) in each
    """

    def __init__(self, skeleton: Skeleton) -> None:
        self.skeleton = skeleton

    def forward(self, data: Data) -> Data:
        def centred(poses: Tensor) -> Tensor:
            return center_on(poses, self.skeleton.origin)

        _num_graphs(self.skeleton, data)
        data.x = torch.cat([self._each(data.x[..., :2], centred), data.x[..., 2:]], -1)
        for name in ("pos", "y"):
            if data.get(name) is not None:
                data[name] = self._each(data[name], centred)
        return data

    def _each(self, nodes: Tensor, change: Callable[[Tensor], Tensor]) -> Tensor:
        return nodes_of(change(poses_of(nodes, self.skeleton.num_joints)))


class Flip(BaseTransform):
    """Mirrors each graph with probability ``p``: ``x``, ``pos`` and, where there is one, ``y``.

    The lengths that :meth:`Skeleton.to_data` derives from ``x`` (edge_attr, parent_distance) are derived again.

    Args:
        skeleton: its pairs change places.
        p: probability of a flip.
        generator: source of randomness; default torch's global one.

    Raises:
        ValueError: if ``p`` is not in [0, 1].

    Example::

        graphs = dataset.graphs(transform=Flip(HUMAN36M, p=0.5))
    """

    def __init__(self, skeleton: Skeleton, p: float = 0.5, generator: torch.Generator | None = None) -> None:
        if not 0 <= p <= 1:
            raise ValueError(f"p must be a probability in [0, 1], found {p}")
        self.skeleton, self.p, self.generator = skeleton, p, generator

    def forward(self, data: Data) -> Data:
        count, index = _num_graphs(self.skeleton, data), self.skeleton.flip_index
        chosen = (torch.rand(count, generator=self.generator) < self.p).to(data.x.device)
        for name, mirror in (("x", flip_input), ("pos", flip_input), ("y", flip_pose)):
            if data.get(name) is not None:
                poses = poses_of(data[name], self.skeleton.num_joints)
                flipped = chosen.view(-1, *[1] * (poses.dim() - 1))
                data[name] = nodes_of(torch.where(flipped, mirror(poses, index), poses))
        return _derived(self.skeleton, data)


class PositionsToInput(BaseTransform):
    """Writes ``pos`` into the first two channels of ``x``, of clips in the middle frame, so that the transforms of PyG
    that move positions change what a model sees.

    The lengths that :meth:`Skeleton.to_data` derives (edge_attr, parent_distance) are derived again.

    Raises:
        ValueError: (when called) for a number of nodes that does not fit the skeleton, or without ``pos`` [N, 2].

    Example::

        from torch_geometric.transforms import Compose, RandomJitter

        graphs = dataset.graphs(transform=Compose([RandomJitter(0.01), PositionsToInput(HUMAN36M)]))
    """

    def __init__(self, skeleton: Skeleton) -> None:
        self.skeleton = skeleton

    def forward(self, data: Data) -> Data:
        count = _num_graphs(self.skeleton, data) * self.skeleton.num_joints
        if data.pos is None or list(data.pos.shape) != [count, 2]:
            found = "none" if data.pos is None else list(data.pos.shape)
            raise ValueError(f"pos must be the 2D positions [{count}, 2], found {found}")
        x = data.x.clone()
        _middle(x)[..., :2] = data.pos
        data.x = x
        return _derived(self.skeleton, data)


def _derived(skeleton: Skeleton, data: Data) -> Data:
    """The graph with the lengths of its edges and bones as they are now, where it has any."""
    if data.get("edge_attr") is not None:
        source, target = data.edge_index
        positions = _positions(data)
        data.edge_attr = safe_norm(positions[source] - positions[target], keepdim=True)
    return data if data.get("parent_distance") is None else ParentDistance(skeleton)(data)


def _positions(data: Data) -> Tensor:
    """The 2D positions in ``x``, ``[N, 2]``."""
    return _middle(data.x)[..., :2]


def _middle(x: Tensor) -> Tensor:
    """Of ``[N, T, C]`` the middle frame, a view ``[N, C]``; ``[N, C]`` as it is."""
    return x.select(1, x.size(1) // 2) if x.dim() == 3 else x


def _num_graphs(skeleton: Skeleton, data: Data) -> int:
    if data.x is None or data.x.dim() not in (2, 3) or data.x.size(0) == 0 or data.x.size(0) % skeleton.num_joints:
        found = "none" if data.x is None else list(data.x.shape)
        raise ValueError(
            f"skeleton {skeleton.name!r} has {skeleton.num_joints} joints: x must be "
            f"[graphs * {skeleton.num_joints}, C], found {found}"
        )
    return data.x.size(0) // skeleton.num_joints
