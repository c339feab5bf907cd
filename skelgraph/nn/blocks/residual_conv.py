"""Graph convolutions as the SemGCN family stacks them: units, and residual blocks of two units."""

import inspect
from collections.abc import Callable
from functools import cache

from torch import Tensor, nn

from skelgraph.nn.layers import SkeletonConv, Topology

MakeConv = Callable[..., nn.Module]


class ConvUnit(nn.Module):
    """Graph convolution, batch norm, ReLU, dropout: [B, J, C_in] -> [B, J, C_out]."""

    def __init__(self, conv: nn.Module, channels: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.conv = conv
        self.norm = nn.BatchNorm1d(channels)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, topology: Topology) -> Tensor:
        h = call_conv(self.conv, x, topology)
        return self.dropout(self.norm(h.flatten(0, 1)).view_as(h).relu())


class ResidualConv(nn.Module):
    r"""Two units and a skip, no activation after the sum: :math:`y = x + U_2(U_1(x))`, [B, J, C] -> [B, J, C]."""

    def __init__(self, unit1: nn.Module, unit2: nn.Module) -> None:
        super().__init__()
        self.unit1 = unit1
        self.unit2 = unit2

    def forward(self, x: Tensor, topology: Topology) -> Tensor:
        return x + self.unit2(self.unit1(x, topology), topology)


def make_conv(conv: MakeConv, topology: Topology, in_channels: int, out_channels: int) -> nn.Module:
    """An operator from its class or factory, given what it asks for of ``num_edges``, ``num_joints``, ``num_types``."""
    sizes = {"num_edges": topology.num_edges, "num_joints": topology.num_nodes, "num_types": topology.num_types}
    asked = inspect.signature(conv).parameters
    return conv(in_channels, out_channels, **{name: size for name, size in sizes.items() if name in asked})


def call_conv(conv: nn.Module, x: Tensor, topology: Topology) -> Tensor:
    """Calls our operators with the Topology and any other, PyG's or a user's, with ``edge_index`` (and types)."""
    if isinstance(conv, SkeletonConv):
        return conv(x, topology)
    if _takes_types(type(conv).forward):
        return conv(x, topology.edge_index, topology.edge_type)
    return conv(x, topology.edge_index)


@cache
def _takes_types(forward: Callable[..., Tensor]) -> bool:
    return "edge_type" in inspect.signature(forward).parameters
