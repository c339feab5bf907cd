"""Every layer beside PyG's layers, the paper's dense form and the bare matrix product, interleaved in one process."""

import argparse
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import torch
import torch_geometric
from masked_dense import MaskedDenseConv
from timing import (
    Case,
    Times,
    arguments,
    conditions,
    draw_bars,
    forward_only,
    interleave,
    milliseconds,
    publish,
    ratio,
    table,
    train_step,
)
from torch import Tensor, nn
from torch_geometric import nn as pyg

from skelgraph.nn import layers
from skelgraph.skeleton import Skeleton
from skelgraph.skeleton.builtin import COCO_WHOLEBODY, HUMAN36M

# J, B, C
SIZES = ((17, 128, 512), (17, 1024, 128), (17, 200, 256), (133, 16, 512), (133, 64, 128), (133, 16, 256))
QUICK = ((17, 4, 16), (133, 2, 16))
LARGEST = 2**27  # numbers in one tensor of messages; a layer that needs more is left out
RGCN = "PyG RGCNConv, batched"
MASKED = "masked-dense SemGraphConv, static"


class Graphs(NamedTuple):
    """One skeleton, B times: as a Topology, and as the edges of a PyG batch."""

    skeleton: Skeleton
    topology: layers.Topology
    edge_index: Tensor
    edge_type: Tensor


class Layer(NamedTuple):
    """A call without arguments, what it is differentiated by, and its cost in products [N, C] x [C, C]."""

    call: Callable[[], Any]
    inputs: list[Tensor]
    products: int


def graphs_of(num_joints: int, batch: int, device: str) -> Graphs:
    skeleton = HUMAN36M if num_joints == 17 else COCO_WHOLEBODY
    edge_index, edge_type = skeleton.edge_index.to(device), skeleton.edge_type.to(device)
    start = torch.arange(batch, device=device).view(1, -1, 1) * num_joints
    batched = (edge_index.unsqueeze(1) + start).flatten(1)
    topology = layers.Topology(edge_index, edge_type, num_joints)
    return Graphs(skeleton, topology, batched, edge_type.repeat(batch))


def our_layers(channels: int, skeleton: Skeleton) -> dict[str, tuple[nn.Module, int]]:
    """The layers of skelgraph and their cost in products [N, C] x [C, C]."""
    joints, edges = skeleton.num_joints, skeleton.num_edges
    return {
        "GCNConv": (layers.GCNConv(channels, channels), 1),
        "SemConv": (layers.SemConv(channels, channels, edges), 2),
        "SemConv channel_wise": (layers.SemConv(channels, channels, edges, channel_wise=True), 2),
        "ModulatedConv": (layers.ModulatedConv(channels, channels, joints), 2),
        "PartitionConv": (layers.PartitionConv(channels, channels), 3),
        "ChebConv": (layers.ChebConv(channels, channels), 3),
        "Attention": (layers.Attention(channels, channels), 4),
        "SemAttention": (layers.SemAttention(channels, channels, edges, num_joints=joints), 5),
        "NonLocal": (layers.NonLocal(channels, joints), 2),
    }


def all_layers(graphs: Graphs, batch: int, channels: int, device: str) -> dict[str, Layer]:
    """What is measured at one size, by name."""
    joints = graphs.skeleton.num_joints
    poses = torch.randn(batch, joints, channels, device=device, requires_grad=True)
    rows = poses.detach().flatten(0, 1).requires_grad_()
    measured = {}

    def add(name: str, module: nn.Module, products: int, x: Tensor, *graph: Any) -> None:
        module.to(device)
        measured[name] = Layer(lambda: module(x, *graph), [x, *module.parameters()], products)

    for name, (module, products) in our_layers(channels, graphs.skeleton).items():
        typed = isinstance(module, layers.PartitionConv)
        edges = (graphs.edge_index, graphs.edge_type) if typed else (graphs.edge_index,)
        alone = isinstance(module, layers.NonLocal)
        add(f"{name}, static", module, products, poses, *(() if alone else (graphs.topology,)))
        if not isinstance(module, layers.ModulatedConv) or batch * joints**2 * channels <= LARGEST:
            add(f"{name}, batched", module, products, rows, *(() if alone else edges))
    apart = graphs.edge_type > 0
    relations = graphs.edge_index[:, apart], graphs.edge_type[apart] - 1
    add(RGCN, pyg.RGCNConv(channels, channels, num_relations=2), 3, rows, *relations)
    gcn = pyg.GCNConv(channels, channels, add_self_loops=False)
    add("PyG GCNConv, batched", gcn, 1, rows, graphs.edge_index)
    gat = pyg.GATConv(channels, channels // 4, heads=4, add_self_loops=False)
    add("PyG GATConv, batched", gat, 1, rows, graphs.edge_index)
    add(MASKED, MaskedDenseConv(channels, channels, graphs.topology.adjacency), 2, poses)
    return measured


def floors(num_rows: int, channels: int, device: str) -> dict[str, Layer]:
    """Bare products [N, C] x [C, kC], which no layer of cost k avoids."""

    def product(k: int) -> Layer:
        x = torch.randn(num_rows, channels, device=device, requires_grad=True)
        weight = torch.randn(channels, k * channels, device=device, requires_grad=True)
        return Layer(lambda: x @ weight, [x, weight], k)

    return {f"GEMM {k}C": product(k) for k in range(1, 6)}


@contextmanager
def torch_scatter(used: bool) -> Iterator[None]:
    """Whether PyG's own sums use torch-scatter."""
    before = torch_geometric.typing.WITH_TORCH_SCATTER
    torch_geometric.typing.WITH_TORCH_SCATTER = used
    try:
        yield
    finally:
        torch_geometric.typing.WITH_TORCH_SCATTER = before


def with_scatter(case: Case, used: bool) -> Case:
    def inner() -> None:
        with torch_scatter(used):
            case()

    return inner


def measure(measured: dict[str, Layer], way: str, args: argparse.Namespace, repeats: int = 1) -> Times:
    """Times of each layer; where torch-scatter is installed, what PyG sums is measured with and without it."""
    cases = {}
    for name, layer in measured.items():
        case = train_step(layer.call, layer.inputs) if way == "train" else forward_only(layer.call)
        if name.endswith("batched") and torch_geometric.typing.WITH_TORCH_SCATTER:
            cases[name + " + torch-scatter"] = with_scatter(case, True)
            case = with_scatter(case, False)
        cases[name] = case
    return interleave(cases, args.rounds, args.clock, repeats)


def rows_of(size: tuple[int, int, int], measured: dict[str, Layer], train: Times, forward: Times) -> list[list[str]]:
    joints, batch, channels = size
    rows = []
    for name in train:
        layer = measured[name.removesuffix(" + torch-scatter")]
        row = [name, str(joints), f"({batch}, {channels})"]
        for times in (train, forward):
            floor = f"GEMM {layer.products}C"
            speed = batch / milliseconds(times, name) * 1e3
            row += [f"{milliseconds(times, name):.3g}", f"{ratio(times, name, floor):.2f}"]
            row += [f"{ratio(times, name, RGCN):.2f}", f"{speed:,.0f}"]
        rows.append(row)
    return rows


def goals(results: dict[tuple[int, int, int], Times]) -> str:
    """The goals for a train step at 17 joints and what was measured."""
    rows = []
    for size, train in results.items():
        if size[0] != 17:
            continue
        for name, base, most in (
            ("PartitionConv, static", "GEMM 3C", 1.25),
            ("PartitionConv, static", RGCN, 1.05),
            ("SemConv, static", "GEMM 2C", 1.5),
            ("SemConv, static", MASKED, 1.0),
        ):
            value = ratio(train, name, base)
            verdict = "met" if value <= most else "**missed**"
            rows.append([f"{name} / {base}", f"({size[1]}, {size[2]})", f"{value:.3f}", f"{most:.2f}", verdict])
    return table(["train step, J = 17", "(B, C)", "ratio", "at most", ""], rows)


def latency(args: argparse.Namespace) -> str:
    """Forward of one pose."""
    channels = 16 if args.quick else 128
    measured = all_layers(graphs_of(17, 1, args.device), 1, channels, args.device)
    measured |= floors(17, channels, args.device)
    times = measure(measured, "forward", args, repeats=2 if args.quick else -(-500 // args.rounds))
    rows = [
        [name, f"{1e3 * milliseconds(times, name):.0f}", f"{ratio(times, name, 'GEMM 3C'):.2f}"]
        + [f"{ratio(times, name, RGCN):.2f}"]
        for name in times
    ]
    return table([f"forward, B = 1, J = 17, C = {channels}", "us", "x GEMM 3C", "x RGCNConv"], rows)


def main() -> None:
    args = arguments(__doc__ or "")
    results, rows, panels = {}, [], {}
    for size in QUICK if args.quick else SIZES:
        joints, batch, channels = size
        measured = all_layers(graphs_of(joints, batch, args.device), batch, channels, args.device)
        measured |= floors(batch * joints, channels, args.device)
        train, forward = (measure(measured, way, args) for way in ("train", "forward"))
        results[size] = train
        rows += rows_of(size, measured, train, forward)
        panels[f"J = {joints}, (B, C) = ({batch}, {channels})"] = {
            name: ratio(train, name, f"GEMM {measured[name].products}C") for name in measured if "GEMM" not in name
        }
    timed = ["ms", "x GEMM", "x RGCN", "poses/s"]
    header = ["layer", "J", "(B, C)", *(f"train {word}" for word in timed), *(f"forward {word}" for word in timed)]
    name = "layers" if args.device == "cpu" else f"layers-{args.device}"
    command = f"python benchmarks/layers.py --device {args.device} --rounds {args.rounds} --threads {args.threads}"
    parts = [f"`{command}`", conditions(args), f"![train step of each layer]({name}.png)"]
    args.out.mkdir(parents=True, exist_ok=True)
    label = "train step, times the layer's own bare matrix product (bars end at 4)"
    draw_bars(panels, label, args.out / f"{name}.png", line=1.0, most=4.0)
    parts += [goals(results), latency(args), table(header, rows)]
    publish(args, name, "\n\n".join(parts))


if __name__ == "__main__":
    main()
