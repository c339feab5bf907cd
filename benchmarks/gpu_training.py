"""Whether training on a GPU goes on exactly and never waits, and how long its steps take."""

from __future__ import annotations

import json
import signal
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from gpu_cases import Settings, Timed, looped
from timing import number_of_parameters
from torch import Tensor

from skelgraph.training import checkpoint
from skelgraph.training.loop import Loop
from skelgraph.training.progress import Silent
from skelgraph.training.signals import Interrupted
from skelgraph.training.train import fit, resume

WARM_UP = 3
Verdict = tuple[bool, str]


def check_resume(made: Settings, device: torch.device, folder: Path) -> Verdict:
    """Two epochs at once and with a break after the third step leave the same weights, bit by bit."""
    made = {**made, "train": made["train"] | {"device": str(device), "deterministic": True}}

    def stop(step: int, samples: Tensor) -> None:
        if step == 3:
            signal.raise_signal(signal.SIGTERM)

    whole, broken = folder / "whole", folder / "broken"
    fit(made, whole, progress=Silent())
    try:
        fit(made, broken, progress=Silent(), on_step=stop)
        return False, "did not stop"
    except Interrupted:
        resume(broken, progress=Silent())
    a, b = (checkpoint.load_newest(folder)[1] for folder in (whole, broken))
    different = [key for key in a if not torch.equal(a[key], b[key])]
    mpjpe = json.loads((whole / "metrics.json").read_text(encoding="utf-8"))["mpjpe_mm"]
    return not different, f"{len(a)} tensors, {len(different)} different; test MPJPE {mpjpe:.0f} mm"


def check_waiting(made: Settings, device: torch.device, folder: Path) -> Verdict:
    """A step under CUDA's own watch for waiting; the first one may set things up."""
    with looped(made, folder, device=str(device)) as loop:
        loop.model.train()
        x, target = (each[:8] for each in loop.draw(0))
        loop.step(x, target)
        with no_waiting(device):
            loop.step(x, target)
        loop.check_finite()
        return True, "no wait" if device.type == "cuda" else "not watched on the CPU"


@contextmanager
def no_waiting(device: torch.device) -> Iterator[None]:
    if device.type == "cuda":
        torch.cuda.set_sync_debug_mode("error")
    try:
        yield
    finally:
        if device.type == "cuda":
            torch.cuda.set_sync_debug_mode("default")


def time_steps(case: Timed, precision: str, steps: int, device: torch.device, folder: Path) -> Verdict:
    bf16 = precision == "bf16"
    with precise(precision), looped(case.settings, folder, device=str(device), bf16=bf16) as loop:
        loop.model.train()
        x, target = samples(loop, case)
        for _ in range(WARM_UP):
            loop.step(x, target)
        settle(device)
        if device.type == "cuda":
            torch.cuda.reset_peak_memory_stats()
        times, host = [], []
        for _ in range(steps):
            start = time.perf_counter()
            loop.step(x, target)
            host.append(1e3 * (time.perf_counter() - start))
            settle(device)
            times.append(1e3 * (time.perf_counter() - start))
        loop.check_finite()
        step = statistics.median(times)
        memory = f", {torch.cuda.max_memory_allocated() / 2**30:.2f} GiB at most" if device.type == "cuda" else ""
        return True, (
            f"{step:.2f} ms a step ({statistics.median(host):.2f} on the host), {1e3 * len(x) / step:,.0f} samples/s"
            f"{memory}, {number_of_parameters(loop.model) / 1e6:.1f} M parameters"
        )


def samples(loop: Loop, case: Timed) -> tuple[Tensor, Tensor]:
    """A batch at random, or from the dataset where the case has no shape."""
    if not case.shape:
        x, target = loop.draw(0)
        return x[: case.batch], target[: case.batch]
    random = torch.Generator().manual_seed(0)
    x = torch.rand(case.batch, *case.shape, generator=random)
    images = len(case.shape) == 5  # [V, T, 3, H, W]
    x = (x * 255).to(torch.uint8) if images else x - 0.5
    lead = case.shape[:2] if images else case.shape[:-2]
    target = torch.randn(case.batch, *lead, loop.experiment.skeleton.num_joints, 3, generator=random)
    return x.to(loop.device), target.to(loop.device)


@contextmanager
def precise(precision: str) -> Iterator[None]:
    """Matrix products and convolutions in float32, or in TF32."""
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = precision == "tf32"
    try:
        yield
    finally:
        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False


def settle(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize()
