"""AMPose."""

from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import Parameter

from skelgraph.blocks.pose_input import takes_poses
from skelgraph.layers import PartitionConv, SelfAttention, Topology
from skelgraph.skeleton import Skeleton

Norm = Literal["union", "group", "sum"]


class TransformerEncoder(nn.Module):
    r"""One Transformer encoder with a position of its own (eq. 3.5-3.7): [B, J, C] -> [B, J, C].

    .. math:: Z' = Z + \Theta_{pos}, \quad Z'' = \mathrm{MSA}(\mathrm{LN}(Z')) + Z', \quad
        Z_{out} = \mathrm{MLP}(\mathrm{LN}(Z'')) + Z''
    """

    def __init__(self, num_joints: int, channels: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.position = Parameter(0.02 * torch.randn(num_joints, channels))
        self.norm1 = nn.LayerNorm(channels)
        self.attention = SelfAttention(channels, channels, heads, dropout=dropout)
        self.norm2 = nn.LayerNorm(channels)
        self.mlp = nn.Sequential(
            nn.Linear(channels, 2 * channels), nn.GELU(), nn.Linear(2 * channels, channels), nn.Dropout(dropout)
        )

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.position
        x = x + self.attention(self.norm1(x))
        return x + self.mlp(self.norm2(x))


class GCNBlock(nn.Module):
    r"""A plain graph convolution, then one with a residual (Figure 4.1): [B, J, C] -> [B, J, C].

    .. math:: h = \sigma(\mathrm{BN}(G_1 x)), \quad y = h + \sigma(\mathrm{BN}(G_2 h))
    """

    def __init__(self, channels: int, num_types: int, norm: Norm, dropout: float) -> None:
        super().__init__()
        self.conv1 = PartitionConv(channels, channels, num_types, norm)
        self.norm1 = nn.BatchNorm1d(channels)
        self.conv2 = PartitionConv(channels, channels, num_types, norm)
        self.norm2 = nn.BatchNorm1d(channels)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, topology: Topology) -> Tensor:
        h = self.norm1(self.conv1(x, topology).flatten(0, 1)).view_as(x).relu()
        return h + self.dropout(self.norm2(self.conv2(h, topology).flatten(0, 1)).view_as(x).relu())


class AMPose(nn.Module):
    r"""Transformer encoders and graph convolution blocks in turn (Lin, "AMPose: Alternately Mixed Global-Local
    Attention Model for 3D Human Pose Estimation", 2023).

    A linear map to C channels; ``num_layers`` times a Transformer encoder (global) and a GCN block over center, closer
    and farther neighbours (local); a layer norm and a linear map to the output.

    The thesis leaves room, filled here so that the parameters are those of its Table 4.9: an MLP twice as wide, a
    position table for each encoder, a final layer norm. It does not say how many heads: 4 is the largest power of two
    that divides all of its widths (108).

    Args:
        skeleton: the skeleton of input and output.
        in_channels: channels of a joint in the input.
        out_channels: channels of a joint in the output.
        num_layers: the depth N.
        hidden_channels: C.
        heads: heads of the self-attention.
        dropout: of attention weights and before each residual sum.
        norm: how :class:`PartitionConv` normalises; ``"group"`` is the thesis' eq. 3.9, ``"union"`` the code of ST-GCN
            that the thesis builds on.

    Shapes:
        - **input:** [..., J, C_in], or a PyG ``Data`` or ``Batch`` of the skeleton
        - **output:** [..., J, C_out], or [N, C_out]
    """

    def __init__(
        self,
        skeleton: Skeleton,
        in_channels: int = 2,
        out_channels: int = 3,
        *,
        num_layers: int = 5,
        hidden_channels: int = 512,
        heads: int = 4,
        dropout: float = 0.0,
        norm: Norm = "union",
    ) -> None:
        super().__init__()
        self.skeleton = skeleton
        self.in_channels = in_channels
        self.out_channels = out_channels
        self.topology = Topology(skeleton.edge_index, skeleton.edge_type, skeleton.num_joints)
        self.embed = nn.Linear(in_channels, hidden_channels)
        self.encoders = nn.ModuleList(
            TransformerEncoder(skeleton.num_joints, hidden_channels, heads, dropout) for _ in range(num_layers)
        )
        self.blocks = nn.ModuleList(
            GCNBlock(hidden_channels, self.topology.num_types, norm, dropout) for _ in range(num_layers)
        )
        self.norm = nn.LayerNorm(hidden_channels)
        self.head = nn.Linear(hidden_channels, out_channels)

    @takes_poses
    def forward(self, x: Tensor) -> Tensor:
        """See the class."""
        h = self.embed(x)  # [B, J, C]
        for encoder, block in zip(self.encoders, self.blocks, strict=True):
            h = block(encoder(h), self.topology)
        return self.head(self.norm(h))  # [B, J, C_out]
