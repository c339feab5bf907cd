"""Runs that were stored by an earlier version of the package stay readable."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from skelgraph.lifting.lift import lift
from skelgraph.poses.pose3d import Pose3D
from skelgraph.training import train
from skelgraph.training.evaluate import evaluate

FOLDER = Path(__file__).parent / "old_runs"
EXPECTED = json.loads((FOLDER / "expected.json").read_text(encoding="utf-8"))


@pytest.fixture(params=EXPECTED)
def run(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path]:
    """A copy of a run, on one thread as it was made: training is the same only with the same number."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield Path(shutil.copytree(FOLDER / request.param, tmp_path / request.param))
    torch.set_num_threads(threads)


def test_evaluates_as_before(run: Path) -> None:
    assert evaluate(run)["mpjpe_mm"] == pytest.approx(EXPECTED[run.name]["evaluated"], rel=1e-4)


def test_resumes_to_where_it_led_before(run: Path) -> None:
    train.resume(run)
    metrics = json.loads((run / "metrics.json").read_text(encoding="utf-8"))
    assert metrics["mpjpe_mm"] == pytest.approx(EXPECTED[run.name]["resumed"], rel=5e-5)
    assert metrics["steps"] == {"am_pose": 15, "sem_gcn": 15, "multi_view_lifter": 6}[run.name]


def test_lifts_as_before(run: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    if run.name == "multi_view_lifter":
        views = sorted((FOLDER / "views").glob("*.npz"))
        lift(views, out, FOLDER / "views" / "Calib.json", checkpoint=run)
        pose = Pose3D.load(out / "pose.npz").positions[0]
    else:
        lift(FOLDER / "person.npz", out, checkpoint=run)
        pose = Pose3D.load(out / "pose.npz").joints[0]
    np.testing.assert_allclose(pose, EXPECTED[run.name]["pose"], atol=1e-4)
