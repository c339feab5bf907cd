"""The sum over edges in one kernel, against the dense product it stands for."""

import pytest
import torch
from torch import Tensor

from skelgraph.nn.layers import GCNConv, PartitionConv, SemConv, Topology
from skelgraph.nn.layers.edge_sum import Incidence
from skelgraph.skeleton import builtin

NUM_SLOTS = 3


def shuffled(name: str, seed: int = 0) -> tuple[Tensor, Tensor, int]:
    """Edges of a skeleton in no order, without those into its last joint."""
    skeleton = builtin.get(name)
    order = torch.randperm(skeleton.num_edges, generator=torch.Generator().manual_seed(seed))
    order = order[skeleton.edge_index[1, order] != skeleton.num_joints - 1]
    return skeleton.edge_index[:, order], skeleton.edge_type[order], skeleton.num_joints


def dense(h: Tensor, weight: Tensor, edge_index: Tensor, slot: Tensor, num_joints: int) -> Tensor:
    matrix = weight.new_zeros(num_joints, num_joints * NUM_SLOTS)
    return matrix.index_put((edge_index[1], edge_index[0] * NUM_SLOTS + slot), weight) @ h


@pytest.mark.parametrize("name", ["HUMAN36M", "COCO_WHOLEBODY"])
def test_equals_the_dense_product_with_gradients(name: str) -> None:
    edge_index, slot, joints = shuffled(name)
    incidence = Incidence(edge_index, slot, joints, NUM_SLOTS)
    h = torch.randn(4, joints * NUM_SLOTS, 5, dtype=torch.float64, requires_grad=True)
    weight = torch.randn(edge_index.size(1), dtype=torch.float64, requires_grad=True)
    expected, got = dense(h, weight, edge_index, slot, joints), incidence.sum_edges(h, weight)
    grad = torch.randn_like(expected)
    assert (got[:, -1] == 0).all()
    torch.testing.assert_close(got, expected, rtol=0, atol=1e-12)
    for mine, theirs in zip(
        torch.autograd.grad(got, [h, weight], grad), torch.autograd.grad(expected, [h, weight], grad), strict=True
    ):
        torch.testing.assert_close(mine, theirs, rtol=0, atol=1e-12)


def test_gradients_of_gradients() -> None:
    edge_index = torch.tensor([[0, 1, 0, 2, 1], [0, 1, 1, 0, 2]])
    incidence = Incidence(edge_index, torch.tensor([0, 0, 1, 2, 1]), 3, NUM_SLOTS)
    h = torch.randn(2, 9, 2, dtype=torch.float64, requires_grad=True)
    weight = torch.randn(5, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(incidence.sum_edges, (h, weight))
    assert torch.autograd.gradgradcheck(incidence.sum_edges, (h, weight))


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision(dtype: torch.dtype) -> None:
    edge_index, slot, joints = shuffled("HUMAN36M")
    incidence = Incidence(edge_index, slot, joints, NUM_SLOTS)
    h = torch.randn(4, joints * NUM_SLOTS, 8, requires_grad=True)
    weight = torch.rand(edge_index.size(1), requires_grad=True)
    half, expected = incidence.sum_edges(h.to(dtype), weight.to(dtype)), dense(h, weight, edge_index, slot, joints)
    assert half.dtype == dtype
    torch.testing.assert_close(half.float(), expected, rtol=0.03, atol=0.05)
    (mine,) = torch.autograd.grad(half.float().sum(), weight)
    (theirs,) = torch.autograd.grad(expected.sum(), weight)
    torch.testing.assert_close(mine, theirs, rtol=0.03, atol=0.2)


@pytest.mark.parametrize("batch", [1, 500])
@pytest.mark.parametrize("name", ["HUMAN36M", "COCO_WHOLEBODY"])
def test_every_route_gives_the_same(name: str, batch: int) -> None:
    """Small and large batches on either side of every threshold, beside the plain edges of the skeleton."""
    skeleton = builtin.get(name)
    topology = Topology(skeleton.edge_index, skeleton.edge_type, skeleton.num_joints)
    x = torch.randn(batch, skeleton.num_joints, 16, dtype=torch.float64)
    for conv in (GCNConv(16, 16), SemConv(16, 16, skeleton.num_edges), PartitionConv(16, 16)):
        edges = (skeleton.edge_index, skeleton.edge_type)[: 1 + isinstance(conv, PartitionConv)]
        conv = conv.double()
        torch.testing.assert_close(conv(x, topology), conv(x, *edges), rtol=0, atol=1e-12)
