"""GraFormer."""

import torch
from torch import Tensor, nn
from torch.nn import Parameter

from skelgraph.nn.blocks.pose_input import takes_poses
from skelgraph.nn.blocks.residual_conv import ResidualConv
from skelgraph.nn.layers import ChebConv, SelfAttention, Topology
from skelgraph.nn.models.pose_model import SkeletonModel
from skelgraph.skeleton import Skeleton


class StdNorm(nn.Module):
    r"""Divides by the standard deviation itself: :math:`a \odot (x - \mu) / (\sigma + 10^{-6}) + b`, sigma unbiased."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight = Parameter(torch.ones(channels))
        self.bias = Parameter(torch.zeros(channels))

    def forward(self, x: Tensor) -> Tensor:
        centred = x - x.mean(-1, keepdim=True)
        return self.weight * centred / (x.std(-1, keepdim=True) + 1e-6) + self.bias


class LearnedAdjacency(nn.Module):
    r"""Two graph convolutions over one learned adjacency (LAM-GConv, section 3.3): [B, J, C] -> [B, J, C].

    .. math:: Y = L\, \mathrm{ReLU}(L X \Theta_1)\, \Theta_2, \qquad L = D^{-1/2} \hat A D^{-1/2}, \;
        D_{jj} = \textstyle\sum_i \hat A_{ij} + 10^{-5}

    The authors' code gives NaN once a column of :math:`\hat A` sums to less than 0; here D is at least 1e-5.
    """

    def __init__(self, num_joints: int, channels: int) -> None:
        super().__init__()
        self.adjacency = Parameter(torch.eye(num_joints))
        self.linear1 = nn.Linear(channels, 2 * channels)
        self.linear2 = nn.Linear(2 * channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        scale = (self.adjacency.sum(0) + 1e-5).clamp(min=1e-5).rsqrt()
        matrix = scale.unsqueeze(1) * self.adjacency * scale
        return self.linear2(matrix @ self.linear1(matrix @ x).relu())


class GraphAttentionLayer(nn.Module):
    r"""Pre-norm attention, then convolutions over a learned adjacency: [B, J, C] -> [B, J, C].

    .. math:: a = x + \mathrm{Attn}(\mathrm{LN}(x)), \quad y = a + \mathrm{LAM}(\mathrm{LN}(a))
    """

    def __init__(self, num_joints: int, channels: int, heads: int, dropout: float, attention_dropout: float) -> None:
        super().__init__()
        self.norm1 = StdNorm(channels)
        self.attention = SelfAttention(channels, channels, heads, dropout=attention_dropout)
        self.norm2 = StdNorm(channels)
        self.graph = LearnedAdjacency(num_joints, channels)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.dropout(self.attention(self.norm1(x)))
        return x + self.dropout(self.graph(self.norm2(x)))


class ChebUnit(nn.Module):
    """Chebyshev graph convolution, ReLU, dropout: [B, J, C] -> [B, J, C]."""

    def __init__(self, channels: int, dropout: float) -> None:
        super().__init__()
        self.conv = ChebConv(channels, channels)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, topology: Topology) -> Tensor:
        return self.dropout(self.conv(x, topology).relu())


class GraFormer(SkeletonModel):
    r"""Graph-oriented Transformer (`Zhao et al., CVPR 2022 <https://arxiv.org/abs/2109.08364>`_).

    A Chebyshev graph convolution to C channels; ``num_layers`` times a Transformer layer whose feed-forward network is
    a pair of convolutions over a learned adjacency, and a residual block of two Chebyshev convolutions; a Chebyshev
    convolution to the output.

    Args:
        skeleton: the skeleton of input and output.
        in_channels: channels of a joint in the input.
        out_channels: channels of a joint in the output.
        hidden_channels: C.
        num_layers: pairs of a Transformer layer and a residual block.
        heads: H.
        dropout: before the residual sums of the Transformer layers.
        attention_dropout: of attention weights and after each Chebyshev convolution of the residual blocks.

    Shapes:
        - **input:** [..., J, C_in], or a PyG ``Data`` or ``Batch`` of the skeleton
        - **output:** [..., J, C_out], or [N, C_out]

    Raises:
        ValueError: if ``heads`` does not divide ``hidden_channels``.
    """

    def __init__(
        self,
        skeleton: Skeleton,
        in_channels: int = 2,
        out_channels: int = 3,
        *,
        hidden_channels: int = 96,
        num_layers: int = 5,
        heads: int = 4,
        dropout: float = 0.25,
        attention_dropout: float = 0.1,
    ) -> None:
        super().__init__(skeleton, in_channels, out_channels)
        self.topology = Topology(skeleton.edge_index, skeleton.edge_type, skeleton.num_joints)
        self.input = ChebConv(in_channels, hidden_channels)
        self.layers = nn.ModuleList(
            GraphAttentionLayer(skeleton.num_joints, hidden_channels, heads, dropout, attention_dropout)
            for _ in range(num_layers)
        )
        self.blocks = nn.ModuleList(
            ResidualConv(ChebUnit(hidden_channels, attention_dropout), ChebUnit(hidden_channels, attention_dropout))
            for _ in range(num_layers)
        )
        self.head = ChebConv(hidden_channels, out_channels)

    @takes_poses
    def forward(self, x: Tensor) -> Tensor:
        """See the class."""
        h = self.input(x, self.topology)  # [B, J, C]
        for layer, block in zip(self.layers, self.blocks, strict=True):
            h = block(layer(h), self.topology)
        return self.head(h, self.topology)  # [B, J, C_out]
