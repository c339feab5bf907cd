"""The non-local layer over groups of joints."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import Linear
from torch_geometric.nn.inits import zeros

from skelgraph.nn.layers.self_attention import by_pose


class NonLocal(nn.Module):
    r"""The non-local layer of SemGCN (Zhao et al., CVPR 2019, section 3.2): every joint looks at groups of joints.

    .. math:: y_i = x_i + \mathrm{BN}\Big(W\, \tfrac1G \sum_{g=1}^G \mathrm{ReLU}\big(w^\top [\theta(x_i);
        \max_{j \in g} \phi(x_j)]\big) \max_{j \in g} g(x_j)\Big)

    It starts as the identity: the batch norm's scale is 0.

    Args:
        in_channels: C.
        num_joints: J.
        groups: joints that are max-pooled together; default neighbours in joint order, two by two.
        hidden_channels: channels of theta, phi and g; default C // 2.

    Shapes:
        - **input:** [..., J, C] or [N, C]
        - **output:** the same

    Raises:
        ValueError: if a group is empty or names a joint outside 0 to J - 1.
    """

    group_index: Tensor

    def __init__(
        self,
        in_channels: int,
        num_joints: int,
        groups: Sequence[Sequence[int]] | None = None,
        hidden_channels: int | None = None,
    ) -> None:
        super().__init__()
        self.in_channels = in_channels
        self.num_joints = num_joints
        hidden = hidden_channels or in_channels // 2
        groups = [range(i, min(i + 2, num_joints)) for i in range(0, num_joints, 2)] if groups is None else groups
        for group in groups:
            if not len(group) or min(group) < 0 or max(group) >= num_joints:
                raise ValueError(f"group {list(group)}: expected joints from 0 to {num_joints - 1}, at least one")
        self.register_buffer("group_index", pad_groups(groups), persistent=False)
        self.value = Linear(in_channels, hidden)
        self.query = Linear(in_channels, hidden)
        self.key = Linear(in_channels, hidden)
        self.query_score = Linear(hidden, 1, bias=False)
        self.key_score = Linear(hidden, 1, bias=False)
        self.project = Linear(hidden, in_channels)
        self.norm = nn.BatchNorm1d(in_channels)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        for linear in (self.value, self.query, self.key, self.query_score, self.key_score, self.project):
            nn.init.kaiming_normal_(linear.weight)
            zeros(linear.bias)
        self.norm.reset_parameters()
        nn.init.zeros_(self.norm.weight)

    def forward(self, x: Tensor) -> Tensor:
        """See the class."""
        joints = by_pose(x, self.num_joints)
        keys = pool_groups(self.key(joints), self.group_index)  # [B, G, hidden]
        values = pool_groups(self.value(joints), self.group_index)
        score = self.query_score(self.query(joints)) + self.key_score(keys).transpose(1, 2)  # [B, J, G]
        mixed = self.project(score.relu() @ values / self.group_index.size(0))
        return x + self.norm(mixed.flatten(0, 1)).view(x.shape)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.in_channels}, groups={self.group_index.size(0)})"


def pad_groups(groups: Sequence[Sequence[int]]) -> Tensor:
    """LongTensor [G, W]: the joints of each group, the first again where a group is smaller than the largest."""
    widest = max(len(group) for group in groups)
    return torch.tensor([[*group, *[group[0]] * (widest - len(group))] for group in groups])


def pool_groups(x: Tensor, groups: Tensor) -> Tensor:
    """[..., J, C] -> [..., G, C], the largest value in each of :func:`pad_groups`'s groups."""
    return x[..., groups.flatten(), :].unflatten(-2, groups.shape).amax(-2)
