"""The command line, as a user runs it."""

import io
import os
import signal
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tiny
import torch
from lifting import part_lifter, person
from rich.console import Console

from skelgraph.cli import console as terminal
from skelgraph.cli.app import main
from skelgraph.lifting import weights
from skelgraph.nn.models import LargeSimpleBaseline
from skelgraph.skeleton.builtin import HUMAN36M
from skelgraph.training import checkpoint, config, systems, train
from skelgraph.training.progress import ConsoleProgress
from skelgraph.version import __version__

TESTS = Path(__file__).parents[1]
KEYS = ("weight", "bias")


Command = Callable[..., str]


@pytest.fixture
def skelgraph(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """Output and errors of a command whose exit status is asserted; in this process, as starting one takes seconds."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "160")

    def run(*arguments: object, status: int = 0) -> str:
        with pytest.raises(SystemExit) as stopped:
            main([str(argument) for argument in arguments])
        shown = capsys.readouterr()
        assert stopped.value.code == status, shown
        return shown.out + shown.err

    return run


def write(tmp_path: Path, settings: dict) -> Path:
    path = tmp_path / "tiny.yaml"
    path.write_text(config.dump(settings))
    return path


def test_train_then_evaluate(tmp_path: Path, skelgraph: Command) -> None:
    path = write(tmp_path, tiny.settings())
    said = skelgraph("train", path, "train.epochs=2", "optim.lr=1e-3", "--plugin", "tiny")
    assert "epoch   2" in said and "mean pose" in said and "MPJPE mm" in said and "runs/tiny" in said
    run = tmp_path / "runs" / "tiny"
    assert config.read(run / "config.yaml")["train"]["epochs"] == 2
    said = skelgraph("evaluate", "runs/tiny", "--plugin", "tiny")
    assert "MPJPE" in said and "left_knee" in said and "walk" in said
    said = skelgraph("train", "--resume", "runs/tiny", "--plugin", "tiny")
    assert "mean pose" in said
    said = skelgraph("train", "--resume", "runs/tiny", "train.epochs=3", "--plugin", "tiny")
    assert "epoch   3" in said and "epoch   2" not in said
    assert config.read(run / "config.yaml")["train"]["epochs"] == 3


def test_seeds_and_variants(tmp_path: Path, skelgraph: Command) -> None:
    path = write(tmp_path, {**tiny.settings(epochs=1), "variants": {"a": None, "b": {"optim": {"lr": 0.1}}}})
    said = skelgraph("train", path, "--seeds", "0,1", "--variant", "b", "--out", "out", "--plugin", "tiny")
    assert "±" in said and sorted(p.name for p in (tmp_path / "out" / "b").iterdir()) == ["seed0", "seed1"]
    assert "±" in skelgraph("evaluate", "out/b", "--plugin", "tiny")


def test_lift_a_file_with_a_run(tmp_path: Path, skelgraph: Command) -> None:
    run = train.fit(tiny.settings(epochs=1), tmp_path / "run", plugins=[tiny])
    pixels = 500 + 100 * np.random.default_rng(0).random((4, 3, 2))
    np.savez(tmp_path / "clip.npz", keypoints=pixels, joints=np.array(tiny.SKELETON["joints"]))
    options = ["--checkpoint", run, "--out", "out", "--plugin", "tiny"]
    said = skelgraph("lift", "clip.npz", *options, "--image-size", "1000x1000")
    assert "4 frames" in said and "pose.html" in said
    names = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert names == ["pose.html", "pose.json", "pose.npz", "pose.png"]


def test_lift_everybody_without_a_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(weights, "FOLDER", tmp_path / "weights")
    part_lifter(tmp_path / "weights" / "human36m.safetensors", HUMAN36M)
    people = np.stack([person(HUMAN36M, seed=seed).xy for seed in range(2)], axis=1)
    joints, size = np.array(HUMAN36M.joints), np.array([1000, 800])
    np.savez(tmp_path / "two.npz", keypoints=people, joints=joints, image_size=size)
    options = ["--person", "all", "--fov", "60", "--no-flip", "--write", "csv"]
    with pytest.raises(SystemExit) as stopped:
        main(["lift", str(tmp_path / "two.npz"), "--out", str(tmp_path / "out"), *options])
    assert stopped.value.code == 0
    said = capsys.readouterr().out
    assert "people: 2, lifted: 2" in said and "weights: body of the package" in said and "focal length 866 px" in said
    names = [f"pose_{number}.{ending}" for number in (0, 1) for ending in ("csv", "json", "npz", "png")]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["pose.html", *names]


RESUME = "{name}: stopped after step {step} of {steps}; go on with: skelgraph train --resume run"


def started(folder: Path, *arguments: str) -> int:
    """A process of its own, by ``python -m skelgraph``; what it says on stderr goes to ``folder/said``."""
    paths = os.pathsep.join([str(TESTS), str(TESTS.parent), os.environ.get("PYTHONPATH", "")])
    environment = {**os.environ, "PYTHONPATH": paths, "OMP_NUM_THREADS": "1", "COLUMNS": "160"}
    command = [sys.executable, "-m", "skelgraph", *arguments]
    with open(folder / "said", "wb") as said:
        return subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.DEVNULL, stderr=said).pid


def forked(folder: Path, *arguments: str) -> int:
    """As ``started``, but a fork of this process, which imports nothing anew."""
    pid = os.fork()
    if pid:
        return pid
    try:
        torch.set_num_threads(1)
        os.chdir(folder)
        os.environ["COLUMNS"] = "160"
        with open("said", "w") as sys.stderr, open(os.devnull, "w") as sys.stdout:
            main(list(arguments))
    except SystemExit as stopped:
        os._exit(int(stopped.code or 0))
    finally:
        os._exit(1)


@pytest.mark.parametrize("start", [forked, pytest.param(started, marks=pytest.mark.slow)])  # seconds of imports
def test_interrupted_process_says_how_to_go_on(
    tmp_path: Path, default_signals: None, start: Callable[..., int]
) -> None:
    path = write(tmp_path, tiny.settings(epochs=4000, eval_every=4000))
    pid = start(tmp_path, "train", str(path), "--out", "run", "--plugin", "tiny")
    deadline = time.monotonic() + 120
    while not (tmp_path / "run" / "log.csv").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    os.kill(pid, signal.SIGINT)
    code, said = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), (tmp_path / "said").read_text()
    assert code == 75, said
    step = checkpoint.load(tmp_path / "run" / "last.safetensors")[1]["step"]
    assert RESUME.format(name="SIGINT", step=step, steps=20000) in said


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted(
    tmp_path: Path, skelgraph: Command, monkeypatch: pytest.MonkeyPatch, default_signals: None, number: signal.Signals
) -> None:
    monkeypatch.setattr(ConsoleProgress, "step", lambda self, done, *rest: done == 7 and signal.raise_signal(number))
    said = skelgraph("train", write(tmp_path, tiny.settings()), "--out", "run", "--plugin", "tiny", status=75)
    assert RESUME.format(name=number.name, step=7, steps=15) in said
    assert checkpoint.load(tmp_path / "run" / "last.safetensors")[1]["step"] == 7


def refused(capsys: pytest.CaptureFixture[str], status: int, *arguments: object) -> str:
    """What a command says that exits with ``status``; run in this process, for speed."""
    with pytest.raises(SystemExit) as stopped:
        main([str(argument) for argument in arguments])
    assert stopped.value.code == status
    return " ".join(capsys.readouterr().err.replace("│", " ").split())


def test_errors_are_one_line_that_helps(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(tmp_path, tiny.settings())
    said = refused(capsys, 1, "train", path, "train.epoch=3", "--out", tmp_path / "run", "--plugin", "tiny")
    assert said.startswith("error: command line, 'train.epoch=3': train.epoch: unknown argument") and "'epochs'" in said
    assert "--plugin PACKAGE" in refused(capsys, 1, "train", path, "--out", tmp_path / "run")
    assert "no such configuration file" in refused(capsys, 1, "train", tmp_path / "none.yaml")
    assert "no config.yaml" in refused(capsys, 1, "train", "--resume", tmp_path / "none")
    assert "must be importable" in refused(capsys, 1, "train", path, "--plugin", "no_such_thing")
    assert "--resume RUN" in refused(capsys, 2, "train")
    assert "without experiment" in refused(capsys, 2, "train", path, "--resume", "x")
    assert "last or best" in refused(capsys, 2, "evaluate", "x", "--which", "first")
    assert "WIDTHxHEIGHT" in refused(
        capsys, 2, "lift", "x.json", "--checkpoint", "x", "--out", tmp_path, "--image-size", "big"
    )
    lift = ("lift", "x.json", "--out", tmp_path)
    assert "a number or all" in refused(capsys, 2, *lift, "--person", "everybody")
    assert "--focal and --fov" in refused(capsys, 2, *lift, "--focal", "1000", "--fov", "60")
    assert "no such file" in refused(capsys, 1, *lift)
    assert "HUMAN36M" in refused(capsys, 1, "show", "HUMAN37M")


def test_a_bar_is_for_long_work_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    for patience, on_terminal, shown in ((0, True, True), (0, False, False), (60, True, False)):
        monkeypatch.setattr(terminal, "_PATIENCE", patience)
        console = Console(file=io.StringIO(), force_terminal=on_terminal, width=80)
        with terminal.frames_bar(console) as progress:
            progress(500, 1000)
            progress(1000, 1000)
        said = console.file.getvalue()  # type: ignore[attr-defined]
        assert ("1000/1000" in said) == shown and bool(said) == shown


def test_show_and_models(
    tmp_path: Path, skelgraph: Command, monkeypatch: pytest.MonkeyPatch, table_of_systems: list
) -> None:
    monkeypatch.setattr(systems, "table", lambda: table_of_systems)
    said = skelgraph("show", "HUMAN36M")
    assert "17" in said and (tmp_path / "HUMAN36M.png").stat().st_size > 5000
    said = skelgraph("models")
    assert all(name in said for name in ("SimpleBaseline", "267,343", "312.2 M", "SemGAN", "MotionBERT"))
    said = skelgraph("models", "SemGAN")
    assert "replace_ffn" in said and "Wen et al. 2024" in said
    assert "hidden" in skelgraph("models", "TinyNet", "--plugin", "tiny")
    assert "did you mean 'SemGAN'?" in skelgraph("models", "SemGANN", status=1)


def test_convert_a_published_checkpoint(tmp_path: Path, skelgraph: Command) -> None:
    model = LargeSimpleBaseline(HUMAN36M, hidden_channels=8, num_layers=1)
    names = {"input": "upscale", "stages.0.linear1": "res_1.l1", "stages.0.linear2": "res_1.l2", "head": "pose3d"}
    state = {
        f"{theirs}.{key}": getattr(model.get_submodule(ours), key) for ours, theirs in names.items() for key in KEYS
    }
    torch.save({"state_dict": state}, tmp_path / "authors.pth")
    said = skelgraph("convert", "large_simple_baseline", "authors.pth", "ours.safetensors")
    assert "LargeSimpleBaseline" in said and (tmp_path / "ours.safetensors").exists()
    keypoints = np.random.default_rng(0).uniform(100, 500, (3, 17, 2)).astype(np.float32)
    np.savez(tmp_path / "k.npz", keypoints=keypoints, joints=np.array(HUMAN36M.joints), image_size=np.array([640, 640]))
    said = skelgraph("lift", "k.npz", "--checkpoint", "ours.safetensors", "--out", "out", "--force")
    assert "lifted by LargeSimpleBaseline" in said
    said = skelgraph("convert", "sem_gcn", "authors.pth", "new.safetensors", "heads=4", status=1)
    assert "authors.pth: sem_gcn has no argument 'heads'; its arguments are groups" in said
    assert not (tmp_path / "new.safetensors").exists()


@pytest.mark.parametrize("arguments", [["--version"], ["-h"], ["lift", "-h"], ["data", "mocap", "-h"]])
def test_version_and_short_help(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    expected = __version__ if arguments == ["--version"] else "Usage: skelgraph"
    assert stopped.value.code == 0 and expected in capsys.readouterr().out


def test_completion_is_offered(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("_SKELGRAPH_COMPLETE", "complete_bash")
    monkeypatch.setenv("COMP_WORDS", "skelgraph ev")
    monkeypatch.setenv("COMP_CWORD", "1")
    with pytest.raises(SystemExit):
        main([])
    assert capsys.readouterr().out.split() == ["evaluate"]


def test_nothing_of_the_process_is_changed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = warnings.showwarning, warnings.filters[:], [signal.getsignal(each) for each in (2, 15)]
    refused(capsys, 1, "train", tmp_path / "none.yaml")
    assert before == (warnings.showwarning, warnings.filters[:], [signal.getsignal(each) for each in (2, 15)])


def test_help_names_every_command(skelgraph: Command) -> None:
    said = skelgraph("--help")
    for name in ("train", "evaluate", "show", "lift", "models", "convert", "export", "data", "doctor"):
        assert name in said
    assert "mocap" in skelgraph("data", "--help")
