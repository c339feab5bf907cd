"""Additions need one new file and its register alone: all of them, in a scratch copy whose tests pass."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parent.parent
COPIED = ("skelgraph", "tests", "experiments", "docs", "setup.cfg", "pyproject.toml")


class Addition(NamedTuple):
    """One addition."""

    file: str
    """The new file; of a loss or a metric the file that it joins."""
    text: str
    register: str
    """The file that lists it; empty where nothing does."""
    entries: dict[str, str]
    """What is written behind which text of the register."""
    noticed_by: str
    """A test that runs for it, without being told."""


def listed(module: str, name: str) -> dict[str, str]:
    """The import of a class in a folder's ``__init__`` and its name in ``__all__``."""
    return {"__all__ = [": f'"{name}", ', '"""\n\n': f"from skelgraph.{module} import {name}\n"}


ADDITIONS = {
    "skeleton": Addition(
        "skelgraph/skeleton/builtin/added_skeleton.py",
        """from skelgraph.skeleton.skeleton import Skeleton

ADDED = Skeleton("ADDED", ["hip", "left_knee", "right_knee"], [-1, 0, 0], pairs=[("left_knee", "right_knee")])
""",
        "skelgraph/skeleton/builtin/__init__.py",
        listed("skeleton.builtin.added_skeleton", "ADDED"),
        "test_every_built_in_skeleton[ADDED]",
    ),
    "layer": Addition(
        "skelgraph/nn/layers/added_conv.py",
        """from skelgraph.nn.layers.gcn_conv import GCNConv


class AddedConv(GCNConv):
    pass
""",
        "skelgraph/nn/layers/__init__.py",
        listed("nn.layers.added_conv", "AddedConv"),
        "test_dense_oracle[cpu-small-narrow-AddedConv]",
    ),
    "model": Addition(
        "skelgraph/nn/models/added_model.py",
        """from torch import Tensor, nn

from skelgraph.nn.blocks.pose_input import takes_poses
from skelgraph.nn.layers import GCNConv, Topology
from skelgraph.nn.models.pose_model import SkeletonModel
from skelgraph.skeleton import Skeleton


class AddedModel(SkeletonModel):
    def __init__(
        self,
        skeleton: Skeleton,
        in_channels: int = 2,
        out_channels: int = 3,
        *,
        hidden_channels: int = 64,
        dropout: float = 0.0,
    ) -> None:
        super().__init__(skeleton, in_channels, out_channels)
        self.topology = Topology(skeleton.edge_index, skeleton.edge_type, skeleton.num_joints)
        self.conv, self.dropout = GCNConv(in_channels, hidden_channels), nn.Dropout(dropout)
        self.head = nn.Linear(hidden_channels, out_channels)

    @takes_poses
    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.dropout(self.conv(x, self.topology).relu()))
""",
        "skelgraph/nn/models/__init__.py",
        listed("nn.models.added_model", "AddedModel"),
        "AddedModel]",
    ),
    "dataset": Addition(
        "skelgraph/datasets/added_data.py",
        """from skelgraph.datasets.synthetic import Synthetic


class AddedData(Synthetic):
    pass
""",
        "skelgraph/datasets/__init__.py",
        listed("datasets.added_data", "AddedData"),
        "test_takes_a_step[added-only]",
    ),
    "format": Addition(
        "skelgraph/io/keypoints/formats/added_format.py",
        """from pathlib import Path
from typing import Any

from skelgraph.errors import FormatError
from skelgraph.poses.people import People

NAME = "added"
TAKES = frozenset({"npz file"})


def matches(path: Path, content: Any) -> bool:
    return False


def read(path: Path, content: Any) -> People:
    raise FormatError(f"{path}: holds nothing")
""",
        "skelgraph/io/keypoints/__init__.py",
        {
            "from skelgraph.io.keypoints.formats import (\n": "    added_format,\n",
            "FORMATS: tuple[KeypointFormat, ...] = (\n": "    added_format,\n",
        },
        "test_every_writer_is_of_a_registered_format",
    ),
    "loss": Addition(
        "skelgraph/nn/losses.py",
        """

def added(pred: Tensor, target: Tensor) -> Tensor:
    return difference(pred, target).abs().amax()
""",
        "skelgraph/nn/losses.py",
        {"__all__ = [": '"added", '},
        "test_takes_a_step[added-only]",
    ),
    "metric": Addition(
        "skelgraph/nn/metrics.py",
        """

def added(pred: Tensor, target: Tensor) -> Metres:
    return per_joint(pred, target).amax()
""",
        "skelgraph/nn/metrics.py",
        {"__all__ = [": '"added", '},
        "test_every_registered_metric_is_reported_where_it_has_what_it_needs",
    ),
    "experiment": Addition(
        "experiments/added.yaml",
        """skeleton: HUMAN36M
model: AddedModel
data: {name: AddedData, num_poses: 8, num_test_poses: 4}
loss: {added: 1.0}
train: {epochs: 1}
""",
        "",
        {},
        "test_takes_a_step[added-only]",
    ),
}
RUN = ["tests/test_imports.py", "tests/skeleton/builtin", "tests/test_experiments.py", "tests/nn/models"]
RUN += ["tests/nn/test_losses.py", "tests/nn/test_metrics.py", "tests/io/keypoints/test_every_format.py"]
NAMED = "(added or imports or circle or room or registered or readme or unknown)"
TRACED = "compiles or exports"


def made(addition: Addition, copy: Path) -> None:
    """Writes an addition into a copy of the project."""
    with open(copy / addition.file, "a", encoding="utf-8") as file:
        file.write(addition.text)
    if addition.register:
        register = copy / addition.register
        text = register.read_text(encoding="utf-8")
        for before, entry in addition.entries.items():
            assert before in text
            text = text.replace(before, before + entry, 1)
        register.write_text(text, encoding="utf-8")


def printed_by(copy: Path, *arguments: str) -> str:
    """What pytest prints in the copy, whose tests pass."""
    command = [sys.executable, "-m", "pytest", "-v", "-p", "no:cacheprovider", *arguments]
    environment = {**os.environ, "PYTHONPATH": str(copy)}
    done = subprocess.run(command, cwd=copy, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-4000:]
    return done.stdout


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The project, with every addition."""
    for name in COPIED:
        source, target = ROOT / name, tmp_path / name
        ignored = shutil.ignore_patterns("__pycache__", "test_additions.py", "old_runs", "*.png")
        shutil.copytree(source, target, ignore=ignored) if source.is_dir() else shutil.copy(source, target)
    for addition in ADDITIONS.values():
        made(addition, tmp_path)
    oracles = tmp_path / "tests" / "nn" / "layers" / "oracles.py"  # a layer comes with its formula
    text = oracles.read_text(encoding="utf-8")
    oracles.write_text(
        text.replace('    "GCNConv": gcn_conv,\n', '    "AddedConv": gcn_conv,\n    "GCNConv": gcn_conv,\n')
    )
    return tmp_path


def test_an_addition_is_one_file_and_its_register(copy: Path) -> None:
    output = printed_by(copy, *RUN, "-k", f"{NAMED} and not ({TRACED})")
    for kind, addition in ADDITIONS.items():
        assert kind == "layer" or addition.noticed_by in output, f"no test notices a new {kind}"


@pytest.mark.slow  # seconds of torch.compile
def test_a_new_model_compiles_and_is_exported(copy: Path) -> None:
    output = printed_by(copy, "tests/nn/models", "-k", f"AddedModel and ({TRACED})")
    assert "test_compiles_as_one_graph" in output and "test_exports_as_one_program" in output


@pytest.mark.slow
def test_a_new_layer_is_tested_in_every_mode(copy: Path) -> None:
    assert ADDITIONS["layer"].noticed_by in printed_by(copy, "tests/test_modes.py", "-k", "AddedConv")
