"""Does a change of the code change a number? Two checkouts lift, draw and train the same, on one thread of one machine.

python benchmarks/same_as_before.py OLD NEW
python benchmarks/same_as_before.py OLD NEW --exact     # bitwise; otherwise up to LIMITS

Files are looked for in $SKELGRAPH_DATA and $SKELGRAPH_FIXTURES, else in ../shared/data and ../shared/fixtures beside
OLD; what needs one that is not there is left out, and said. About a minute.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import importlib
import io
import json
import os
import runpy
import shutil
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

Arrays = dict[str, np.ndarray]
Case = tuple[str, Path | None, Callable[[], Arrays]]  # GROUP/..., the file that it needs, what is done
CAMERA = ("R", "T", "f", "c", "k", "p", "image_size")
MOCAP, WALK = "cmu_mocap.npz", "pose2sim_multiview.npz"
LIMITS = {"lift": 0.0, "walk": 1e-6, "fixture": 0.0, "draw": 1e-6, "train": 1e-4}
WORLD_M = 1e-9  # the limit of the walk's world points
REPORTED = "train"  # beyond its limit it is only said, unless --exact
SIZE = (1000, 1002)  # px, of the images
MOST = 60  # lines
FACTS = ("failed", "left out")  # lists beside the arrays of a probe
INPUTS = {  # what is lifted, and its options
    "clip.npz": (),
    "coco.json": (),
    "openpose": ("--image-size", "1000x1002", "--no-flip"),
    "mocap.csv": ("--image-size", "1000x1002", "--focal", "1146", "--trajectory", "--write", "csv"),
    "whole_body.npz": ("--smooth",),
}
FIXTURES: dict[str, tuple[str, str, dict[str, Any]]] = {  # system, skeleton, arguments
    "SimpleBaseline_small": ("simple_baseline", "HUMAN36M_16", {}),
    "SemGCN": ("sem_gcn", "HUMAN36M_16", {}),
    "SemGCN_dropflag": ("sem_gcn", "HUMAN36M_16", {}),
    "ModulatedGCN_benchmark_small": ("modulated_gcn", "HUMAN36M", {}),
    "STGCN_single": ("st_gcn", "HUMAN36M", {}),
    "GraFormer_small": ("graformer", "HUMAN36M_16", {}),
    "JointFormer_17_d32_graphemb": ("joint_former", "HUMAN36M", {"heads": 4}),
    "JointFormer_17_d32_plain_pos": ("joint_former", "HUMAN36M", {"heads": 4}),
    "JointFormer_17_d32_interm_pos_small": ("joint_former", "HUMAN36M", {"heads": 4}),
    "JointFormer_refine_small": ("joint_former_refinement", "HUMAN36M", {"heads": 4}),
    "MSTR_swin_space_small": ("mstr", "HUMAN36M", {"heads": 4}),
}
FAULTS = {"noise_px": (0, 12), "outliers": (0, 0.1), "missing": (0, 0.3), "missing_views": (0, 2), "camera_deg": 0.2}
DATASETS: dict[str, tuple[str, dict[str, Any]]] = {  # skeleton, options
    "Synthetic": ("COCO_WHOLEBODY", {"num_poses": 256, "noise_px": 3.0, "missing": 0.1, "mirror": True}),
    "MotionCapture": ("HUMAN36M", {"frame_step": 50, "noise_px": 3.0, "missing": 0.1, "num_frames": 3}),
    "MixedPeople": ("HUMAN36M", {"num_poses": 256, "via": ["COCO", "BLAZEPOSE"]}),
    "MultiView": ("HUMAN36M", {"num_clips": 16, "recorded": 0.5, "around": 0.5, **FAULTS}),
    "Rendered": ("HUMAN36M", {"num_poses": 4, "frame_step": 50}),
}
TRAINED: dict[str, tuple[str, dict[str, Any], dict[str, Any]]] = {  # skeleton, the model's options, its dataset
    "SemGCN": ("HUMAN36M", {"num_layers": 2, "non_local": True, "dropout": 0.1}, {"name": "Synthetic"}),
    "AMPose": ("HUMAN36M", {"num_layers": 2}, {"name": "Synthetic", "noise_px": 2.0}),
    "PartLifter": ("COCO_WHOLEBODY", {"in_channels": 4, "num_layers": 1}, {"name": "Synthetic", "missing": 0.1}),
    "MultiViewLifter": ("HUMAN36M", {"num_frames": 5}, {"name": "MultiView", "num_frames": 5, "recorded": 0.0}),
}
STEPS, BATCH = 20, 4


def first(*names: str) -> Any:
    """What the first dotted name that exists stands for: layouts of the package differ."""
    lacks = []
    for name in names:
        module, _, attribute = name.rpartition(".")
        try:
            return getattr(importlib.import_module(module), attribute)
        except (ModuleNotFoundError, AttributeError) as error:
            lacks.append(f"{name} ({error})")
    raise ImportError(f"not there: {', '.join(lacks)}")


def skeleton_of(name: str) -> Any:
    return first(f"skelgraph.skeletons.{name}", f"skelgraph.skeleton.builtin.{name}")


def dataset(name: str, skeleton: str, split: str = "train", **options: Any) -> Any:
    made = first(f"skelgraph.datasets.{name}", f"skelgraph.data.{name}")
    return made(skeleton_of(skeleton), split, **options)


def skelgraph(*arguments: object) -> None:
    """``python -m skelgraph ARGUMENTS`` in this process."""
    said, before = io.StringIO(), sys.argv
    sys.argv, code = ["skelgraph", *map(str, arguments)], None
    try:
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
            runpy.run_module("skelgraph", run_name="__main__", alter_sys=True)
    except SystemExit as stopped:
        code = stopped.code
    finally:
        sys.argv = before
    if code:
        raise RuntimeError(f"skelgraph {' '.join(map(str, arguments))}: exit {code}\n{said.getvalue()}")


def flat(value: Any, name: str) -> Iterator[tuple[str, np.ndarray]]:
    """The tensors of nested results by their fields' names; those of cameras by CAMERA, whatever holds them."""
    if isinstance(value, Tensor):
        yield name, value.detach().cpu().numpy()
    elif all(hasattr(value, each) for each in CAMERA):
        for each in CAMERA:
            yield from flat(getattr(value, each), f"{Path(name).parent}/{each}")
    else:
        parts: Any = {}
        if isinstance(value, tuple | list):
            parts = dict(zip(getattr(value, "_fields", range(len(value))), value, strict=True))
        elif dataclasses.is_dataclass(value):
            parts = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
        for key, part in parts.items():
            yield from flat(part, f"{name}/{key}")


# the inputs, which the first probe writes and both read


def person(skeleton: str, frames: int, seed: int) -> np.ndarray:
    """Somebody who sways: keypoints [F, J, 2] px of an image of SIZE, with a detector's noise."""
    poses = dataset("Synthetic", skeleton, "test", num_test_poses=1).draw(0)
    sway = 20 * np.sin(np.arange(frames) / 10)[:, None, None]
    noise = np.random.default_rng(seed).normal(0, 1, (frames, poses.keypoints.size(1), 2))
    scale = min(SIZE) / float(poses.image_size[0].max())
    return scale * poses.keypoints[0].double().numpy() + sway + noise


def write_inputs(folder: Path, data: Path) -> None:
    folder.mkdir()
    if Path("experiments/clip.npz").exists():
        shutil.copy("experiments/clip.npz", folder)
    xy = person("COCO", 20, 1)
    images = [{"id": i, "width": SIZE[0], "height": SIZE[1]} for i in range(len(xy))]
    labelled = np.concatenate([xy, np.full((*xy.shape[:2], 1), 2)], -1).reshape(len(xy), -1).tolist()
    people = [{"image_id": i, "keypoints": frame} for i, frame in enumerate(labelled)]
    (folder / "coco.json").write_text(json.dumps({"images": images, "annotations": people}))
    xy = person("OPENPOSE_BODY25", 12, 2)
    (folder / "openpose").mkdir()
    for i, frame in enumerate(np.concatenate([xy, np.full((*xy.shape[:2], 1), 0.8)], -1)):
        content = {"people": [{"pose_keypoints_2d": frame.ravel().tolist()}]}
        (folder / "openpose" / f"walk_{i:012d}_keypoints.json").write_text(json.dumps(content))
    xy = person("COCO_WHOLEBODY", 30, 3)
    confidence = np.random.default_rng(4).uniform(0.5, 1, xy.shape[:2])
    joints = skeleton_of("COCO_WHOLEBODY").joints
    np.savez(folder / "whole_body.npz", keypoints=xy, confidence=confidence, joints=joints, image_size=SIZE, fps=30.0)
    if (data / MOCAP).exists():
        poses = dataset("MotionCapture", "HUMAN36M", "test", num_frames=15, frame_step=5).draw(0)
        names = skeleton_of("HUMAN36M").joints
        clip = poses.keypoints[100].double().numpy()
        points = np.ndindex(*clip.shape[:2])
        rows = [f"{i},{names[j]},{clip[i, j, 0]:.3f},{clip[i, j, 1]:.3f}" for i, j in points]
        (folder / "mocap.csv").write_text("\n".join(["frame,joint,x,y", *rows]) + "\n")
    if (data / WALK).exists():
        write_walk(folder / "walk", data)


def write_walk(folder: Path, data: Path) -> None:
    """cam*.npz and the calibration of the real walk before four cameras."""
    folder.mkdir()
    cameras, joints = {}, skeleton_of("BLAZEPOSE").joints
    camera_class = first("skelgraph.geometry.cameras.Camera", "skelgraph.cameras.Camera")
    with np.load(data / WALK, allow_pickle=False) as held:
        for i, name in enumerate(f"cam{name}" for name in held["cams"]):
            height, width = map(int, held["image_hw"][i])
            P = torch.from_numpy(held["P"][i] * [1000, 1000, 1000, 1])  # px a metre
            size = (width, height)
            camera = camera_class.from_projection(P, *(size if hasattr(camera_class, "width") else [size]), name)
            numbers = {each: getattr(camera, each).tolist() for each in "RTfckp"}
            cameras[name] = {**numbers, "width": width, "height": height}
            fields = {"keypoints": held["body2d_px"][i], "confidence": held["body_vis"][i], "fps": held["fps"]}
            np.savez(folder / f"walk_{name}.npz", **fields, joints=joints, image_size=(width, height))
    (folder / "calibration.json").write_text(json.dumps({"unit": "m", "cameras": cameras}))


# the cases


def lift(*arguments: object) -> Arrays:
    with tempfile.TemporaryDirectory() as out:
        skelgraph("lift", *arguments, "--out", out, "--device", "cpu")
        with np.load(Path(out) / "pose.npz", allow_pickle=False) as held:
            return dict(held)


def authors_output(path: Path) -> Arrays:
    """What the model made of an authors' fixture answers."""
    system, name, arguments = FIXTURES[path.stem]
    skeleton = skeleton_of(name)
    with np.load(path, allow_pickle=False) as held:
        x = torch.from_numpy(held["in/x"])
        state = {key.removeprefix("state/"): torch.from_numpy(held[key]) for key in held if key.startswith("state/")}
    if system == "mstr":
        state, x = with_relation(state), x.view(1, 1, *x.shape)
    else:  # the authors' [B, J * C], [B, J, C] or [B, C, 1, J, 1]
        x = x[:, :, 0, :, 0].mT if x.dim() == 5 else x.view(len(x), skeleton.num_joints, -1)
    published = first("skelgraph.nn.published.from_published", "skelgraph.published.from_published")
    with torch.no_grad():
        return dict(flat(published(system, state, skeleton, **arguments)(x), "out"))


def with_relation(backbone: dict[str, Tensor], layers: int = 2) -> dict[str, Tensor]:
    """MSTR's whole state: the fixture's backbone, and numbers drawn for the relation module, which it lacks."""
    random, channels = torch.Generator().manual_seed(0), len(backbone["norm.bias"])
    shapes = {"Temporal_norm": (channels,), "head.0": (channels,), "head.1": (34, channels)}
    shapes["weighted_mean"] = (1, 128, 1)
    for i in range(layers):
        shapes |= {f"blocks.{i}.norm{k}": (channels,) for k in (1, 2)}
        shapes |= {f"blocks.{i}.attn.qkv": (3 * channels, channels), f"blocks.{i}.attn.proj": (channels, channels)}
        shapes |= {f"blocks.{i}.mlp.fc1": (2 * channels, channels), f"blocks.{i}.mlp.fc2": (channels, 2 * channels)}
    head = {"Temporal_pos_embed": torch.randn(1, 128, channels, generator=random)}
    for name, shape in shapes.items():
        head[f"{name}.weight"] = torch.randn(shape, generator=random) / shape[-1] ** 0.5
        head[f"{name}.bias"] = torch.randn(shape[0], generator=random)
    parts = {"backbone": backbone, "keypoint_head": head}
    return {f"{part}.{name}": tensor for part, tensors in parts.items() for name, tensor in tensors.items()}


def drawn(name: str) -> Arrays:
    skeleton, options = DATASETS[name]
    return dict(flat(dataset(name, skeleton, **options).draw(0), ""))


def trained(name: str) -> Arrays:
    """The last checkpoint's parameters and buffers, without the optimiser's."""
    skeleton, options, data = TRAINED[name]
    what = "clips" if data["name"] == "MultiView" else "poses"
    settings = {
        "skeleton": skeleton,
        "model": {"name": name, "hidden_channels": 32, **options},
        "data": {**data, f"num_{what}": STEPS * BATCH, f"num_test_{what}": BATCH},
        "loss": {"mpjpe": 1.0},
        "optim": {"name": "AdamW", "lr": 1e-3, "clip": 1.0},
        "schedule": {"name": "cosine"},
        "train": {"epochs": 1, "batch_size": BATCH, "flip_test": what == "poses", "device": "cpu"},
    }
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "short.yaml").write_text(json.dumps(settings))
        skelgraph("train", Path(folder) / "short.yaml", "--out", Path(folder) / "run")
        tensors = first("safetensors.numpy.load_file")(Path(folder) / "run" / "last.safetensors")
    return {key: array for key, array in tensors.items() if key.startswith("model.")}


def cases(inputs: Path, data: Path, fixtures: Path) -> Iterator[Case]:
    for name, options in INPUTS.items():
        for weights in ("body", "whole-body"):
            path = inputs / name
            yield f"lift/{name}, {weights}", path, partial(lift, path, "--checkpoint", weights, *options)
    walk = inputs / "walk"
    files = (*sorted(walk.glob("*.npz")), "--calibration", walk / "calibration.json")
    yield "walk/four cameras", walk, partial(lift, *files)
    for name in FIXTURES:
        path = fixtures / f"{name}.npz"
        yield f"fixture/{name}", path, partial(authors_output, path)
    for name in DATASETS:
        yield f"draw/{name}", None if name == "Synthetic" else data / MOCAP, partial(drawn, name)
    for name in TRAINED:
        yield f"train/{name}", None, partial(trained, name)


def probe(out: Path, inputs: Path) -> None:
    """What the checkout in this folder computes, as flat arrays GROUP/CASE/ARRAY."""
    # an installed package in development mode would lend this checkout the modules that it lacks
    sys.meta_path[:] = [f for f in sys.meta_path if "__editable__" not in str(getattr(f, "__module__", ""))]
    found = Path(str(importlib.import_module("skelgraph").__file__)).resolve()
    if not found.is_relative_to(Path.cwd()):
        raise RuntimeError(f"expected the package of {Path.cwd()}, found {found}")
    torch.set_num_threads(1)
    data, fixtures = Path(os.environ["SKELGRAPH_DATA"]), Path(os.environ["SKELGRAPH_FIXTURES"])
    if not inputs.exists():
        write_inputs(inputs, data)
    arrays: Arrays = {}
    facts: dict[str, list[str]] = {fact: [] for fact in FACTS}
    for case, needs, do in cases(inputs, data, fixtures):
        if needs and not needs.exists():
            facts["left out"].append(f"{case} (no {needs.name})")
            continue
        try:
            arrays |= {f"{case}/{name.lstrip('/')}": array for name, array in do().items()}
        except Exception:  # another case may still tell something
            traceback.print_exc()
            facts["failed"].append(case)
    np.savez(out, **arrays, **{fact: np.array(names, dtype=str) for fact, names in facts.items()})


# the comparison


def probed(checkout: Path, folder: Path, name: str, beside: Path) -> Arrays:
    """Runs the probe in a checkout; files are looked for beside ``beside`` where no variable says where they are."""
    env = {}
    for kind in ("data", "fixtures"):
        where = os.environ.get(f"SKELGRAPH_{kind.upper()}") or beside.parent / "shared" / kind
        env[f"SKELGRAPH_{kind.upper()}"] = str(Path(where).resolve())
    env |= {"PYTHONPATH": str(checkout), "PYTHONDONTWRITEBYTECODE": "1", "CUDA_VISIBLE_DEVICES": ""}
    env |= {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "TMPDIR": str(folder)}  # PyG leaves files there
    command = [sys.executable, str(Path(__file__).resolve()), "--probe", str(folder / name), str(folder / "inputs")]
    if subprocess.run(command, cwd=checkout, env=os.environ | env).returncode:
        sys.exit(f"{checkout}: nothing to compare, see above")
    with np.load(folder / name, allow_pickle=False) as held:
        return dict(held)


def difference(a: np.ndarray, b: np.ndarray) -> float:
    """The largest absolute one; infinite between shapes, texts, and numbers and NaN."""
    if a.shape != b.shape:
        return np.inf
    if {a.dtype.kind, b.dtype.kind} - set("fiub"):
        return 0.0 if np.array_equal(a, b) else np.inf
    a, b = a.astype(np.float64), b.astype(np.float64)
    same = (a == b) | (np.isnan(a) & np.isnan(b))
    return float(np.nan_to_num(np.abs(a - b)[~same], nan=np.inf, posinf=np.inf).max(initial=0.0))


def identity(a: np.ndarray) -> tuple[Any, ...]:
    return a.dtype, a.shape, a.tobytes()


def limit(name: str) -> float:
    return WORLD_M if name.startswith("walk/") and name.endswith("/world") else LIMITS[name.split("/")[0]]


def known_keys(old: np.ndarray, new: np.ndarray) -> np.ndarray:
    """The JSON text of NEW with the keys of OLD alone, those in its mappings too, written as in OLD."""

    def kept(before: Any, now: Any) -> Any:
        both = isinstance(before, dict) and isinstance(now, dict)
        return {key: kept(value, now[key]) for key, value in before.items() if key in now} if both else now

    before = json.loads(str(old))
    return np.array(json.dumps(kept(before, json.loads(str(new))), indent=1))


def compare(old: Arrays, new: Arrays, exact: bool) -> bool:
    """Prints the table; whether everything is within its limit."""
    facts = {fact: sorted({*old.pop(fact).tolist(), *new.pop(fact).tolist()}) for fact in FACTS}
    notes = [f"{fact}: {case}" for fact, found in facts.items() for case in found]
    lone = [f"only in {'OLD' if name in old else 'NEW'}: {name}" for name in sorted(old.keys() ^ new.keys())]
    lone = [line for line in lone if not any(f": {case}/" in line for case in facts["failed"])]
    added = [line for line in lone if line.startswith("only in NEW")]  # what is stored beyond is no difference
    new |= {name: known_keys(old[name], new[name]) for name in old.keys() & new.keys() if name.endswith("/description")}
    beyond = []
    print(f"{'group':<8} {'arrays':>6} {'bitwise equal':>13} {'largest difference':>18}  where")
    for group in LIMITS:
        names = [name for name in old if name in new and name.split("/")[0] == group]
        equal = [name for name in names if identity(old[name]) == identity(new[name])]
        differences = {name: difference(old[name], new[name]) for name in names}
        worst = max(differences, key=lambda name: differences[name], default="")
        where = worst if differences.get(worst) else "-"
        print(f"{group:<8} {len(names):>6} {len(equal):>13} {differences.get(worst, 0.0):>18.3g}  {where}")
        if exact:
            beyond += [f"not bitwise equal: {name}" for name in names if name not in equal]
        else:
            beyond += [f"beyond {limit(n):g}: {n}, {d:.3g}" for n, d in differences.items() if d > limit(n)]
    lines = [*notes, *lone, *beyond]
    lines = [*lines[:MOST], f"and {len(lines) - MOST} more"] if len(lines) > MOST else lines
    print("".join(f"{line}\n" for line in lines), end="")
    counted = [line for line in beyond if exact or f": {REPORTED}/" not in line]
    return not (facts["failed"] or len(lone) > len(added) or counted)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkouts", type=Path, nargs=2, metavar="CHECKOUT", help="OLD and NEW, two folders")
    parser.add_argument("--exact", action="store_true", help="everything bitwise equal")
    parser.add_argument("--probe", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.probe:
        probe(*given.checkouts)
        return
    old, new = (checkout.resolve(strict=True) for checkout in given.checkouts)
    with tempfile.TemporaryDirectory() as folder:
        found = [probed(checkout, Path(folder), name, old) for checkout, name in ((old, "old.npz"), (new, "new.npz"))]
    same = compare(*found, exact=given.exact)
    print("the same" if same else "NOT the same")
    sys.exit(0 if same else 1)


if __name__ == "__main__":
    main()
