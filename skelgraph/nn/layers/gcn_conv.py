"""The vanilla graph convolution."""

from typing import Literal

from torch import Tensor
from torch_geometric.nn.inits import glorot, zeros

from skelgraph.nn.layers.skeleton_conv import SkeletonConv
from skelgraph.nn.layers.topology import Topology, edge_norm


class GCNConv(SkeletonConv):
    r"""The graph convolution of `Kipf and Welling (ICLR 2017) <https://arxiv.org/abs/1609.02907>`_.

    .. math:: Y = D^{-1/2} (A + I) D^{-1/2} X \Theta + b \quad\text{or}\quad Y = D^{-1} (A + I) X \Theta + b

    The self loops are those of ``edge_index``: none is added. The row-normalised form is what the SemGCN family calls
    its plain graph convolution.

    Args:
        in_channels: C of the input.
        out_channels: C of the output.
        norm: ``"sym"`` (the first form, equal to PyG's GCNConv) or ``"row"`` (the second).
        bias: whether b is learned.

    Shapes:
        - **input:** ``x`` [..., J, C_in] or [N, C_in], ``edge_index`` [2, E] or :class:`Topology`
        - **output:** [..., J, C_out] or [N, C_out]
    """

    def __init__(
        self, in_channels: int, out_channels: int, norm: Literal["sym", "row"] = "sym", bias: bool = True
    ) -> None:
        super().__init__(in_channels, out_channels, 1, bias)
        self.norm = norm
        self.reset_parameters()

    def reset_parameters(self) -> None:
        super().reset_parameters()
        glorot(self.weight.squeeze(1))
        zeros(self.bias)

    def forward(self, x: Tensor, edge_index: Tensor | Topology) -> Tensor:
        """See the class."""
        if isinstance(edge_index, Topology):
            weight = edge_index.edge_weight(self.norm, x.dtype)
            operator = edge_index.fixed_operator(self.norm, x.dtype) if edge_index.dense else None
            return self.mix(x, edge_index, edge_index.by_node, weight, operator)
        return self.mix(x, edge_index, None, edge_norm(edge_index, x.size(-2), self.norm, x.dtype))
