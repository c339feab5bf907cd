"""The vanilla GCN lifter."""

from collections.abc import Callable
from functools import partial
from typing import Literal

from torch import Tensor, nn

from skelgraph.nn.blocks.pose_input import takes_poses
from skelgraph.nn.blocks.residual_conv import ConvUnit, ResidualConv, call_conv, make_conv
from skelgraph.nn.layers import GCNConv, Topology
from skelgraph.nn.models.pose_model import SkeletonModel
from skelgraph.skeleton import Skeleton


class GCN(SkeletonModel):
    r"""Plain graph convolutions, or any operator of yours, in the residual network of `SemGCN
    <https://arxiv.org/abs/1904.03345>`_: the baseline that every partitioned or weighted convolution is compared with.

    .. math:: Z = D^{-1/2} (A + I) D^{-1/2} X \Theta \quad\text{or}\quad Z = D^{-1} (A + I) X \Theta

    The first is eq. 3.8 of AMPose (Lin 2023), whose A holds the self loops, and eq. 1 of AIOZ's survey of lifting
    (2022); the second is what the code of the SemGCN family calls its adjacency.

    Args:
        skeleton: the skeleton of input and output.
        in_channels: channels of a joint in the input.
        out_channels: channels of a joint in the output.
        hidden_channels: C.
        num_layers: residual blocks of two convolutions.
        dropout: after each unit.
        norm: ``"sym"`` or ``"row"``, of the default operator.
        conv: another operator in place of :class:`GCNConv`, a class or factory called ``conv(in_channels,
            out_channels)``: one of ``skelgraph.nn.layers``, one of PyG's that takes [B, J, C], or your own.

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
        hidden_channels: int = 128,
        num_layers: int = 4,
        dropout: float = 0.0,
        norm: Literal["sym", "row"] = "sym",
        conv: Callable[..., nn.Module] | None = None,
    ) -> None:
        super().__init__(skeleton, in_channels, out_channels)
        self.topology = Topology(skeleton.edge_index, skeleton.edge_type, skeleton.num_joints)
        operator = partial(make_conv, conv or partial(GCNConv, norm=norm), self.topology)

        def unit(channels: int) -> ConvUnit:
            return ConvUnit(operator(channels, hidden_channels), hidden_channels, dropout)

        self.input = unit(in_channels)
        self.blocks = nn.ModuleList(
            ResidualConv(unit(hidden_channels), unit(hidden_channels)) for _ in range(num_layers)
        )
        self.head = operator(hidden_channels, out_channels)

    @takes_poses
    def forward(self, x: Tensor) -> Tensor:
        """See the class."""
        h = self.input(x, self.topology)  # [B, J, C]
        for block in self.blocks:
            h = block(h, self.topology)
        return call_conv(self.head, h, self.topology)  # [B, J, C_out]
