"""Every model at sizes like the published ones, and AMPose beside the same built of PyG's and PyTorch's layers."""

import argparse
from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from timing import (
    Times,
    arguments,
    conditions,
    draw_bars,
    forward_only,
    interleave,
    milliseconds,
    number_of_parameters,
    publish,
    ratio,
    table,
    train_step,
)
from torch import Tensor, nn
from torch.nn import Parameter
from torch_geometric import nn as pyg
from torch_geometric.data import Batch

from skelgraph.nn import models
from skelgraph.skeleton import Skeleton
from skelgraph.skeleton.builtin import COCO_WHOLEBODY, HUMAN36M, HUMAN36M_16

AMPOSE = {"AMPose C256": (64, 256), "AMPose C128": (256, 128)}
OF_PYG = ", of PyG's layers"


class Model(NamedTuple):
    """A model, the skeleton it is for and the batch it is measured at."""

    module: nn.Module
    skeleton: Skeleton
    batch: int


class AMPoseOfPyG(nn.Module):
    """AMPose of PyG's RGCNConv on a batch's edges and PyTorch's TransformerEncoderLayer: [B, J, 2] -> [B, J, 3]."""

    def __init__(self, skeleton: Skeleton, batch: int, num_layers: int, channels: int, heads: int = 4) -> None:
        super().__init__()
        apart = skeleton.edge_type > 0
        start = torch.arange(batch).view(1, -1, 1) * skeleton.num_joints
        self.register_buffer("edge_index", (skeleton.edge_index[:, apart].unsqueeze(1) + start).flatten(1))
        self.register_buffer("edge_type", (skeleton.edge_type[apart] - 1).repeat(batch))
        self.embed = nn.Linear(2, channels)
        self.positions = nn.ParameterList(
            Parameter(0.02 * torch.randn(skeleton.num_joints, channels)) for _ in range(num_layers)
        )
        self.encoders = nn.ModuleList(
            nn.TransformerEncoderLayer(
                channels, heads, 2 * channels, dropout=0.0, activation="gelu", batch_first=True, norm_first=True
            )
            for _ in range(num_layers)
        )
        self.convs = nn.ModuleList(pyg.RGCNConv(channels, channels, num_relations=2) for _ in range(2 * num_layers))
        self.norms = nn.ModuleList(nn.BatchNorm1d(channels) for _ in range(2 * num_layers))
        self.norm = nn.LayerNorm(channels)
        self.head = nn.Linear(channels, 3)

    def forward(self, x: Tensor) -> Tensor:
        h = self.embed(x)
        for i, (position, encoder) in enumerate(zip(self.positions, self.encoders, strict=True)):
            rows = encoder(h + position).flatten(0, 1)
            first = self.unit(2 * i, rows)
            h = (first + self.unit(2 * i + 1, first)).view_as(h)
        return self.head(self.norm(h))

    def unit(self, i: int, rows: Tensor) -> Tensor:
        return self.norms[i](self.convs[i](rows, self.get_buffer("edge_index"), self.get_buffer("edge_type"))).relu()


def all_models(quick: bool) -> dict[str, Model]:
    def at(skeleton: Skeleton, batch: int, build: Callable[..., nn.Module], **sizes: Any) -> Model:
        if quick:
            batch, sizes = 2, sizes | {"num_layers": 1, "hidden_channels": 16}
        return Model(build(skeleton, **sizes), skeleton, batch)

    found = {
        "SimpleBaseline C1024": at(HUMAN36M, 256, models.SimpleBaseline, num_layers=2, hidden_channels=1024),
        "SemGCN C128": at(HUMAN36M_16, 64, models.SemGCN, num_layers=4, hidden_channels=128),
        "SemGCN C128 non-local": at(HUMAN36M_16, 64, models.SemGCN, num_layers=4, hidden_channels=128, non_local=True),
        "SemGCN C128 channel-wise": at(
            HUMAN36M_16, 64, models.SemGCN, num_layers=4, hidden_channels=128, channel_wise=True
        ),
        "SemGAN C64, J = 133": at(
            COCO_WHOLEBODY, 16, models.SemGAN, num_layers=4, hidden_channels=64, head_channels=16
        ),
        "SemGAN C256, J = 133": at(COCO_WHOLEBODY, 4, models.SemGAN, num_layers=4, hidden_channels=256),
    }
    for name, (batch, channels) in AMPOSE.items():
        found[name] = at(HUMAN36M, batch, models.AMPose, num_layers=5, hidden_channels=channels)
        layers, channels = (1, 16) if quick else (5, channels)
        batch = found[name].batch
        found[name + OF_PYG] = Model(AMPoseOfPyG(HUMAN36M, batch, layers, channels), HUMAN36M, batch)
    return found


def measure(found: dict[str, Model], way: str, args: argparse.Namespace) -> Times:
    """Times of each model on tensors [B, J, 2] and, ours, on a PyG batch."""
    cases = {}
    for name, (module, skeleton, batch) in found.items():
        module.to(args.device).train(way == "train")
        x = torch.rand(batch, skeleton.num_joints, 2, device=args.device)
        graphs = Batch.from_data_list([skeleton.to_data(pose) for pose in x.cpu()]).to(args.device)
        for how, given in (("static", x), ("batched", graphs)):
            if how == "static" or not name.endswith(OF_PYG):
                cases[f"{name}, {how}"] = case_of(module, given, way)
    return interleave(cases, args.rounds, args.clock)


def case_of(module: nn.Module, given: Any, way: str) -> Callable[[], object]:
    def call() -> Any:
        return module(given)

    return train_step(call, list(module.parameters())) if way == "train" else forward_only(call)


def rows_of(found: dict[str, Model], train: Times, forward: Times) -> list[list[str]]:
    rows = []
    for case in train:
        name, how = case.rsplit(", ", 1)
        model = found[name]
        row = [name, how, str(model.skeleton.num_joints), str(model.batch), f"{number_of_parameters(model.module):,}"]
        for times in (train, forward):
            spent = milliseconds(times, case)
            row += [f"{spent:.3g}", f"{model.batch / spent * 1e3:,.0f}"]
        rows.append(row)
    return rows


def against_pyg(train: Times, forward: Times) -> str:
    """The whole AMPose beside the same of PyG's layers."""
    rows = []
    for name, (batch, channels) in AMPOSE.items():
        bases = [ratio(times, f"{name}{OF_PYG}, static", f"{name}, static") for times in (train, forward)]
        rows.append([f"B = {batch}, C = {channels}", *(f"{base:.2f}" for base in bases)])
    return table(["AMPose, 5 layers: how many times as fast as of PyG's layers", "train step", "forward"], rows)


def main() -> None:
    args = arguments(__doc__ or "")
    found = all_models(args.quick)
    train, forward = (measure(found, way, args) for way in ("train", "forward"))
    name = "models" if args.device == "cpu" else f"models-{args.device}"
    command = f"python benchmarks/models.py --device {args.device} --rounds {args.rounds} --threads {args.threads}"
    header = ["model", "input", "J", "B", "parameters", "train ms", "poses/s", "forward ms", "poses/s"]
    speed = {
        title: {case: found[case.rsplit(", ", 1)[0]].batch / milliseconds(times, case) * 1e3 for case in times}
        for title, times in (("train step", train), ("forward", forward))
    }
    parts = [f"`{command}`", conditions(args), f"![poses per second]({name}.png)"]
    parts += [against_pyg(train, forward), table(header, rows_of(found, train, forward))]
    args.out.mkdir(parents=True, exist_ok=True)
    draw_bars(speed, "poses/s", args.out / f"{name}.png")
    publish(args, name, "\n\n".join(parts))


if __name__ == "__main__":
    main()
