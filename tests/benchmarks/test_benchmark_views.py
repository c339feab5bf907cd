"""The benchmarks of several cameras run and leave tables, a picture and a page."""

from pathlib import Path

import fake_mocap
import pytest

from skelgraph import Skeleton
from skelgraph.nn.models import MultiViewLifter
from skelgraph.skeleton.builtin import BLAZEPOSE, HUMAN36M
from skelgraph.training import checkpoint


def save_run(path: Path, skeleton: Skeleton) -> None:
    """An untrained lifter's checkpoint."""
    sizes = {"num_frames": 3, "hidden_channels": 8, "num_layers": 1}
    tensors = {f"model.{key}": value for key, value in MultiViewLifter(skeleton, **sizes).state_dict().items()}
    spec = {"name": "MultiViewLifter", **sizes}
    meta = {"config": {"model": spec}, "skeleton": skeleton.to_dict(), "in_channels": 9, "step": 0}
    path.mkdir(parents=True)
    checkpoint.save(path / "last.safetensors", tensors, meta)


def test_lifter_and_triangulation_are_compared(tmp_path, monkeypatch, benchmark) -> None:
    fake_mocap.write(tmp_path)
    monkeypatch.setenv("SKELGRAPH_DATA", str(tmp_path))
    save_run(tmp_path / "run" / "seed0", HUMAN36M)
    settings = {"SETTINGS": lambda real: {name: real[name] for name in ("heavy-tailed, 4 views", "exact, 4 views")}}
    fewer = {"CURVE": lambda real: (8.0,), "THRESHOLDS": lambda real: (20.0,), **settings}
    told = benchmark("multiview", tmp_path / "run", "--clips", 2, "--out", tmp_path / "out", **fewer)
    assert "| heavy-tailed, 4 views |" in told and "| without 54138969 |" in told
    assert (tmp_path / "out" / "multiview.png").stat().st_size > 5000
    exact = next(line for line in told.splitlines() if line.startswith("| exact"))
    assert [float(cell) for cell in exact.split("|")[2:6]] == pytest.approx([0, 0, 0, 0], abs=0.2)


def test_the_real_walk_is_measured(tmp_path, monkeypatch, data_dir, benchmark) -> None:
    monkeypatch.setenv("SKELGRAPH_DATA", str(data_dir))
    save_run(tmp_path / "run", BLAZEPOSE)
    told = benchmark("recording", tmp_path / "run", "--out", tmp_path, "--page", tmp_path / "both.html")
    rows = {line.split("|")[1].strip(): line.split("|")[2:] for line in told.splitlines()}
    assert float(rows["DLT"][0]) == pytest.approx(0.1304, abs=1e-3)
    assert float(rows["RANSAC, 15 px"][1]) == pytest.approx(8.03, abs=0.05)
    assert "as one body" in (tmp_path / "both.html").read_text(encoding="utf-8")
