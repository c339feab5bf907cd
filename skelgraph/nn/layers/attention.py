"""Attention over the edges of a graph."""

import math
from typing import Optional

import torch
from torch import Tensor
from torch.nn import Linear, functional
from torch_geometric.nn import MessagePassing
from torch_geometric.utils import softmax

from skelgraph.nn.layers.self_attention import attend
from skelgraph.nn.layers.skeleton_conv import is_watched
from skelgraph.nn.layers.topology import Topology


class Attention(MessagePassing):
    r"""Multi-head dot-product attention of each joint to the joints with an edge to it (`Vaswani et al. 2017, eq. 1
    <https://arxiv.org/abs/1706.03762>`_, with a softmax over the edges that end in the joint).

    .. math:: y_t = W_o \sum_{s \to t} \mathrm{softmax}_s\!\left(\frac{q_t \cdot k_s}{\sqrt d}\right) v_s + b_o

    On a complete graph with self loops it equals ``torch.nn.MultiheadAttention``.

    Args:
        in_channels: C of the input.
        out_channels: C of the output, a multiple of ``heads``.
        heads: H.
        dropout: of the attention weights.
        bias: whether the projections have biases.

    Shapes:
        - **input:** ``x`` [..., J, C_in] or [N, C_in], ``edge_index`` [2, E] or Topology
        - **output:** [..., J, C_out] or [N, C_out]

    Raises:
        ValueError: if ``heads`` does not divide ``out_channels``.
    """

    def __init__(
        self, in_channels: int, out_channels: int, heads: int = 4, dropout: float = 0.0, bias: bool = True
    ) -> None:
        super().__init__(aggr="add", node_dim=-3)
        if out_channels % heads:
            raise ValueError(f"out_channels {out_channels} is no multiple of heads {heads}")
        self.in_channels = in_channels
        self.out_channels = out_channels
        self.heads = heads
        self.dropout = dropout
        self.qkv = Linear(in_channels, 3 * out_channels, bias=bias)
        self.out_proj = Linear(out_channels, out_channels, bias=bias)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        super().reset_parameters()
        torch.nn.init.xavier_uniform_(self.qkv.weight)
        self.out_proj.reset_parameters()
        for linear in (self.qkv, self.out_proj):
            if linear.bias is not None:
                torch.nn.init.zeros_(linear.bias)

    def forward(self, x: Tensor, edge_index: Tensor | Topology) -> Tensor:
        """See the class."""
        shape = x.shape[:-1]
        if isinstance(edge_index, Topology):
            if x.size(-2) % edge_index.num_nodes:
                raise ValueError(f"Attention got {x.size(-2)} joints; the graph has {edge_index.num_nodes}")
            x = x.reshape(-1, edge_index.num_nodes, self.in_channels)
        query, key, value = self.qkv(x).unflatten(-1, (3, self.heads, -1)).unbind(-3)
        if isinstance(edge_index, Topology) and not is_watched(self):
            query, key, value = (part.transpose(-2, -3) for part in (query, key, value))
            dropout = self.dropout if self.training else 0.0
            out = attend(query, key, value, dropout, edge_index.adjacency.bool()).transpose(-2, -3)
        else:
            index = edge_index.edge_index if isinstance(edge_index, Topology) else edge_index
            out = self.propagate(index, query=query, key=key, value=value, size=(x.size(-2), x.size(-2)))
        return self.out_proj(out.flatten(-2)).view(*shape, self.out_channels)

    def message(
        self,
        query_i: Tensor,
        key_j: Tensor,
        value_j: Tensor,
        index: Tensor,
        size_i: Optional[int],  # noqa: UP045 - PyG's inspector reads no unions
    ) -> Tensor:
        score = (query_i * key_j).sum(-1) / math.sqrt(query_i.size(-1))
        weight = softmax(score, index, num_nodes=size_i, dim=score.dim() - 2)
        weight = functional.dropout(weight, self.dropout, self.training)
        return weight.unsqueeze(-1) * value_j

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.in_channels}, {self.out_channels}, heads={self.heads})"
