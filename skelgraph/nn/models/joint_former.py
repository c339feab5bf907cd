"""JointFormer and its refinement Transformer."""

from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import Parameter

from skelgraph.nn.blocks.attention_layer import AttentionLayer
from skelgraph.nn.blocks.pose_input import takes_poses
from skelgraph.nn.layers import SemConv, Topology
from skelgraph.nn.models.pose_model import SkeletonModel
from skelgraph.nn.output import PoseOutput
from skelgraph.skeleton import Skeleton

EPS = 1e-6  # of the trunk's layer norms, in the authors' code
ATTENTION_DROPOUT = 0.1  # fixed in the authors' code, whatever their arguments say


class PoseHead(nn.Module):
    """Layer norm, dropout and one linear map of all joints together: [B, J, C] -> [B, J, C_out]."""

    def __init__(self, num_joints: int, channels: int, out_channels: int, dropout: float) -> None:
        super().__init__()
        self.out_channels = out_channels
        self.norm = nn.LayerNorm(num_joints * channels)
        self.dropout = nn.Dropout(dropout)
        self.linear = nn.Linear(num_joints * channels, num_joints * out_channels)

    def forward(self, x: Tensor) -> Tensor:
        return self.linear(self.dropout(self.norm(x.flatten(1)))).unflatten(1, (-1, self.out_channels))


class FlatEmbedding(nn.Module):
    """One linear map of the whole pose: [B, J, C_in] -> [B, J, C]."""

    def __init__(self, num_joints: int, in_channels: int, channels: int) -> None:
        super().__init__()
        self.linear = nn.Linear(num_joints * in_channels, num_joints * channels)

    def forward(self, x: Tensor) -> Tensor:
        return self.linear(x.flatten(1)).unflatten(1, (x.size(1), -1))


class JointFormer(SkeletonModel):
    r"""A Transformer over joints that also predicts its error (`Lutz et al., ICPR 2022
    <https://arxiv.org/abs/2208.03704>`_).

    Joints are embedded; each of ``num_layers`` Transformer layers is followed by ReLU of the sum with its input. With
    ``intermediate`` each layer's pose and error are read off, and the pose is fed back into the features:

    .. math:: h' = \mathrm{Layer}(h), \quad \hat y = \mathrm{Head}(h'), \quad
        h \leftarrow \mathrm{ReLU}(h' + \mathrm{Linear}(\hat y) + h)

    The losses ``mse`` and ``error`` then are means over all layers, the paper's intermediate supervision.

    Args:
        skeleton: the skeleton of input and output.
        in_channels: channels of a joint in the input.
        out_channels: channels of a joint in the output.
        hidden_channels: C.
        num_layers: L.
        heads: H.
        head_channels: channels of a head, whatever C.
        ffn_channels: hidden channels of the feed-forward networks.
        dropout: of embedding and residual sums; attention weights have 0.1, as in the authors' code.
        head_dropout: before the linear maps that read poses and errors off.
        embedding: ``"conv"`` maps each joint by itself, ``"linear"`` all joints together, ``"graph"`` by a SemConv.
        position: whether a learned position is added to each joint.
        intermediate: whether every layer predicts, or only the last.
        error: whether the error is predicted.

    Shapes:
        - **input:** [..., J, C_in], or a PyG ``Data`` or ``Batch`` of the skeleton
        - **output:** :class:`PoseOutput` with ``features`` [..., J, C] and, where asked for, ``error``, ``poses`` and
          ``errors``
    """

    def __init__(
        self,
        skeleton: Skeleton,
        in_channels: int = 2,
        out_channels: int = 3,
        *,
        hidden_channels: int = 64,
        num_layers: int = 4,
        heads: int = 8,
        head_channels: int = 64,
        ffn_channels: int = 512,
        dropout: float = 0.0,
        head_dropout: float = 0.2,
        embedding: Literal["conv", "linear", "graph"] = "conv",
        position: bool = False,
        intermediate: bool = True,
        error: bool = True,
    ) -> None:
        super().__init__(skeleton, in_channels, out_channels)
        self.topology = Topology(skeleton.edge_index, skeleton.edge_type, skeleton.num_joints)
        joints, channels = skeleton.num_joints, hidden_channels
        self.embed: nn.Module
        if embedding == "conv":
            self.embed = nn.Linear(in_channels, channels)
        elif embedding == "linear":
            self.embed = FlatEmbedding(joints, in_channels, channels)
        else:
            self.embed = SemConv(in_channels, channels, skeleton.num_edges)
        self.position = Parameter(torch.zeros(joints, channels)) if position else None
        self.dropout = nn.Dropout(dropout)
        self.norm = nn.LayerNorm(channels, EPS)
        self.layers = nn.ModuleList(
            AttentionLayer(channels, heads, head_channels, ffn_channels, dropout, ATTENTION_DROPOUT, EPS)
            for _ in range(num_layers)
        )

        def heads_of() -> nn.ModuleList:
            count = num_layers if intermediate else 1
            return nn.ModuleList(PoseHead(joints, channels, out_channels, head_dropout) for _ in range(count))

        self.poses = heads_of()
        self.errors = heads_of() if error else None
        self.feedback = None
        if intermediate:
            flat = joints * out_channels
            self.feedback = nn.ModuleList(nn.Linear(flat, joints * channels) for _ in range(num_layers))
        reset_matrices(self)

    @takes_poses
    def forward(self, x: Tensor) -> PoseOutput:
        """See the class."""
        h = self.embed(x, self.topology) if isinstance(self.embed, SemConv) else self.embed(x)  # [B, J, C]
        h = self.norm(self.dropout(h if self.position is None else h + self.position))
        poses: list[Tensor] = []
        errors: list[Tensor] = []
        for i, layer in enumerate(self.layers):
            out = layer(h)
            if self.feedback is not None:
                poses.append(self.poses[i](out))
                errors.extend([] if self.errors is None else [self.errors[i](out)])
                out = out + self.feedback[i](poses[-1].flatten(1)).view_as(out)
            h = (out + h).relu()
        if self.feedback is None:
            error = None if self.errors is None else self.errors[0](h)
            return PoseOutput(self.poses[0](h), error, features=h)
        if not errors:
            return PoseOutput(poses[-1], poses=torch.stack(poses), features=h)
        return PoseOutput(poses[-1], errors[-1], torch.stack(poses), torch.stack(errors), features=h)


class JointFormerRefinement(SkeletonModel):
    r"""The refinement Transformer of JointFormer (section 3.5), trained on the output of a trained JointFormer.

    The trunk of :class:`JointFormer` without error or intermediate predictions, on each joint's 2D position, predicted
    3D position and predicted error side by side: ``refinement(torch.cat([x, output.pose, output.error], -1))``.

    Args:
        skeleton: the skeleton of input and output.
        in_channels: channels of a joint in the input: 2 + 3 + 3.
        out_channels: channels of a joint in the output.
        hidden_channels: C.
        num_layers: L.
        heads: H.
        head_channels: channels of a head.
        ffn_channels: hidden channels of the feed-forward networks.
        dropout: of embedding and residual sums.
        head_dropout: before the linear map to the pose.
        position: whether a learned position is added to each joint.

    Shapes:
        - **input:** [..., J, C_in], or a PyG ``Data`` or ``Batch`` of the skeleton
        - **output:** [..., J, C_out], or [N, C_out]
    """

    def __init__(
        self,
        skeleton: Skeleton,
        in_channels: int = 8,
        out_channels: int = 3,
        *,
        hidden_channels: int = 256,
        num_layers: int = 2,
        heads: int = 8,
        head_channels: int = 64,
        ffn_channels: int = 1024,
        dropout: float = 0.0,
        head_dropout: float = 0.1,
        position: bool = False,
    ) -> None:
        super().__init__(skeleton, in_channels, out_channels)
        self.trunk = JointFormer(
            skeleton,
            in_channels,
            out_channels,
            hidden_channels=hidden_channels,
            num_layers=num_layers,
            heads=heads,
            head_channels=head_channels,
            ffn_channels=ffn_channels,
            dropout=dropout,
            head_dropout=head_dropout,
            position=position,
            intermediate=False,
            error=False,
        )

    @takes_poses
    def forward(self, x: Tensor) -> Tensor:
        """See the class."""
        return self.trunk(x).pose


def reset_matrices(model: nn.Module) -> None:
    """Xavier-uniform for every matrix of the authors' code, where positions and edge weights are matrices too."""
    for name, parameter in model.named_parameters():
        if name == "position" or name.endswith("edge_logit"):
            nn.init.xavier_uniform_(parameter.unsqueeze(0))
        elif name.endswith("qkv.weight"):
            for matrix in parameter.chunk(3):
                nn.init.xavier_uniform_(matrix)
        elif parameter.dim() > 1:
            is_conv = parameter.dim() == 3  # [in, K, out]; the authors' is [K, in, out]
            nn.init.xavier_uniform_(parameter.transpose(0, 1) if is_conv else parameter)
