"""The benchmark for a GPU runs on the CPU, and says what is not as it should be."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PARTS = ["layer", "loss", "dataset", "model", "bf16", "no wait", "time"]  # resume trains: tests/training has it


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> dict:
    out = tmp_path_factory.mktemp("gpu") / "gpu.json"
    options = [word for part in PARTS for word in ("--part", part)]
    command = [sys.executable, str(ROOT / "benchmarks" / "gpu.py"), "--device", "cpu", "--quick", "--out", str(out)]
    paths = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    done = subprocess.run(command + options, env=os.environ | {"PYTHONPATH": paths}, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(out.read_text(encoding="utf-8"))


@pytest.mark.parametrize("part", PARTS)
def test_every_check_of_a_part_is_passed(report: dict, part: str) -> None:
    rows = [row for row in report["rows"] if row["part"] == part]
    assert rows and all(row["ok"] for row in rows), rows
