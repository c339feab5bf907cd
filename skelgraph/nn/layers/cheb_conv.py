"""The Chebyshev graph convolution."""

from typing import Literal

import torch
from torch import Tensor
from torch_geometric.nn.inits import glorot, zeros

from skelgraph.nn.layers.skeleton_conv import SkeletonConv, is_watched
from skelgraph.nn.layers.topology import Topology, edge_norm


class ChebConv(SkeletonConv):
    r"""Chebyshev polynomials of a graph operator L, of `Defferrard et al. (NeurIPS 2016)
    <https://arxiv.org/abs/1606.09375>`_ as GraFormer uses them (`Zhao et al., CVPR 2022
    <https://arxiv.org/abs/2109.08364>`_).

    .. math:: Y = \sum_{k=0}^{K} T_k(L) X \Theta_k + b, \qquad T_0 = I,\; T_1 = L,\; T_k = 2 L T_{k-1} - T_{k-2}

    Args:
        in_channels: C of the input.
        out_channels: C of the output.
        order: the highest power K; there are K + 1 weights (PyG's ``K`` counts the weights).
        operator: ``"row"`` takes :math:`L = I - D^{-1}(A + I)` as GraFormer's code; ``"sym"`` takes
            :math:`L = -D^{-1/2} A D^{-1/2}`, PyG's operator with :math:`\lambda_{max} = 2`.
        bias: whether b is learned.

    ``edge_index`` holds one self loop a joint; ``"sym"`` leaves them out of A and D.

    Shapes:
        - **input:** ``x`` [..., J, C_in] or [N, C_in], ``edge_index`` [2, E] or Topology
        - **output:** [..., J, C_out] or [N, C_out]
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        order: int = 2,
        operator: Literal["row", "sym"] = "row",
        bias: bool = True,
    ) -> None:
        super().__init__(in_channels, out_channels, order + 1, bias)
        self.order = order
        self.operator = operator
        self.reset_parameters()

    def reset_parameters(self) -> None:
        super().reset_parameters()
        glorot(self.weight.transpose(0, 1))
        zeros(self.bias)

    def forward(self, x: Tensor, edge_index: Tensor | Topology) -> Tensor:
        """See the class."""
        if isinstance(edge_index, Topology):
            joints = self.by_graph(x, edge_index.num_nodes)
            if not is_watched(self):
                operator = self.polynomials(edge_index, x.dtype)
                narrow = self.in_channels * 2 < self.out_channels
                out = self.sum_first(joints, operator) if narrow else self.sum_dense(self.transform(joints), operator)
                return self.add_bias(out).view(*x.shape[:-1], self.out_channels)
            edge_index = edge_index.edge_index
        else:
            joints = x
        values = self.edge_values(edge_index, joints.size(-2), x.dtype).unsqueeze(-1)
        terms = [joints]
        for k in range(self.order):
            step = self.propagate(edge_index, x=terms[-1], coefficient=values)
            terms.append(step if k == 0 else 2 * step - terms[-2])
        out = torch.cat(terms, dim=-1) @ self.weight.transpose(0, 1).flatten(0, 1)
        return self.add_bias(out).view(*x.shape[:-1], self.out_channels)

    def edge_values(self, edge_index: Tensor, num_nodes: int, dtype: torch.dtype) -> Tensor:
        """L at each edge, [E]."""
        loops = edge_index[0] == edge_index[1]
        if self.operator == "row":
            return loops.to(dtype) - edge_norm(edge_index, num_nodes, "row", dtype)
        ending = torch.zeros(num_nodes, device=loops.device, dtype=dtype).index_add(
            0, edge_index[1], (~loops).to(dtype)
        )
        product = ending[edge_index[0]] * ending[edge_index[1]]
        return torch.where(loops | (product == 0), 0.0, -product.clamp(min=1).rsqrt())

    def polynomials(self, topology: Topology, dtype: torch.dtype) -> Tensor:
        """[J, J, K + 1] of T_0(L) to T_K(L)."""
        step = topology.operator(self.edge_values(topology.edge_index, topology.num_nodes, dtype)).squeeze(-1)
        terms = [torch.eye(topology.num_nodes, device=step.device, dtype=dtype), step]
        while len(terms) <= self.order:
            terms.append(2 * step @ terms[-1] - terms[-2])
        return torch.stack(terms[: self.order + 1], dim=-1)
