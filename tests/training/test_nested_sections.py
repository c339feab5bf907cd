"""A run whose model is built of other named parts goes through every command that reads it again."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from lifting import person

from skelgraph.lifting.lifter import load
from skelgraph.lifting.onnx_export import export
from skelgraph.lifting.packing import pack
from skelgraph.nn.layers import SemConv
from skelgraph.skeleton.builtin import HUMAN36M
from skelgraph.training import train
from skelgraph.training.evaluate import evaluate
from skelgraph.training.progress import Silent
from skelgraph.training.signals import Interrupted


class _Stop(Silent):
    """Asks to stop after the first step."""

    def step(self, done: int, *rest: float) -> None:
        if done == 1:
            raise Interrupted("after one step")


def settings(conv: Any) -> dict:
    return {
        "skeleton": "HUMAN36M",
        "model": {"name": "GCN", "conv": conv, "hidden_channels": 4, "num_layers": 1},
        "data": {"name": "Synthetic", "num_poses": 20, "num_test_poses": 10},
        "train": {"epochs": 1, "batch_size": 10, "device": "cpu", "checkpoint_steps": 1},
    }


@pytest.mark.parametrize("conv", [{"name": "SemConv", "bias": False}, "SemConv"])
def test_train_resume_evaluate_lift_and_pack(conv: Any, tmp_path: Path) -> None:
    run = tmp_path / "run"
    with pytest.raises(Interrupted):
        train.fit(settings(conv), run, progress=_Stop())
    train.resume(run)
    assert evaluate(run)["steps"] == 2
    lifter = load(run)
    layers = [module for module in lifter.model.modules() if isinstance(module, SemConv)]
    assert len(layers) == 4 and all((layer.bias is None) == isinstance(conv, dict) for layer in layers)
    pose = lifter(person(HUMAN36M))
    assert np.isfinite(pose.joints).all()
    small = pack(run, tmp_path / "small.safetensors").path
    np.testing.assert_allclose(load(small)(person(HUMAN36M)).joints, pose.joints, atol=0.01)


@pytest.mark.slow  # test_plugins exports a model with a layer of its own by default
def test_export(tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    run = train.fit(settings({"name": "SemConv"}), tmp_path / "run")
    assert export(run, tmp_path / "run.onnx").difference < 1e-4
