"""How well the shipped lifters do on the cameras, the noise and the people that they are for: their model card.

python benchmarks/weights.py body
python benchmarks/weights.py whole_body
"""

from __future__ import annotations

import argparse
import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from matplotlib import pyplot
from timing import publish, table
from torch import Tensor

from skelgraph.datasets import MotionCapture, Poses, Synthetic
from skelgraph.datasets.cameras.views import FACING, Views, stand_before
from skelgraph.datasets.randomness import generator
from skelgraph.geometry.rotations import about_x, about_y
from skelgraph.lifting import weights
from skelgraph.lifting.error_estimate import ErrorEstimate
from skelgraph.nn import metrics
from skelgraph.nn.models import PoseModel
from skelgraph.nn.prediction import predict
from skelgraph.skeleton import Skeleton
from skelgraph.skeleton.bones import center_on
from skelgraph.training import checkpoint

FOCALS = (0.6, 0.8, 1.15, 2.0)
SIZES = {"portrait": (1080, 1920), "1920x1080": (1920, 1080)}
PLACES = {"centred": (0.0, 0.0), "off-centre": (0.8, 0.5)}
PITCHES = (-20, 0, 20)
SHARE = 0.6  # of the shorter side of the image, that the sphere about the figure is over
HEAD = ("what", "measured", "at most", "")


class Lifting(NamedTuple):
    """A checkpoint, ready to be judged."""

    model: PoseModel
    skeleton: Skeleton
    estimate: ErrorEstimate | None

    def errors(self, poses: Poses) -> tuple[Tensor, Tensor, np.ndarray | None]:
        """Poses [N, J, 3], their error [N, J] in mm, and the error expected [N, J] in mm."""
        found = predict(self.model, poses.inputs(self.model.in_channels), self.skeleton)
        error = 1000 * metrics.per_joint(found.pose, poses.target)
        expected = None if found.error is None or self.estimate is None else self.estimate(found.error.numpy())
        return found.pose, error, expected

    def mpjpe(self, poses: Poses) -> float:
        return float(self.errors(poses)[1].mean())


def untold(poses: Poses) -> Poses:
    return poses._replace(focal=torch.zeros(len(poses.focal)))


def poses_of(views: Views, skeleton: Skeleton) -> Poses:
    target = center_on(views.joints, skeleton.origin)
    none = torch.zeros(len(target), dtype=torch.long)
    return Poses(views.keypoints(), torch.ones(target.shape[:2]), views.image_size, target, none, views.focal)


def cells(bodies: Tensor) -> dict[tuple[Any, ...], Views]:
    """The bodies [N, J, 3] (y up), turned at random about the vertical, before cameras of each kind."""
    count, found = len(bodies), {}
    for focal, size, place, pitch in itertools.product(FOCALS, SIZES, PLACES, PITCHES):
        random = generator("weights", focal, size, place, pitch)
        yaw = 2 * torch.pi * torch.rand(count, generator=random)
        side = torch.where(torch.rand(count, 2, generator=random) < 0.5, -1.0, 1.0)
        image = torch.tensor(SIZES[size], dtype=torch.float32).expand(count, 2)
        room = (image - SHARE * image.amin(1, keepdim=True)) / 2 * torch.tensor(PLACES[place])
        facing = about_x(torch.full((count,), torch.pi * pitch / 180)) @ FACING @ about_y(yaw)
        share = torch.full((count,), SHARE)
        lens = focal * image[:, 0]
        found[focal, size, place, pitch] = stand_before(bodies, facing, lens, share, side * room, image / 2, image)
    return found


def any_camera(lifting: Lifting, bodies: Tensor, limit: float | None = None) -> list[tuple[str, ...]]:
    rows = []
    views = {key: poses_of(view, lifting.skeleton) for key, view in cells(bodies).items()}
    for told in (False, True):
        error = {key: lifting.mpjpe(poses if told else untold(poses)) for key, poses in views.items()}
        mean, worst = sum(error.values()) / len(error), max(error, key=lambda key: error[key])
        name = f"any camera, focal length {'told' if told else 'not told'}"
        rows.append((f"{name}: mean of {len(error)} cells", f"{mean:.1f} mm", "", ""))
        cell = "f/w {}, {}, {}, pitch {}".format(*worst)
        rows.append(judged(f"{name}: worst cell ({cell}) / mean", error[worst] / mean, limit, "x"))
        for kinds, what in ((FOCALS, "f/w"), (SIZES, ""), (PLACES, ""), (PITCHES, "pitch")):
            k = (FOCALS, SIZES, PLACES, PITCHES).index(kinds)
            by = {kind: [e for key, e in error.items() if key[k] == kind] for kind in kinds}
            told_by = ", ".join(f"{what} {kind}: {sum(e) / len(e):.1f}".strip() for kind, e in by.items())
            rows.append((f"{name}: by kind", f"{told_by} mm", "", ""))
    return rows


def judged(what: str, value: float, limit: float | None, unit: str) -> tuple[str, ...]:
    shown = f"{value:.2f} {unit}" if unit == "x" else f"{value:.1f} {unit}"
    if limit is None:
        return what, shown, "", ""
    return what, shown, f"{limit:g}", "met" if value <= limit else "not met"


def body(lifting: Lifting, exclude: Sequence[str]) -> tuple[list[tuple[str, ...]], dict[str, Poses]]:
    rows, noisy = [], {}
    for name, noise, missing, limit in (
        ("exact keypoints", 0.0, 0.0, 52),
        ("5 px noise, 10 % missing", 5.0, 0.1, 70),
        ("10 px noise, 10 % missing", 10.0, 0.1, None),
    ):
        test = MotionCapture(lifting.skeleton, "test", 0, exclude=exclude, noise_px=noise, missing=missing)
        poses = untold(test.draw(0))
        what, value = f"test subjects, {name}", lifting.mpjpe(poses)
        rows.append(judged(what, value, limit, "mm"))
        if noise:
            noisy[name] = poses
    joints = test.bodies(torch.arange(0, len(test), 4), generator("weights", "bodies"))
    x, y, z = joints[:, [test.joints.index(joint) for joint in lifting.skeleton.joints]].unbind(-1)
    return rows + any_camera(lifting, torch.stack([x, z, -y], -1), 1.4), noisy


def whole_body(lifting: Lifting) -> tuple[list[tuple[str, ...]], dict[str, Poses]]:
    rows, noisy = [], {}
    limits = {"body": 65, "hands_wrist": 15, "face_nose": 6}
    for name, noise, missing in (
        ("exact keypoints", 0.0, 0.0),
        ("5 px noise, 10 % missing", 5.0, 0.1),
        ("10 px noise, 10 % missing", 10.0, 0.1),
    ):
        test = Synthetic(lifting.skeleton, "test", 0, noise_px=noise, missing=missing)
        poses = untold(test.draw(0))
        found = metrics.h3wb(lifting.errors(poses)[0], poses.target)
        for part, limit in limits.items():
            value, what = 1000 * float(found[part]), f"synthetic test people, {name}: {part.replace('_', ', by ')}"
            rows.append(judged(what, value, None if noise else limit, "mm"))
        if noise:
            noisy[name] = poses
    random = generator("weights", "people")
    people = test.people[torch.randint(len(test.people), (80 * len(test.actions),), generator=random)]
    phase, style = torch.rand(80, generator=random), torch.rand(80, test.figure.style_columns, generator=random)
    parts = zip(test.actions, people.chunk(len(test.actions)), strict=True)
    bodies = torch.cat([test.figure.joints(action, phase, shape, style) for action, shape in parts])
    return rows + any_camera(lifting, bodies), noisy


def deciles(lifting: Lifting, noisy: dict[str, Poses], picture: Path) -> list[tuple[str, ...]]:
    """The error expected and measured in each tenth of the joints by expected error."""
    figure, axes = pyplot.subplots(figsize=(5, 4.6))
    rows = []
    for name, poses in noisy.items():
        _, error, expected = lifting.errors(poses)
        assert expected is not None
        free = [joint for joint in range(lifting.skeleton.num_joints) if (joint,) != lifting.skeleton.origin]
        foretold, found = expected[:, free].ravel(), error[:, free].numpy().ravel()
        parts = np.array_split(np.argsort(foretold), 10)
        told, true = (np.array([values[part].mean() for part in parts]) for values in (foretold, found))
        off = np.abs(told / true - 1).max()
        limit = 0.15 if len(rows) == 0 else None
        what = f"expected error, {name}: furthest decile from the truth"
        rows.append(
            (what, f"{100 * off:.0f} %", "15 %" if limit else "", ("met" if off <= 0.15 else "not met") * bool(limit))
        )
        rows.append(("expected, by decile", ", ".join(f"{value:.0f}" for value in told) + " mm", "", ""))
        rows.append(("measured, by decile", ", ".join(f"{value:.0f}" for value in true) + " mm", "", ""))
        axes.plot(told, true, marker="o", label=name)
    top = axes.get_xlim()[1]
    axes.fill_between([0, top], [0, 0.85 * top], [0, 1.15 * top], color="0.9", label="within 15 %")
    axes.set(xlabel="expected error, mm", ylabel="measured error, mm", xlim=(0, top), ylim=(0, None))
    axes.legend()
    figure.tight_layout()
    figure.savefig(picture, dpi=110)
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("body", "whole_body"))
    parser.add_argument("checkpoint", nargs="?", help="a run or file; default: the shipped one")
    parser.add_argument("--exclude", default="", help="test subjects to leave out: cmu_02")
    parser.add_argument("--out", type=Path, default=weights.FOLDER, help="folder of the card and the picture")
    given = parser.parse_args()
    model, skeleton, meta = checkpoint.load_run(given.checkpoint or weights.path(given.what.replace("_", "-")))
    told = meta.get("error_estimate")
    lifting = Lifting(model, skeleton, None if told is None else ErrorEstimate.from_dict(told))
    exclude = given.exclude.split(",") if given.exclude else []
    rows, noisy = body(lifting, exclude) if given.what == "body" else whole_body(lifting)
    if lifting.estimate is not None:
        rows += deciles(lifting, noisy, given.out / f"{given.what}_error.png")
    publish(given, given.what, table(HEAD, rows))


if __name__ == "__main__":
    main()
