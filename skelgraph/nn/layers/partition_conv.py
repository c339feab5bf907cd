"""The partitioned graph convolution of ST-GCN."""

from typing import Literal

import torch
from torch import Tensor
from torch.nn import Parameter
from torch_geometric.nn.inits import glorot, zeros

from skelgraph.nn.layers.skeleton_conv import SkeletonConv
from skelgraph.nn.layers.topology import Norm, Topology, edge_norm, sum_by_type


class PartitionConv(SkeletonConv):
    r"""The graph convolution with one weight matrix for each edge type, of `Cai et al. (ICCV 2019, eq. 2)
    <https://openaccess.thecvf.com/content_ICCV_2019/html/Cai_Exploiting_Spatial-Temporal_Relationships_for_3D_Pose_Estimation_via_Graph_Convolutional_ICCV_2019_paper.html>`_
    and AMPose (Lin 2023, eq. 3.9).

    .. math:: Y = \sum_k \hat A_k X \Theta_k + b

    Args:
        in_channels: C of the input.
        out_channels: C of the output.
        num_types: the number K of edge types: 3 for center, closer, farther.
        norm: how :math:`\hat A_k` is made of the 0/1 matrix of type k:
            ``"union"`` divides by the number of edges of any type that end in the joint (the authors' code);
            ``"group"`` is AMPose's :math:`D_k^{-1/2} A_k D_k^{-1/2}`, where a one-sided :math:`A_k` has two degrees:
            by edges that start in the source and by edges that end in the target; ``"sum"`` leaves it as it is.
        bias: whether b is learned.
        typed_bias: whether each type has a bias of its own that is summed like its messages, as in Cai's code:
            :math:`b = \sum_k \hat A_k \mathbf{1} b_k^\top`.

    Shapes:
        - **input:** ``x`` [..., J, C_in] or [N, C_in], ``edge_index`` [2, E] and ``edge_type`` [E], or Topology
        - **output:** [..., J, C_out] or [N, C_out]

    Raises:
        ValueError: if ``edge_type`` is missing, is not of the edges of ``edge_index``, or holds a type that there is no
            weight for.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        num_types: int = 3,
        norm: Literal["union", "group", "sum"] = "union",
        bias: bool = True,
        typed_bias: bool = False,
    ) -> None:
        super().__init__(in_channels, out_channels, num_types, bias and not typed_bias)
        self.num_types = num_types
        self.norm: Norm = "row" if norm == "union" else norm
        self.typed_bias = Parameter(torch.empty(num_types, out_channels)) if typed_bias else None
        self.reset_parameters()

    def reset_parameters(self) -> None:
        super().reset_parameters()
        glorot(self.weight.transpose(0, 1))
        zeros(self.bias)
        zeros(self.typed_bias)

    def forward(self, x: Tensor, edge_index: Tensor | Topology, edge_type: Tensor | None = None) -> Tensor:
        """See the class."""
        if isinstance(edge_index, Topology):
            if edge_index.num_types != self.num_types:
                raise ValueError(
                    f"PartitionConv has {self.num_types} weights; the graph has {edge_index.num_types} types"
                )
            weight = edge_index.edge_weight(self.norm, x.dtype)
            operator = edge_index.fixed_operator(self.norm, x.dtype, typed=True) if edge_index.dense else None
            out = self.mix(x, edge_index, edge_index.by_type, weight, operator)
            if self.typed_bias is None:
                return out
            bias = self.bias_of_joints(edge_index.weight_sums(self.norm, x.dtype))
            return (out.view(-1, *bias.shape) + bias).view(out.shape)
        if edge_type is None:
            raise ValueError(
                "PartitionConv needs edge_type [E] beside edge_index (a Skeleton's .edge_type), or a Topology"
            )
        self.check_one_type_per_edge(edge_index, edge_type)
        self.check_types(edge_type)
        weight = edge_norm(edge_index, x.size(-2), self.norm, x.dtype, edge_type, self.num_types)
        out = self.mix(x, edge_index, edge_type, weight)
        if self.typed_bias is None:
            return out
        return out + self.bias_of_joints(sum_by_type(weight, edge_index, edge_type, x.size(-2), self.num_types))

    def check_types(self, edge_type: Tensor) -> None:
        """Refuses a type without a weight: a ValueError on the CPU; elsewhere the device asserts, and nobody waits."""
        if torch.compiler.is_compiling():
            return
        largest = edge_type.max()
        if edge_type.device.type != "cpu":
            torch._assert_async(largest < self.num_types, f"edge_type: PartitionConv has {self.num_types} weights")
        elif int(largest) >= self.num_types:
            raise ValueError(f"edge_type holds {int(largest)}; PartitionConv has {self.num_types} weights")

    def bias_of_joints(self, sums: Tensor) -> Tensor:
        """[J, C_out], the sums [J, K] of each joint's edge weights by type times the biases."""
        assert self.typed_bias is not None
        return (sums.unsqueeze(-1).to(self.typed_bias.dtype) * self.typed_bias).sum(1)
