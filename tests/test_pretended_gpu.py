"""No model's training step waits for the device, copies to or from it, mixes devices, or needs what CUDA lacks."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from pretended_steps import FAULTY, GEOMETRY, SLOW, STEPS

HERE = Path(__file__).parent


def watched(*arguments: str) -> dict[str, dict[str, Any]]:
    """Of many cases in one process: a pretended GPU can be set up but not removed."""
    paths = os.pathsep.join([str(HERE.parent), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        [sys.executable, HERE / "pretended_steps.py", *arguments],
        env={**os.environ, "PYTHONPATH": paths},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, dict[str, Any]] = json.loads(done.stdout)
    return found


@pytest.fixture(scope="module")
def report() -> dict[str, dict[str, Any]]:
    return watched()


@pytest.fixture(scope="module")
def slow_report() -> dict[str, dict[str, Any]]:
    return watched("slow")


@pytest.mark.parametrize("name", [pytest.param(n, marks=[pytest.mark.slow] if n in SLOW else []) for n in STEPS])
def test_a_gpu_objects_to_nothing_in_a_step(name: str, request: pytest.FixtureRequest) -> None:
    found = request.getfixturevalue("slow_report" if name in SLOW else "report")[name]
    assert found["raised"] is None and found["events"] == {}
    assert found["num_ops"] > 200, "a step has forward, losses, backward and update"


@pytest.mark.parametrize("name", GEOMETRY)
def test_a_gpu_objects_to_nothing_in_geometry(name: str, report: dict[str, dict[str, Any]]) -> None:
    assert report[name]["raised"] is None and report[name]["events"] == {}
    assert report[name]["num_ops"] > 5


@pytest.mark.parametrize("name", FAULTY)
def test_what_a_gpu_objects_to_is_reported(name: str, report: dict[str, dict[str, Any]]) -> None:
    found = report[name]
    assert FAULTY[name][1] in f"{found['raised']} {found['events']}"
