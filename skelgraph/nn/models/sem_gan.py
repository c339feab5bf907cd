"""SemGAN."""

from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import Parameter

from skelgraph.nn.blocks.attention_layer import AttentionLayer, feed_forward
from skelgraph.nn.blocks.pose_input import takes_poses
from skelgraph.nn.layers import SelfAttention, SemAttention, SemConv, Topology
from skelgraph.nn.models.pose_model import SkeletonModel
from skelgraph.nn.output import PoseOutput
from skelgraph.skeleton import Skeleton
from skelgraph.skeleton.bones import parent_distance

Reading = Literal["out_proj", "out_proj_no_ffn", "append", "replace_ffn"]


class SemanticLayer(nn.Module):
    r"""A post-norm Transformer layer with a SemConv S in one of its places: [B, J, C] -> [B, J, C].

    ========================  =====================================================================
    ``out_proj``              :math:`a = LN(x + S(heads(x))), y = LN(a + FFN(a))`
    ``out_proj_no_ffn``       :math:`y = LN(x + S(heads(x)))`
    ``append``                :math:`y = LN(x + S(Attn(x)))`
    ``replace_ffn``           :math:`a = LN(x + Attn(x)), y = LN(a + S(a))`
    ========================  =====================================================================

    where :math:`heads(x)` are the concatenated heads and :math:`Attn(x) = W_o heads(x)`.
    """

    def __init__(
        self,
        channels: int,
        heads: int,
        head_channels: int,
        ffn_channels: int,
        dropout: float,
        num_edges: int,
        reading: Reading = "out_proj",
    ) -> None:
        super().__init__()
        self.reading = reading
        self.attention: SelfAttention
        if reading in ("out_proj", "out_proj_no_ffn"):
            self.attention = SemAttention(channels, channels, num_edges, heads, head_channels, dropout, bias=False)
        else:
            self.attention = SelfAttention(channels, channels, heads, head_channels, dropout, bias=False)
            self.conv = SemConv(channels, channels, num_edges)
        self.norm1 = nn.LayerNorm(channels)
        if reading == "out_proj":
            self.ffn = feed_forward(channels, ffn_channels)
        if reading in ("out_proj", "replace_ffn"):
            self.norm2 = nn.LayerNorm(channels)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, topology: Topology) -> Tensor:
        if isinstance(self.attention, SemAttention):
            attended = self.attention(x, topology)
        else:
            attended = self.attention(x)
        if self.reading == "append":
            attended = self.conv(attended, topology)
        h = self.norm1(x + self.dropout(attended))
        if self.reading in ("out_proj_no_ffn", "append"):
            return h
        after = self.conv(h, topology) if self.reading == "replace_ffn" else self.ffn(h)
        return self.norm2(h + self.dropout(after))


class LinearDecoder(nn.Module):
    """A linear map of each joint to its pose and one to its error, the paper's "traditional linear"."""

    def __init__(self, channels: int, out_channels: int) -> None:
        super().__init__()
        self.pose = nn.Linear(channels, out_channels)
        self.error = nn.Linear(channels, out_channels)

    def forward(self, x: Tensor) -> PoseOutput:
        return PoseOutput(self.pose(x), self.error(x))


class PartDecoder(nn.Module):
    """Two attention layers and a SemConv to the pose, and one to its error, for each body part (section 3.2).

    With ``shared`` all parts have the same attention layers and the same maps to pose and error; the weights that the
    SemConvs give to edges stay each part's own.
    """

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
        shared: bool = False,
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
        if shared:
            for i in range(1, len(parts)):
                self.layers[i] = self.layers[0]
            for convs in (self.pose, self.error):
                first = convs[0]
                for conv in convs:
                    conv.weight, conv.bias = first.weight, first.bias

    def forward(self, x: Tensor) -> PoseOutput:
        poses, errors = [], []
        split = x[:, self.part_order].split(self.sizes, dim=1)
        for h, layers, topology, pose, error in zip(
            split, self.layers, self.topologies, self.pose, self.error, strict=True
        ):
            h = layers(h)  # [B, J_part, C]
            poses.append(pose(h, topology))
            errors.append(error(h, topology))
        order = self.get_buffer("joint_order")
        return PoseOutput(torch.cat(poses, dim=1)[:, order], torch.cat(errors, dim=1)[:, order])


class SemGAN(SkeletonModel):
    r"""The Semantic Graph Attention Network for whole bodies (`Wen et al. 2024 <https://arxiv.org/abs/2406.01196>`_).

    Joints and their distance to the parent (eq. 1-2) are embedded, pass ``num_layers`` attention layers whose output
    projection is a SemGCN, and are decoded part by part. The four rows of the paper's ablation before the geometry loss
    are ``encoder="plain", decoder="linear", distance=False`` (JointFormer), then ``encoder="out_proj"``, then
    ``decoder="parts"``, then ``distance=True``.

    The paper leaves room. "We embed the SemGCN in the last layer of self-attention" is read as the output projection:
    it is the last layer that self-attention has, and the feed-forward network of JointFormer, on whose procedure the
    paper builds, stays. No parameter count is published that could tell; the other readings are options. Each part is
    decoded with weights of its own, as the three branches of Figure 3 suggest. Without a learned position the plain
    encoder could not tell joints apart: one is added in every row.

    Points of the face have no bones among themselves in the published tree: the skeleton ``COCO_WHOLEBODY_CONTOURS``
    adds edges within the face, ``COCO_WHOLEBODY_PALMS`` within the hands too.

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
        encoder: ``"plain"`` attention, or the place of the SemGCN in it: ``"out_proj"``, ``"out_proj_no_ffn"``,
            ``"append"``, ``"replace_ffn"``, see :class:`SemanticLayer`.
        decoder: ``"parts"``, ``"shared_parts"`` with the same weights for every part, or ``"linear"``.
        distance: whether the distance to the parent, computed here from the 2D input, is an input.

    Shapes:
        - **input:** [..., J, C_in], or a PyG ``Data`` or ``Batch`` of the skeleton
        - **output:** :class:`PoseOutput` with ``pose`` and ``error`` [..., J, C_out], or [N, C_out]
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
        encoder: Reading | Literal["plain"] = "out_proj",
        decoder: Literal["parts", "shared_parts", "linear"] = "parts",
        distance: bool = True,
    ) -> None:
        super().__init__(skeleton, in_channels, out_channels)
        self.distance = distance
        self.topology = Topology(skeleton.edge_index, skeleton.edge_type, skeleton.num_joints)
        sizes = (heads, head_channels, ffn_channels, dropout)
        self.embed = nn.Linear(in_channels + distance, hidden_channels)
        self.position = Parameter(0.02 * torch.randn(skeleton.num_joints, hidden_channels))
        self.norm = nn.LayerNorm(hidden_channels)
        self.encoder = nn.ModuleList(
            AttentionLayer(hidden_channels, *sizes)
            if encoder == "plain"
            else SemanticLayer(hidden_channels, *sizes, skeleton.num_edges, encoder)
            for _ in range(num_layers)
        )
        self.decoder: nn.Module
        if decoder == "linear":
            self.decoder = LinearDecoder(hidden_channels, out_channels)
        else:
            shared = decoder == "shared_parts"
            self.decoder = PartDecoder(skeleton, hidden_channels, out_channels, *sizes, shared)

    @takes_poses
    def forward(self, x: Tensor) -> PoseOutput:
        """See the class."""
        if self.distance:
            x = torch.cat([x, parent_distance(x[..., :2], self.skeleton.parents)], dim=-1)
        h = self.norm(self.embed(x) + self.position)  # [B, J, C]
        for layer in self.encoder:
            out = layer(h, self.topology) if isinstance(layer, SemanticLayer) else layer(h)
            h = (h + out).relu()  # as JointFormer
        return self.decoder(h)
