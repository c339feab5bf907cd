"""The semantic graph convolution as its paper writes it, to compare with."""

import torch
from torch import Tensor, nn
from torch.nn import Parameter, init


class MaskedDenseConv(nn.Module):
    r"""SemGCN (Zhao et al., CVPR 2019, eq. 2-3) with dense masked matrices: [B, J, C_in] -> [B, J, C_out].

    .. math:: Y = (P \odot I)\, X W_0 + (P \odot (1 - I))\, X W_1 + b, \qquad P = \mathrm{softmax}(e \text{ on edges})

    Args:
        in_channels: C of the input.
        out_channels: C of the output.
        adjacency: [J, J], not 0 where there is an edge.
    """

    mask: Tensor

    def __init__(self, in_channels: int, out_channels: int, adjacency: Tensor) -> None:
        super().__init__()
        self.register_buffer("mask", adjacency > 0)
        self.weight = Parameter(torch.empty(2, in_channels, out_channels))
        self.logit = Parameter(torch.ones(int(self.mask.sum())))
        self.bias = Parameter(torch.zeros(out_channels))
        init.xavier_uniform_(self.weight)

    def forward(self, x: Tensor) -> Tensor:
        share = torch.full(self.mask.shape, -9e15, device=x.device, dtype=x.dtype)
        share = share.masked_scatter(self.mask, self.logit).softmax(dim=1)
        own = torch.eye(share.size(0), device=x.device, dtype=x.dtype)
        return (share * own) @ (x @ self.weight[0]) + (share * (1 - own)) @ (x @ self.weight[1]) + self.bias
