"""Attention within the windows of a grid."""

import torch
from torch import Tensor, nn
from torch.nn import Linear, Parameter, functional


class WindowAttention(nn.Module):
    r"""Multi-head self-attention within the windows of a grid, with a relative position bias (`Liu et al. 2021, eq. 4
    <https://arxiv.org/abs/2103.14030>`_; the spatial module of `MSTR <https://arxiv.org/abs/2401.16700>`_).

    .. math:: Y = W_o\, \mathrm{concat}_h\, \mathrm{softmax}\!\left(\frac{Q_h K_h^\top}{\sqrt d} + B_h\right) V_h,
        \quad B_h[i, j] = b_h[\mathrm{row}_i - \mathrm{row}_j, \mathrm{column}_i - \mathrm{column}_j]

    A cell attends to the cells of its own window of M x M. Windows begin at multiples of M or, with a ``shift`` s, at
    multiples of M plus s, where those at the border are smaller. A grid that is no multiple of M is padded at its end;
    no cell attends to padding. Along an axis of at most M cells there is one window, which is not shifted.

    Args:
        in_channels: C of the input.
        out_channels: C of the output.
        heads: H.
        window_size: M.
        shift: s, from 0 to M - 1.

    Shapes:
        - **input:** [..., h, w, C_in], any h and w
        - **output:** [..., h, w, C_out]

    Raises:
        ValueError: if ``heads`` does not divide ``in_channels``, or ``shift`` is not within a window.
    """

    relative_index: Tensor

    def __init__(
        self, in_channels: int, out_channels: int, heads: int = 4, window_size: int = 7, shift: int = 0
    ) -> None:
        super().__init__()
        if in_channels % heads:
            raise ValueError(f"in_channels {in_channels} is no multiple of heads {heads}")
        if not 0 <= shift < window_size:
            raise ValueError(f"shift {shift} is not within a window of {window_size}")
        self.in_channels = in_channels
        self.out_channels = out_channels
        self.heads = heads
        self.window_size = window_size
        self.shift = shift
        self.qkv = Linear(in_channels, 3 * in_channels)
        self.position_bias = Parameter(torch.empty((2 * window_size - 1) ** 2, heads))
        self.out_proj = Linear(in_channels, out_channels)
        self.register_buffer("relative_index", relative_index(window_size), persistent=False)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        for matrix in (self.qkv.weight, self.position_bias, self.out_proj.weight):
            nn.init.trunc_normal_(matrix, std=0.02)
        nn.init.zeros_(self.qkv.bias)
        nn.init.zeros_(self.out_proj.bias)

    def forward(self, grid: Tensor) -> Tensor:
        """See the class."""
        size, (height, width) = self.window_size, grid.shape[-3:-1]
        down, right = (self.shift if length > size else 0 for length in (height, width))
        x = self.qkv(grid.reshape(-1, height, width, self.in_channels))  # [B, h, w, 3 * C]
        x = functional.pad(x, (0, 0, 0, -width % size, 0, -height % size)).roll((-down, -right), (1, 2))
        rows = x.size(1) // size  # of windows
        # [B, W, M * M, 3, H, d] -> 3 x [B, W, H, M * M, d]
        query, key, value = to_windows(x, size).unflatten(-1, (3, self.heads, -1)).permute(3, 0, 1, 4, 2, 5)
        score = query @ key.transpose(-1, -2) / query.size(-1) ** 0.5
        score = score + self.position_bias[self.relative_index].permute(2, 0, 1)
        if down or right or height % size or width % size:
            region = 3 * regions(height, size, down, x.device).unsqueeze(1) + regions(width, size, right, x.device)
            region = to_windows(region.view(1, *region.shape, 1), size).view(-1, 1, size**2)  # [W, 1, M * M]
            score = score.masked_fill(region.unsqueeze(-1) != region.unsqueeze(-2), -torch.inf)
        out = (score.softmax(-1) @ value).transpose(2, 3).flatten(3)  # [B, W, M * M, C]
        out = from_windows(out, size, rows).roll((down, right), (1, 2))[:, :height, :width]
        return self.out_proj(out).view(*grid.shape[:-1], self.out_channels)

    def __repr__(self) -> str:
        sizes = f"heads={self.heads}, window_size={self.window_size}, shift={self.shift}"
        return f"{type(self).__name__}({self.in_channels}, {self.out_channels}, {sizes})"


def relative_index(size: int) -> Tensor:
    """The row of the position bias for each pair of cells of a window: [M * M, M * M]."""
    row, column = torch.arange(size**2).div(size, rounding_mode="floor"), torch.arange(size**2) % size
    down, right = (each.unsqueeze(1) - each + size - 1 for each in (row, column))
    return down * (2 * size - 1) + right


def regions(length: int, size: int, shift: int, device: torch.device) -> Tensor:
    """Which cells of a padded and rolled axis belong together: 1 what was rolled round, 2 padding, 0 the others."""
    index = torch.arange(length + -length % size, device=device).roll(-shift)
    return (index < shift) + 2 * (index >= length)


def to_windows(x: Tensor, size: int) -> Tensor:
    """[B, h, w, C] -> [B, W, M * M, C]."""
    return x.unflatten(2, (-1, size)).unflatten(1, (-1, size)).transpose(2, 3).flatten(3, 4).flatten(1, 2)


def from_windows(x: Tensor, size: int, rows: int) -> Tensor:
    """[B, W, M * M, C] -> [B, h, w, C], W in so many rows."""
    return x.unflatten(2, (size, size)).unflatten(1, (rows, -1)).transpose(2, 3).flatten(3, 4).flatten(1, 2)
