"""AMPose."""

from collections.abc import Callable
from functools import partial
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import Parameter

from skelgraph.nn.blocks.pose_input import takes_poses
from skelgraph.nn.layers import PartitionConv, SelfAttention, Topology
from skelgraph.nn.models.pose_model import SkeletonModel
from skelgraph.skeleton import Skeleton
from skelgraph.skeleton.edges import CENTER, CLOSER, FARTHER, SYMMETRIC, by_symmetry

Norm = Literal["union", "group", "sum"]
Block = Literal["ours", "two_residual", "transformer", "convnext"]
Order = Literal["transformer_first", "gcn_first", "transformers_then_gcns", "gcns_then_transformers"]
Groups = Literal[
    "center/farther/closer/symmetry",
    "center/farther+closer/symmetry",
    "center/farther+closer+symmetry",
    "center+farther+closer+symmetry",
    "center/farther/closer",
    "center/farther+closer",
]


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


class ConvNorm(nn.Module):
    """A partitioned graph convolution and a batch norm: [B, J, C] -> [B, J, C]."""

    def __init__(self, channels: int, num_types: int, norm: Norm) -> None:
        super().__init__()
        self.conv = PartitionConv(channels, channels, num_types, norm)
        self.norm = nn.BatchNorm1d(channels)

    def forward(self, x: Tensor, topology: Topology) -> Tensor:
        return self.norm(self.conv(x, topology).flatten(0, 1)).view_as(x)


class OursBlock(nn.Module):
    r"""A plain graph convolution, then one with a residual (Figure 4.1): [B, J, C] -> [B, J, C].

    .. math:: h = \sigma(\mathrm{BN}(G_1 x)), \quad y = h + \sigma(\mathrm{BN}(G_2 h))
    """

    def __init__(self, channels: int, num_types: int, norm: Norm = "union", dropout: float = 0.0) -> None:
        super().__init__()
        self.gcn1 = ConvNorm(channels, num_types, norm)
        self.gcn2 = ConvNorm(channels, num_types, norm)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, topology: Topology) -> Tensor:
        h = self.gcn1(x, topology).relu()
        return h + self.dropout(self.gcn2(h, topology).relu())


class TwoResidualBlock(OursBlock):
    r"""Two graph convolutions, each with a residual (Figure 4.2).

    .. math:: h = x + \sigma(\mathrm{BN}(G_1 x)), \quad y = h + \sigma(\mathrm{BN}(G_2 h))
    """

    def forward(self, x: Tensor, topology: Topology) -> Tensor:
        h = x + self.dropout(self.gcn1(x, topology).relu())
        return h + self.dropout(self.gcn2(h, topology).relu())


class TransformerBlock(nn.Module):
    r"""A graph convolution in the place of a Transformer's attention (Figure 4.2).

    .. math:: h = x + \mathrm{BN}(G x), \quad y = h + \mathrm{MLP}(\mathrm{LN}(h))

    The MLP is as wide as the features, which the thesis' 17.0 M parameters ask for.
    """

    def __init__(self, channels: int, num_types: int, norm: Norm = "union", dropout: float = 0.0) -> None:
        super().__init__()
        self.gcn = ConvNorm(channels, num_types, norm)
        self.norm = nn.LayerNorm(channels)
        self.mlp = nn.Sequential(nn.Linear(channels, channels), nn.GELU(), nn.Linear(channels, channels))
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, topology: Topology) -> Tensor:
        h = x + self.dropout(self.gcn(x, topology))
        return h + self.dropout(self.mlp(self.norm(h)))


class ConvNeXtBlock(nn.Module):
    r"""A graph convolution in the place of a ConvNeXt's depth-wise one (Figure 4.2).

    .. math:: y = x + W_2\, \sigma\big(W_1\, \mathrm{BN}(G x)\big)
    """

    def __init__(self, channels: int, num_types: int, norm: Norm = "union", dropout: float = 0.0) -> None:
        super().__init__()
        self.gcn = ConvNorm(channels, num_types, norm)
        self.mlp = nn.Sequential(nn.Linear(channels, channels), nn.GELU(), nn.Linear(channels, channels))
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, topology: Topology) -> Tensor:
        return x + self.dropout(self.mlp(self.gcn(x, topology)))


BLOCKS: dict[str, Callable[..., nn.Module]] = {
    "ours": OursBlock,
    "two_residual": TwoResidualBlock,
    "transformer": TransformerBlock,
    "convnext": ConvNeXtBlock,
}


class AMPose(SkeletonModel):
    r"""Transformer encoders and graph convolution blocks in turn (Lin, "AMPose: Alternately Mixed Global-Local
    Attention Model for 3D Human Pose Estimation", 2023).

    A linear map to C channels; ``num_layers`` times a Transformer encoder (global) and a GCN block over center, closer
    and farther neighbours (local); a layer norm and a linear map to the output.

    The thesis leaves room, filled here so that the parameters are those of its Table 4.9: an MLP twice as wide, a
    position table for each encoder, a final layer norm. It does not say how many heads: 4 is the largest power of two
    that divides all of its widths (108). Its toe direction, a "positional encoding at the start of the Transformer
    encoder", is read as a linear map of two more input channels, added to the features once, before the first encoder.

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
        block: the GCN block, by its name in Table 4.6, or a class or factory of your own, called ``block(channels,
            num_types)`` and then with [B, J, C] and the :class:`Topology`.
        order: how encoders and blocks follow each other (Table 4.7).
        groups: which neighbours share a weight matrix (Table 4.8); with symmetry, left and right are neighbours.
        num_frames: T; the frames of a clip are concatenated in each joint (Table 4.5), and the middle one is answered.
        toe_direction: whether the last two input channels are the 2D direction of the toe at each ankle, 0 elsewhere.

    Shapes:
        - **input:** [..., J, C_in], or [..., T, J, C_in] with T > 1, or a PyG ``Data`` or ``Batch`` of the skeleton
        - **output:** [..., J, C_out], with T > 1 too, or [N, C_out]

    Raises:
        ValueError: if ``toe_direction`` is asked for and ``in_channels`` is less than 3.
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
        block: Block | Callable[..., nn.Module] = "ours",
        order: Order = "transformer_first",
        groups: Groups = "center/farther/closer",
        num_frames: int = 1,
        toe_direction: bool = False,
    ) -> None:
        super().__init__(skeleton, in_channels, out_channels, num_frames=num_frames, answers="middle")
        if toe_direction and in_channels < 3:
            raise ValueError(f"toe_direction needs 2 of the in_channels beside the position; there are {in_channels}")
        self.topology = grouped_topology(skeleton, groups)
        self.steps = steps_of(order, num_layers)
        channels = hidden_channels
        self.embed = nn.Linear(num_frames * (in_channels - 2 * toe_direction), channels)
        self.embed_toes = nn.Linear(2 * num_frames, channels, bias=False) if toe_direction else None
        self.encoders = nn.ModuleList(
            TransformerEncoder(skeleton.num_joints, channels, heads, dropout) for _ in range(num_layers)
        )
        make = partial(BLOCKS[block], norm=norm, dropout=dropout) if isinstance(block, str) else block
        self.blocks = nn.ModuleList(make(channels, self.topology.num_types) for _ in range(num_layers))
        self.norm = nn.LayerNorm(channels)
        self.head = nn.Linear(channels, out_channels)

    @takes_poses
    def forward(self, x: Tensor) -> Tensor:
        """See the class."""
        x = x if self.num_frames > 1 else x.unsqueeze(1)  # [B, T, J, C_in]
        toes: Tensor | None = None
        if self.embed_toes is not None:
            x, toes = x[..., :-2], x[..., -2:]
        h = self.embed(concat_frames(x))  # [B, J, C]
        for kind, i in self.steps:
            if self.embed_toes is not None and toes is not None and (kind, i) == ("transformer", 0):
                h = h + self.embed_toes(concat_frames(toes))
            h = self.encoders[i](h) if kind == "transformer" else self.blocks[i](h, self.topology)
        return self.head(self.norm(h))  # [B, J, C_out]


def concat_frames(x: Tensor) -> Tensor:
    """[B, T, J, C] -> [B, J, T * C]."""
    return x.transpose(1, 2).flatten(2)


def steps_of(order: Order, num_layers: int) -> list[tuple[str, int]]:
    """What is called, in turn: the kind of part and its index."""
    encoders = [("transformer", i) for i in range(num_layers)]
    blocks = [("gcn", i) for i in range(num_layers)]
    if order == "transformers_then_gcns":
        return encoders + blocks
    if order == "gcns_then_transformers":
        return blocks + encoders
    first, second = (encoders, blocks) if order == "transformer_first" else (blocks, encoders)
    return [step for pair in zip(first, second, strict=True) for step in pair]


def grouped_topology(skeleton: Skeleton, groups: Groups) -> Topology:
    """The skeleton's graph, its edges typed by the group of Table 4.8 that they are in."""
    edge_index, edge_type = skeleton.typed_edges()
    if "symmetry" in groups:
        edge_index, edge_type = by_symmetry(edge_index, edge_type, skeleton.pairs)
    if groups == "center/farther/closer":
        return Topology(edge_index, edge_type, skeleton.num_joints)
    kinds = {"center": CENTER, "closer": CLOSER, "farther": FARTHER, "symmetry": SYMMETRIC}
    group_of = torch.zeros(len(kinds), dtype=torch.long)
    for number, members in enumerate(groups.split("/")):
        for member in members.split("+"):
            group_of[kinds[member]] = number
    _, edge_type = group_of[edge_type].unique(return_inverse=True)  # a skeleton without pairs has no symmetric edge
    return Topology(edge_index, edge_type, skeleton.num_joints)
