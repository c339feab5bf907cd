"""Layers that PyG or torch have too equal theirs."""

import pytest
import torch
from nn.layers.cases import LARGE, SMALL
from nn.layers.oracles import Graph
from torch import nn
from torch_geometric import nn as pyg

from skelgraph.nn.layers import Attention, ChebConv, GCNConv, SelfAttention, Topology

each_graph = pytest.mark.parametrize("graph", [SMALL, LARGE], ids=["small", "large"])


def close(a: torch.Tensor, b: torch.Tensor) -> None:
    torch.testing.assert_close(a, b, rtol=0, atol=1e-12)


@each_graph
def test_gcn_conv_is_that_of_pyg(graph: Graph, device: torch.device) -> None:
    graph = graph.to(device)
    ours = GCNConv(5, 4).double().to(device)
    theirs = pyg.GCNConv(5, 4).double().to(device)
    theirs.load_state_dict({"lin.weight": ours.weight[:, 0].t(), "bias": ours.bias})
    x = torch.randn(graph.num_joints, 5, dtype=torch.float64, device=device)
    for way in (graph.edge_index, Topology(graph.edge_index)):
        close(ours(x, way), theirs(x, graph.edge_index))


@each_graph
@pytest.mark.parametrize("order", [1, 2, 4])
def test_cheb_conv_is_that_of_pyg(graph: Graph, order: int, device: torch.device) -> None:
    graph = graph.to(device)
    ours = ChebConv(5, 4, order, operator="sym").double().to(device)
    theirs = pyg.ChebConv(5, 4, order + 1).double().to(device)
    state = {f"lins.{k}.weight": ours.weight[:, k].t() for k in range(order + 1)}
    theirs.load_state_dict({**state, "bias": ours.bias})
    x = torch.randn(graph.num_joints, 5, dtype=torch.float64, device=device)
    for way in (graph.edge_index, Topology(graph.edge_index)):
        close(ours(x, way), theirs(x, graph.edge_index))


@pytest.mark.parametrize("num_joints", [6, 40])
def test_attention_is_that_of_torch(num_joints: int, device: torch.device) -> None:
    ours = Attention(8, 8, heads=2).double().to(device)
    among_all = SelfAttention(8, 8, heads=2).double().to(device)
    theirs = nn.MultiheadAttention(8, 2, batch_first=True).double().to(device)
    state = {f"in_proj_{k}": getattr(ours.qkv, k) for k in ("weight", "bias")}
    state |= {f"out_proj.{k}": getattr(ours.out_proj, k) for k in ("weight", "bias")}
    theirs.load_state_dict(state)
    among_all.load_state_dict(ours.state_dict())
    x = torch.randn(3, num_joints, 8, dtype=torch.float64, device=device)
    expected = theirs(x, x, x, need_weights=False)[0]
    complete = torch.cartesian_prod(*[torch.arange(num_joints, device=device)] * 2).t()
    close(ours(x, complete), expected)
    close(ours(x, Topology(complete)), expected)
    close(among_all(x), expected)


def test_dropout_of_attention_follows_the_mode(device: torch.device) -> None:
    graph = SMALL.to(device)
    x = torch.randn(2, graph.num_joints, 8, device=device)
    for way in (graph.edge_index, Topology(graph.edge_index)):
        layer = Attention(8, 8, dropout=0.5).to(device)
        assert not torch.equal(layer(x, way), layer(x, way))
        layer.eval()
        assert torch.equal(layer(x, way), layer(x, way))
