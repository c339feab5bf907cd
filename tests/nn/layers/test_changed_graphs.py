"""Layers refuse graphs that a transform has changed without telling the types or weights of edges."""

import inspect

import pytest
import torch
from torch_geometric.data import Data
from torch_geometric.transforms import AddSelfLoops, BaseTransform, VirtualNode

from skelgraph.nn import layers
from skelgraph.skeleton.builtin import HUMAN36M

TYPED = [name for name in layers.__all__ if "edge_type" in inspect.signature(getattr(layers, name).forward).parameters]


def graph() -> Data:
    return HUMAN36M.to_data(torch.randn(17, 2, generator=torch.Generator().manual_seed(0)))


def test_some_layer_takes_types() -> None:
    assert "PartitionConv" in TYPED


@pytest.mark.parametrize("name", TYPED)
def test_edges_without_a_type_are_refused_by_name(name: str) -> None:
    layer = getattr(layers, name)(2, 4, num_types=3)
    data = graph()
    assert layer(data.x, data.edge_index, data.edge_type).shape == (17, 4)
    longer = AddSelfLoops()(graph())
    with pytest.raises(ValueError, match=rf"{name} got 66 edges in edge_index and 49 in edge_type.*AddSelfLoops"):
        layer(longer.x, longer.edge_index, longer.edge_type)
    with pytest.raises(ValueError, match=rf"{name} got 40 edges in edge_index and 49"):
        layer(data.x, data.edge_index[:, :40], data.edge_type)


@pytest.mark.parametrize("name", TYPED)
def test_types_that_virtual_nodes_bring_are_refused_by_name(name: str) -> None:
    """PyG's VirtualNode gives its edges types of their own, which no layer has weights for."""
    data = VirtualNode()(graph())
    with pytest.raises(ValueError, match=f"{name} has 3 weights"):
        getattr(layers, name)(2, 4, num_types=3)(data.x, data.edge_index, data.edge_type)
    data.edge_type = data.edge_type[:49]
    with pytest.raises(ValueError, match=f"{name} got 83 edges in edge_index and 49 in edge_type"):
        getattr(layers, name)(2, 4, num_types=3)(data.x, data.edge_index, data.edge_type)


@pytest.mark.parametrize("transform", [AddSelfLoops(), VirtualNode()])
@pytest.mark.parametrize("name", ["SemConv", "SemAttention"])
def test_edges_without_a_weight_are_refused_by_name(name: str, transform: BaseTransform) -> None:
    """SemAttention's edges are those of its SemConv."""
    data = transform(graph())
    layer = getattr(layers, name)(2, 4, 49, **({"heads": 2} if name == "SemAttention" else {}))
    with pytest.raises(ValueError, match="SemConv was made for graphs of 49 edges and got"):
        layer(data.x, data.edge_index)
