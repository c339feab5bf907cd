"""Whether layers, models, losses and datasets give on a GPU what they give on the CPU."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import torch
from gpu_cases import Settings
from torch import Tensor

from skelgraph.nn import layers, losses
from skelgraph.nn.output import PoseOutput, as_output, map_output
from skelgraph.nn.prediction import answered, gives_frames
from skelgraph.skeleton import Skeleton
from skelgraph.skeleton.builtin import COCO_WHOLEBODY, HUMAN36M
from skelgraph.training import experiment

RELATIVE = 1e-4  # largest difference allowed, relative to the largest number
GRADIENTS = 1e-3  # of gradients, where differences are of sums that nearly cancel
BF16 = 0.05  # of the loss
Verdict = tuple[bool, str]


def difference(found: list[Tensor], expected: list[Tensor]) -> float:
    """The largest difference of pairs of tensors, relative to each pair's largest number (at least 1e-3 of all's)."""
    scales = [float(tensor.abs().max()) if tensor.numel() else 0.0 for tensor in expected]
    least = 1e-3 * max(scales, default=0.0) or 1.0
    worst = 0.0
    for a, b, scale in zip(found, expected, scales, strict=True):
        if not torch.equal(a.cpu().isfinite(), b.cpu().isfinite()):
            return float("inf")
        apart = (a.cpu().double() - b.cpu().double()).nan_to_num(0.0).abs()
        worst = max(worst, float(apart.max()) / max(scale, least) if apart.numel() else 0.0)
    return worst


def verdict(outputs: float, gradients: float | None = None) -> Verdict:
    said = f"outputs {outputs:.1e}" + ("" if gradients is None else f", gradients {gradients:.1e}")
    return outputs <= RELATIVE and (gradients is None or gradients <= GRADIENTS), said


def layer_sizes(skeleton: Skeleton) -> dict[str, int]:
    sizes = {"num_edges": skeleton.num_edges, "num_joints": skeleton.num_joints, "num_types": 3}
    return {"in_channels": 16, "out_channels": 24, "window_size": 3} | sizes


def check_layer(name: str, skeleton: Skeleton, way: str, device: torch.device) -> Verdict:
    cls = getattr(layers, name)
    known = inspect.signature(cls).parameters
    torch.manual_seed(0)
    layer = cls(**{key: size for key, size in layer_sizes(skeleton).items() if key in known}).eval()
    grid = (6, 7) if "window_size" in known else (skeleton.num_joints,)
    x, probe = torch.randn(4, *grid, 16), torch.randn(4, *grid, 24)

    def run(where: torch.device) -> tuple[list[Tensor], list[Tensor]]:
        takes = list(inspect.signature(layer.forward).parameters)[1:]
        edges = {"edge_index": skeleton.edge_index.to(where), "edge_type": skeleton.edge_type.to(where)}
        graph: tuple[Any, ...] = tuple(edges[each] for each in takes)
        if way == "Topology" and takes:
            graph = (layers.Topology(skeleton.edge_index, skeleton.edge_type, skeleton.num_joints).to(where),)
        layer.to(where)
        leaf = x.to(where).requires_grad_()
        out = layer(leaf, *graph)
        out = out if out.shape == probe.shape else out[..., : probe.size(-1)]
        gradients = torch.autograd.grad((out * probe[..., : out.size(-1)].to(where)).sum(), [leaf, *layer.parameters()])
        return [out.detach()], list(gradients)

    (expected, wanted), (found, given) = run(torch.device("cpu")), run(device)
    return verdict(difference(found, expected), difference(given, wanted))


def layer_checks(
    device: torch.device, skeletons: tuple[Skeleton, ...] = (HUMAN36M, COCO_WHOLEBODY)
) -> Iterator[tuple[str, Callable[[], Verdict]]]:
    for name in layers.__all__:
        takes = inspect.signature(getattr(layers, name).forward).parameters
        if name not in ("SkeletonConv", "Topology"):
            for skeleton in skeletons:
                for way in ("Topology", "edge_index") if "edge_index" in takes else ("alone",):
                    check = partial(check_layer, name, skeleton, way, device)
                    yield f"{name}, {skeleton.num_joints} joints, {way}", check


def loss_and_gradients(made: experiment.Experiment, x: Tensor, target: Tensor, bf16: bool = False) -> Any:
    """The model's pose, its loss and the parameters' gradients, in evaluation mode: nothing in it is random."""
    model = made.model.eval()
    model.zero_grad()
    with torch.autocast(x.device.type, torch.bfloat16, enabled=bf16):
        output = as_output(model(x))
    output = map_output(Tensor.float, output)
    target, frames = answered(target, model), gives_frames(model)
    loss, _ = losses.objective(output, target, made.skeleton, made.loss, frames=frames)
    loss.backward()
    gradients = [p.grad.clone() for p in model.parameters() if p.grad is not None]  # model.to() moves p.grad itself
    return [output.pose.detach(), loss.detach()], gradients


def drawn(made: experiment.Experiment, device: torch.device | None = None) -> tuple[Tensor, Tensor]:
    poses = made.train_data.draw(0).to(device)
    return poses.inputs(made.model.in_channels)[:8], poses.target[:8]


def awake(made: Settings) -> experiment.Experiment:
    """The experiment with no weight of its model at its initial value, which is 0 in some heads."""
    built = experiment.build(made)
    torch.manual_seed(0)
    with torch.no_grad():
        for parameter in built.model.parameters():
            parameter += 0.02 * torch.randn_like(parameter)
    return built


def check_model(made: Settings, device: torch.device) -> Verdict:
    built = awake(made)
    x, target = drawn(built)
    expected, wanted = loss_and_gradients(built, x, target)
    built.model.to(device)
    found, given = loss_and_gradients(built, x.to(device), target.to(device))
    return verdict(difference(found, expected), difference(given, wanted))


def check_bf16(made: Settings, device: torch.device) -> Verdict:
    built = awake(made)
    built.model.to(device)
    x, target = (each.to(device) for each in drawn(built))
    (pose, loss), _ = loss_and_gradients(built, x, target)
    (rounded, found), gradients = loss_and_gradients(built, x, target, bf16=True)
    off, moved = float((found - loss).abs() / loss), float((rounded - pose).norm(dim=-1).mean()) * 1000
    finite = all(bool(gradient.isfinite().all()) for gradient in gradients)
    return finite and off <= BF16, f"loss {off:.1e}, poses {moved:.1f} mm, gradients {'' if finite else 'not '}finite"


def check_loss(name: str, device: torch.device) -> Verdict:
    random = torch.Generator().manual_seed(0)
    pose, target = (torch.randn(4, 5, 17, 3, generator=random) for _ in range(2))

    def run(where: torch.device) -> tuple[Tensor, Tensor]:
        leaf = pose.to(where).requires_grad_()
        total, _ = losses.objective(PoseOutput(leaf, leaf.abs()), target.to(where), HUMAN36M, {name: 1.0}, frames=True)
        return total.detach(), torch.autograd.grad(total, leaf)[0]

    (expected, wanted), (found, given) = run(torch.device("cpu")), run(device)
    return verdict(difference([found], [expected]), difference([given], [wanted]))


def check_dataset(data: Settings, device: torch.device) -> Verdict:
    made = experiment.build_data(data, HUMAN36M, "train", 0)
    here, there = made.draw(1), made.draw(1).to(device)
    channels = {"MultiView": (3, 9), "Rendered": (3,)}.get(data["name"], (2, 3, 4))
    expected, found = ([poses.target, *(poses.inputs(c) for c in channels)] for poses in (here, there))
    if any(tensor.device.type != device.type for tensor in found):
        return False, f"on {', '.join(sorted({str(tensor.device) for tensor in found}))}"
    return verdict(difference([each.float() for each in found], [each.float() for each in expected]))
