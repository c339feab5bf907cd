"""The benchmark of lifting runs and names every stage."""

from collections.abc import Callable
from pathlib import Path

import pytest
from benchmark_scripts import Benchmark, load

from skelgraph.cli.app import main


def lift_here(keypoints: Path, out: Path) -> tuple[float, float]:
    """The command in this process, in place of one that is measured."""
    with pytest.raises(SystemExit) as stopped:
        main(["lift", str(keypoints), "--out", str(out), "--no-flip"])
    assert stopped.value.code == 0
    return 1.0, 300.0


def timed(real: Callable) -> Callable:
    """Without the process that only imports."""
    return lambda what, call: real(what, (lambda: exec(load("lift").IMPORTS, {})) if what == "import" else call)


def few_rounds(real: Callable[[Path, int], None]) -> Callable[[Path, int], None]:
    return lambda keypoints, rounds: real(keypoints, 3)


def test_every_stage_is_timed(benchmark: Benchmark) -> None:
    options = {"command": lambda real: lift_here, "one_frame": few_rounds, "timed": timed}
    told = benchmark("lift", "--frames", 20, "--threads", 1, **options)
    for words in ("import", "match and check", "write the page", "ms of one core", "the command,      80 frames"):
        assert words in told


def test_a_process_is_measured() -> None:
    lift, held = load("lift"), b"1" * 1_000_000_000  # of this process, and not of the one that is measured
    seconds, megabytes = lift.measured("-c", "import time; time.sleep(0.2); x = bytearray(b'1' * 300_000_000)")
    assert 0.2 < seconds < 60 and 300 < megabytes < len(held) / 1e6
    with pytest.raises(SystemExit, match="exit"):
        lift.measured("-c", "exit(3)")


@pytest.mark.slow  # a process that imports and lifts
def test_the_command_is_measured(tmp_path: Path) -> None:
    lift = load("lift")
    seconds, megabytes = lift.command(lift.clip(tmp_path / "clip.npz", 20), tmp_path / "out")
    assert seconds > 0.1 and 50 < megabytes < 5000 and (tmp_path / "out" / "pose.html").exists()
