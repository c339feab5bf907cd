"""A model from a user's package that takes the confidence without a word in its configuration."""

import types
from pathlib import Path

import numpy as np
import pytest
import tiny
from lifting import SIZE
from torch import Tensor

from skelgraph import Skeleton
from skelgraph.errors import ContractError
from skelgraph.lifting import lifter
from skelgraph.lifting.onnx_export import export
from skelgraph.lifting.packing import pack
from skelgraph.training import experiment
from skelgraph.training.evaluate import evaluate
from skelgraph.training.train import fit


class Net3(tiny.TinyNet):
    """TinyNet, but with the confidence by default."""

    def __init__(self, skeleton: Skeleton, in_channels: int = 3, out_channels: int = 3) -> None:
        super().__init__(skeleton, in_channels, out_channels, dropout=0.0)

    def forward(self, x: Tensor) -> Tensor:
        assert x.size(-1) == 3, f"{x.size(-1)} channels"
        return super().forward(x)


class Bare(Net3):
    """Net3 as somebody wrote it who knows of no contract."""

    def __init__(self, skeleton: Skeleton) -> None:
        super().__init__(skeleton)
        del self.in_channels, self.answers


@pytest.fixture(scope="module")
def plugin() -> types.ModuleType:
    module = types.ModuleType("more_models")
    module.__dict__.update(Net3=Net3, Bare=Bare, TinyPoses=tiny.TinyPoses, __all__=["Net3", "Bare", "TinyPoses"])
    return module


@pytest.fixture(scope="module")
def run(plugin: types.ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Path:
    settings = {**tiny.settings(epochs=1), "model": "Net3"}
    return fit(settings, tmp_path_factory.mktemp("runs") / "net3", plugins=[plugin])


def test_it_is_evaluated_lifted_with_packed_and_exported(run: Path, plugin: types.ModuleType, tmp_path: Path) -> None:
    assert evaluate(run, plugins=[plugin])["mpjpe_mm"] > 0
    lift = lifter.load(run, plugins=[plugin])
    assert lift.in_channels == 3
    keypoints = np.random.default_rng(0).uniform(200, 700, (4, 3, 2))
    pose = lift(keypoints, SIZE, force=True)
    assert pose.joints.shape == (4, 3, 3)
    pack(run, tmp_path / "net3.safetensors", plugins=[plugin])
    packed = lifter.load(tmp_path / "net3.safetensors", plugins=[plugin])
    np.testing.assert_allclose(packed(keypoints, SIZE, force=True).joints, pose.joints, atol=0.01)


@pytest.mark.slow  # test_onnx_export has models that take the confidence, test_plugins one of a plugin
def test_it_is_exported(run: Path, plugin: types.ModuleType, tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    pytest.importorskip("onnxscript")
    assert export(run, tmp_path / "net3.onnx", plugins=[plugin]).path.stat().st_size > 0


def test_one_without_a_contract_is_refused_with_all_that_is_missing(plugin: types.ModuleType) -> None:
    with pytest.raises(ContractError, match="Bare .*in_channels is missing; answers is missing"):
        experiment.build({**tiny.settings(epochs=1), "model": "Bare"}, [plugin])
