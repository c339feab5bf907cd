"""Training steps of every model on a pretended GPU; ``python tests/pretended_steps.py`` prints what it would object to.

With ``slow``, the cases of :data:`SLOW` in place of the others.

As JSON: for each name of :data:`STEPS`, :data:`GEOMETRY` and :data:`FAULTY` the events, the error and the number of
operations.
"""

from __future__ import annotations

import dataclasses
import inspect
import json
import sys
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NamedTuple

import tiny
import torch
from torch import Tensor, nn

from skelgraph.geometry import triangulation
from skelgraph.geometry.cameras import Camera
from skelgraph.geometry.epipolar import epipolar_distance
from skelgraph.geometry.human36m import human36m_cameras
from skelgraph.multiview import body_refinement
from skelgraph.nn import models
from skelgraph.nn.inputs import multiview_input
from skelgraph.nn.layers import self_attention
from skelgraph.nn.models.mstr import MSTR
from skelgraph.nn.models.multi_view_lifter import MultiViewLifter
from skelgraph.skeleton import Skeleton
from skelgraph.skeleton.builtin import COCO_WHOLEBODY, HUMAN36M
from skelgraph.training import experiment
from skelgraph.training.loop import Loop
from skelgraph.training.progress import Silent

LOSS = {"mpjpe": 1.0, "mse": 1.0, "l1": 1.0, "bone": 0.1, "normal": 0.1}
WITH_ERROR = LOSS | {"error": 0.25}
PREDICT_ERRORS = ("JointFormer", "PartLifter", "SemGAN")
SMALL = {"hidden_channels": 16, "num_layers": 1, "heads": 2, "head_channels": 8, "ffn_channels": 16}
WINDOWS = {"patch_size": 4, "hidden_channels": 16, "depths": (2, 1), "heads": (2, 4), "window_size": 4, "num_layers": 1}


class Step(NamedTuple):
    """A model and what it is trained on: x [B, ..., J, C] or images, a target of the same leading dimensions."""

    model: Callable[[], nn.Module]
    skeleton: Skeleton
    lead: tuple[int, ...]
    loss: Mapping[str, float] = LOSS
    image: tuple[int, ...] | None = None
    optim: Mapping[str, Any] = {"name": "AdamW"}
    train: Mapping[str, Any] = {}


def small(name: str, skeleton: Skeleton, **options: Any) -> nn.Module:
    model = getattr(models, name)
    known = inspect.signature(model).parameters
    return model(skeleton, **{key: value for key, value in {**SMALL, **options}.items() if key in known})


def of_poses(name: str, skeleton: Skeleton = HUMAN36M, loss: Mapping[str, float] = LOSS, **options: Any) -> Step:
    frames = (options["num_frames"],) if "num_frames" in options else ()
    return Step(partial(small, name, skeleton, **options), skeleton, (4, *frames), loss)


def of_views(model: Callable, image: tuple[int, ...] | None = None, **options: Any) -> Step:
    return Step(partial(model, HUMAN36M, **options), HUMAN36M, (2, 3, 2), {"mpjpe": 1.0}, image)


LIFTERS = [name for name in models.__all__ if name not in ("MSTR", "MultiViewLifter")]
STEPS: dict[str, Step] = {
    **{name: of_poses(name, loss=WITH_ERROR if name in PREDICT_ERRORS else LOSS) for name in LIFTERS},
    **{f"{name} whole body": of_poses(name, COCO_WHOLEBODY) for name in ("AMPose", "SemGCN")},
    "PartLifter whole body": of_poses(
        "PartLifter", COCO_WHOLEBODY, WITH_ERROR, in_channels=4, small_parts=("left_hand", "right_hand", "face")
    ),
    "SemGCN non-local": of_poses("SemGCN", non_local=True),
    "AMPose clips": of_poses("AMPose", num_frames=9),
    "STGCN clips": of_poses("STGCN", num_frames=3, loss=LOSS | {"velocity": 1.0}),
    "MultiViewLifter rays": of_views(MultiViewLifter, hidden_channels=16, num_layers=1),
    "MultiViewLifter no rays": of_views(MultiViewLifter, in_channels=3, hidden_channels=16, num_layers=1),
    "RMSprop": of_poses("GCN")._replace(optim={"name": "RMSprop"}),
    "averaged weights": of_poses("GCN")._replace(train={"ema": 0.99}),
    "MSTR": of_views(MSTR, image=(3, 16, 16), tokens="all", position=(3, 2), relation_heads=2, **WINDOWS),
}


# Models of STEPS on another skeleton, or with fewer frames or channels: the other cases run their code too.
SLOW = ("STGCN", "SemGCN whole body", "MultiViewLifter no rays")


class Samples(list):
    """As much of a dataset as a loop asks for before it draws."""

    flips = False


def step_of(case: Step) -> Callable[[], None]:
    """The loop's step with the case's model, on the pretended GPU."""
    from pretended_gpu import DEVICE, FAKE, empty, move, pretend

    settings = tiny.settings(flip_test=False, **case.train) | {"optim": {"clip": 1.0, **case.optim}}
    made = experiment.build(settings, [tiny])
    model = case.model()
    data = Samples(range(20))
    made = dataclasses.replace(made, skeleton=case.skeleton, model=model, train_data=data, loss=dict(case.loss))
    loop: Any = Loop(made, None, Silent(), None)  # type: ignore[arg-type] - a step needs no folder and nobody stops it
    loop.device = DEVICE
    move(loop.model).train()
    if loop.ema is not None:
        move(loop.ema.model)
    for name, value in list(vars(loop).items()):
        if isinstance(value, Tensor):
            setattr(loop, name, pretend(value))
    with FAKE:
        loop.optimizer = made.optim.make(loop.model.parameters())
    if case.image is not None:
        x = empty((*case.lead, *case.image), torch.uint8)
    else:
        x = empty((*case.lead, case.skeleton.num_joints, model.in_channels))
    target = case.lead if case.image is not None or len(case.lead) < 3 else (case.lead[0], case.lead[2])
    return partial(loop.step, x, empty((*target, case.skeleton.num_joints, 3)))


# Of cameras [V] and px [V, F, J, 2]; the points in the world are [F, J, 3] and without numbers.
GEOMETRY: dict[str, Callable[[Camera, Tensor], Any]] = {
    "projection": lambda cameras, px: cameras.project(cameras.to_camera(points_of(px)[None])),
    "jacobian": lambda cameras, px: cameras.directions_to_world(cameras.project_jacobian(points_of(px)[None])),
    "world": lambda cameras, px: cameras.in_turned_world(cameras.R[0]).turned(cameras.R).to_world(points_of(px)[None]),
    "undistorted": lambda cameras, px: cameras.undistort(px),
    "views": lambda cameras, px: multiview_input(cameras, px, px[..., 0]),
    "reprojection": lambda cameras, px: triangulation.reprojection_error(cameras, points_of(px), px),
    "epipolar": lambda cameras, px: epipolar_distance(cameras[0], px[0], cameras[1], px[1]),
    "body": lambda cameras, px: refined_body(cameras, px),
}


def points_of(px: Tensor) -> Tensor:
    return torch.cat([px[0], px[0, ..., :1]], -1)


def refined_body(cameras: Camera, px: Tensor) -> Tensor:
    """Without the checks at its door, which wait for the device."""
    ends = px.new_zeros(5, 2).long()
    return body_refinement._refined(cameras, points_of(px), px, px[..., 0], ends, px[0, 0, :5, 0], 15.0)


def geometry(measure: Callable[[Camera, Tensor], Any], cameras: Camera) -> None:
    from pretended_gpu import empty, pretend

    values = {key: pretend(getattr(cameras, key)) for key in ("R", "T", "f", "c", "k", "p", "image_size")}
    measure(Camera._made(values), empty((4, 6, 17, 2), torch.float64))


# What a GPU objects to, and what the report says of it; without these the models' empty reports would mean nothing.
FAULTY: dict[str, tuple[Callable[[Tensor], Any], str]] = {
    "list": (lambda x: x[:, [0, 2]], "index by a list copies from the host"),
    "tensor": (lambda x: torch.tensor([1.0, 2.0], device=x.device), "tensor() copies from the host"),
    "new_tensor": (lambda x: x.new_tensor([1.0, 2.0]), "new_tensor() copies from the host"),
    "cpu": (lambda x: x.cpu(), "copy between host and device"),
    "to": (lambda x: torch.zeros(3).to(x.device), "copy between host and device"),
    "index": (lambda x: x[:, torch.zeros(2, dtype=torch.long)], "index copied between host and device"),
    "item": (lambda x: x.sum().item(), "_local_scalar_dense"),
    "if": (lambda x: bool(x.sum() > 0), "_local_scalar_dense"),
    "equal": (lambda x: torch.equal(x, x), "equal"),
    "mask": (lambda x: x[x > 0], "nonzero"),
    "nonzero": (lambda x: x.nonzero(), "nonzero"),
    "unique": (lambda x: x.unique(), "unique"),
    "two devices": (lambda x: x + torch.zeros(4), "two devices"),
    "median": (lambda x: x.median(1), "median has no deterministic"),
    "nanmedian": (lambda x: x.nanmedian(1), "nanmedian has no deterministic"),
    "cumsum": (lambda x: x.cumsum(1), "cumsum has no deterministic"),
}


def main() -> None:
    from pretended_gpu import watched

    self_attention.SMALL = 0  # on CUDA attention is fused at any size
    slow = sys.argv[1:] == ["slow"]
    report = {name: watched(step_of(case)) for name, case in STEPS.items() if (name in SLOW) == slow}
    if not slow:
        report |= others()
    print(json.dumps(report))


def others() -> dict[str, dict[str, Any]]:
    """The reports of the geometry and of the faults."""
    from pretended_gpu import empty, watched

    cameras = human36m_cameras(["S1"])[0]
    report = {name: watched(partial(geometry, measure, cameras)) for name, measure in GEOMETRY.items()}
    return report | {name: watched(partial(fault, empty((4, 4)))) for name, (fault, _) in FAULTY.items()}


if __name__ == "__main__":
    main()
