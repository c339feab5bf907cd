"""A Topology refuses what is no graph, and layers refuse a Topology that is not theirs."""

import pytest
import torch
from nn.layers.cases import SMALL

from skelgraph.nn.layers import PartitionConv, Topology


@pytest.mark.parametrize(
    ("edges", "types", "num_nodes", "message"),
    [
        ([[0, 1, 0], [0, 1, 0]], None, None, "twice"),
        ([[0, 1], [0, 3]], None, 3, "node 3"),
        ([[0, -1], [0, 1]], None, 3, "node -1"),
        ([[0, 1], [0, 1]], [0], None, "edge_type"),
    ],
)
def test_wrong_graphs(edges: list, types: list | None, num_nodes: int | None, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Topology(torch.tensor(edges), None if types is None else torch.tensor(types), num_nodes)


def test_it_adds_nothing_to_a_checkpoint_and_keeps_its_precision() -> None:
    topology = Topology(SMALL.edge_index, SMALL.edge_type)
    assert topology.state_dict() == {}
    weight = topology.edge_weight("row", torch.float32).clone()
    assert torch.equal(topology.bfloat16().float().edge_weight("row", torch.float32), weight)
    assert topology.edge_weight("row", torch.float64).dtype == torch.float64
    assert "num_nodes=7" in repr(topology)


def test_it_keeps_its_own_edges() -> None:
    edges = SMALL.edge_index.clone()
    topology = Topology(edges)
    edges.zero_()
    assert torch.equal(topology.edge_index, SMALL.edge_index)


def test_edge_types_must_be_there_and_have_weights() -> None:
    conv, x = PartitionConv(2, 2, num_types=3), torch.randn(7, 2)
    with pytest.raises(ValueError, match="needs edge_type"):
        conv(x, SMALL.edge_index)
    with pytest.raises(ValueError, match="3 weights"):
        conv(x, SMALL.edge_index, SMALL.edge_type + 1)
    with pytest.raises(ValueError, match="3 weights"):
        conv(x, Topology(SMALL.edge_index))
