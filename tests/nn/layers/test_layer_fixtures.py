"""The layers equal the authors' published code."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from skelgraph.nn.layers import ChebConv, ModulatedConv, NonLocal, SemConv, Topology

State = dict[str, Tensor]
LOADERS: dict[str, tuple[nn.Module, Callable[[State], State]]] = {
    "SemGraphConv": (
        SemConv(8, 12, 46),
        lambda s: {"weight": s["W"].transpose(0, 1), "edge_logit": s["e"][0], "bias": s["bias"]},
    ),
    "SemCHGraphConv": (
        SemConv(8, 12, 46, channel_wise=True),
        lambda s: {"weight": s["W"].transpose(0, 1), "edge_logit": s["e"].t(), "bias": s["bias"]},
    ),
    "ModulatedGraphConv": (
        ModulatedConv(8, 12, 16),
        lambda s: {
            "weight": s["W"].transpose(0, 1),
            "modulation": s["M"],
            "affinity": s["adj2"],
            "bias": s["bias"],
        },
    ),
    "ChebConv_K2": (
        ChebConv(8, 12),
        lambda s: {"weight": s["weight"][:, 0].transpose(0, 1), "bias": s["bias"].flatten()},
    ),
}


@pytest.mark.parametrize("name", LOADERS)
@pytest.mark.parametrize("way", ["edge_index", "Topology"])
def test_convolution(name: str, way: str, authors: Callable, device: torch.device, record_property: Callable) -> None:
    fixture = authors(name)
    layer, rename = LOADERS[name]
    layer.load_state_dict(rename(fixture.state))
    layer.to(device)
    adjacency = torch.tensor(fixture.meta["args"].get("adj") or fixture.meta["args"]["graph"], device=device)
    edge_index = adjacency.nonzero().t().flip(0)
    graph = edge_index if way == "edge_index" else Topology(edge_index)
    found = layer(fixture.inputs["x"].to(device), graph)
    error = float((found - fixture.outputs["y"].to(device)).detach().abs().max())
    record_property(f"{name}: largest absolute error ({way}{'' if device.type == 'cpu' else ', cuda'})", error)
    assert error <= 1e-5


def test_non_local(authors: Callable, device: torch.device, record_property: Callable) -> None:
    fixture = authors("GraphNonLocal")
    layer, s = NonLocal(16, 16), fixture.state
    state = {f"norm.{key}": s[f"W.1.{key}"] for key in layer.norm.state_dict()}
    for ours, theirs in (("value", "g.0"), ("query", "theta"), ("key", "phi.0"), ("project", "W.0")):
        state |= {f"{ours}.weight": s[f"{theirs}.weight"][:, :, 0], f"{ours}.bias": s[f"{theirs}.bias"]}
    score = s["concat_project.0.weight"].view(1, -1)
    state["query_score.weight"], state["key_score.weight"] = score.chunk(2, dim=1)
    layer.load_state_dict(state)
    found = layer.eval().to(device)(fixture.inputs["x"].transpose(1, 2).to(device))  # theirs is [B, C, J]
    error = float((found - fixture.outputs["y"].transpose(1, 2).to(device)).detach().abs().max())
    record_property(f"GraphNonLocal: largest absolute error (x{'' if device.type == 'cpu' else ', cuda'})", error)
    assert error <= 1e-5
