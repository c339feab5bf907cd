"""A run from its settings to its folder, and what stops it."""

import csv
import json
import os
import signal
from pathlib import Path

import fake_mocap
import pytest
import tiny
import torch

from skelgraph.training import checkpoint, config, train
from skelgraph.training.batches import Batches
from skelgraph.training.evaluate import evaluate
from skelgraph.training.loggers import CSV, read_log
from skelgraph.training.progress import Silent
from skelgraph.training.run_folder import RunFolder
from skelgraph.training.train import Interrupted, NonFiniteLoss, fit


def run(tmp_path: Path, settings: dict | None = None, **options: object) -> Path:
    return fit(settings or tiny.settings(), tmp_path / "run", plugins=[tiny], **options)


def test_a_run_leaves_its_folder(tmp_path: Path, pictures: None) -> None:
    out = run(tmp_path)
    names = {"config.yaml", "log.csv", "last.safetensors", "best.safetensors", "metrics.json", "curve.png"}
    assert names | {"table.md", "table.csv", "table.png", ".lock"} == set(os.listdir(out))
    with open(out / "log.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == "epoch,step,lr,loss,train_mpjpe_mm,test_mpjpe_mm,poses_per_s,seconds".split(",")
    assert [(r["epoch"], r["step"]) for r in rows] == [("1", "5"), ("2", "10"), ("3", "15")]
    assert float(rows[0]["loss"]) * 1000 == pytest.approx(float(rows[0]["train_mpjpe_mm"]))
    metrics = json.loads((out / "metrics.json").read_text())
    assert metrics["mpjpe_mm"] == pytest.approx(float(rows[-1]["test_mpjpe_mm"]), rel=1e-5)
    best = min(rows, key=lambda r: float(r["test_mpjpe_mm"]))
    assert checkpoint.load(out / "best.safetensors")[1]["epoch"] == int(best["epoch"])


def test_equal_settings_give_equal_weights_and_seeds_differ(tmp_path: Path) -> None:
    def weights(name: str, seed: int) -> dict[str, torch.Tensor]:
        out = fit(tiny.settings(epochs=1, seed=seed), tmp_path / name, plugins=[tiny])
        return checkpoint.load(out / "last.safetensors")[0]

    a, b, c = weights("a", 0), weights("b", 0), weights("c", 1)
    assert all(torch.equal(a[k], b[k]) for k in a)
    assert not torch.equal(a["model.out.weight"], c["model.out.weight"])


def test_training_goes_on_from_the_weights_of_another_run(tmp_path: Path) -> None:
    first = run(tmp_path)
    still = {**tiny.settings(epochs=1, start=str(first)), "optim": {"lr": 0.0}}
    again = checkpoint.load(fit(still, tmp_path / "again", plugins=[tiny]) / "last.safetensors")[0]
    before = checkpoint.load(first / "last.safetensors")[0]
    assert all(torch.equal(again[name], before[name]) for name in before if name.startswith("model."))
    with pytest.raises(FileNotFoundError, match="no such checkpoint"):
        fit(tiny.settings(start=str(tmp_path / "nowhere")), tmp_path / "other", plugins=[tiny])


def test_every_sample_once_an_epoch_in_a_new_order(tmp_path: Path) -> None:
    seen: list[tuple[int, list[int]]] = []
    run(tmp_path, on_step=lambda step, index: seen.append((step, index.tolist())))
    assert [step for step, _ in seen] == list(range(15))
    epochs = [sum((index for _, index in seen[e * 5 : e * 5 + 5]), []) for e in range(3)]
    assert all(sorted(epoch) == list(range(20)) for epoch in epochs)
    assert epochs[0] != epochs[1] != epochs[2]


@pytest.mark.parametrize(("norm", "steps"), [(True, 5), (False, 6)])
def test_a_last_batch_of_one_is_left_out_for_batch_norm(tmp_path: Path, norm: bool, steps: int) -> None:
    settings = tiny.settings(epochs=1)
    settings["data"]["size"], settings["model"]["norm"] = 21, norm
    out = run(tmp_path, settings)
    assert checkpoint.load(out / "last.safetensors")[1]["step"] == steps


def test_batches_need_samples() -> None:
    with pytest.raises(ValueError, match="holds 0 poses"):
        Batches.of(torch.nn.Linear(1, 1), 0, 4, 0)
    with pytest.raises(ValueError, match="holds 1 poses"):
        Batches.of(torch.nn.BatchNorm1d(1), 1, 4, 0)


def test_bf16_and_error_head_and_amsgrad_and_clip(tmp_path: Path) -> None:
    settings = tiny.settings(epochs=2, bf16=True, deterministic=True)
    settings["model"]["head"] = True
    settings["loss"] = {"mse": 1.0, "error": 0.1, "bone": 0.1}
    settings["optim"] = {"name": "Adam", "amsgrad": True, "clip": 0.5, "weight_decay": 0.01}
    out = run(tmp_path, settings)
    tensors, _ = checkpoint.load(out / "last.safetensors")
    assert "optim.out.weight/max_exp_avg_sq" in tensors and tensors["model.out.weight"].dtype == torch.float32
    assert not torch.are_deterministic_algorithms_enabled()


def test_deterministic_training_fills_no_empty_memory_and_leaves_torch_as_it_was(tmp_path: Path) -> None:
    memory, seen = torch.utils.deterministic, []

    def look(step: int, samples: torch.Tensor) -> None:
        seen.append((torch.are_deterministic_algorithms_enabled(), memory.fill_uninitialized_memory))

    fit(tiny.settings(epochs=1, deterministic=True), tmp_path / "run", plugins=[tiny], on_step=look)
    assert set(seen) == {(True, False)}
    assert not torch.are_deterministic_algorithms_enabled() and memory.fill_uninitialized_memory


def test_a_plain_torch_loop_gives_the_same_weights(tmp_path: Path) -> None:
    """The loop against one written out by hand: order, schedule, clipping and update."""
    settings = tiny.settings(epochs=2)
    settings["model"]["dropout"], settings["optim"]["clip"] = 0.0, 0.1
    seen: list[torch.Tensor] = []
    start = train.experiment.build(settings, [tiny])
    out = run(tmp_path, settings, on_step=lambda step, index: seen.append(index))

    model = start.model
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.01, weight_decay=0.0)
    for step, index in enumerate(seen):
        poses = start.train_data.draw(step // 5)
        optimizer.param_groups[0]["lr"] = 0.01 * 0.5 * (1 + torch.tensor(torch.pi * step / 10).cos().item())
        x = poses.keypoints[index] / 1000 * 2 - 1
        loss = (model(x) - poses.target[index]).norm(dim=-1).mean()
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 0.1)
        optimizer.step()
    saved = checkpoint.group(checkpoint.load(out / "last.safetensors")[0], "model")
    for name, tensor in model.state_dict().items():
        torch.testing.assert_close(saved[name], tensor, atol=1e-6, rtol=1e-5)


# ---- what stops it


@pytest.mark.parametrize("checkpoint_steps", [None, 1])
def test_a_loss_that_is_not_finite_stops_at_once(tmp_path: Path, checkpoint_steps: int | None) -> None:
    settings = tiny.settings(checkpoint_steps=checkpoint_steps)
    settings["data"]["poison"] = 7
    seen: list[list[int]] = []
    with pytest.raises(NonFiniteLoss) as error:
        run(tmp_path, settings, on_step=lambda step, index: seen.append(index.tolist()))
    message = str(error.value)
    assert 7 in seen[-1] and all(7 not in batch for batch in seen[5:-1])
    assert str(seen[-1]) in message and f"step {len(seen) - 1} of epoch 2" in message and "samples [7]" in message
    tensors, meta = checkpoint.load(tmp_path / "run" / "last.safetensors")
    assert meta["step"] == (len(seen) - 1 if checkpoint_steps else 5)
    assert all(t.isfinite().all() for t in tensors.values())


def test_no_checkpoint_holds_what_an_optimiser_without_a_fused_step_makes_of_it(tmp_path: Path) -> None:
    settings = {**tiny.settings(checkpoint_steps=1), "optim": {"name": "RMSprop", "lr": 0.001}}
    settings["data"]["poison"] = 7
    with pytest.raises(NonFiniteLoss, match=r"samples \[7\]"):
        run(tmp_path, settings)
    tensors, _ = checkpoint.load(tmp_path / "run" / "last.safetensors")
    assert all(t.isfinite().all() for t in tensors.values())


def test_a_gradient_that_is_not_finite_stops_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def objective(output, *more, **options):  # noqa: ANN001, ANN002, ANN003, ANN202
        return (output.pose - output.pose.detach()).abs().sqrt().sum(), {}

    monkeypatch.setattr("skelgraph.nn.losses.objective", objective)
    with pytest.raises(NonFiniteLoss, match="step 0 of epoch 1.*nothing was saved yet"):
        run(tmp_path)
    assert not (tmp_path / "run" / "last.safetensors").exists()


class _Signals(Silent):
    """Sends signals to this process after some steps."""

    def __init__(self, at: int, *numbers: int) -> None:
        self.at, self.numbers = at, numbers

    def step(self, done: int, *rest: float) -> None:
        if done == self.at:
            for number in self.numbers:
                os.kill(os.getpid(), number)


@pytest.mark.usefixtures("default_signals")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_saves_at_the_steps_end(tmp_path: Path, number: signal.Signals) -> None:
    before = signal.getsignal(number)
    with pytest.raises(Interrupted, match=rf"{number.name}.*step 7 of 15.*skelgraph.resume.*run"):
        run(tmp_path, progress=_Signals(7, number))
    assert checkpoint.load(tmp_path / "run" / "last.safetensors")[1]["step"] == 7
    assert signal.getsignal(number) == before


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGHUP])
def test_what_is_ignored_stays_ignored(tmp_path: Path, default_signals: None, number: signal.Signals) -> None:
    """So that a run under nohup outlives its terminal."""
    signal.signal(number, signal.SIG_IGN)
    out = run(tmp_path, progress=_Signals(7, number))
    assert checkpoint.load(out / "last.safetensors")[1]["step"] == 15


@pytest.mark.usefixtures("default_signals")
def test_a_second_ctrl_c_aborts_at_once(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, progress=_Signals(7, signal.SIGINT, signal.SIGINT))
    assert checkpoint.load(tmp_path / "run" / "last.safetensors")[1]["step"] == 5


def test_a_folder_that_holds_a_run_is_not_overwritten(tmp_path: Path) -> None:
    out = run(tmp_path, tiny.settings(epochs=1))
    before = (out / "last.safetensors").read_bytes()
    with pytest.raises(ValueError, match="holds a run already.*resume=True"):
        run(tmp_path, tiny.settings(epochs=2))
    assert (out / "last.safetensors").read_bytes() == before


def test_one_process_owns_a_folder(tmp_path: Path) -> None:
    with RunFolder(tmp_path / "run"):
        pid = os.fork()
        if pid == 0:
            try:
                run(tmp_path)
            except ValueError as error:
                named = f"in use by process {os.getppid()} on " in str(error)
                os._exit(0 if named else 1)
            os._exit(2)
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    run(tmp_path, tiny.settings(epochs=1))


def test_the_lock_dies_with_its_owner(tmp_path: Path) -> None:
    pid = os.fork()
    if pid == 0:
        RunFolder(tmp_path / "run").__enter__()
        os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(pid, 0)
    run(tmp_path, tiny.settings(epochs=1))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"trian": {}}, "trian: unknown section; did you mean 'train'"),
        ({"model": {"name": "TinyNet", "hiden": 3}}, "model.hiden: unknown argument of TinyNet; did you mean 'hidden'"),
        ({"model": {"name": "TinyNets"}}, "unknown name 'TinyNets'; did you mean 'TinyNet'"),
        ({"data": {"name": "TinyPoses", "split": "test"}}, "data.split: is set by the program"),
        ({"loss": {"mpjp": 1.0}}, "mpjp.*did you mean 'mpjpe'"),
        ({"loss": {"mpjpe": "high"}}, "loss.mpjpe: expected a weight"),
        ({"loss": {"mpjpe": 0}}, "at least one weight"),
        ({"optim": {"name": "SDG"}}, "unknown optimiser 'SDG'; did you mean 'SGD'"),
        ({"optim": {"lr": -1.0}}, "lr"),
        ({"schedule": {"name": "cosine", "finale": 0.1}}, "did you mean 'final'"),
        ({"train": {"batch_size": 4}}, "Training needs epochs"),
        ({"train": {"epochs": 0}}, "train.epochs must be at least 1"),
        ({"train": {"epochs": 1.5}}, "train.epochs: expected int, found 1.5"),
        ({"train": {"epochs": 1, "device": "tpu"}}, "'tpu': expected auto, cpu, cuda"),
        ({"skeleton": "HUMAN37M"}, "HUMAN36M"),
        ({"skeleton": 3}, "skeleton: expected"),
        ({"model": None}, "model"),
    ],
)
def test_wrong_settings_say_where_and_what(tmp_path: Path, change: dict, words: str) -> None:
    path = tmp_path / "x.yaml"
    path.write_text(config.dump({**tiny.settings(epochs=1), **change}))
    with pytest.raises(ValueError, match=words):
        run(tmp_path, config.read(path))


def test_a_missing_section_is_named(tmp_path: Path) -> None:
    settings = tiny.settings()
    del settings["data"]
    with pytest.raises(ValueError, match="no section 'data'"):
        run(tmp_path, settings)


# ---- small values


def test_a_torn_row_of_the_log_is_left_out(tmp_path: Path) -> None:
    log, path = CSV(), tmp_path / "log.csv"
    log.start(tmp_path, 0)
    row = dict(epoch=1, step=5, lr=0.1, loss=1.0, train_mpjpe_mm=2.0, test_mpjpe_mm="", poses_per_s=3.0, seconds=4.0)
    log.epoch(row)
    log.epoch({**row, "epoch": 2})
    with open(path, "a") as file:
        file.write("3,15,0.1")
    assert [r["epoch"] for r in read_log(path)] == ["1", "2"]
    log.start(tmp_path, 1)
    log.epoch({**row, "epoch": 2})
    log.stop()
    assert [r["epoch"] for r in read_log(path)] == ["1", "2"]


@pytest.mark.parametrize("model", [{"name": "STGCN", "hidden_channels": 8}, {"name": "AMPose", "hidden_channels": 8}])
def test_clips_train_and_are_evaluated(model: dict, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SKELGRAPH_DATA", str(tmp_path))
    fake_mocap.write(tmp_path)
    settings = {
        "skeleton": "HUMAN36M",
        "model": {**model, "num_frames": 3},
        "data": {"name": "MotionCapture", "num_frames": 3},
        "train": {"epochs": 1, "batch_size": 8, "device": "cpu"},
    }
    folder = fit(settings, tmp_path / "run")
    metrics = evaluate(folder)
    assert metrics["poses"] == 24 and 0 < metrics["mpjpe_mm"] < 2000 and len(metrics["joints"]) == 17
    with pytest.raises(ValueError, match="model.num_frames is 3, but MotionCapture gives 1"):
        fit({**settings, "data": {"name": "MotionCapture"}}, tmp_path / "other")
