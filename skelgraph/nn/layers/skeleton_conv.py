"""The base of the graph convolutions: one product with all weights, one sum over edges, two ways to call it."""

import torch
from torch import Tensor
from torch.nn import Parameter
from torch_geometric.nn import MessagePassing

from skelgraph.nn.layers.edge_sum import Incidence
from skelgraph.nn.layers.topology import Topology

FEW = 2**17  # numbers in the output; on CPU a dense product is faster below it, one kernel over the edges above


class SkeletonConv(MessagePassing):
    r"""Sums over edges with a weight matrix chosen by slot.

    .. math:: y_t = \sum_{e = (s \to t)} c_e \, x_s W_{k(e)} + b

    A layer is called ``conv(x, edge_index)`` with ``x`` [..., J, C] and the skeleton's own ``edge_index``, with ``x``
    [N, C] and the ``edge_index`` of a PyG batch, or with either ``x`` and a :class:`Topology`, the fast route. All
    ways give the same numbers. While hooks or an explainer watch the messages, the plain path runs.

    Args:
        in_channels: C of the input.
        out_channels: C of the output.
        num_slots: the number K of weight matrices.
        bias: whether b is learned.
    """

    def __init__(self, in_channels: int, out_channels: int, num_slots: int = 1, bias: bool = True) -> None:
        super().__init__(aggr="add", node_dim=-2)
        self.in_channels = in_channels
        self.out_channels = out_channels
        self.num_slots = num_slots
        # [in, K, out] so that one product with the flattened weight serves every slot, without a copy.
        self.weight = Parameter(torch.empty(in_channels, num_slots, out_channels))
        if bias:
            self.bias = Parameter(torch.empty(out_channels))
        else:
            self.register_parameter("bias", None)

    def mix(
        self,
        x: Tensor,
        graph: Tensor | Topology,
        slot: Tensor | Incidence | None,
        coefficient: Tensor,
        operator: Tensor | None = None,
    ) -> Tensor:
        """Weights, sums and bias: ``x`` [..., J, C_in] or [N, C_in] -> the same with C_out.

        Args:
            x: joint features.
            graph: ``edge_index`` [2, E] over the nodes of ``x``, or a Topology.
            slot: LongTensor [E], the weight matrix of each edge, or None where there is only one; of a Topology its
                :class:`Incidence`.
            coefficient: [E] or [E, C_out].
            operator: [J, J, K], the coefficients at (target, source, slot), where a Topology has them ready.
        """
        if not isinstance(graph, Topology):
            assert not isinstance(slot, Incidence)
            return self.add_bias(self.sum_messages(self.transform(x), graph, slot, coefficient))
        assert isinstance(slot, Incidence)
        joints = self.by_graph(x, graph.num_nodes)
        narrow = self.in_channels * 2 < self.out_channels
        plain = coefficient.dim() == 2 or is_watched(self)
        if not plain and not (graph.dense and narrow) and self.in_one_kernel(joints, graph):
            out = slot.sum_edges(self.transform(joints), coefficient)
        elif not plain and graph.dense:
            if operator is None:
                operator = graph.operator(coefficient, slot.slot, self.num_slots)
            out = self.sum_first(joints, operator) if narrow else self.sum_dense(self.transform(joints), operator)
        else:
            out = self.sum_messages(self.transform(joints), graph.edge_index, slot.slot, coefficient)
        return self.add_bias(out.flatten(0, 1)).view(*x.shape[:-1], self.out_channels)

    def in_one_kernel(self, joints: Tensor, topology: Topology) -> bool:
        """Whether one kernel over all edges is the fastest. Measured on CPU only; a compiler needs no such help."""
        if joints.device.type != "cpu" or torch.compiler.is_compiling():
            return False
        return not topology.dense or joints.shape[:-1].numel() * self.out_channels >= FEW

    def transform(self, x: Tensor) -> Tensor:
        """One product for all slots: [..., J, C_in] -> [..., J * K, C_out], row j * K + k."""
        h = x @ self.weight.flatten(1)
        return h.view(*x.shape[:-2], x.size(-2) * self.num_slots, self.out_channels)

    def sum_messages(self, h: Tensor, edge_index: Tensor, slot: Tensor | None, coefficient: Tensor) -> Tensor:
        """The sum over edges by gather and scatter, on any graph."""
        num_nodes = h.size(-2) // self.num_slots
        rows = edge_index if slot is None else torch.stack([edge_index[0] * self.num_slots + slot, edge_index[1]])
        coefficient = coefficient.to(h.dtype)
        if coefficient.dim() == 1:
            coefficient = coefficient.unsqueeze(-1)
        return self.propagate(rows, x=(h, None), coefficient=coefficient, size=(h.size(-2), num_nodes))

    def message(self, x_j: Tensor, coefficient: Tensor) -> Tensor:
        return coefficient * x_j

    def sum_dense(self, h: Tensor, operator: Tensor) -> Tensor:
        """[B, J * K, C] -> [B, J, C] by one batched product with the [J, J * K] matrix."""
        matrix = operator.flatten(1).to(h.dtype)
        return torch.bmm(matrix.expand(h.size(0), -1, -1), h)

    def sum_first(self, x: Tensor, operator: Tensor) -> Tensor:
        """As :meth:`sum_dense`, summed before the weights: cheaper where there are fewer channels before than after."""
        num_joints = operator.size(0)
        matrix = operator.transpose(1, 2).reshape(-1, num_joints).to(x.dtype)
        sums = torch.bmm(matrix.expand(x.size(0), -1, -1), x).view(x.size(0), num_joints, -1)
        return sums @ self.weight.transpose(0, 1).flatten(0, 1)

    def add_bias(self, out: Tensor) -> Tensor:
        return out if self.bias is None else out + self.bias

    def by_graph(self, x: Tensor, num_joints: int) -> Tensor:
        """[..., J, C] or [N, C] -> [B, J, C].

        Raises:
            ValueError: if the rows are no multiple of the graph's joints.
        """
        if x.dim() < 2 or x.size(-1) != self.in_channels or (x.size(0) if x.dim() == 2 else x.size(-2)) % num_joints:
            raise ValueError(
                f"{type(self).__name__} got x {list(x.shape)}; expected [..., {num_joints}, {self.in_channels}] "
                f"or [N, {self.in_channels}] with N a multiple of {num_joints}"
            )
        return x.reshape(-1, num_joints, self.in_channels)

    def tile(self, values: Tensor, count: int, what: str) -> Tensor:
        """Repeats per-edge or per-joint values over the graphs of a batch.

        Raises:
            ValueError: if ``count`` is no multiple of the values'.
        """
        num_graphs = self.count_graphs(values.size(0), count, what)
        return values if num_graphs == 1 else values.repeat(num_graphs, *[1] * (values.dim() - 1))

    def count_graphs(self, size: int, count: int, what: str) -> int:
        """How often the ``size`` joints or edges of one graph are contained in ``count``.

        Raises:
            ValueError: if ``count`` is no multiple.
        """
        if count % size or count == 0:
            raise ValueError(
                f"{type(self).__name__} was made for graphs of {size} {what} and got {count}, "
                "which is not the same or a multiple (a batch of them)"
            )
        return count // size

    def check_one_type_per_edge(self, edge_index: Tensor, edge_type: Tensor) -> None:
        """For layers that take ``edge_type``.

        Raises:
            ValueError: if there are not as many types as edges.
        """
        edges, types = edge_index.size(1), edge_type.size(0)
        if edges != types:
            raise ValueError(
                f"{type(self).__name__} got {edges} edges in edge_index and {types} in edge_type: a transform that "
                "changes edges (such as AddSelfLoops) has left edge_type as it was; give every edge its type again"
            )

    def extra_repr(self) -> str:
        return ""

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.in_channels}, {self.out_channels})"


def is_watched(conv: MessagePassing) -> bool:
    """Whether an explainer or hooks want to see the messages, so that none may be skipped."""
    before = conv._propagate_forward_pre_hooks or conv._message_forward_pre_hooks
    return bool(conv.explain or before or conv._message_forward_hooks or conv._propagate_forward_hooks)
