"""Self-attention whose output projection is a semantic graph convolution."""

from torch import Tensor

from skelgraph.nn.layers.self_attention import SelfAttention
from skelgraph.nn.layers.sem_conv import SemConv
from skelgraph.nn.layers.topology import Topology


class SemAttention(SelfAttention):
    r"""Semantic graph attention of `SemGAN (Wen et al. 2024, section 3.1) <https://arxiv.org/abs/2406.01196>`_: global
    attention whose last layer is a SemGCN.

    .. math:: Y = \mathrm{SemConv}\big(\mathrm{concat}_h\, \mathrm{softmax}(Q_h K_h^\top / \sqrt d)\, V_h,\; G\big)

    The paper embeds "the SemGCN in the last layer of self-attention"; read here as the output projection.

    Args:
        in_channels: C of the input.
        out_channels: C of the output.
        num_edges: E of one skeleton.
        heads: H.
        head_channels: d of each head; default ``in_channels // heads``.
        dropout: of the attention weights.
        bias: whether queries, keys and values have biases; the SemConv has its own.
        num_joints: J, needed only for input [N, C].

    Shapes:
        - **input:** ``x`` [..., J, C_in], or [N, C_in] with ``num_joints``; ``edge_index`` [2, E] or Topology
        - **output:** [..., J, C_out] or [N, C_out]
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        num_edges: int,
        heads: int = 4,
        head_channels: int | None = None,
        dropout: float = 0.0,
        bias: bool = True,
        num_joints: int | None = None,
    ) -> None:
        width = heads * (head_channels or in_channels // heads)
        project = SemConv(width, out_channels, num_edges)
        super().__init__(in_channels, out_channels, heads, head_channels, dropout, bias, num_joints, project)

    def forward(self, x: Tensor, edge_index: Tensor | Topology) -> Tensor:  # type: ignore[override]
        """See the class."""
        attended = self.heads_of(x)
        if x.dim() == 2:
            attended = attended.flatten(0, 1)
        return self.out_proj(attended, edge_index).view(*x.shape[:-1], self.out_channels)
