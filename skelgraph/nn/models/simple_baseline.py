"""SimpleBaseline."""

from torch import Tensor, nn

from skelgraph.nn.blocks.pose_input import takes_poses
from skelgraph.nn.models.pose_model import SkeletonModel
from skelgraph.skeleton import Skeleton


class LinearStage(nn.Module):
    """Two times Linear, batch norm, ReLU, dropout, and a skip connection: [B, C] -> [B, C]."""

    def __init__(self, channels: int, dropout: float) -> None:
        super().__init__()
        self.unit1 = linear_unit(channels, channels, dropout)
        self.unit2 = linear_unit(channels, channels, dropout)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.unit2(self.unit1(x))


def linear_unit(in_channels: int, out_channels: int, dropout: float) -> nn.Sequential:
    linear = nn.Linear(in_channels, out_channels)
    return nn.Sequential(linear, nn.BatchNorm1d(out_channels), nn.ReLU(), nn.Dropout(dropout))


class SimpleBaseline(SkeletonModel):
    r"""A pose as one vector through a residual network (`Martinez et al., ICCV 2017 <https://arxiv.org/abs/1705.03098>`_).

    Args:
        skeleton: the skeleton of input and output.
        in_channels: channels of a joint in the input.
        out_channels: channels of a joint in the output.
        hidden_channels: width.
        num_layers: residual stages of two linear units.
        dropout: after each unit.
        input_unit: whether the first linear map is followed by batch norm, ReLU and dropout too (Martinez et al.) or
            stands alone (the variant of H3WB, Zhu et al. 2023, whose code keeps dropout on in evaluation: not so here).

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
        hidden_channels: int = 1024,
        num_layers: int = 2,
        dropout: float = 0.5,
        input_unit: bool = True,
    ) -> None:
        super().__init__(skeleton, in_channels, out_channels)
        flat = skeleton.num_joints * in_channels
        self.input = linear_unit(flat, hidden_channels, dropout) if input_unit else nn.Linear(flat, hidden_channels)
        self.stages = nn.Sequential(*(LinearStage(hidden_channels, dropout) for _ in range(num_layers)))
        self.head = nn.Linear(hidden_channels, skeleton.num_joints * out_channels)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.kaiming_normal_(module.weight)

    @takes_poses
    def forward(self, x: Tensor) -> Tensor:
        """See the class."""
        h = self.stages(self.input(x.flatten(1)))  # [B, C]
        return self.head(h).unflatten(1, (-1, self.out_channels))  # [B, J, C_out]
