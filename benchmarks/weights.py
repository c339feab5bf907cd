"""How well a lifter does on the cameras, the noise and the people that it is for: the figures of its model card.

python benchmarks/weights.py body [CHECKPOINT]
python benchmarks/weights.py whole_body [CHECKPOINT]
"""

from __future__ import annotations

import argparse
import itertools
from typing import Any

import torch
from torch import Tensor, nn

from skelgraph import checkpoint, metrics
from skelgraph.data import MotionCapture, Poses, Synthetic
from skelgraph.data.chance import generator
from skelgraph.data.detector import detect
from skelgraph.data.rotations import about_x, about_y
from skelgraph.data.views import FACING, Views, stand_before
from skelgraph.evaluate import predict
from skelgraph.skeleton import Skeleton

FOCALS = (0.6, 0.8, 1.15, 2.0)
SIZES = {"portrait": (1080, 1920), "1920x1080": (1920, 1080)}
PLACES = {"centred": (0.0, 0.0), "off-centre": (0.8, 0.5)}
PITCHES = (-20, 0, 20)


def lifted(model: nn.Module, poses: Poses, skeleton: Skeleton, in_channels: int) -> Tensor:
    return predict(model, poses.inputs(in_channels), skeleton)


def mpjpe_mm(model: nn.Module, poses: Poses, skeleton: Skeleton, in_channels: int) -> float:
    return 1000 * float(metrics.mpjpe(lifted(model, poses, skeleton, in_channels), poses.target))


def relative(joints: Tensor, skeleton: Skeleton) -> Tensor:
    return joints - joints[:, list(skeleton.origin)].mean(1, keepdim=True)


def poses_of(views: Views, skeleton: Skeleton, noise_px: float, missing: float, told: bool) -> Poses:
    count = len(views.joints)
    keypoints, confidence = detect(views.keypoints(), noise_px, missing, generator("weights", "detector"))
    focal = views.focal if told else torch.zeros(count)
    target = relative(views.joints, skeleton)
    return Poses(keypoints, confidence, views.image_size, target, torch.zeros(count, dtype=torch.long), focal)


def cells(bodies: Tensor) -> dict[tuple[Any, ...], Views]:
    """The bodies [N, J, 3] (y up), turned at random about the vertical, before cameras of each kind."""
    count = len(bodies)
    found = {}
    for focal, size, place, pitch in itertools.product(FOCALS, SIZES, PLACES, PITCHES):
        random = generator("weights", focal, size, place, pitch)
        yaw = 2 * torch.pi * torch.rand(count, generator=random)
        side = torch.where(torch.rand(count, 2, generator=random) < 0.5, -1.0, 1.0)
        image = torch.tensor(SIZES[size], dtype=torch.float32).expand(count, 2)
        share = torch.full((count,), 0.6)
        room = (image - 0.6 * image.amin(1, keepdim=True)) / 2
        facing = about_x(torch.full((count,), torch.pi * pitch / 180)) @ FACING @ about_y(yaw)
        found[focal, size, place, pitch] = stand_before(
            bodies, facing, focal * image[:, 0], share, side * torch.tensor(PLACES[place]) * room, image / 2, image
        )
    return found


def body(model: nn.Module, skeleton: Skeleton, channels: int, exclude: list[str]) -> None:
    test = MotionCapture(skeleton, "test", 0, exclude=exclude)
    for name, noise, missing in (("clean", 0, 0), ("5 px, 10 % missing", 5, 0.1), ("10 px, 10 % missing", 10, 0.1)):
        poses = MotionCapture(skeleton, "test", 0, exclude=exclude, noise_px=noise, missing=missing).draw(0)
        told = mpjpe_mm(model, poses, skeleton, channels)
        unknown = mpjpe_mm(model, poses._replace(focal=torch.zeros(len(poses.focal))), skeleton, channels)
        print(f"Human3.6M's camera, {name}: {unknown:.1f} mm; focal length told: {told:.1f} mm")
    index = torch.arange(0, len(test), 4)
    joints = test.bodies(index, generator("weights", "bodies"))
    joints = joints[:, [test.joints.index(joint) for joint in skeleton.joints]]
    x, y, z = joints.unbind(-1)
    views = cells(torch.stack([x, z, -y], -1))
    for told in (False, True):
        error = {
            key: mpjpe_mm(model, poses_of(v, skeleton, 0, 0, told), skeleton, channels) for key, v in views.items()
        }
        mean, worst = sum(error.values()) / len(error), max(error, key=lambda key: error[key])
        print(
            f"any camera, focal length {'told' if told else 'not known'}: mean {mean:.1f} mm, worst cell {worst} "
            f"{error[worst]:.1f} mm, {error[worst] / mean:.2f} x"
        )
        for k, values in enumerate((FOCALS, SIZES, PLACES, PITCHES)):
            by = {value: [e for key, e in error.items() if key[k] == value] for value in values}
            print("   ", ", ".join(f"{value}: {sum(e) / len(e):.1f}" for value, e in by.items()))


def whole_body(model: nn.Module, skeleton: Skeleton, channels: int) -> None:
    test = Synthetic(skeleton, "test", 0)
    for name, noise, missing in (("clean", 0, 0), ("5 px, 10 % missing", 5, 0.1)):
        poses = Synthetic(skeleton, "test", 0, noise_px=noise, missing=missing).draw(0)
        poses = poses._replace(focal=torch.zeros(len(poses.focal)))
        h3wb = metrics.h3wb(lifted(model, poses, skeleton, channels), poses.target)
        print(f"synthetic test people, {name}:", {key: round(1000 * float(value), 1) for key, value in h3wb.items()})
    joints = torch.cat([test.figure.joints(a, *_some(test, 60)) for a in test.actions])
    error = {
        key: mpjpe_mm(model, poses_of(view, skeleton, 0, 0, False), skeleton, channels)
        for key, view in cells(joints).items()
    }
    mean, worst = sum(error.values()) / len(error), max(error, key=lambda key: error[key])
    print(f"any camera: mean {mean:.1f} mm, worst cell {worst} {error[worst]:.1f} mm, {error[worst] / mean:.2f} x")


def _some(test: Synthetic, count: int) -> tuple[Tensor, Tensor, Tensor]:
    random = generator("weights", "people")
    people = test.people[torch.randint(len(test.people), (count,), generator=random)]
    return torch.rand(count, generator=random), people, torch.rand(count, test.figure.style_columns, generator=random)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("body", "whole_body"))
    parser.add_argument("checkpoint", nargs="?")
    parser.add_argument("--exclude", default="", help="test subjects to leave out, such as cmu_02")
    given = parser.parse_args()
    model, skeleton, meta = checkpoint.load_run(given.checkpoint)
    print(f"{given.checkpoint}: {skeleton.name}, step {meta['step']}")
    if given.what == "body":
        body(model, skeleton, meta["in_channels"], given.exclude.split(",") if given.exclude else [])
    else:
        whole_body(model, skeleton, meta["in_channels"])


if __name__ == "__main__":
    main()
