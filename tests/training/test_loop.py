"""The loop's steps, on the CPU and on CUDA."""

import json
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import tiny
import torch

from skelgraph.nn import models
from skelgraph.training import checkpoint, experiment
from skelgraph.training.evaluate import evaluate
from skelgraph.training.loop import READ_EVERY, Loop, NonFiniteLoss
from skelgraph.training.progress import Silent
from skelgraph.training.run_folder import RunFolder
from skelgraph.training.signals import Interrupted, StopRequest
from skelgraph.training.train import fit, resume

OF_OTHER_INPUTS = ("JointFormerRefinement", "MSTR", "MultiViewLifter", "PoseRefinement")  # see benchmarks/gpu.py
LIFTERS = [name for name in models.__all__ if name not in OF_OTHER_INPUTS]


@contextmanager
def looped(settings: dict, path: Path) -> Iterator[Loop]:
    with RunFolder(path) as folder, StopRequest() as stop:
        yield Loop(experiment.build(settings, [tiny]), folder, Silent(), stop)


class _Stop(Silent):
    """Asks to stop after an epoch."""

    def __init__(self, after: int) -> None:
        self.after = after

    def epoch(self, row) -> None:  # noqa: ANN001
        if row["epoch"] == self.after:
            signal.raise_signal(signal.SIGTERM)


def on(device: torch.device, **train: object) -> dict:
    return tiny.settings(device=device.type, deterministic=True, **train)


def test_a_run_learns(device: torch.device, tmp_path: Path) -> None:
    settings = on(device, epochs=30, batch_size=16)
    settings["data"]["size"], settings["model"] = 256, {"name": "TinyNet", "dropout": 0.0, "hidden": 64}
    fit(settings, tmp_path / "run", plugins=[tiny])
    metrics = json.loads((tmp_path / "run" / "metrics.json").read_text())
    assert metrics["mpjpe_mm"] < 0.8 * metrics["mean_pose"]["mpjpe_mm"]


def test_a_step_is_seeded_as_torch_seeds(device: torch.device, tmp_path: Path) -> None:
    with looped(on(device), tmp_path) as loop:
        loop.seed(2**63 + 5)
        found = torch.rand(4, device=device), torch.rand(4)
    torch.manual_seed(2**63 + 5)
    expected = torch.rand(4, device=device), torch.rand(4)
    assert torch.equal(found[0], expected[0]) and torch.equal(found[1], expected[1])


@pytest.mark.parametrize("steps", [None, 3])
def test_resumed_bitwise(device: torch.device, tmp_path: Path, steps: int | None) -> None:
    settings = on(device, checkpoint_steps=steps, bf16=steps is None)
    fit(settings, tmp_path / "a", plugins=[tiny])
    with pytest.raises(Interrupted):
        fit(settings, tmp_path / "b", plugins=[tiny], progress=_Stop(2))
    resume(tmp_path / "b", plugins=[tiny])
    a, b = (checkpoint.load(tmp_path / name / "last.safetensors")[0] for name in "ab")
    assert a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


def test_a_run_goes_on_where_it_is_taken_to(device: torch.device, tmp_path: Path) -> None:
    """Begun on the CPU, resumed on the device, and again on the CPU."""
    settings = tiny.settings(checkpoint_every=0)
    for after, where in ((1, "cpu"), (2, device.type)):
        settings["train"]["device"] = where
        with pytest.raises(Interrupted):
            fit(settings, tmp_path / "run", resume=after > 1, plugins=[tiny], progress=_Stop(after))
    settings["train"]["device"] = "cpu"
    fit(settings, tmp_path / "run", resume=True, plugins=[tiny])
    fit(settings, tmp_path / "whole", plugins=[tiny])
    a, b = (checkpoint.load(tmp_path / name / "last.safetensors")[0] for name in ("run", "whole"))
    assert a.keys() == b.keys()
    for name, tensor in a.items():
        torch.testing.assert_close(tensor, b[name], rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("which", ["last", "best"])
def test_a_run_is_evaluated_alike_on_every_device(device: torch.device, tmp_path: Path, which: str) -> None:
    fit(tiny.settings(), tmp_path / "run", plugins=[tiny])
    found, expected = (
        evaluate(tmp_path / "run", which=which, device=where, plugins=[tiny]) for where in (device.type, "cpu")
    )
    assert found["mpjpe_mm"] == pytest.approx(expected["mpjpe_mm"], rel=1e-4)
    assert found["p_mpjpe_mm"] == pytest.approx(expected["p_mpjpe_mm"], rel=1e-4)


def test_a_step_that_is_not_finite_and_all_after_it_change_nothing(device: torch.device, tmp_path: Path) -> None:
    with looped(on(device, epochs=READ_EVERY), tmp_path) as loop:
        x, target = loop.draw(0)
        loop.step(x[:4], target[:4])
        before = {name: tensor.clone() for name, tensor in loop.model.named_parameters()}
        loop.step(x[:4], target[:4] * float("nan"))
        loop.step(x[:4], target[:4])
        assert all(torch.equal(before[name], tensor) for name, tensor in loop.model.named_parameters())
        with pytest.raises(NonFiniteLoss, match="step 1 of epoch 1"):
            loop.check_finite()


def test_a_run_stops_at_a_loss_that_is_not_finite(device: torch.device, tmp_path: Path) -> None:
    settings = on(device)
    settings["data"]["poison"] = 7
    with pytest.raises(NonFiniteLoss, match=r"of epoch 2 .*samples \[7\] is not finite"):
        fit(settings, tmp_path / "run", plugins=[tiny])
    tensors, meta = checkpoint.load(tmp_path / "run" / "last.safetensors")
    assert meta["step"] == 5 and all(tensor.isfinite().all() for tensor in tensors.values())


@pytest.mark.gpu
@pytest.mark.parametrize("bf16", [False, True])
@pytest.mark.parametrize("model", LIFTERS)
def test_nothing_in_a_step_waits_for_the_device(tmp_path: Path, model: str, bf16: bool) -> None:
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device here")
    settings = tiny.settings(device="cuda", bf16=bf16)
    settings |= {"skeleton": "HUMAN36M", "model": model, "loss": {"mpjpe": 1.0, "bone": 0.1, "normal": 0.1}}
    settings["optim"]["clip"] = 1.0
    with looped(settings, tmp_path) as loop:
        x, target = loop.draw(0)
        loop.step(x, target)  # the first step may set things up
        torch.cuda.set_sync_debug_mode("error")
        try:
            loop.step(x, target)
        finally:
            torch.cuda.set_sync_debug_mode("default")
        loop.check_finite()


@pytest.mark.gpu
@pytest.mark.parametrize("model", LIFTERS)
def test_every_model_goes_on_bitwise_on_a_gpu(tmp_path: Path, model: str) -> None:
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device here")
    settings = on(torch.device("cuda"))
    settings |= {"skeleton": "HUMAN36M", "model": model, "loss": {"mpjpe": 1.0, "bone": 0.1, "normal": 0.1}}
    fit(settings, tmp_path / "a", plugins=[tiny])
    with pytest.raises(Interrupted):
        fit(settings, tmp_path / "b", plugins=[tiny], progress=_Stop(2))
    resume(tmp_path / "b", plugins=[tiny])
    a, b = (checkpoint.load(tmp_path / name / "last.safetensors")[0] for name in "ab")
    assert a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)
