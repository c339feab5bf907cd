"""The modulated graph convolution."""

import math
from typing import Literal

import torch
from torch import Tensor
from torch.nn import Parameter, init

from skelgraph.nn.layers.skeleton_conv import SkeletonConv, is_watched
from skelgraph.nn.layers.topology import Topology


class ModulatedConv(SkeletonConv):
    r"""The modulated graph convolution of `Modulated GCN (Zou and Tang, ICCV 2021, eq. 5-7)
    <https://openaccess.thecvf.com/content/ICCV2021/html/Zou_Modulated_Graph_Convolutional_Network_for_3D_Human_Pose_Estimation_ICCV_2021_paper.html>`_:
    each joint modulates the shared weights, and every pair of joints may interact.

    .. math:: Y = \mathrm{diag}(\hat A)\,(M \odot X W_0) + \mathrm{offdiag}(\hat A)\,(M \odot X W_1) + b, \qquad
        \hat A = \tfrac12\big(A + Q + (A + Q)^\top\big)

    A is the row-normalised adjacency without self loops, its diagonal then set to 1.

    Args:
        in_channels: C of the input.
        out_channels: C of the output.
        num_joints: J.
        modulation: how M starts: ``"ones"`` (the authors' ground-truth code) or ``"xavier"`` (their benchmark code).
        bias: whether b is learned.

    Shapes:
        - **input:** ``x`` [..., J, C_in] or [N, C_in], ``edge_index`` [2, E] or Topology
        - **output:** [..., J, C_out] or [N, C_out]

    Raises:
        ValueError: if the rows of ``x`` are no multiple of J.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        num_joints: int,
        modulation: Literal["ones", "xavier"] = "ones",
        bias: bool = True,
    ) -> None:
        super().__init__(in_channels, out_channels, 2, bias)
        self.num_joints = num_joints
        self.initial_modulation = modulation
        self.modulation = Parameter(torch.empty(num_joints, out_channels))
        self.affinity = Parameter(torch.empty(num_joints, num_joints))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        super().reset_parameters()
        init.xavier_uniform_(self.weight.transpose(0, 1), gain=1.414)
        if self.initial_modulation == "ones":
            init.ones_(self.modulation)
        else:
            init.xavier_uniform_(self.modulation, gain=1.414)
        init.constant_(self.affinity, 1e-6)
        if self.bias is not None:
            bound = 1 / math.sqrt(self.out_channels)
            init.uniform_(self.bias, -bound, bound)

    def transform(self, x: Tensor) -> Tensor:
        """One product for both slots, then M: [..., J, C_in] -> [..., J * 2, C_out]."""
        modulation = self.tile(self.modulation, x.size(-2), "joints").repeat_interleave(2, dim=0)
        return super().transform(x) * modulation

    def forward(self, x: Tensor, edge_index: Tensor | Topology) -> Tensor:
        """See the class."""
        if isinstance(edge_index, Topology):
            if edge_index.num_nodes != self.num_joints:
                raise ValueError(
                    f"ModulatedConv was made for {self.num_joints} joints; the Topology has {edge_index.num_nodes}"
                )
            joints = self.by_graph(x, self.num_joints)
            affinity = self.symmetric_affinity(edge_index.adjacency.to(self.affinity.dtype))
            if not is_watched(self):
                operator = affinity.unsqueeze(-1) * edge_index.complete_split.to(affinity.dtype)
                out = self.add_bias(self.sum_dense(self.transform(joints), operator))
                return out.view(*x.shape[:-1], self.out_channels)
            edge_index = edge_index.edge_index
        else:
            joints = x
            affinity = self.symmetric_affinity(self.one_adjacency(edge_index, x.size(-2)))
        return self.mix(joints, *self.complete(joints.size(-2), affinity)).view(*x.shape[:-1], self.out_channels)

    def one_adjacency(self, edge_index: Tensor, num_nodes: int) -> Tensor:
        """[J, J] 0/1 of the first skeleton of a batch."""
        num_graphs = self.count_graphs(self.num_joints, num_nodes, "joints")
        num_edges = edge_index.size(1) // num_graphs
        source, target = edge_index[:, :num_edges]
        adjacency = self.affinity.new_zeros(self.num_joints, self.num_joints)
        return adjacency.index_put((target, source), adjacency.new_ones(()))

    def symmetric_affinity(self, adjacency: Tensor) -> Tensor:
        r""":math:`\hat A` [J, J]."""
        loops = torch.eye(self.num_joints, device=adjacency.device, dtype=adjacency.dtype)
        neighbours = adjacency * (1 - loops)
        neighbours = neighbours / neighbours.sum(1, keepdim=True).clamp(min=1) + loops + self.affinity
        return (neighbours + neighbours.t()) / 2

    def complete(self, num_nodes: int, affinity: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """All pairs of joints within each skeleton: edge_index, slot, coefficient."""
        pairs = torch.cartesian_prod(*[torch.arange(self.num_joints, device=affinity.device)] * 2).t().flip(0)
        start = torch.arange(0, num_nodes, self.num_joints, device=pairs.device)
        edge_index = (pairs.unsqueeze(1) + start.view(1, -1, 1)).flatten(1)
        coefficient = self.tile(affinity.flatten(), edge_index.size(1), "pairs of joints")
        return edge_index, (edge_index[0] != edge_index[1]).long(), coefficient
