"""How well several cameras see: the multi-view lifter beside triangulation, by number of views and by noise.

python benchmarks/multiview.py runs/multiview_lifter --single runs/multiview_single
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import torch
from matplotlib import pyplot
from timing import publish, table
from torch import Tensor, nn

from skelgraph.datasets.multiview import Clips, MultiView, film
from skelgraph.geometry import triangulation
from skelgraph.geometry.cameras import Camera
from skelgraph.nn import metrics
from skelgraph.nn.prediction import middle_frame, predict
from skelgraph.skeleton import Skeleton
from skelgraph.skeleton.bones import center_on
from skelgraph.skeleton.builtin import HUMAN36M
from skelgraph.training import checkpoint

NOISE, MISSING = 8.0, 0.2
THRESHOLDS = (10.0, 15.0, 20.0, 25.0, 30.0, 40.0, 60.0)
SETTINGS: dict[str, dict[str, Any]] = {
    "4 views": {},
    "3 views": {"missing_views": (1, 1)},
    "2 views": {"missing_views": (2, 2)},
    "1 view": {"missing_views": (3, 3)},
    "heavy-tailed, 4 views": {"outliers": (0.1, 0.1)},
    "exact, 4 views": {"noise_px": (0.0, 0.0)},
}
METHODS = ("DLT", "weighted DLT", "RANSAC", "RANSAC + refine")
CURVE = (0.0, 2.0, 4.0, 8.0, 12.0, 16.0)


class Middle(NamedTuple):
    """The middle frames of clips: what is judged."""

    px: Tensor  # [N, V, J, 2]
    confidence: Tensor  # [N, V, J]
    target: Tensor  # [N, J, 3] m, world
    sets: list[tuple[Tensor, Camera]]  # which clips have which cameras, in this order

    @staticmethod
    def of(clips: Clips, later: int = 0) -> Middle:
        """The middle frames, or what is seen so many frames later beside the middle frame's target."""
        half = clips.keypoints.size(2) // 2 + later
        order = clips.cameras.T[..., 0].argsort(1)  # a set's cameras come in any order
        rows = torch.arange(len(order))[:, None]
        cameras = clips.cameras[rows, order]
        px, confidence = clips.keypoints[rows, order, half], clips.confidence[rows, order, half]
        _, which = cameras.T.flatten(1).unique(dim=0, return_inverse=True)
        sets = [(which == i).nonzero().flatten() for i in range(int(which.max()) + 1)]
        return Middle(px, confidence, middle_frame(clips.target), [(i, cameras[int(i[0])]) for i in sets])

    @property
    def enough(self) -> Tensor:
        """Joints that at least two views see, [N, J]."""
        return (self.confidence > 0).sum(1) >= 2


def seen(split: str, count: int, **faults: Any) -> Clips:
    """Clips of the test or the training subjects before Human3.6M's cameras."""
    options = {"noise_px": (NOISE, NOISE), "missing": (MISSING, MISSING), **faults}
    return MultiView(HUMAN36M, split, 1, num_clips=count, num_test_clips=count, lean_deg=0.0, **options).draw(0)  # type: ignore[arg-type]


def triangulated(middle: Middle, method: str, threshold: float) -> Tensor:
    """Joints [N, J, 3] m by one of METHODS; where no views agree, those of all views."""
    result = torch.zeros_like(middle.target)
    for clips, cameras in middle.sets:
        px, confidence = (each[clips].transpose(0, 1) for each in (middle.px, middle.confidence))
        plain = triangulation.triangulate(cameras, px, (confidence > 0).to(px))
        if method == "DLT":
            points = plain
        elif method == "weighted DLT":
            points = triangulation.triangulate(cameras, px, confidence)
        else:
            points = triangulation.ransac(cameras, px, confidence, threshold)
            if method == "RANSAC + refine":
                points = triangulation.refine(cameras, points, px, confidence)
        result[clips] = torch.where(points.points.isnan(), plain.points, points.points)
    return result


def tuned(count: int, **faults: Any) -> float:
    """RANSAC's best threshold, px, on training subjects."""
    middle = Middle.of(seen("train", count, **faults))
    errors = {t: error_mm(triangulated(middle, "RANSAC", t), middle) for t in THRESHOLDS}
    return min(errors, key=lambda threshold: errors[threshold])


def error_mm(pose: Tensor, middle: Middle, which: Tensor | None = None) -> float:
    """World MPJPE, not re-centred, mm: of joints with at least two views, or of ``which`` [N, J]."""
    error = metrics.per_joint(pose, middle.target)
    chosen = middle.enough if which is None else which
    chosen = chosen & error.isfinite()
    return float(error[chosen].mean()) * 1000


def lifted(model: nn.Module, clips: Clips) -> Tensor:
    """Joints [N, J, 3] m of the middle frames."""
    skeleton: Skeleton = model.skeleton  # type: ignore[assignment]
    return predict(model, clips.inputs(9), skeleton, flip=False, batch_size=32).pose


def compare(models: Mapping[str, nn.Module], count: int, **faults: Any) -> dict[str, float]:
    """The error of every method and model, mm; of models also that of joints that fewer than two views see."""
    clips = seen("test", count, **faults)
    middle, result = Middle.of(clips), {}
    if middle.enough.any():
        threshold = tuned(count // 2, **faults)
        result = {method: error_mm(triangulated(middle, method, threshold), middle) for method in METHODS}
        result["threshold"] = threshold
    for name, model in models.items():
        pose = lifted(model, clips)
        if middle.enough.any():
            result[name] = error_mm(pose, middle)
        result[f"{name}, few"] = error_mm(pose, middle, ~middle.enough)
        result[f"{name}, p"] = float(metrics.p_mpjpe(pose, middle.target)) * 1000
    return result


def single_error(run: str, count: int) -> float:
    """Origin-relative MPJPE, mm, of joints with at least two views: of one-camera poses, in each of the four views."""
    model, skeleton, _ = checkpoint.load_run(run)
    clips = seen("test", count)
    middle, half = Middle.of(clips), clips.keypoints.size(2) // 2
    x = clips.inputs(3)[:, :, half].flatten(0, 1)
    pose = predict(model, x[..., : model.in_channels], skeleton).pose.unflatten(0, (count, -1))
    target = clips.cameras.to_camera(middle.target[:, None])
    error = metrics.per_joint(pose, center_on(target, HUMAN36M.origin))
    chosen = middle.enough[:, None].expand_as(error)
    return float(error[chosen].mean()) * 1000


def relative_error(model: nn.Module, count: int) -> float:
    """The lifter's origin-relative MPJPE on the same joints, mm."""
    clips = seen("test", count)
    middle = Middle.of(clips)
    pose, target = (center_on(each, HUMAN36M.origin) for each in (lifted(model, clips), middle.target))
    return float(metrics.per_joint(pose, target)[middle.enough].mean()) * 1000


def without_camera(models: Mapping[str, nn.Module], count: int) -> list[tuple[str, ...]]:
    """Errors with each of the four serial numbers left out in turn."""
    serials = ["54138969", "55011271", "58860488", "60457274"]
    rows = []
    for left_out in serials:
        clips = seen("test", count, cameras=[serial for serial in serials if serial != left_out])
        middle = Middle.of(clips)
        classical = min(error_mm(triangulated(middle, method, 30.0), middle) for method in METHODS)
        mine = [error_mm(lifted(model, clips), middle) for model in models.values()]
        rows.append((f"without {left_out}", f"{classical:.1f}", *(f"{each:.1f}" for each in mine)))
    return rows


def over_time(models: Mapping[str, nn.Module], count: int) -> list[tuple[str, ...]]:
    """What more frames give: the mean of the triangulated points of 1 to 9 frames, and the lifter with so many."""
    clips = seen("test", count)
    middle, x, half = Middle.of(clips), clips.inputs(9), clips.keypoints.size(2) // 2
    points = {k: triangulated(Middle.of(clips, k), "RANSAC + refine", 30.0) for k in range(-half, half + 1)}
    rows = []
    for reach in (0, 1, 2, 4):
        mean = torch.stack([points[k] for k in range(-reach, reach + 1)]).nanmean(0)
        some = x[:, :, half - reach : half + reach + 1]
        mine = [error_mm(model(some)[:, reach], middle) for model in models.values()]
        rows.append((f"{2 * reach + 1}", f"{error_mm(mean, middle):.1f}", *(f"{error:.1f}" for error in mine)))
    return rows


def projected(models: Mapping[str, nn.Module], count: int) -> list[tuple[str, ...]]:
    """2D errors of poses projected into all views, against the exact projections: PCK and mean squared error."""
    clips = seen("test", count)
    middle, cameras, half = Middle.of(clips), clips.cameras, clips.keypoints.size(2) // 2
    truth = film(cameras, middle.target.unsqueeze(1))[0][:, :, 0]
    poses = {"DLT": triangulated(middle, "DLT", 30.0), **{name: lifted(model, clips) for name, model in models.items()}}
    rows = []
    for name, pose in poses.items():
        whole = pose.isfinite().all(-1).all(-1)
        px = film(cameras, pose.nan_to_num().unsqueeze(1))[0][:, :, 0]
        off = (px - clips.keypoints[:, :, half]).norm(dim=-1)[whole][clips.confidence[whole, :, half] > 0].median()
        pck, mse = (measure(px[whole], truth[whole]) for measure in (metrics.keypoint_pck, metrics.keypoint_mse))
        rows.append((name, f"{100 * pck:.1f} %", f"{mse:.1f}", f"{off:.1f}"))
    return rows


def draw(models: Mapping[str, nn.Module], count: int, path: Path) -> None:
    """Curves of the error over views and over noise."""
    views = {n: compare(models, count, missing_views=(4 - n, 4 - n)) for n in (1, 2, 3, 4)}
    noise = {px: compare(models, count, noise_px=(px, px)) for px in CURVE}
    figure, axes = pyplot.subplots(1, 2, figsize=(9, 3.6), sharey=True)
    for axis, results, label in zip(axes, (views, noise), ("views", "noise, px"), strict=True):
        for name in (*METHODS, *models):
            found = {x: result[name] for x, result in results.items() if name in result}
            axis.plot(*zip(*found.items(), strict=True), "o-" if name in models else "x--", label=name)
        for name in models:
            few = {x: result[f"{name}, few"] for x, result in results.items() if x == 1 and label == "views"}
            axis.plot(list(few), list(few.values()), "s", color="grey")
        axis.set_xlabel(label)
        axis.set_yscale("log")
        axis.set_ylim(5, 2000)
    axes[0].set_xticks(list(views))
    axes[0].set_ylabel("world MPJPE, mm")
    axes[1].legend(fontsize=7)
    figure.tight_layout()
    figure.savefig(path, dpi=110)
    pyplot.close(figure)


def settings_table(models: Mapping[str, nn.Module], count: int) -> str:
    """World MPJPE by setting: triangulation, models, and the models' share of the best triangulation."""
    rows = []
    for name, faults in SETTINGS.items():
        found = compare(models, count, **faults)
        mine = [found[model] for model in models if model in found]
        best = min((found[method] for method in METHODS if method in found), default=float("nan"))
        few = [found[f"{model}, few"] for model in models]
        rows.append(
            (
                name,
                *(f"{found[method]:.1f}" if method in found else "" for method in METHODS),
                " / ".join(f"{error:.1f}" for error in mine),
                f"{max(mine) / best:.2f}" if mine and best > 1 else "",
                " / ".join(f"{error:.0f}" for error in few),
                " / ".join(f"{found[f'{model}, p']:.1f}" for model in models),
            )
        )
    return table(("mm", *METHODS, "lifter, by seed", "worst / best", "joints with < 2 views", "P-MPJPE"), rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path, help="a run of MultiViewLifter, its seeds as folders")
    parser.add_argument("--single", type=Path, help="a run of a one-camera lifter of HUMAN36M")
    parser.add_argument("--clips", type=int, default=160)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent, help="folder of the table and the picture")
    given = parser.parse_args()
    torch.set_grad_enabled(False)
    models = {f"lifter, {path.name}": checkpoint.load_run(path)[0] for path in sorted(given.run.glob("seed*"))}
    text = [settings_table(models, given.clips)]
    names = [name.removeprefix("lifter, ") for name in models]
    text.append(table(("three views, mm", "best triangulation", *names), without_camera(models, given.clips)))
    text.append(table(("frames, mm", "RANSAC + refine, their mean", *names), over_time(models, given.clips)))
    text.append(
        table(
            ("projected into the views", "PCK 0.05", "MSE, px^2", "to keypoints seen, px"),
            projected(models, given.clips),
        )
    )
    if given.single:
        rows = []
        for path, (name, model) in zip(sorted(given.single.glob("seed*")), models.items(), strict=True):
            single, four = single_error(str(path), given.clips), relative_error(model, given.clips)
            rows.append((name.removeprefix("lifter, "), f"{single:.1f}", f"{four:.1f}", f"{four / single:.2f}"))
        text.append(table(("origin-relative, mm", "one camera", "four cameras", "ratio"), rows))
    given.out.mkdir(parents=True, exist_ok=True)
    draw(models, given.clips, given.out / "multiview.png")
    publish(given, "multiview", "\n\n".join(text))


if __name__ == "__main__":
    main()
