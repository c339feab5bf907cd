"""Attention of every joint to every joint."""

import math

import torch
from torch import Tensor, nn
from torch.nn import Linear, functional

SMALL = 32  # joints; up to it an explicit softmax beats the fused kernel on CPU


def attend(query: Tensor, key: Tensor, value: Tensor, dropout: float = 0.0, mask: Tensor | None = None) -> Tensor:
    r"""Scaled dot-product attention :math:`\mathrm{softmax}(q k^\top / \sqrt d)\, v` on [..., J, D].

    Args:
        query: [..., J, D].
        key: [..., J, D].
        value: [..., J, D].
        dropout: of the weights.
        mask: bool [J, J], True where the row may look at the column.
    """
    if query.is_cuda or query.size(-2) > SMALL:
        return functional.scaled_dot_product_attention(query, key, value, attn_mask=mask, dropout_p=dropout)
    score = (query / math.sqrt(query.size(-1))) @ key.transpose(-1, -2)
    if mask is not None:
        score = score.masked_fill(~mask, torch.finfo(score.dtype).min)
    weight = score.softmax(-1)
    if mask is not None:
        weight = weight * mask  # a row that may look nowhere gets 0, as from the fused kernel, not NaN
    return functional.dropout(weight, dropout) @ value


class SelfAttention(nn.Module):
    r"""Multi-head self-attention over the joints of a pose (`Vaswani et al. 2017, eq. 1
    <https://arxiv.org/abs/1706.03762>`_).

    .. math:: Y = W_o\, \mathrm{concat}_h\, \mathrm{softmax}\!\left(\frac{Q_h K_h^\top}{\sqrt d}\right) V_h

    Args:
        in_channels: C of the input.
        out_channels: C of the output.
        heads: H.
        head_channels: d of each head; default ``in_channels // heads``.
        dropout: of the attention weights.
        bias: whether the projections have biases.
        num_joints: J, needed only for input [N, C].
        out_proj: what maps the concatenated heads [..., J, H * d] to [..., J, C_out]; default a ``Linear``.

    Shapes:
        - **input:** [..., J, C_in], or [N, C_in] with ``num_joints`` given
        - **output:** [..., J, C_out] or [N, C_out]

    Raises:
        ValueError: if ``heads`` does not divide ``in_channels`` and no ``head_channels`` is given, or an input
            does not fit ``num_joints``.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        heads: int = 4,
        head_channels: int | None = None,
        dropout: float = 0.0,
        bias: bool = True,
        num_joints: int | None = None,
        out_proj: nn.Module | None = None,
    ) -> None:
        super().__init__()
        if head_channels is None and in_channels % heads:
            raise ValueError(f"in_channels {in_channels} is no multiple of heads {heads}: give head_channels")
        self.in_channels = in_channels
        self.out_channels = out_channels
        self.heads = heads
        self.head_channels = head_channels or in_channels // heads
        self.dropout = dropout
        self.num_joints = num_joints
        self.qkv = Linear(in_channels, 3 * heads * self.head_channels, bias=bias)
        self.out_proj = out_proj or Linear(heads * self.head_channels, out_channels, bias=bias)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        nn.init.xavier_uniform_(self.qkv.weight)
        if self.qkv.bias is not None:
            nn.init.zeros_(self.qkv.bias)
        self.out_proj.reset_parameters()  # type: ignore[operator]

    def forward(self, x: Tensor) -> Tensor:
        """See the class."""
        return self.out_proj(self.heads_of(x)).view(*x.shape[:-1], self.out_channels)

    def heads_of(self, x: Tensor) -> Tensor:
        """The concatenated heads, [B, J, H * d]."""
        joints = by_pose(x, self.num_joints)
        # [B, J, 3, H, d] -> 3 x [B, H, J, d]
        query, key, value = self.qkv(joints).unflatten(-1, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        return attend(query, key, value, self.dropout if self.training else 0.0).transpose(1, 2).flatten(2)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.in_channels}, {self.out_channels}, heads={self.heads})"


def by_pose(x: Tensor, num_joints: int | None) -> Tensor:
    """[..., J, C], or [N, C] with ``num_joints``, -> [B, J, C].

    Raises:
        ValueError: if J is not ``num_joints``, or x is [N, C] and N is no multiple of it.
    """
    if x.dim() > 2 and num_joints not in (None, x.size(-2)):
        raise ValueError(f"x has poses of {x.size(-2)} joints; expected {num_joints}")
    if x.dim() > 2 or num_joints is None:
        return x.reshape(-1, *x.shape[-2:])
    if x.size(0) % num_joints:
        raise ValueError(f"x has {x.size(0)} rows, which is no multiple of the {num_joints} joints of a pose")
    return x.view(-1, num_joints, x.size(-1))
