"""A user's package brings one of each kind, and a run with them goes everywhere."""

import json
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tiny
import torch
from lifting import person

import skelgraph
from skelgraph.errors import ConfigError
from skelgraph.lifting.onnx_export import export
from skelgraph.lifting.packing import pack
from skelgraph.skeleton.builtin import HUMAN36M
from skelgraph.training import checkpoint, plugins, train
from skelgraph.training.evaluate import evaluate
from skelgraph.training.progress import Silent
from skelgraph.training.signals import Interrupted

NAMES = ["my_package"]
SETTINGS = {
    "skeleton": "HUMAN36M",
    "model": {"name": "Lifter", "conv": {"name": "NeighbourMean", "bias": False}, "block": "Widening"},
    "data": {"name": "Beginners"},
    "loss": {"mpjpe": 1.0, "farthest": 0.1},
    "optim": {"name": "SignDescent", "lr": 0.01, "memory": 0.8, "clip": 1.0},
    "schedule": {"name": "Stairs", "ratio": 0.7},
    "train": {"epochs": 2, "batch_size": 4, "device": "cpu"},
    "loggers": [{"name": "Lines", "file": "log.jsonl"}],
}


class _Stop(Silent):
    """Breaks off after the first epoch."""

    def epoch(self, row: object) -> None:
        raise Interrupted("after one epoch")


@pytest.fixture
def run(tmp_path: Path) -> Path:
    with pytest.raises(Interrupted):
        train.fit(SETTINGS, tmp_path / "run", plugins=NAMES, progress=_Stop())
    return tmp_path / "run"


def test_one_of_each_kind_goes_everywhere(run: Path, tmp_path: Path) -> None:
    whole = train.fit(SETTINGS, tmp_path / "whole", plugins=NAMES)
    train.resume(run, plugins=NAMES)
    a, b = (checkpoint.load(path / "last.safetensors") for path in (whole, run))
    assert a[0].keys() == b[0].keys() and all(torch.equal(a[0][name], b[0][name]) for name in a[0])
    assert "optim.head.weight/average" in a[0] and "optim.head.weight/steps#" in a[0]
    assert a[1]["config"]["plugins"] == NAMES and a[1]["in_channels"] == 3
    lines = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
    assert [line["epoch"] for line in lines] == [1, 2]
    assert [line["lr"] for line in lines] == pytest.approx([0.01, 0.007])

    metrics = evaluate(run, plugins=NAMES)
    assert metrics["worst_joint_mm"] == pytest.approx(max(metrics["joints"].values()), rel=1e-5)
    pose = skelgraph.load(run, plugins=NAMES)(person(HUMAN36M))
    assert np.isfinite(pose.joints).all()
    small = pack(run, tmp_path / "small.safetensors", plugins=NAMES).path
    np.testing.assert_allclose(skelgraph.load(small, plugins=NAMES)(person(HUMAN36M)).joints, pose.joints, atol=0.01)
    pytest.importorskip("onnxruntime")
    assert export(run, tmp_path / "run.onnx", plugins=NAMES).difference < 1e-4


@pytest.mark.parametrize(
    "use",
    [
        evaluate,
        train.resume,
        skelgraph.load,
        lambda run: pack(run, run / "small.safetensors"),
        lambda run: export(run, run / "run.onnx"),
    ],
)
def test_without_the_package_each_says_which(run: Path, use: Callable[[Path], object]) -> None:
    with pytest.raises(ConfigError, match=r'needs the package my_package: pass plugins=\["my_package"\]'):
        use(run)


def test_a_file_never_imports_what_it_names(tmp_path: Path) -> None:
    path = train.fit(tiny.settings(epochs=1), tmp_path / "run", plugins=[tiny]) / "last.safetensors"
    tensors, meta = checkpoint.load(path)
    assert meta["config"]["plugins"] == ["tiny"]
    for recorded in (["tiny", "this"], "this", [3]):
        meta["config"]["plugins"] = recorded
        checkpoint.save(path, tensors, meta)
        with pytest.raises(ConfigError, match="this|3"):
            checkpoint.load_run(path, plugins=["tiny"])
    assert "this" not in sys.modules


def test_a_package_that_names_nothing_of_a_run_is_not_recorded() -> None:
    modules = plugins.load([tiny, "my_package"])
    assert plugins.needed(tiny.settings(), modules) == ["tiny"]
    assert plugins.needed({"loss": {"farthest": 1.0}}, modules) == ["my_package"]


def test_packages_that_do_not_serve() -> None:
    with pytest.raises(ConfigError, match="no_such_package"):
        plugins.load(["no_such_package"])
    with pytest.raises(ConfigError, match="__all__"):
        plugins.load(["json.tool"])
