"""More epochs, early ends, averaged weights, several seeds."""

import json
import statistics
from pathlib import Path

import pytest
import tiny
import torch

from skelgraph.errors import ConfigError
from skelgraph.training import checkpoint, train
from skelgraph.training.batches import Batches
from skelgraph.training.ema import Ema
from skelgraph.training.evaluate import evaluate
from skelgraph.training.loggers import read_log
from skelgraph.training.progress import Silent
from skelgraph.training.signals import Interrupted
from skelgraph.training.train import fit, resume


class _Stop(Silent):
    """Breaks off after a step; keeps what it is told."""

    def __init__(self, at: int = 0) -> None:
        self.at = at
        self.notes: list[str] = []

    def step(self, done: int, *rest: float) -> None:
        if done == self.at:
            raise Interrupted("stopped")

    def note(self, text: str) -> None:
        self.notes.append(text)


# ---- more epochs


def test_a_finished_run_goes_on_to_more_epochs(tmp_path: Path) -> None:
    settings = {**tiny.settings(epochs=4), "schedule": {}}
    fit(settings, tmp_path / "whole", plugins=[tiny])
    fit({**settings, "train": {**settings["train"], "epochs": 2}}, tmp_path / "run", plugins=[tiny])
    resume(tmp_path / "run", ["train.epochs=4"], plugins=[tiny])
    a, b = (checkpoint.load(tmp_path / name / "last.safetensors") for name in ("whole", "run"))
    assert all(torch.equal(a[0][name], b[0][name]) for name in a[0]) and b[1]["config"]["train"]["epochs"] == 4
    assert [row["epoch"] for row in read_log(tmp_path / "run" / "log.csv")] == ["1", "2", "3", "4"]
    assert json.loads((tmp_path / "run" / "metrics.json").read_text())["steps"] == 20
    with pytest.raises(ConfigError, match="train.epochs is 3, but 4 epochs"):
        resume(tmp_path / "run", ["train.epochs=3"], plugins=[tiny])
    resume(tmp_path / "run", plugins=[tiny])
    with pytest.raises(ConfigError, match="optim.lr"):
        resume(tmp_path / "run", ["optim.lr=0.5"], plugins=[tiny])


# ---- held-out samples and early ends


def restless(**more: object) -> dict:
    """Settings of a training that soon finds nothing better."""
    return {**tiny.settings(epochs=30, held_out=0.5, **more), "optim": {"lr": 0.5}, "schedule": {}}


def test_held_out_samples_are_never_trained_on() -> None:
    batches = Batches.of(torch.nn.Linear(1, 1), 50, 7, seed=3, held_out=0.2)
    assert len(batches.held_out) == 10 and batches.samples == 40
    for epoch in range(3):
        order = batches.order(epoch).tolist()
        assert sorted([*order, *batches.held_out]) == list(range(50))
    assert Batches.of(torch.nn.Linear(1, 1), 50, 7, seed=4, held_out=0.2).held_out != batches.held_out
    with pytest.raises(ConfigError, match="held_out"):
        Batches.of(torch.nn.Linear(1, 1), 4, 2, seed=0, held_out=0.1)


def test_training_ends_when_held_out_samples_gain_no_more(tmp_path: Path) -> None:
    settings = restless(patience=3)
    told = _Stop()
    run = fit(settings, tmp_path / "run", plugins=[tiny], progress=told)
    rows = read_log(run / "log.csv")
    errors = [float(row["held_out_mpjpe_mm"]) for row in rows]
    assert "test_mpjpe_mm" not in rows[0]
    best = errors.index(min(errors))
    assert len(errors) < 30 and len(errors) == best + 4
    assert checkpoint.load(run / "best.safetensors")[1]["epoch"] == best + 1
    assert len(told.notes) == 1 and f"epoch {len(errors)} of 30" in told.notes[0] and "held-out" in told.notes[0]
    before = (run / "last.safetensors").read_bytes()
    resume(run, plugins=[tiny])  # finished
    assert (run / "last.safetensors").read_bytes() == before
    resume(run, ["train.patience=4"], plugins=[tiny])
    assert len(read_log(run / "log.csv")) > len(errors)


def test_resumed_early_ends_are_the_same(tmp_path: Path) -> None:
    settings = restless(patience=2, checkpoint_steps=1)
    whole = fit(settings, tmp_path / "whole", plugins=[tiny])
    with pytest.raises(Interrupted):
        fit(settings, tmp_path / "run", plugins=[tiny], progress=_Stop(5))
    resume(tmp_path / "run", plugins=[tiny])
    a, b = (checkpoint.load(path / "last.safetensors") for path in (whole, tmp_path / "run"))
    assert a[1]["step"] == b[1]["step"] and all(torch.equal(a[0][name], b[0][name]) for name in a[0])


def test_the_test_split_decides_nothing_by_accident() -> None:
    with pytest.raises(ConfigError, match="patience needs train.held_out"):
        train.experiment.build_training(tiny.settings(patience=3))
    for wrong in ({"held_out": 1.0}, {"ema": 1.0}, {"ema": 0.0}, {"patience": 0, "held_out": 0.1}):
        with pytest.raises(ConfigError, match=next(iter(wrong))):
            train.experiment.build_training(tiny.settings(**wrong))


# ---- averaged weights


def test_an_average_by_hand() -> None:
    model = torch.nn.BatchNorm1d(2)
    ema, expected = Ema(model, 0.5), model.weight.detach().clone()
    for step in range(12):
        with torch.no_grad():
            model.weight += torch.tensor([1.0, -2.0])
            model.num_batches_tracked += 1
        ema.update(model, step)
        decay = min(0.5, (1 + step) / (10 + step))
        expected = decay * expected + (1 - decay) * model.weight.detach()
    torch.testing.assert_close(ema.model.weight, expected)
    assert ema.model.num_batches_tracked == 12 and not ema.model.weight.requires_grad


def test_averaged_weights_are_evaluated_and_resumed_bitwise(tmp_path: Path) -> None:
    settings = tiny.settings(epochs=2, ema=0.9, checkpoint_steps=1)
    settings["model"]["norm"] = True
    whole = fit(settings, tmp_path / "whole", plugins=[tiny])
    with pytest.raises(Interrupted):
        fit(settings, tmp_path / "run", plugins=[tiny], progress=_Stop(7))
    resume(tmp_path / "run", plugins=[tiny])
    a, b = (checkpoint.load(path / "last.safetensors")[0] for path in (whole, tmp_path / "run"))
    assert a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)
    assert not torch.equal(a["model.out.weight"], a["trained.out.weight"])
    model, _, _ = checkpoint.load_run(whole, plugins=[tiny])
    assert torch.equal(model.out.weight, a["model.out.weight"])
    logged = float(read_log(whole / "log.csv")[-1]["test_mpjpe_mm"])
    assert json.loads((whole / "metrics.json").read_text())["mpjpe_mm"] == pytest.approx(logged, rel=1e-5)
    unaveraged = {**settings, "train": {**settings["train"], "ema": None}}
    plain = checkpoint.load(fit(unaveraged, tmp_path / "plain", plugins=[tiny]) / "last.safetensors")[0]
    assert torch.equal(plain["model.out.weight"], a["trained.out.weight"])


# ---- several seeds


def test_a_folder_of_seeds_is_evaluated_to_mean_and_spread(tmp_path: Path) -> None:
    out = fit(tiny.settings(epochs=1, seeds=[0, 10]), tmp_path / "run", plugins=[tiny])
    single = [evaluate(out / f"seed{seed}", plugins=[tiny]) for seed in (0, 10)]
    both = evaluate(out, plugins=[tiny])
    values = [each["mpjpe_mm"] for each in single]
    assert both["seeds"] == [0, 10] and both["mpjpe_mm"] == pytest.approx(statistics.fmean(values))
    assert both["spread"]["mpjpe_mm"] == pytest.approx(statistics.stdev(values)) and values[0] != values[1]
    joint = next(iter(single[0]["joints"]))
    assert both["joints"][joint] == pytest.approx(statistics.fmean(each["joints"][joint] for each in single))
    assert both["spread"]["parameters"] == 0 and both["mean_pose"]["mpjpe_mm"] > 0
