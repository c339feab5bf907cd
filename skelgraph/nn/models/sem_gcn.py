"""SemGCN."""

from torch import Tensor, nn

from skelgraph.nn.blocks.pose_input import takes_poses
from skelgraph.nn.blocks.residual_conv import ConvUnit, ResidualConv
from skelgraph.nn.layers import NonLocal, SemConv, Topology
from skelgraph.nn.models.pose_model import SkeletonModel
from skelgraph.skeleton import Skeleton


class SemGCN(SkeletonModel):
    r"""Residual blocks of semantic graph convolutions (`Zhao et al., CVPR 2019 <https://arxiv.org/abs/1904.03345>`_).

    A SemConv unit to C channels; ``num_layers`` residual blocks of two units; a SemConv to the output. With
    ``non_local`` a :class:`NonLocal` layer follows the first unit and each block.

    Args:
        skeleton: the skeleton of input and output.
        in_channels: channels of a joint in the input.
        out_channels: channels of a joint in the output.
        hidden_channels: C.
        num_layers: residual blocks.
        dropout: after each unit.
        channel_wise: whether each channel has edge weights of its own.
        non_local: whether to look at groups of joints.
        groups: joints, by name or index, that the non-local layers pool together; default :func:`joint_groups`.

    Shapes:
        - **input:** [..., J, C_in], or a PyG ``Data`` or ``Batch`` of the skeleton
        - **output:** [..., J, C_out], or [N, C_out]

    Raises:
        ValueError: for a group that is empty or names an unknown joint.
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
        channel_wise: bool = False,
        non_local: bool = False,
        groups: list[list[int | str]] | None = None,
    ) -> None:
        super().__init__(skeleton, in_channels, out_channels)
        self.topology = Topology(skeleton.edge_index, skeleton.edge_type, skeleton.num_joints)
        pooled = joint_groups(skeleton) if groups is None else [[skeleton.index(j) for j in g] for g in groups]

        def look() -> nn.Module:
            return NonLocal(hidden_channels, skeleton.num_joints, pooled) if non_local else nn.Identity()

        def unit(channels: int) -> ConvUnit:
            conv = SemConv(channels, hidden_channels, skeleton.num_edges, channel_wise)
            return ConvUnit(conv, hidden_channels, dropout)

        self.input = unit(in_channels)
        self.input_look = look()
        self.blocks = nn.ModuleList(
            ResidualConv(unit(hidden_channels), unit(hidden_channels)) for _ in range(num_layers)
        )
        self.looks = nn.ModuleList(look() for _ in range(num_layers))
        self.head = SemConv(hidden_channels, out_channels, skeleton.num_edges, channel_wise)

    @takes_poses
    def forward(self, x: Tensor) -> Tensor:
        """See the class."""
        h = self.input_look(self.input(x, self.topology))  # [B, J, C]
        for block, look in zip(self.blocks, self.looks, strict=True):
            h = look(block(h, self.topology))
        return self.head(h, self.topology)  # [B, J, C_out]


def joint_groups(skeleton: Skeleton) -> list[list[int]]:
    """Pairs of joints to pool over: a leaf with its parent, then left with right, then along bones; the rest alone.

    On the 16 joints of Human3.6M these are the groups of the authors' code.
    """
    parents, pairs = skeleton.parents, skeleton.pairs
    leaves = [(p, i) for p, i in skeleton.bones if i not in parents]
    groups: list[list[int]] = []
    used: set[int] = set()
    for a, b in (*leaves, *pairs, *skeleton.bones, *((i, i) for i in range(skeleton.num_joints))):
        if a not in used and b not in used:
            groups.append(sorted({a, b}))
            used |= {a, b}
    return groups
