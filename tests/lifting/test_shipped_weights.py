"""The shipped lifters keep what their model card says; the card's own figures are measured anew."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from skelgraph.datasets import Synthetic
from skelgraph.lifting import lifter, weights
from skelgraph.training import checkpoint, config

ROOT = Path(__file__).parents[2]
LARGEST = 4_000_000  # bytes


@pytest.mark.parametrize("name", weights.FILES)
def test_they_are_small_and_in_half_precision(name):
    path = weights.path(name)
    assert path.stat().st_size <= LARGEST
    tensors, meta = checkpoint.load(path)
    assert {tensor.dtype for tensor in tensors.values()} == {torch.float16}
    assert all(tensor_name.startswith("model.") for tensor_name in tensors) and "error_estimate" in meta


@pytest.mark.parametrize("name", weights.FILES)
def test_the_experiment_that_made_them_is_in_the_project(name):
    settings = checkpoint.load(weights.path(name))[1]["config"]
    experiment = {"body": "lift_body_last", "whole-body": "lift_whole_body"}[name]
    written = config.plain(config.read(ROOT / "experiments" / f"{experiment}.yaml", []))
    assert settings["model"] == written["model"] and settings["data"] == written["data"]


@pytest.mark.parametrize(("name", "mean_mm", "largest_mm"), [("body", 1.7, 20), ("whole-body", 2.3, 18)])
def test_bfloat16_moves_poses_by_what_the_trunk_rounds(name, mean_mm, largest_mm):
    """Rotations in bfloat16 moved them by 2.5 and 3.7 mm in the mean, 31 and 47 mm at most."""
    model = lifter.load(name, device="cpu").model.eval()
    poses = Synthetic(model.skeleton, "test", num_test_poses=512).draw(0)
    x = poses.inputs(model.in_channels)
    with torch.no_grad():
        expected = model(x).pose
        with torch.autocast("cpu", torch.bfloat16):
            rounded = model(x).pose
    off_mm = (rounded - expected).norm(dim=-1) * 1000
    assert off_mm.mean() < mean_mm and off_mm.max() < largest_mm


@pytest.mark.parametrize("what", ["body", "whole_body"])
def test_every_limit_of_the_card_is_met(what, tmp_path, request):
    if what == "body":  # real motion
        request.getfixturevalue("data_dir")
    command = [sys.executable, str(ROOT / "benchmarks" / "weights.py"), what, "--out", str(tmp_path)]
    paths = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    done = subprocess.run(command, env=os.environ | {"PYTHONPATH": paths}, capture_output=True, text=True, timeout=280)
    assert done.returncode == 0, done.stderr
    judged = [line for line in done.stdout.splitlines() if line.endswith("met |")]
    assert len(judged) >= 4 and not [line for line in judged if "not met" in line]
    card = (weights.FOLDER / "README.md").read_text(encoding="utf-8")
    assert f"<!-- {what} -->" in card and (tmp_path / f"{what}_error.png").read_bytes().startswith(b"\x89PNG")
