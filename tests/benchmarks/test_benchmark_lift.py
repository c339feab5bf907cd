"""The benchmark of lifting runs and tells every stage."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_benchmark_of_lifting_runs() -> None:
    command = [sys.executable, str(ROOT / "benchmarks" / "lift.py"), "--frames", "20", "--threads", "1"]
    paths = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    done = subprocess.run(command, env=os.environ | {"PYTHONPATH": paths}, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr
    for words in ("match and check", "write the page", "ms of one core", "the command,      80 frames"):
        assert words in done.stdout
