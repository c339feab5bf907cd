"""A layer, a block, and a model that both are handed to."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from skelgraph import Skeleton
from skelgraph.nn.models import SkeletonModel


class NeighbourMean(nn.Module):
    """The mean of each joint's neighbours, mapped: [..., J, C_in] -> [..., J, C_out]."""

    def __init__(self, in_channels: int, out_channels: int, *, bias: bool = True) -> None:
        super().__init__()
        self.map = nn.Linear(in_channels, out_channels, bias=bias)

    def forward(self, x: Tensor, edge_index: Tensor) -> Tensor:
        source, target = edge_index
        total = torch.zeros_like(x).index_add(-2, target, x.index_select(-2, source))
        degree = torch.bincount(target, minlength=x.size(-2)).clamp(min=1).to(x)
        return self.map(total / degree.unsqueeze(-1))


class Widening(nn.Module):
    """Two linear maps with more channels between them."""

    def __init__(self, channels: int, *, factor: int = 2) -> None:
        super().__init__()
        self.inner, self.outer = nn.Linear(channels, factor * channels), nn.Linear(factor * channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.outer(self.inner(x).relu())


class Lifter(SkeletonModel):
    """A layer, a block, a linear map."""

    def __init__(
        self,
        skeleton: Skeleton,
        in_channels: int = 3,
        out_channels: int = 3,
        *,
        hidden_channels: int = 8,
        conv: Callable[..., nn.Module] = NeighbourMean,
        block: Callable[..., nn.Module] = nn.Identity,
    ) -> None:
        super().__init__(skeleton, in_channels, out_channels)
        self.register_buffer("edge_index", skeleton.edge_index, persistent=False)
        self.conv = conv(in_channels, hidden_channels)
        self.block = block(hidden_channels)
        self.head = nn.Linear(hidden_channels, out_channels)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.block(self.conv(x, self.edge_index)))
