"""Every published system that is here, as a table: parameters, multiply-adds, inputs, outputs, papers."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from skelgraph.errors import ConfigError
from skelgraph.files.messages import nearest
from skelgraph.nn import models
from skelgraph.nn.layers import SkeletonConv
from skelgraph.nn.models import (
    GCN,
    MSTR,
    STGCN,
    AMPose,
    GraFormer,
    JointFormer,
    JointFormerRefinement,
    LargeSimpleBaseline,
    ModulatedGCN,
    SemGAN,
    SemGCN,
    SimpleBaseline,
)
from skelgraph.nn.output import PoseOutput, as_output
from skelgraph.skeleton.builtin import COCO_WHOLEBODY, HUMAN36M, HUMAN36M_16
from skelgraph.training.plugins import Plugins, load

UNKNOWN = "not given"
SIDE = 224  # of the one image that a model of images is shown


class System(NamedTuple):
    """A system as published: how it is made here, and what its authors say of its size."""

    name: str
    make: Callable[[], models.SkeletonModel]
    paper: str
    parameters: str = UNKNOWN
    multiply_adds: str = UNKNOWN


SYSTEMS = (
    System("SimpleBaseline", lambda: SimpleBaseline(HUMAN36M_16), "Martinez et al. 2017", "4.29 M"),
    System("SimpleBaseline of H3WB", lambda: SimpleBaseline(COCO_WHOLEBODY, input_unit=False), "Zhu et al. 2023"),
    System("Large SimpleBaseline", lambda: LargeSimpleBaseline(COCO_WHOLEBODY), "Zhu et al. 2023"),
    System("GCN", lambda: GCN(HUMAN36M_16), "Kipf and Welling 2017"),
    System("SemGCN", lambda: SemGCN(HUMAN36M_16), "Zhao et al. 2019", "0.27 M"),
    System("SemGCN, non-local", lambda: SemGCN(HUMAN36M_16, non_local=True), "Zhao et al. 2019", "0.43 M"),
    System("SemGCN, channel-wise", lambda: SemGCN(HUMAN36M_16, channel_wise=True), "Zhao et al. 2019"),
    System(
        "SemGCN, channel-wise, non-local",
        lambda: SemGCN(HUMAN36M_16, channel_wise=True, non_local=True),
        "Zhao et al. 2019",
    ),
    System("Modulated GCN", lambda: ModulatedGCN(HUMAN36M_16), "Zou and Tang 2021", "0.29 M"),
    System(
        "Modulated GCN, benchmark form",
        lambda: ModulatedGCN(HUMAN36M, hidden_channels=384, non_local=True, modulation="xavier", dropout=0.2),
        "Zou and Tang 2021",
    ),
    System("ST-GCN, 1 frame", lambda: STGCN(HUMAN36M), "Cai et al. 2019"),
    System("ST-GCN, 3 frames", lambda: STGCN(HUMAN36M, num_frames=3), "Cai et al. 2019"),
    System("GraFormer", lambda: GraFormer(HUMAN36M_16), "Zhao et al. 2022", "0.65 M"),
    System("JointFormer", lambda: JointFormer(HUMAN36M), "Lutz et al. 2022"),
    System("JointFormer, refinement", lambda: JointFormerRefinement(HUMAN36M), "Lutz et al. 2022"),
    System("AMPose", lambda: AMPose(HUMAN36M), "Lin 2023", "18.3 M", "312.2 M"),
    System("AMPose, two residual", lambda: AMPose(HUMAN36M, block="two_residual"), "Lin 2023", "18.5 M", "312.2 M"),
    System("AMPose, Transformer", lambda: AMPose(HUMAN36M, block="transformer"), "Lin 2023", "17.0 M", "289.8 M"),
    System("AMPose, ConvNeXt", lambda: AMPose(HUMAN36M, block="convnext"), "Lin 2023", "17.0 M", "289.9 M"),
    System("AMPose, 27 frames", lambda: AMPose(HUMAN36M, num_frames=27), "Lin 2023", "18.4 M", "313 M"),
    System("SemGAN", lambda: SemGAN(COCO_WHOLEBODY), "Wen et al. 2024"),
    System("MSTR", lambda: MSTR(HUMAN36M, out_channels=2), "Jiao et al. 2024"),
)
ABSENT = {
    "VideoPose3D": "Pavllo et al. 2019",
    "PoseFormer": "Zheng et al. 2021",
    "MotionBERT": "Zhu et al. 2023",
}
HEAD = (
    *("system", "input", "output", "parameters", "published"),
    *("multiply-adds a pose", "published", "paper"),
)


def table() -> list[tuple[str, ...]]:
    """The head and one row a system; ours are counted, the authors' quoted."""
    rows = [HEAD]
    for system in SYSTEMS:
        model = system.make().eval()
        x, output = sample(model)
        extra = ", error" if output.error is not None else ""
        rows.append(
            (
                system.name,
                shape(x),
                shape(output.pose) + extra,
                f"{count_parameters(model):,}",
                system.parameters,
                f"{count_multiply_adds(model) / 1e6:.1f} M",
                system.multiply_adds,
                system.paper,
            )
        )
    return [*rows, *((name, *["not here"] * 6, paper) for name, paper in ABSENT.items())]


def markdown(rows: Sequence[Sequence[str]]) -> str:
    """A table as markdown, its numbers to the right."""
    align = ["---:" if title.startswith(("parameters", "published", "multiply")) else "---" for title in rows[0]]
    return "\n".join(f"| {' | '.join(row)} |" for row in (rows[0], align, *rows[1:]))


def describe(name: str, plugins: Plugins = ()) -> tuple[str, str]:
    """A model's signature and docstring.

    Raises:
        ConfigError: for an unknown model, with the nearest name.
    """
    modules = (models, *load(plugins))
    known = {each: getattr(module, each) for module in modules for each in module.__all__}
    if name not in known:
        raise ConfigError(f"unknown model {name!r}{nearest(name, known)}")
    return str(inspect.signature(known[name])), inspect.getdoc(known[name]) or ""


def count_parameters(model: nn.Module) -> int:
    return sum(parameter.numel() for parameter in model.parameters())


def count_multiply_adds(model: Any) -> int:
    """Multiply-adds of one pose (or clip), counted so that AMPose's come out as its author counts them (Table 4.6).

    Linear maps and convolutions, a graph convolution with each of its weight matrices once a joint; batch norms, two a
    number, without which 312.2 M would be 312.0 M. Products with the graph and within attention, other norms, biases
    and activations are left out.
    """
    total = 0

    def add(module: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
        nonlocal total
        if isinstance(module, SkeletonConv):
            total += inputs[0].numel() * module.num_slots * module.out_channels
        elif isinstance(module, nn.Conv1d | nn.Conv2d):
            total += output.numel() * module.weight[0].numel()
        elif isinstance(module, nn.BatchNorm1d):
            total += 2 * output.numel()
        else:
            total += inputs[0].numel() * module.out_features

    kinds = (SkeletonConv, nn.Conv1d, nn.Conv2d, nn.BatchNorm1d, nn.Linear)
    counted = [module for module in model.modules() if isinstance(module, kinds)]
    handles = [module.register_forward_hook(add) for module in counted]
    try:
        sample(model.eval())
    finally:
        for handle in handles:
            handle.remove()
    return total


@torch.no_grad()
def sample(model: models.PoseModel) -> tuple[Tensor, PoseOutput]:
    """One input of zeros, of one view, and what the model gives for it."""
    pose = (model.skeleton.num_joints, model.in_channels)
    shapes = {
        "pose": pose,
        "clip": (model.num_frames, *pose),
        "views": (1, model.num_frames, *pose),
        "images": (1, 1, model.in_channels, SIDE, SIDE),
    }
    x = torch.zeros(1, *shapes[model.input_kind])
    return x, as_output(model(x))


def shape(tensor: Tensor) -> str:
    return f"`[B, {', '.join(map(str, tensor.shape[1:]))}]`"
