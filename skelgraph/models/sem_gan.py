"""SemGAN."""

from typing import Literal, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import Parameter

from skelgraph.blocks.pose_input import takes_poses
from skelgraph.geometry import parent_distance
from skelgraph.layers import SelfAttention, SemAttention, SemConv, Topology
from skelgraph.skeleton import Skeleton


class SemGANOutput(NamedTuple):
    """``pose`` [..., J, 3] and ``error`` [..., J, 3], the predicted absolute error of each coordinate, same unit."""

    pose: Tensor
    error: Tensor


class AttentionLayer(nn.Module):
    r"""A post-norm Transformer layer, its attention plain or semantic: [B, J, C] -> [B, J, C].

    .. math:: a = \mathrm{LN}(x + \mathrm{Attn}(x)), \quad y = \mathrm{LN}(a + \mathrm{FFN}(a))
    """

    def __init__(
        self,
        channels: int,
        heads: int,
        head_channels: int,
        ffn_channels: int,
        dropout: float,
        num_edges: int | None = None,
    ) -> None:
        super().__init__()
        self.attention: SelfAttention
        if num_edges is None:
            self.attention = SelfAttention(channels, channels, heads, head_channels, dropout, bias=False)
        else:
            self.attention = SemAttention(channels, channels, num_edges, heads, head_channels, dropout, bias=False)
        self.norm1 = nn.LayerNorm(channels)
        self.ffn = nn.Sequential(nn.Linear(channels, ffn_channels), nn.ReLU(), nn.Linear(ffn_channels, channels))
        self.norm2 = nn.LayerNorm(channels)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, topology: Topology | None = None) -> Tensor:
        if isinstance(self.attention, SemAttention) and topology is not None:
            attended = self.attention(x, topology)
        else:
            attended = self.attention(x)
        h = self.norm1(x + self.dropout(attended))
        return self.norm2(h + self.dropout(self.ffn(h)))


class LinearDecoder(nn.Module):
    """A linear map of each joint to its pose and one to its error, the paper's "traditional linear"."""

    def __init__(self, channels: int, out_channels: int) -> None:
        super().__init__()
        self.pose = nn.Linear(channels, out_channels)
        self.error = nn.Linear(channels, out_channels)

    def forward(self, x: Tensor) -> SemGANOutput:
        return SemGANOutput(self.pose(x), self.error(x))


class PartDecoder(nn.Module):
    """Two attention layers and a SemConv to the pose, and one to its error, for each body part (section 3.2)."""

    part_order: Tensor

    def __init__(
        self,
        skeleton: Skeleton,
        channels: int,
        out_channels: int,
        heads: int,
        head_channels: int,
        ffn_channels: int,
        dropout: float,
    ) -> None:
        super().__init__()
        parts = [skeleton.subset(members) for members in skeleton.parts.values()]
        self.sizes = [part.num_joints for part in parts]
        order = torch.tensor([joint for members in skeleton.parts.values() for joint in members])
        self.register_buffer("part_order", order, persistent=False)
        self.register_buffer("joint_order", order.argsort(), persistent=False)
        self.topologies = nn.ModuleList(Topology(p.edge_index, p.edge_type, p.num_joints) for p in parts)
        sizes = (channels, heads, head_channels, ffn_channels, dropout)
        self.layers = nn.ModuleList(nn.Sequential(AttentionLayer(*sizes), AttentionLayer(*sizes)) for _ in parts)
        self.pose = nn.ModuleList(SemConv(channels, out_channels, part.num_edges) for part in parts)
        self.error = nn.ModuleList(SemConv(channels, out_channels, part.num_edges) for part in parts)

    def forward(self, x: Tensor) -> SemGANOutput:
        poses, errors = [], []
        split = x[:, self.part_order].split(self.sizes, dim=1)
        for h, layers, topology, pose, error in zip(
            split, self.layers, self.topologies, self.pose, self.error, strict=True
        ):
            h = layers(h)  # [B, J_part, C]
            poses.append(pose(h, topology))
            errors.append(error(h, topology))
        order = self.get_buffer("joint_order")
        return SemGANOutput(torch.cat(poses, dim=1)[:, order], torch.cat(errors, dim=1)[:, order])


class SemGAN(nn.Module):
    r"""The Semantic Graph Attention Network for whole bodies (`Wen et al. 2024 <https://arxiv.org/abs/2406.01196>`_).

    Joints and their distance to the parent (eq. 1-2) are embedded, pass ``num_layers`` attention layers whose output
    projection is a SemGCN, and are decoded part by part. The four rows of the paper's ablation before the geometry loss
    are ``encoder="plain", decoder="linear", distance=False`` (JointFormer), then ``encoder="semantic"``, then
    ``decoder="parts"``, then ``distance=True``.

    The paper leaves room: "SemGCN in the last layer of self-attention" is read as the output projection, the most
    literal choice; a feed-forward network follows as in JointFormer; each part has weights of its own; a learned
    position tells joints apart, without which the plain encoder could not.

    Args:
        skeleton: the skeleton of input and output; its ``parts`` are decoded apart.
        in_channels: channels of a joint in the input, the first two the normalised 2D position.
        out_channels: channels of a joint in the output.
        hidden_channels: C.
        num_layers: attention layers of the encoder.
        heads: H.
        head_channels: channels of a head.
        ffn_channels: hidden channels of the feed-forward networks.
        dropout: of attention weights and before each residual sum.
        encoder: ``"semantic"`` or ``"plain"`` attention.
        decoder: ``"parts"`` or ``"linear"``.
        distance: whether the distance to the parent, computed here from the 2D input, is an input.

    Shapes:
        - **input:** [..., J, C_in], or a PyG ``Data`` or ``Batch`` of the skeleton
        - **output:** :class:`SemGANOutput` with ``pose`` and ``error`` [..., J, C_out], or [N, C_out]
    """

    def __init__(
        self,
        skeleton: Skeleton,
        in_channels: int = 2,
        out_channels: int = 3,
        *,
        hidden_channels: int = 256,
        num_layers: int = 4,
        heads: int = 8,
        head_channels: int = 64,
        ffn_channels: int = 512,
        dropout: float = 0.1,
        encoder: Literal["semantic", "plain"] = "semantic",
        decoder: Literal["parts", "linear"] = "parts",
        distance: bool = True,
    ) -> None:
        super().__init__()
        self.skeleton = skeleton
        self.in_channels = in_channels
        self.out_channels = out_channels
        self.distance = distance
        self.topology = Topology(skeleton.edge_index, skeleton.edge_type, skeleton.num_joints)
        sizes = (heads, head_channels, ffn_channels, dropout)
        num_edges = skeleton.num_edges if encoder == "semantic" else None
        self.embed = nn.Linear(in_channels + distance, hidden_channels)
        self.position = Parameter(0.02 * torch.randn(skeleton.num_joints, hidden_channels))
        self.norm = nn.LayerNorm(hidden_channels)
        self.encoder = nn.ModuleList(AttentionLayer(hidden_channels, *sizes, num_edges) for _ in range(num_layers))
        self.decoder: nn.Module
        if decoder == "parts":
            self.decoder = PartDecoder(skeleton, hidden_channels, out_channels, *sizes)
        else:
            self.decoder = LinearDecoder(hidden_channels, out_channels)

    @takes_poses
    def forward(self, x: Tensor) -> SemGANOutput:
        """See the class."""
        if self.distance:
            x = torch.cat([x, parent_distance(x[..., :2], self.skeleton.parents)], dim=-1)
        h = self.norm(self.embed(x) + self.position)  # [B, J, C]
        for layer in self.encoder:
            h = (h + layer(h, self.topology)).relu()  # as JointFormer
        return self.decoder(h)
