"""A run that was broken off, anywhere and however often, ends bitwise where an unbroken one does."""

import itertools
import os
import random
import signal
import time
import traceback
from collections.abc import Callable
from pathlib import Path

import pytest
import tiny
import torch
from torch import Tensor

from skelgraph.training import checkpoint
from skelgraph.training.loggers import read_log
from skelgraph.training.progress import Silent
from skelgraph.training.train import Interrupted, fit, resume

pytestmark = pytest.mark.usefixtures("default_signals")
CLOCK = ("poses_per_s", "seconds")


def outcome(run: Path) -> tuple[dict[str, Tensor], dict, list[dict]]:
    """Weights, moments and counters; without what a clock says."""
    tensors, meta = checkpoint.load(run / "last.safetensors")
    rows = [{k: v for k, v in row.items() if k not in CLOCK} for row in read_log(run / "log.csv")]
    return tensors, {k: v for k, v in meta.items() if k not in ("seconds", "config")}, rows


def assert_same(run: Path, reference: Path) -> None:
    (tensors, meta, rows), (wanted, wanted_meta, wanted_rows) = outcome(run), outcome(reference)
    assert tensors.keys() == wanted.keys()
    assert [name for name in tensors if not torch.equal(tensors[name], wanted[name])] == []
    assert meta == wanted_meta
    assert rows == wanted_rows


class _Stop(Silent):
    """Asks to stop after given steps."""

    def __init__(self, *at: int) -> None:
        self.at = at

    def step(self, done: int, *rest: float) -> None:
        if done in self.at:
            os.kill(os.getpid(), signal.SIGTERM)


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return fit(tiny.settings(), tmp_path_factory.mktemp("reference") / "run", plugins=[tiny])


@pytest.mark.parametrize("at", [1, 4, 5, 6, 10, 13, 15])
def test_stopped_by_a_signal_and_resumed(tmp_path: Path, reference: Path, at: int) -> None:
    with pytest.raises(Interrupted):
        fit(tiny.settings(), tmp_path / "run", plugins=[tiny], progress=_Stop(at))
    resume(tmp_path / "run", plugins=[tiny])
    assert_same(tmp_path / "run", reference)


def test_stopped_at_every_step(tmp_path: Path, reference: Path) -> None:
    go_on: Callable[..., Path] = lambda out, **options: fit(tiny.settings(), out, **options)  # noqa: E731
    for _ in range(16):
        try:
            go_on(tmp_path / "run", plugins=[tiny], progress=_Stop(*range(1, 16)))
        except Interrupted:
            go_on = resume
    assert_same(tmp_path / "run", reference)


def test_stopped_while_evaluating(tmp_path: Path, reference: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from skelgraph.training import judge

    real = judge.predict

    def signalled(*args, **options):  # noqa: ANN002, ANN003, ANN202
        os.kill(os.getpid(), signal.SIGINT)
        return real(*args, **options)

    with monkeypatch.context() as patch:
        patch.setattr(judge, "predict", signalled)
        with pytest.raises(Interrupted, match="step 5 of 15"):
            fit(tiny.settings(), tmp_path / "run", plugins=[tiny])
    assert checkpoint.load(tmp_path / "run" / "last.safetensors")[1]["epoch"] == 0
    resume(tmp_path / "run", plugins=[tiny])
    assert_same(tmp_path / "run", reference)


def test_a_damaged_last_goes_on_from_the_best(tmp_path: Path, reference: Path) -> None:
    with pytest.raises(Interrupted):
        fit(tiny.settings(), tmp_path / "run", plugins=[tiny], progress=_Stop(12))
    last = tmp_path / "run" / "last.safetensors"
    last.write_bytes(last.read_bytes()[:-5])
    with pytest.warns(UserWarning, match="damaged.*going on from.*best"):
        resume(tmp_path / "run", plugins=[tiny])
    assert_same(tmp_path / "run", reference)


def test_a_finished_run_is_left_as_it_is(tmp_path: Path) -> None:
    out = fit(tiny.settings(epochs=1), tmp_path / "run", plugins=[tiny])
    files = ("last.safetensors", "best.safetensors", "log.csv", "metrics.json", "config.yaml")
    before = {name: ((out / name).read_bytes(), (out / name).stat().st_mtime_ns) for name in files if name != "log.csv"}
    log = (out / "log.csv").read_bytes()
    resume(out, plugins=[tiny])
    assert before == {name: ((out / name).read_bytes(), (out / name).stat().st_mtime_ns) for name in before}
    assert (out / "log.csv").read_bytes() == log


def test_a_run_goes_on_with_its_own_settings_only(tmp_path: Path, reference: Path) -> None:
    with pytest.raises(Interrupted):
        fit(tiny.settings(), tmp_path / "run", plugins=[tiny], progress=_Stop(6))
    with pytest.raises(ValueError, match="different: model.hidden$"):
        other = tiny.settings(epochs=9)
        other["model"]["hidden"] = 32
        fit(other, tmp_path / "run", resume=True, plugins=[tiny])
    fit(tiny.settings(checkpoint_every=0.0), tmp_path / "run", resume=True, plugins=[tiny])
    assert_same(tmp_path / "run", reference)


def test_nothing_to_resume(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no config.yaml"):
        resume(tmp_path / "none")


def test_other_thread_counts_are_warned_about(tmp_path: Path) -> None:
    with pytest.raises(Interrupted):
        fit(tiny.settings(), tmp_path / "run", plugins=[tiny], progress=_Stop(6))
    before = torch.get_num_threads()
    torch.set_num_threads(before + 1)
    try:
        with pytest.warns(UserWarning, match="threads"):
            resume(tmp_path / "run", plugins=[tiny])
    finally:
        torch.set_num_threads(before)


# ---- kill -9


class Trial:
    """Trains in a forked child, which imports nothing anew and can be killed; what it saw is on record."""

    def __init__(self, settings: dict, out: Path) -> None:
        self.settings, self.out, self.record = settings, out, out.with_suffix(".steps")

    def start(self) -> int:
        pid = os.fork()
        if pid:
            return pid
        code = 1
        try:
            torch.set_num_threads(1)
            file = os.open(self.record, os.O_WRONLY | os.O_CREAT | os.O_APPEND)

            def note(step: int, index: Tensor) -> None:
                os.write(file, f"{step}:{','.join(map(str, index.tolist()))}\n".encode())

            fit(self.settings, self.out, resume=True, plugins=[tiny], on_step=note)
            code = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(code)

    def finish(self) -> float:
        started = time.monotonic()
        assert os.waitstatus_to_exitcode(os.waitpid(self.start(), 0)[1]) == 0
        return time.monotonic() - started

    def kill_after(self, seconds: float) -> bool:
        """Whether the child was still at work."""
        pid = self.start()
        time.sleep(seconds)
        os.kill(pid, signal.SIGKILL)
        return os.WIFSIGNALED(os.waitpid(pid, 0)[1])

    def samples(self) -> dict[int, str]:
        """Step to samples; a step taken again after a kill must have seen the same."""
        seen: dict[int, str] = {}
        for line in self.record.read_text().splitlines():
            step, index = line.split(":")
            assert seen.setdefault(int(step), index) == index
        return seen


def survive(tmp_path: Path, settings: dict, runs: int, seed: int) -> int:
    """Kills each of some runs one to three times, lets it end, and compares; returns the number of kills."""
    chance = random.Random(seed)
    reference = Trial(settings, tmp_path / "reference")
    seconds = reference.finish()
    kills = 0
    for number in range(runs):
        trial = Trial(settings, tmp_path / f"run{number}")
        for _ in range(chance.randint(1, 3)):
            kills += trial.kill_after(chance.uniform(0, 0.6 * seconds))
        trial.finish()
        assert_same(trial.out, reference.out)
        samples, wanted = trial.samples(), reference.samples()
        assert samples == wanted and sorted(samples) == list(range(len(wanted)))
        assert not list(trial.out.glob(".*.tmp"))
    return kills


def test_killed_and_resumed_bitwise(tmp_path: Path) -> None:
    settings = tiny.settings(epochs=8, checkpoint_steps=3)
    settings["data"]["size"] = 60
    assert survive(tmp_path, settings, 3, seed=0) >= 1


@pytest.mark.slow
def test_twenty_killed_runs_of_a_real_model(tmp_path: Path) -> None:
    settings = {
        "skeleton": "HUMAN36M",
        "model": {"name": "AMPose", "num_layers": 1, "hidden_channels": 32, "dropout": 0.1},
        "data": {"name": "Synthetic", "num_poses": 1200, "num_test_poses": 120, "noise_px": 2.0},
        "train": {"epochs": 4, "batch_size": 32, "checkpoint_steps": 7, "device": "cpu"},
    }
    assert survive(tmp_path, settings, 20, seed=1) >= 20


def test_races_for_one_folder_have_one_winner(tmp_path: Path) -> None:
    settings = tiny.settings(epochs=12)
    for number in range(2):
        trial = Trial(settings, tmp_path / f"run{number}")
        pids = [trial.start() for _ in range(3)]
        codes = [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in pids]
        assert sorted(codes)[0] == 0
        steps = [line.split(":")[0] for line in trial.record.read_text().splitlines()]
        assert all(len(list(group)) == 1 for _, group in itertools.groupby(steps))
        assert len(steps) == 60
