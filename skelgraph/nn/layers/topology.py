"""One fixed graph, prepared once for every layer that works on it."""

from collections.abc import Callable
from typing import Literal

import torch
from torch import Tensor, nn
from torch_geometric.utils import degree
from typing_extensions import Self

from skelgraph.nn.layers.edge_sum import Incidence

LARGEST_DENSE = 48  # joints; above it no dense J x J x K matrix is used
NO_EDGE = -1e30
Norm = Literal["sym", "row", "group", "sum"]


def edge_norm(
    edge_index: Tensor,
    num_nodes: int,
    norm: Norm,
    dtype: torch.dtype,
    edge_type: Tensor | None = None,
    num_types: int = 1,
) -> Tensor:
    r"""The fixed weight of each edge.

    ``"sym"`` :math:`(d_s d_t)^{-1/2}` and ``"row"`` :math:`1 / d_t` with :math:`d_i` the number of edges that end in i;
    ``"group"`` :math:`(d^k_s d^k_t)^{-1/2}` with the number of edges of the edge's own type k < K that start
    in the source and that end in the target; ``"sum"`` 1.

    Returns:
        Tensor [E].
    """
    source, target = edge_index
    if norm == "sum":
        return torch.ones(edge_index.size(1), device=edge_index.device, dtype=dtype)
    if norm == "group":
        if edge_type is None:
            raise ValueError("norm='group' needs the type of each edge")
        num_groups = num_nodes * num_types
        starts, ends = edge_type * num_nodes + source, edge_type * num_nodes + target
        return (degree(starts, num_groups, dtype)[starts] * degree(ends, num_groups, dtype)[ends]).rsqrt()
    ending = degree(target, num_nodes, dtype)
    if norm == "row":
        return 1 / ending[target]
    return (ending[source].clamp(min=1) * ending[target]).rsqrt()


def sum_by_type(weight: Tensor, edge_index: Tensor, edge_type: Tensor, num_nodes: int, num_types: int) -> Tensor:
    """[J, K], the sum of the weights [E] of each joint's edges by type."""
    sums = weight.new_zeros(num_nodes * num_types)
    return sums.index_add(0, edge_index[1] * num_types + edge_type, weight).view(num_nodes, num_types)


class Topology(nn.Module):
    """The index and dense tensors of one graph, frozen, as layers need them.

    Pass it to a layer in place of ``edge_index`` (and ``edge_type``), as PyG layers take an ``EdgeIndex`` or ``adj_t``.
    The tensors are non-persistent buffers: they follow ``model.to(device)``, keep their precision and stay out of
    checkpoints.

    Args:
        edge_index: LongTensor [2, E], each edge once.
        edge_type: LongTensor [E]; default all 0.
        num_nodes: J; default the highest index + 1.

    Raises:
        ValueError: if an edge stands twice, or sizes do not fit.
    """

    edge_index: Tensor
    edge_type: Tensor
    flat_index: Tensor
    adjacency: Tensor
    complete_split: Tensor
    no_edge: Tensor

    def __init__(self, edge_index: Tensor, edge_type: Tensor | None = None, num_nodes: int | None = None) -> None:
        super().__init__()
        edge_type = torch.zeros_like(edge_index[0]) if edge_type is None else edge_type
        self.num_nodes = int(edge_index.max()) + 1 if num_nodes is None else num_nodes
        self.num_edges = edge_index.size(1)
        self.num_types = int(edge_type.max()) + 1
        self._check(edge_index, edge_type)
        self.dense = self.num_nodes <= LARGEST_DENSE
        source, target = edge_index
        self._keep("edge_index", edge_index.clone())
        self._keep("edge_type", edge_type.clone())
        self.by_node = Incidence(edge_index, None, self.num_nodes)
        self.by_loop = Incidence(edge_index, (source != target).long(), self.num_nodes, 2)
        self.by_type = Incidence(edge_index, edge_type, self.num_nodes, self.num_types)
        self._keep("flat_index", target * self.num_nodes + source)
        loops = torch.eye(self.num_nodes, device=edge_index.device)
        self._keep("adjacency", self.operator(torch.ones_like(source, dtype=loops.dtype)).squeeze(-1))
        self._keep("complete_split", torch.stack([loops, 1 - loops], dim=-1))
        self._keep("no_edge", loops.new_full((self.num_nodes**2,), NO_EDGE))
        for norm in ("sym", "row", "group", "sum"):
            weight = edge_norm(edge_index, self.num_nodes, norm, loops.dtype, edge_type, self.num_types)
            self._keep(f"_weight_{norm}", weight)
            self._keep(f"_sum_{norm}", sum_by_type(weight, edge_index, edge_type, self.num_nodes, self.num_types))
        for norm in ("sym", "row", "group", "sum") if self.dense else ():
            weight = self.get_buffer(f"_weight_{norm}")
            self._keep(f"_operator_{norm}", self.operator(weight))
            self._keep(f"_typed_operator_{norm}", self.operator(weight, self.edge_type, self.num_types))

    def edge_weight(self, norm: Norm, dtype: torch.dtype) -> Tensor:
        """[E], :func:`edge_norm` of the graph."""
        kept = self.get_buffer(f"_weight_{norm}")
        if _holds(kept.dtype, dtype):
            return kept.to(dtype)
        return edge_norm(self.edge_index, self.num_nodes, norm, dtype, self.edge_type, self.num_types)

    def weight_sums(self, norm: Norm, dtype: torch.dtype) -> Tensor:
        """[J, K], the sum of the fixed weights of each joint's edges by type."""
        kept = self.get_buffer(f"_sum_{norm}")
        if _holds(kept.dtype, dtype):
            return kept.to(dtype)
        weight = self.edge_weight(norm, dtype)
        return sum_by_type(weight, self.edge_index, self.edge_type, self.num_nodes, self.num_types)

    def fixed_operator(self, norm: Norm, dtype: torch.dtype, typed: bool = False) -> Tensor:
        """[J, J, 1] or by edge type [J, J, K], the fixed weights at (target, source, type). Only where ``dense``."""
        kept = self.get_buffer(f"_typed_operator_{norm}" if typed else f"_operator_{norm}")
        if _holds(kept.dtype, dtype):
            return kept.to(dtype)
        weight = self.edge_weight(norm, dtype)
        return self.operator(weight, self.edge_type, self.num_types) if typed else self.operator(weight)

    def operator(self, values: Tensor, slot: Tensor | None = None, num_slots: int = 1) -> Tensor:
        """[J, J, K] with the value of edge s -> t at (t, s, slot), 0 elsewhere; ``values`` is [E]."""
        index = self.flat_index * num_slots + (0 if slot is None else slot)
        empty = values.new_zeros(self.num_nodes**2 * num_slots)
        return empty.scatter(0, index, values).view(self.num_nodes, self.num_nodes, num_slots)

    def row_softmax(self, logits: Tensor) -> Tensor:
        """[E], the softmax of the edges' logits [E] over the edges that end in the same joint."""
        matrix = self.no_edge.to(logits.dtype).scatter(0, self.flat_index, logits).view(-1, self.num_nodes)
        return matrix.softmax(-1).flatten()[self.flat_index]

    def _keep(self, name: str, tensor: Tensor) -> None:
        self.register_buffer(name, tensor, persistent=False)

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Self:
        # Rounding 1/3 to bfloat16 in model.bfloat16() could not be undone by model.float(): only the device follows.
        return super()._apply(lambda tensor: tensor.to(fn(tensor).device), recurse)

    def _check(self, edge_index: Tensor, edge_type: Tensor) -> None:
        if edge_type.shape != edge_index.shape[1:]:
            raise ValueError(f"edge_type is {list(edge_type.shape)}; edge_index has {self.num_edges} edges")
        if int(edge_index.max()) >= self.num_nodes or int(edge_index.min()) < 0:
            wrong = int(edge_index.max()) if int(edge_index.min()) >= 0 else int(edge_index.min())
            raise ValueError(f"edge_index names node {wrong}; nodes run from 0 to {self.num_nodes - 1}")
        if edge_index.unique(dim=1).size(1) != self.num_edges:
            raise ValueError("edge_index names an edge twice")

    def extra_repr(self) -> str:
        return f"num_nodes={self.num_nodes}, num_edges={self.num_edges}, num_types={self.num_types}"


def _holds(kept: torch.dtype, wanted: torch.dtype) -> bool:
    return torch.finfo(kept).bits >= torch.finfo(wanted).bits
