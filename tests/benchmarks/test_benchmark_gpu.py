"""The benchmark for a GPU runs on the CPU, and says what is not as it should be."""

import json
from pathlib import Path

import pytest
from benchmark_scripts import Benchmark

PARTS = ["layer", "loss", "dataset", "model", "bf16", "no wait", "time"]  # resume trains: tests/training has it


def test_every_check_of_every_part_is_passed(
    benchmark: Benchmark, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SKELGRAPH_DATA", "")  # the benchmark sets both
    monkeypatch.setenv("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    parts = [word for part in PARTS for word in ("--part", part)]
    told = benchmark("gpu", "--device", "cpu", "--quick", "--out", tmp_path / "gpu.json", *parts)
    rows = json.loads((tmp_path / "gpu.json").read_text(encoding="utf-8"))["rows"]
    assert {row["part"] for row in rows} == set(PARTS)
    assert [row for row in rows if not row["ok"]] == [] and f"{len(rows)} rows, 0 not ok, 0 left out" in told
