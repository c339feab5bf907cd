"""Every layer, however it is called, gives what its paper's formula gives. A new layer is covered by itself."""

import copy
from collections.abc import Callable
from functools import partial

import pytest
import torch
from forests import forests
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from nn.layers.cases import CASES, DEFAULTS, LARGE, NARROW, SMALL, WIDE, Case, Channels, cases_of, graph_of
from nn.layers.oracles import ORACLES, Graph
from torch import Tensor, nn
from torch.autograd import gradcheck, gradgradcheck
from torch.func import functional_call
from torch_geometric.data import Batch, Data
from torch_geometric.explain.algorithm.utils import clear_masks, set_masks
from torch_geometric.nn import MessagePassing

from skelgraph.nn.layers import SkeletonConv, Topology, skeleton_conv
from skelgraph.skeleton import Skeleton

TOLERANCE = 1e-12
REPEATED = {"cpu": 0.0, "cuda": 1e-12}  # of the same call twice: on a GPU sums over edges have no fixed order
MANY = 4800  # graphs: enough for the route that layers take with much work
ENOUGH = 40  # where that route is taken from fewer on
Note = Callable[[str, str, object], None]

each_case = pytest.mark.parametrize("case", CASES, ids=str)


def each_case_but(*slow: Case) -> pytest.MarkDecorator:
    """Every case; those named are slow."""
    params = [pytest.param(case, marks=[pytest.mark.slow] if case in slow else []) for case in CASES]
    return pytest.mark.parametrize("case", params, ids=str)


WITHOUT_BIAS = [case for case in CASES if "bias" in case.options]  # it is added last, whatever the route
WITH_OPTIONS = [case for case in CASES if case.options]
each_layer = pytest.mark.parametrize("case", DEFAULTS, ids=str)
each_width = pytest.mark.parametrize("channels", [NARROW, WIDE], ids=["narrow", "wide"])


@pytest.fixture
def note(record_property: Callable[[str, object], None], device: torch.device) -> Note:
    """Writes a cell of the table of layers that the test run ends with."""

    def write(layer: str, column: str, value: object) -> None:
        row = layer if device.type == "cpu" else f"{layer} ({device.type})"
        record_property(f"layers | {row} | {column}", value)

    return write


def features(num_graphs: int, graph: Graph, channels: int, seed: int = 1) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(num_graphs, graph.num_joints, channels, generator=generator, dtype=torch.float64)
    return x.to(graph.edge_index.device)


def batch_of(graph: Graph, num_graphs: int) -> Batch:
    one = Data(edge_index=graph.edge_index, edge_type=graph.edge_type, num_nodes=graph.num_joints)
    return Batch.from_data_list([one] * num_graphs)


def topology_of(graph: Graph) -> Topology:
    return Topology(graph.edge_index, graph.edge_type, graph.num_joints)


def run(case: Case, layer: nn.Module, x: Tensor, graph: object, shape: torch.Size) -> list[Tensor]:
    """The output, and the gradients of one scalar of it to x and to every parameter."""
    x = x.detach().requires_grad_()
    out = case.call(layer, x, graph).reshape(shape)
    probe = torch.linspace(-1, 1, out.numel(), dtype=out.dtype, device=out.device).view_as(out)
    grads = torch.autograd.grad((out * probe).sum(), [x, *layer.parameters()])
    return [out.detach(), grads[0].reshape(*shape[:2], -1), *grads[1:]]


def largest_error(found: list[Tensor], expected: list[Tensor]) -> float:
    """Relative to the largest number in each tensor where that exceeds 1."""
    pairs = zip(found, expected, strict=True)
    return max(float(((f - e).abs().max() / e.abs().max().clamp(min=1)).detach()) for f, e in pairs)


@each_case
@each_width
@pytest.mark.parametrize("graph", [SMALL, LARGE], ids=["small", "large"])
def test_dense_oracle(case: Case, channels: Channels, graph: Graph, device: torch.device, note: Note) -> None:
    assert case.name in ORACLES, f"write {case.name}'s dense formula in tests/layers/oracles.py"
    graph = graph.to(device)
    layer, x = case.make(graph, channels), features(3, graph, channels[0])
    expected = ORACLES[case.name](layer, case.options, x, graph)
    found = [case.call(layer, x, way) for way in (graph, topology_of(graph))]
    error = largest_error(found, [expected, expected])
    note(case.name, "oracle", error)
    assert error <= TOLERANCE


@each_case_but(*WITHOUT_BIAS)
@pytest.mark.parametrize(
    ("graph", "num_graphs", "channels"),
    [
        (SMALL, 4, NARROW),
        (SMALL, 4, WIDE),
        (LARGE, 4, NARROW),
        (LARGE, 4, WIDE),
        (SMALL, ENOUGH, NARROW),
        pytest.param(SMALL, MANY, NARROW, marks=pytest.mark.slow),
    ],
    ids=["small-narrow", "small-wide", "large-narrow", "large-wide", "enough", "many"],
)
def test_all_ways_agree(
    case: Case,
    graph: Graph,
    num_graphs: int,
    channels: Channels,
    device: torch.device,
    note: Note,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if num_graphs == ENOUGH:
        monkeypatch.setattr(skeleton_conv, "FEW", ENOUGH * SMALL.num_joints)
    graph = graph.to(device)
    layer, x, topology = case.make(graph, channels), features(num_graphs, graph, channels[0]), topology_of(graph)
    shape = case.call(layer, x, graph).shape
    flat, extra = x.flatten(0, 1), x.view(2, -1, *x.shape[1:])
    strided = x.transpose(0, 2).contiguous().transpose(0, 2)
    expected = run(case, layer, flat, batch_of(graph, num_graphs), shape)
    ways = {
        "static": [(x, graph), (strided, graph)],
        "leading": [(extra, graph)],
        "Topology": [(x, topology), (flat, topology), (extra, topology), (strided, topology)],
    }
    for column, calls in ways.items():
        if column == "Topology" and not case.takes_graph:
            continue
        error = max(largest_error(run(case, layer, y, way, shape), expected) for y, way in calls)
        note(case.name, column, error)
        assert error <= TOLERANCE, column
    assert case.call(layer, flat, topology).shape == (len(flat), shape[-1])
    assert case.call(layer, extra, topology).shape == (*extra.shape[:-1], shape[-1])


@pytest.mark.parametrize("case", [case for case in CASES if case.takes_graph], ids=str)
@pytest.mark.parametrize("num_joints", [3, 60])
def test_joints_without_edges(case: Case, num_joints: int, device: torch.device) -> None:
    """Any graph will do: here only joints 0 and 1 have edges, and no joint has a self loop."""
    graph = Graph(num_joints, torch.tensor([[1, 0], [0, 1]]), torch.tensor([0, 1])).to(device)
    layer, x = case.make(graph), features(2, graph, NARROW[0])
    shape = case.call(layer, x, graph).shape
    expected, found = (run(case, layer, x, way, shape) for way in (graph, topology_of(graph)))
    assert all(t.isfinite().all() for t in expected)
    assert largest_error(found, expected) <= TOLERANCE


@each_layer
def test_one_pose_needs_no_leading_dimension(case: Case, device: torch.device) -> None:
    graph = SMALL.to(device)
    layer, x = case.make(graph), features(1, graph, NARROW[0])
    expected = case.call(layer, x, graph)[0]
    for way in (graph, topology_of(graph)):
        torch.testing.assert_close(case.call(layer, x[0], way), expected, rtol=0, atol=TOLERANCE)


@each_case_but(*WITHOUT_BIAS)
@pytest.mark.parametrize(("graph", "num_graphs"), [(SMALL, 2), (LARGE, 1)], ids=["small", "large"])
def test_gradcheck(case: Case, graph: Graph, num_graphs: int, device: torch.device, note: Note) -> None:
    graph = graph.to(device)
    layer, topology = case.make(graph, (4, 4)), topology_of(graph)
    x = features(num_graphs, graph, 4).requires_grad_()
    names, parameters = zip(*layer.named_parameters(prefix="layer"), strict=True)
    caller = Caller(case, layer)

    def output(way: object, x: Tensor, *parameters: Tensor) -> Tensor:
        return functional_call(caller, dict(zip(names, parameters, strict=True)), (x, way))

    repeated = REPEATED[device.type]
    for way, fast in ((graph, num_graphs == 1), (topology, True)):
        assert gradcheck(partial(output, way), (x, *parameters), fast_mode=fast, nondet_tol=repeated)
    if isinstance(layer, SkeletonConv):  # its sum over edges has a gradient of its own
        assert gradgradcheck(partial(output, topology), (x, *parameters), fast_mode=True, nondet_tol=repeated)
    note(case.name, "gradcheck", "ok")


class Caller(nn.Module):
    """Holds a layer, so that it can be called with other parameters."""

    def __init__(self, case: Case, layer: nn.Module) -> None:
        super().__init__()
        self.case, self.layer = case, layer

    def forward(self, x: Tensor, graph: object) -> Tensor:
        return self.case.call(self.layer, x, graph)


def relabelled(graph: Graph, order: Tensor) -> tuple[Graph, Tensor]:
    """The graph whose joint i is the old joint ``order[i]``, and which old edge each new edge is."""
    new = order.argsort()
    edges = new[graph.edge_index]
    edge_order = (edges[1] * graph.num_joints + edges[0]).argsort()
    return Graph(graph.num_joints, edges[:, edge_order], graph.edge_type[edge_order]), edge_order


@each_case
@pytest.mark.parametrize("seed", [0, 1])
def test_relabelling_joints_relabels_the_output(case: Case, seed: int, device: torch.device, note: Note) -> None:
    graph = SMALL.to(device)
    order = torch.randperm(graph.num_joints, generator=torch.Generator().manual_seed(seed)).to(device)
    other, edge_order = relabelled(graph, order)
    groups = [[0, 2, 3], [1, 4], [5], [6]]
    new = order.argsort().tolist()
    mine, theirs = {}, {}
    if "groups" in case.parameters:
        mine, theirs = {"groups": groups}, {"groups": [[new[j] for j in group] for group in groups]}
    layer, twin = case.make(graph, **mine), case.make(other, **theirs)
    with torch.no_grad():
        for parameter, source in zip(twin.parameters(), layer.parameters(), strict=True):
            for dim, size in enumerate(source.shape):
                if size in (graph.num_joints, graph.num_edges):  # no number of channels is one of these
                    source = source.index_select(dim, order if size == graph.num_joints else edge_order)
            parameter.copy_(source)
    for name, buffer in twin.state_dict().items():
        if name not in dict(twin.named_parameters()):
            buffer.copy_(layer.state_dict()[name])
    x = features(3, graph, NARROW[0])
    for own, permuted in ((graph, other), (topology_of(graph), topology_of(other))):
        found, expected = case.call(twin, x[:, order], permuted), case.call(layer, x, own)[:, order]
        error = largest_error([found], [expected])
        note(case.name, "relabel", error)
        assert error <= TOLERANCE


@each_layer
@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), skeleton=forests())
def test_on_any_forest(case: Case, data: st.DataObject, skeleton: Skeleton, device: torch.device) -> None:
    graph = graph_of(skeleton).to(device)
    case = data.draw(st.sampled_from(list(cases_of(case.name))))
    layer, x = case.make(graph), features(2, graph, NARROW[0])
    expected = ORACLES[case.name](layer, case.options, x, graph)
    for y, way in ((x, graph), (x.flatten(0, 1), batch_of(graph, 2)), (x, topology_of(graph))):
        assert largest_error([case.call(layer, y, way).view_as(expected)], [expected]) <= TOLERANCE


@each_case
def test_state_goes_round(case: Case, device: torch.device, note: Note) -> None:
    graph = SMALL.to(device)
    layer, twin, x = case.make(graph, seed=0), case.make(graph, seed=1), features(2, graph, NARROW[0])
    state = copy.deepcopy(layer.state_dict())
    twin.load_state_dict(state)
    found, expected = (case.call(each, x, topology_of(graph)) for each in (twin, layer))
    torch.testing.assert_close(found, expected, rtol=0, atol=REPEATED[device.type])
    assert all(torch.equal(twin.state_dict()[key], value) for key, value in state.items())
    note(case.name, "state", "ok")


@each_layer
def test_a_seed_resets_the_parameters(case: Case) -> None:
    layer = case.make(SMALL)
    states = []
    for _ in range(2):
        torch.manual_seed(3)
        layer.reset_parameters()
        states.append([p.clone() for p in layer.parameters()])
    assert all(torch.equal(a, b) for a, b in zip(*states, strict=True))
    assert not any(torch.equal(a, b) for a, b in zip(states[0], case.make(SMALL).parameters(), strict=True))


@each_case
def test_repr(case: Case, note: Note) -> None:
    text = repr(case.make(SMALL))
    assert text.startswith(f"{case.name}({NARROW[0]}") and "\n" not in text and "0x" not in text
    note(case.name, "repr", "ok")


@each_case_but(*WITH_OPTIONS)
@pytest.mark.filterwarnings("ignore")
def test_compiles_as_one_graph(case: Case, device: torch.device, note: Note) -> None:
    for graph in (SMALL, LARGE)[: 1 if case.options else 2]:  # tracing is slow, and no option asks for the size
        torch.compiler.reset()
        graph = graph.to(device)
        layer, x, topology = case.make(graph), features(3, graph, NARROW[0]), topology_of(graph)
        shape = case.call(layer, x, topology).shape
        compiled = torch.compile(layer, fullgraph=True, backend="eager")
        expected = run(case, layer, x, topology, shape)
        assert largest_error(run(case, compiled, x, topology, shape), expected) <= TOLERANCE
    note(case.name, "compile", "ok")


def message_passing(layer: nn.Module) -> MessagePassing:
    return next(module for module in layer.modules() if isinstance(module, MessagePassing))


@pytest.mark.parametrize("case", [case for case in CASES if case.takes_graph], ids=str)
@pytest.mark.parametrize("graph", [SMALL, LARGE], ids=["small", "large"])
def test_hooks_and_explainers_see_the_messages(case: Case, graph: Graph, device: torch.device) -> None:
    graph = graph.to(device)
    layer, x, topology = case.make(graph), features(2, graph, NARROW[0]), topology_of(graph)
    expected = case.call(layer, x, topology)
    conv = message_passing(layer)
    sizes: list[int] = []
    hook = conv.register_message_forward_hook(lambda module, inputs, out: sizes.append(out.size(module.node_dim)))
    torch.testing.assert_close(case.call(layer, x, topology), expected, rtol=0, atol=TOLERANCE)
    hook.remove()
    assert sizes, "the hook saw no message"
    for register in ("message_forward_pre", "propagate_forward", "propagate_forward_pre"):
        seen: list[bool] = []
        hook = getattr(conv, f"register_{register}_hook")(lambda *_, seen=seen: seen.append(True))
        torch.testing.assert_close(case.call(layer, x, topology), expected, rtol=0, atol=TOLERANCE)
        hook.remove()
        assert seen, register
    mask = torch.full((sizes[0],), 0.5, dtype=x.dtype, device=device)
    set_masks(layer, mask, graph.edge_index, apply_sigmoid=False)
    masked = [case.call(layer, x, way) for way in (graph, topology)]
    clear_masks(layer)
    torch.testing.assert_close(masked[0], masked[1], rtol=0, atol=TOLERANCE)
    assert not torch.allclose(masked[1], expected), "the explainer's mask changed nothing"
    torch.testing.assert_close(case.call(layer, x, topology), expected, rtol=0, atol=REPEATED[device.type])


@each_case
def test_other_sizes_raise(case: Case, device: torch.device) -> None:
    graph, other = SMALL.to(device), graph_of(Skeleton("star", list("abcde"), [-1, 0, 0, 0, 0])).to(device)
    layer, x, topology = case.make(graph), features(2, graph, NARROW[0]), topology_of(graph)
    for wrong in (x[:, :-1], x.flatten(0, 1)[:-1]):  # too few joints, no multiple
        if case.takes_graph or "num_joints" in case.parameters:
            with pytest.raises(ValueError, match="joints|multiple|expected"):
                case.call(layer, wrong, topology)
    if {"num_edges", "num_joints"} & set(case.parameters):
        y = features(2, other, NARROW[0])
        for way in (other, topology_of(other)):
            with pytest.raises(ValueError, match="multiple|expected|joints|edges"):
                case.call(layer, y, way)
    for way in (graph, topology):
        with pytest.raises((ValueError, RuntimeError)):
            case.call(layer, torch.cat([x, x], dim=-1), way)


@each_case
def test_half_precision(case: Case, device: torch.device) -> None:
    for graph in (SMALL.to(device), LARGE.to(device)):
        layer, x, topology = case.make(graph), features(3, graph, NARROW[0]), topology_of(graph)
        expected = case.call(layer, x, topology).float()
        layer.bfloat16(), topology.bfloat16()
        x = x.bfloat16().requires_grad_()
        out = case.call(layer, x, topology)
        out.sum().backward()
        assert out.dtype == x.grad.dtype == torch.bfloat16
        scale = float(expected.detach().abs().max())
        torch.testing.assert_close(out.float(), expected, rtol=0, atol=0.05 * scale)
        layer.double(), topology.double()
        again = case.make(graph)
        found, expected = (case.call(again, x.detach().double(), way) for way in (topology, topology_of(graph)))
        # the Topology lost no digit on the way
        torch.testing.assert_close(found, expected, rtol=0, atol=REPEATED[device.type])
