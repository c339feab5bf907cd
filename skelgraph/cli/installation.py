"""What this installation is made of, and whether it works: versions, devices, extras, data, and a self-test."""

from __future__ import annotations

import importlib
import os
import platform
import tempfile
import time
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import torch

from skelgraph.datasets import Synthetic
from skelgraph.datasets.mocap import motion_file
from skelgraph.lifting import lifter, weights
from skelgraph.skeleton.builtin import HUMAN36M
from skelgraph.training import checkpoint, train
from skelgraph.training.loggers import read_log
from skelgraph.version import __version__

NEEDED = ("torch", "torch-geometric", "numpy", "networkx", "pydantic", "safetensors", "typer", "rich", "matplotlib")
EXTRAS = {
    "scatter": ("torch_scatter",),
    "onnx": ("onnx", "onnxscript", "onnxruntime"),
    "c3d": ("ezc3d",),
    "detect": ("mediapipe",),
}
MOTION_FILE = "cmu_mocap.npz"
EXPERIMENT: dict[str, Any] = {
    "skeleton": "HUMAN36M",
    "model": {"name": "GCN", "hidden_channels": 32, "num_layers": 2},
    "data": {"name": "Synthetic", "num_poses": 768, "num_test_poses": 64},
    "loss": {"mpjpe": 1.0},
    "optim": {"name": "AdamW", "lr": 5.0e-3},
    "schedule": {"name": "cosine"},
    "train": {"epochs": 4, "batch_size": 64},
}
_FALL = 0.95  # the loss of the last epoch must be below this share of the first's


@dataclass(frozen=True)
class Findings:
    """Rows of (topic, what, found), how the self-test went, and whether it passed."""

    rows: tuple[tuple[str, str, str], ...]
    test: str
    ok: bool


def examine(device: str = "auto") -> Findings:
    """Looks at everything; raises nothing that the self-test raises.

    Args:
        device: where the self-test runs: auto, cpu, cuda or cuda:1.
    """
    rows = [*_versions(), *_devices(), *(("extra", name, _extra(name)) for name in EXTRAS), *_weights(), *_data()]
    start = time.monotonic()
    try:
        told, ok = self_test(device), True
    except Exception as error:  # whatever it is, it is the finding
        told, ok = f"{type(error).__name__}: {error}", False
    return Findings(tuple(rows), f"{told} ({time.monotonic() - start:.1f} s)", ok)


def self_test(device: str = "auto") -> str:
    """Trains a small model on synthetic people in a temporary folder, loads its checkpoint and lifts 8 frames.

    Returns:
        What was seen.

    Raises:
        ValueError: if the loss does not fall, or a reloaded checkpoint lifts otherwise.
        Exception: whatever training, evaluating, writing or reading raises.
    """
    settings = {**EXPERIMENT, "train": {**EXPERIMENT["train"], "device": device}}
    with tempfile.TemporaryDirectory(prefix="skelgraph-doctor-") as folder:
        run = train.fit(settings, Path(folder) / "run")
        log = read_log(run / "log.csv")
        losses, error = [float(row["loss"]) for row in log], float(log[-1]["test_mpjpe_mm"])
        if not losses[-1] < _FALL * losses[0]:
            raise ValueError(f"the training loss does not fall: {losses[0]:.4f} to {losses[-1]:.4f}")
        clip = Synthetic(HUMAN36M, "test", num_test_poses=8).draw(0)
        first, again = (lifter.load(run)(clip.keypoints, tuple(clip.image_size[0].tolist())) for _ in range(2))
    if first.joints.shape != (8, HUMAN36M.num_joints, 3) or (first.joints != again.joints).any():
        raise ValueError("a checkpoint that is loaded twice lifts differently")
    return (
        f"trained, loss {losses[0]:.3f} to {losses[-1]:.3f}, test MPJPE {error:.0f} mm, saved, loaded, lifted 8 frames"
    )


def _versions() -> list[tuple[str, str, str]]:
    machine = f"{platform.python_version()} on {platform.system()} {platform.machine()}"
    return [
        ("version", "skelgraph", __version__),
        ("version", "python", machine),
        *(("version", name, _version(name)) for name in NEEDED),
    ]


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "not installed"


def _devices() -> list[tuple[str, str, str]]:
    rows = [("device", "cpu", f"{torch.get_num_threads()} threads")]
    for index in range(torch.cuda.device_count()):
        about = torch.cuda.get_device_properties(index)
        rows.append(("device", f"cuda:{index}", f"{about.name}, {about.total_memory / 2**30:.0f} GiB"))
    return rows if len(rows) > 1 else [*rows, ("device", "cuda", "none that torch can use")]


def _extra(name: str) -> str:
    versions = []
    for module in EXTRAS[name]:
        try:
            importlib.import_module(module)
        except ModuleNotFoundError:
            return f"not installed: pip install 'skelgraph[{name}]'"
        except Exception as error:  # built for another torch: OSError, RuntimeError
            return f"{module} is installed but cannot be imported: {str(error).strip().splitlines()[0]}"
        versions.append(f"{module} {_version(module.replace('_', '-'))}")
    return ", ".join(versions)


def _weights() -> list[tuple[str, str, str]]:
    rows = []
    for name in weights.FILES:
        try:
            path = weights.path(name)
            checkpoint.load(path)
            rows.append(("weights", name, f"{path.name}, whole, {path.stat().st_size / 2**20:.1f} MiB"))
        except (FileNotFoundError, ValueError) as error:
            rows.append(("weights", name, str(error)))
    return rows


def _data() -> list[tuple[str, str, str]]:
    rows = [("data", "$SKELGRAPH_DATA", os.environ.get("SKELGRAPH_DATA") or "not set: data/ is looked in")]
    try:
        path = motion_file.locate(MOTION_FILE)
        found = f"{path.absolute()}, {path.stat().st_size / 2**20:.1f} MiB"
    except FileNotFoundError:
        found = "not there; MotionCapture needs it or a file of yours (skelgraph data mocap), Synthetic does not"
    return [*rows, ("data", MOTION_FILE, found)]


__all__ = ["Findings", "examine", "self_test"]
