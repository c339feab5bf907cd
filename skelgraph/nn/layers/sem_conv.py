"""The semantic graph convolution."""

import math

import torch
from torch import Tensor
from torch.nn import Parameter, init
from torch_geometric.utils import softmax

from skelgraph.nn.layers.skeleton_conv import SkeletonConv, is_watched
from skelgraph.nn.layers.topology import Topology


class SemConv(SkeletonConv):
    r"""The semantic graph convolution of `SemGCN (Zhao et al., CVPR 2019, eq. 2-3)
    <https://arxiv.org/abs/1904.03345>`_: the weight of each edge is learned.

    .. math:: y_t = P_{tt}\, x_t W_0 + \sum_{s \ne t} P_{ts}\, x_s W_1 + b, \qquad P_{ts} = \mathrm{softmax}_s(e_{ts})

    The softmax runs over the edges that end in t. With ``channel_wise`` there is one e for each output channel.

    Args:
        in_channels: C of the input.
        out_channels: C of the output.
        num_edges: E of one skeleton; e is tied to the edges in their order.
        channel_wise: whether each output channel has edge weights of its own (SemCHGraphConv).
        bias: whether b is learned.

    Shapes:
        - **input:** ``x`` [..., J, C_in] or [N, C_in], ``edge_index`` [2, E] (of a batch: its multiple) or Topology
        - **output:** [..., J, C_out] or [N, C_out]

    Raises:
        ValueError: if the edges are no multiple of ``num_edges``, or those of a Topology are not as many.
    """

    def __init__(
        self, in_channels: int, out_channels: int, num_edges: int, channel_wise: bool = False, bias: bool = True
    ) -> None:
        super().__init__(in_channels, out_channels, 2, bias)
        self.num_edges = num_edges
        self.channel_wise = channel_wise
        self.edge_logit = Parameter(torch.empty((num_edges, out_channels) if channel_wise else (num_edges,)))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        super().reset_parameters()
        # The authors' initialisation sees a [2, in, out] tensor, whose fans are in * out and 2 * out.
        init.xavier_uniform_(self.weight.transpose(0, 1), gain=1.414)
        init.ones_(self.edge_logit)
        if self.bias is not None:
            bound = 1 / math.sqrt(self.in_channels if self.channel_wise else self.out_channels)
            init.uniform_(self.bias, -bound, bound)

    def forward(self, x: Tensor, edge_index: Tensor | Topology) -> Tensor:
        """See the class."""
        if isinstance(edge_index, Topology):
            if edge_index.num_edges != self.num_edges:
                raise ValueError(
                    f"SemConv was made for {self.num_edges} edges; the Topology has {edge_index.num_edges}"
                )
            plain = self.channel_wise or is_watched(self)
            weight = self.edge_weight(edge_index.edge_index) if plain else edge_index.row_softmax(self.edge_logit)
            return self.mix(x, edge_index, edge_index.by_loop, weight)
        self.count_graphs(self.num_edges, edge_index.size(1), "edges")
        slot = (edge_index[0] != edge_index[1]).long()
        weight = self.edge_weight(edge_index[:, : self.num_edges])
        return self.mix(x, edge_index, slot, self.tile(weight, edge_index.size(1), "edges"))

    def edge_weight(self, edge_index: Tensor) -> Tensor:
        """P of one skeleton's edges, [E] or [E, C_out]: what was learned of each edge."""
        return softmax(self.edge_logit, edge_index[1], num_nodes=self.num_edges)
