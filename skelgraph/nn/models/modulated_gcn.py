"""Modulated GCN."""

from typing import Literal

from torch import Tensor, nn

from skelgraph.nn.blocks.pose_input import takes_poses
from skelgraph.nn.blocks.residual_conv import ConvUnit, ResidualConv
from skelgraph.nn.layers import GaussianNonLocal, ModulatedConv, Topology
from skelgraph.nn.models.pose_model import SkeletonModel
from skelgraph.skeleton import Skeleton


class ModulatedGCN(SkeletonModel):
    r"""Residual blocks of modulated graph convolutions (`Zou and Tang, ICCV 2021
    <https://openaccess.thecvf.com/content/ICCV2021/html/Zou_Modulated_Graph_Convolutional_Network_for_3D_Human_Pose_Estimation_ICCV_2021_paper.html>`_).

    Each joint modulates the shared weights, and the affinity of every two joints is learned beside the bones; the
    network is SemGCN's. The authors' code for ground-truth 2D is the default; their benchmark code is ``non_local=True,
    modulation="xavier", hidden_channels=384, dropout=0.2``.

    Args:
        skeleton: the skeleton of input and output.
        in_channels: channels of a joint in the input.
        out_channels: channels of a joint in the output.
        hidden_channels: C.
        num_layers: residual blocks of two convolutions.
        dropout: after each unit.
        modulation: how the modulation starts, ``"ones"`` or ``"xavier"``.
        non_local: whether a :class:`GaussianNonLocal` layer precedes the last convolution.

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
        modulation: Literal["ones", "xavier"] = "ones",
        non_local: bool = False,
    ) -> None:
        super().__init__(skeleton, in_channels, out_channels)
        self.topology = Topology(skeleton.edge_index, skeleton.edge_type, skeleton.num_joints)

        def unit(channels: int) -> ConvUnit:
            conv = ModulatedConv(channels, hidden_channels, skeleton.num_joints, modulation)
            return ConvUnit(conv, hidden_channels, dropout)

        self.input = unit(in_channels)
        self.blocks = nn.ModuleList(
            ResidualConv(unit(hidden_channels), unit(hidden_channels)) for _ in range(num_layers)
        )
        self.look = GaussianNonLocal(hidden_channels) if non_local else nn.Identity()
        self.head = ModulatedConv(hidden_channels, out_channels, skeleton.num_joints, modulation)

    @takes_poses
    def forward(self, x: Tensor) -> Tensor:
        """See the class."""
        h = self.input(x, self.topology)  # [B, J, C]
        for block in self.blocks:
            h = block(h, self.topology)
        return self.head(self.look(h), self.topology)  # [B, J, C_out]
