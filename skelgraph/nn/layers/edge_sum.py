"""Weighted sums over the edges of many equal graphs, without a scatter."""

from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.autograd import Function
from torch.nn import functional


class Groups(NamedTuple):
    """Edges grouped by the row they add to: their ``order`` [E], the ``row`` [E] each reads, each group's ``start``."""

    order: Tensor
    row: Tensor
    start: Tensor


class Incidence(nn.Module):
    """Which row each edge reads and which it adds to, grouped for a sum over edges and for its gradient.

    Edge s -> t of slot k reads row s * K + k and adds to row t.

    Args:
        edge_index: LongTensor [2, E].
        slot: LongTensor [E], or None where K is 1.
        num_nodes: J.
        num_slots: K.
    """

    slot: Tensor | None
    reads: Tensor
    adds: Tensor

    def __init__(self, edge_index: Tensor, slot: Tensor | None, num_nodes: int, num_slots: int = 1) -> None:
        super().__init__()
        source, target = edge_index
        self.register_buffer("slot", slot, persistent=False)
        self.register_buffer("reads", source * num_slots + (0 if slot is None else slot), persistent=False)
        self.register_buffer("adds", target.clone(), persistent=False)
        for way, row, add, count in (
            ("forward", self.reads, self.adds, num_nodes),
            ("back", self.adds, self.reads, num_nodes * num_slots),
        ):
            order = add.argsort(stable=True)
            start = torch.searchsorted(add[order], torch.arange(count, device=add.device))
            for name, tensor in Groups(order, row[order], start)._asdict().items():
                self.register_buffer(f"{way}_{name}", tensor, persistent=False)

    def groups(self, way: str) -> Groups:
        """Grouped by target (``"forward"``) or by the row that is read (``"back"``)."""
        return Groups(*(self.get_buffer(f"{way}_{name}") for name in Groups._fields))

    def sum_edges(self, h: Tensor, weight: Tensor) -> Tensor:
        r""":math:`y_t = \sum_{e \to t} w_e h_{r(e)}`: [B, J * K, C] and [E] -> [B, J, C]."""
        return EdgeSum.apply(h, weight.to(h.dtype), self, "forward")


class EdgeSum(Function):
    """The sum over edges as one ``embedding_bag``; its gradient is the same sum over the reversed edges."""

    @staticmethod
    def forward(ctx: Any, h: Tensor, weight: Tensor, incidence: Incidence, way: str) -> Tensor:
        ctx.save_for_backward(h if ctx.needs_input_grad[1] else None, weight)
        ctx.incidence, ctx.way = incidence, way
        index, weights, start = tile(incidence.groups(way), weight, *h.shape[:2])
        out = functional.embedding_bag(index, h.flatten(0, 1), start, mode="sum", per_sample_weights=weights)
        return out.view(h.size(0), -1, h.size(2))

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, Tensor | None, None, None]:
        h, weight = ctx.saved_tensors
        grad_h = grad_weight = None
        if ctx.needs_input_grad[0]:
            way = "back" if ctx.way == "forward" else "forward"
            grad_h = EdgeSum.apply(grad.contiguous(), weight, ctx.incidence, way)
        if ctx.needs_input_grad[1]:
            product = edge_product if torch.is_grad_enabled() else fused_edge_product
            grad_weight = product(h, grad, ctx.incidence, ctx.way).to(weight.dtype)
        return grad_h, grad_weight, None, None


def tile(groups: Groups, weight: Tensor, num_graphs: int, num_rows: int) -> tuple[Tensor, Tensor, Tensor]:
    """Rows to read, their weights and the start of each group, over all graphs of a batch."""
    graph = torch.arange(num_graphs, device=weight.device).unsqueeze(1)
    row = (groups.row + graph * num_rows).flatten()
    return row, weight[groups.order].repeat(num_graphs), (groups.start + graph * len(weight)).flatten()


def edge_product(h: Tensor, grad: Tensor, incidence: Incidence, way: str) -> Tensor:
    r"""The gradient of the weights, :math:`\sum_{b, c} h_{b r(e) c}\, g_{b t(e) c}`, [E], itself differentiable."""
    reads, adds = (incidence.reads, incidence.adds) if way == "forward" else (incidence.adds, incidence.reads)
    return (h[:, reads] * grad[:, adds]).sum((0, 2))


def fused_edge_product(h: Tensor, grad: Tensor, incidence: Incidence, way: str) -> Tensor:
    """As :func:`edge_product` without the [B, E, C] in between."""
    groups = incidence.groups(way)
    index, _, start = tile(groups, h.new_empty(len(groups.order)), *h.shape[:2])
    group = torch.repeat_interleave(start.diff(append=start.new_tensor([len(index)])))
    # The kernel behind embedding_bag's own gradient; it has no public name and no bfloat16.
    rows, grads = (t.flatten(0, 1).to(torch.promote_types(t.dtype, torch.float32)) for t in (h, grad))
    products = torch.ops.aten._embedding_bag_per_sample_weights_backward(grads, rows, index, start, group, 0)
    return products.view(h.size(0), -1).sum(0)[groups.order.argsort()]
