"""The models equal the authors' published code, weight by weight."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from skelgraph.models import SemGCN, SimpleBaseline
from skelgraph.skeletons import HUMAN36M_16

State = dict[str, Tensor]


def compare(name: str, model: nn.Module, fixture: object, device: torch.device, record_property: Callable) -> None:
    model.eval().to(device)
    x, y = (t.to(device).view(len(t), 16, -1) for t in (fixture.inputs["x"], fixture.outputs["y"]))
    error = float((model(x) - y).detach().abs().max())
    record_property(f"{name}: largest absolute error (model{'' if device.type == 'cpu' else ', cuda'})", error)
    assert error <= 1e-5


def sem_conv(state: State, theirs: str, ours: str) -> State:
    return {
        f"{ours}.weight": state[f"{theirs}.W"].transpose(0, 1),
        f"{ours}.edge_logit": state[f"{theirs}.e"][0],
        f"{ours}.bias": state[f"{theirs}.bias"],
    }


def batch_norm(state: State, theirs: str, ours: str) -> State:
    keys = ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")
    return {f"{ours}.{key}": state[f"{theirs}.{key}"] for key in keys}


def linear(state: State, theirs: str, ours: str) -> State:
    return {f"{ours}.{key}": state[f"{theirs}.{key}"] for key in ("weight", "bias")}


@pytest.mark.parametrize(("name", "channels"), [("SemGCN", 128), ("SemGCN_dropflag", 32)])
def test_sem_gcn(name: str, channels: int, authors: Callable, device: torch.device, record_property: Callable) -> None:
    fixture = authors(name)
    edges = torch.tensor(fixture.meta["args"]["adj"]).nonzero().t().flip(0)
    assert torch.equal(edges, HUMAN36M_16.edge_index), "the authors' graph is not that of HUMAN36M_16"
    blocks = sum(key.endswith("gconv1.gconv.W") for key in fixture.state)
    model = SemGCN(HUMAN36M_16, hidden_channels=channels, num_layers=blocks)
    units = {"gconv_input.0": "input"}
    for i in range(blocks):
        units |= {f"gconv_layers.{i}.gconv{k}": f"units{k}.{i}" for k in (1, 2)}
    state = sem_conv(fixture.state, "gconv_output", "head")
    for theirs, ours in units.items():
        state |= sem_conv(fixture.state, f"{theirs}.gconv", f"{ours}.conv")
        state |= batch_norm(fixture.state, f"{theirs}.bn", f"{ours}.norm")
    model.load_state_dict(state)
    assert len(state) == len(fixture.state)
    compare(name, model, fixture, device, record_property)


def test_simple_baseline(authors: Callable, device: torch.device, record_property: Callable) -> None:
    fixture = authors("SimpleBaseline_small")
    args = fixture.meta["args"]
    model = SimpleBaseline(HUMAN36M_16, hidden_channels=args["linear_size"], num_layers=args["num_stage"])
    units = {("w1", "batch_norm1"): "input"}
    for i in range(args["num_stage"]):
        stage = f"linear_stages.{i}"
        units |= {(f"{stage}.w{k}", f"{stage}.batch_norm{k}"): f"stages.{i}.unit{k}" for k in (1, 2)}
    state = linear(fixture.state, "w2", "head")
    for (weight, norm), ours in units.items():
        state |= linear(fixture.state, weight, f"{ours}.0") | batch_norm(fixture.state, norm, f"{ours}.1")
    model.load_state_dict(state)
    assert len(state) == len(fixture.state)
    compare("SimpleBaseline_small", model, fixture, device, record_property)
