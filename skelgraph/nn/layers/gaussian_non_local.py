"""The embedded-Gaussian non-local layer."""

from torch import Tensor, nn
from torch.nn import Linear
from torch_geometric.nn.inits import zeros

from skelgraph.nn.layers.self_attention import by_pose


class GaussianNonLocal(nn.Module):
    r"""The embedded-Gaussian non-local block of `Wang et al. (CVPR 2018, eq. 1, 3 and 6)
    <https://arxiv.org/abs/1711.07971>`_, as ST-GCN (Cai et al. 2019) and the benchmark form of Modulated GCN use it.

    .. math:: Y = X + \mathrm{BN}\big(W\, \mathrm{softmax}(\theta(X)\, \phi(X)^\top)\, g(X)\big)

    No scale divides the scores. It starts as the identity: the batch norm's scale is 0.

    Args:
        in_channels: C.
        hidden_channels: channels of theta, phi and g; default C // 2.
        num_joints: J, needed only for input [N, C].

    Shapes:
        - **input:** [..., J, C], or [N, C] with ``num_joints``
        - **output:** the same

    Raises:
        ValueError: if an input does not fit ``num_joints``.
    """

    def __init__(self, in_channels: int, hidden_channels: int | None = None, num_joints: int | None = None) -> None:
        super().__init__()
        self.in_channels = in_channels
        self.num_joints = num_joints
        hidden = hidden_channels or in_channels // 2
        self.value = Linear(in_channels, hidden)
        self.query = Linear(in_channels, hidden)
        self.key = Linear(in_channels, hidden)
        self.project = Linear(hidden, in_channels)
        self.norm = nn.BatchNorm1d(in_channels)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        for linear in (self.value, self.query, self.key, self.project):
            nn.init.kaiming_normal_(linear.weight)
            zeros(linear.bias)
        self.norm.reset_parameters()
        nn.init.zeros_(self.norm.weight)

    def forward(self, x: Tensor) -> Tensor:
        """See the class."""
        joints = by_pose(x, self.num_joints)
        weight = (self.query(joints) @ self.key(joints).transpose(1, 2)).softmax(-1)  # [B, J, J]
        mixed = self.project(weight @ self.value(joints))
        return x + self.norm(mixed.flatten(0, 1)).view(x.shape)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.in_channels})"
