"""Large SimpleBaseline."""

from torch import Tensor, nn

from skelgraph.nn.blocks.large_stage import LargeStage
from skelgraph.nn.blocks.pose_input import takes_poses
from skelgraph.nn.models.pose_model import SkeletonModel
from skelgraph.skeleton import Skeleton


class LargeSimpleBaseline(SkeletonModel):
    r"""The deeper SimpleBaseline of H3WB, for whole bodies (`Zhu et al., ICCV 2023 <https://arxiv.org/abs/2211.15692>`_).

    A linear map to C channels, ``num_layers`` residual stages, a linear map to the output; neither batch norm nor
    dropout.

    Args:
        skeleton: the skeleton of input and output.
        in_channels: channels of a joint in the input.
        out_channels: channels of a joint in the output.
        hidden_channels: width.
        num_layers: residual stages of two linear maps.

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
        num_layers: int = 3,
    ) -> None:
        super().__init__(skeleton, in_channels, out_channels)
        self.input = nn.Linear(skeleton.num_joints * in_channels, hidden_channels)
        self.stages = nn.Sequential(*(LargeStage(hidden_channels) for _ in range(num_layers)))
        self.head = nn.Linear(hidden_channels, skeleton.num_joints * out_channels)

    @takes_poses
    def forward(self, x: Tensor) -> Tensor:
        """See the class."""
        h = self.stages(self.input(x.flatten(1)))  # [B, C]
        return self.head(h).unflatten(1, (-1, self.out_channels))  # [B, J, C_out]
