"""The post-norm Transformer layer of JointFormer and SemGAN."""

from torch import Tensor, nn

from skelgraph.nn.layers import SelfAttention


class AttentionLayer(nn.Module):
    r"""A post-norm Transformer layer without biases in its attention: [B, J, C] -> [B, J, C].

    .. math:: a = \mathrm{LN}(x + \mathrm{Attn}(x)), \quad y = \mathrm{LN}(a + \mathrm{FFN}(a))

    Args:
        channels: C.
        heads: H.
        head_channels: channels of a head, whatever C.
        ffn_channels: hidden channels of the feed-forward network.
        dropout: before each residual sum.
        attention_dropout: of the attention weights; default as ``dropout``.
        eps: of the layer norms.
    """

    def __init__(
        self,
        channels: int,
        heads: int,
        head_channels: int,
        ffn_channels: int,
        dropout: float,
        attention_dropout: float | None = None,
        eps: float = 1e-5,
    ) -> None:
        super().__init__()
        rate = dropout if attention_dropout is None else attention_dropout
        self.attention = SelfAttention(channels, channels, heads, head_channels, rate, bias=False)
        self.norm1 = nn.LayerNorm(channels, eps)
        self.ffn = feed_forward(channels, ffn_channels)
        self.norm2 = nn.LayerNorm(channels, eps)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        h = self.norm1(x + self.dropout(self.attention(x)))
        return self.norm2(h + self.dropout(self.ffn(h)))


def feed_forward(channels: int, ffn_channels: int) -> nn.Sequential:
    """Linear, ReLU, Linear."""
    return nn.Sequential(nn.Linear(channels, ffn_channels), nn.ReLU(), nn.Linear(ffn_channels, channels))
