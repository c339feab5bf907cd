"""Checkpoints are whole or refused, and never lost while they are written."""

import errno
import json
import os
import random
from pathlib import Path

import pytest
import safetensors.torch
import tiny
import torch

from skelgraph.files import atomic
from skelgraph.training import checkpoint, train


def tensors() -> dict[str, torch.Tensor]:
    return {"model.a": torch.arange(6.0).view(2, 3), "model.n": torch.tensor(3), "optim.b": torch.randn(4)}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return train.fit(tiny.settings(epochs=1), tmp_path_factory.mktemp("runs") / "run", plugins=[tiny])


def test_round_trip(tmp_path: Path) -> None:
    path, meta = tmp_path / "x.safetensors", {"step": 3, "list": [1.5, None, "ä"]}
    saved = tensors()
    checkpoint.save(path, saved, meta)
    loaded, back = checkpoint.load(path)
    assert back == {**meta, "format": checkpoint.FORMAT}
    assert loaded.keys() == saved.keys() and all(torch.equal(loaded[k], saved[k]) for k in saved)
    assert os.listdir(tmp_path) == ["x.safetensors"]


def test_views_shared_and_transposed_tensors_are_saved(tmp_path: Path) -> None:
    base = torch.randn(4, 6)
    checkpoint.save(tmp_path / "x", {"a": base.T, "b": base, "c": base[1:, ::2], "e": base[:0]}, {})
    loaded, _ = checkpoint.load(tmp_path / "x")
    assert torch.equal(loaded["a"], base.T) and torch.equal(loaded["c"], base[1:, ::2]) and loaded["e"].shape == (0, 6)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_values_that_are_not_finite_are_not_saved(tmp_path: Path, value: float) -> None:
    path = tmp_path / "x"
    checkpoint.save(path, tensors(), {})
    before = path.read_bytes()
    with pytest.raises(ValueError, match=r"model\.a.*not finite"):
        checkpoint.save(path, {"model.a": torch.tensor([1.0, value])}, {})
    assert path.read_bytes() == before


def test_every_flipped_bit_and_every_cut_is_noticed(tmp_path: Path) -> None:
    path, bad = tmp_path / "good", tmp_path / "bad"
    checkpoint.save(path, tensors(), {"step": 1})
    good, chance = path.read_bytes(), random.Random(0)
    for trial in range(300):
        data = bytearray(good)
        if trial % 3 == 0:
            data = data[: chance.randrange(len(good))]
        elif trial % 3 == 1:
            data[chance.randrange(len(good))] ^= 1 << chance.randrange(8)
        else:
            data += bytes(chance.randrange(1, 9))
        bad.write_bytes(data)
        try:
            loaded, meta = checkpoint.load(bad)
        except checkpoint.DamagedError as error:
            assert str(bad) in str(error)
        else:  # spaces that pad the header may change into other blanks
            assert meta == checkpoint.load(path)[1]
            assert all(torch.equal(loaded[k], v) for k, v in checkpoint.load(path)[0].items())


def test_strangers_files(tmp_path: Path) -> None:
    path = tmp_path / "x"
    with pytest.raises(FileNotFoundError):
        checkpoint.load(path)
    for content in (
        b"",
        b"PK\x03\x04",
        b"\x80\x04.",
        (10**9).to_bytes(8, "little") + b"{}",
        b"\x02" + bytes(7) + b"{}",
    ):
        path.write_bytes(content)
        with pytest.raises(checkpoint.DamagedError, match=str(path)):
            checkpoint.load(path)
    safetensors.torch.save_file({"a": torch.ones(1)}, path)
    with pytest.raises(checkpoint.DamagedError, match="not a checkpoint of skelgraph"):
        checkpoint.load(path)


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EROFS])
def test_a_full_disk_is_said_and_the_old_file_stays(
    tmp_path: Path, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "x"
    checkpoint.save(path, tensors(), {"step": 1})
    before = path.read_bytes()

    def fail(descriptor: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="read-only" if number == errno.EROFS else "disk full") as error:
        checkpoint.save(path, tensors(), {"step": 2})
    assert str(path) in str(error.value)
    assert path.read_bytes() == before and os.listdir(tmp_path) == ["x"]


def test_a_real_full_device_is_said() -> None:
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full here")
    with pytest.raises(OSError) as error, open("/dev/full", "wb", buffering=0) as file:
        file.write(b"x")
    assert "disk full" in str(atomic.explained(error.value, Path("/dev/full"), 1))


def test_crash_at_every_point_of_a_save_leaves_old_or_new(tmp_path: Path) -> None:
    """os._exit before each of open, write, fsync, replace, fsync of the folder; the order is asserted too."""
    path = tmp_path / "x"
    for point in range(6):
        checkpoint.save(path, {"model.a": torch.zeros(3)}, {"step": 1})
        pid = os.fork()
        if pid == 0:
            _crash_at(point)
            checkpoint.save(path, {"model.a": torch.ones(3)}, {"step": 2})
            os._exit(0)
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        loaded, meta = checkpoint.load(path)
        replaced = point >= 3
        assert code == (137 if point < 4 else 0), point
        assert meta["step"] == (2 if replaced else 1) and torch.equal(
            loaded["model.a"], torch.full((3,), float(replaced))
        )
        atomic.sweep(tmp_path)
        assert os.listdir(tmp_path) == ["x"]


def _crash_at(point: int) -> None:
    calls: list[str] = []

    def spy(name: str, real):  # noqa: ANN001, ANN202
        def call(*args, **kwargs):  # noqa: ANN002, ANN003, ANN202
            if len(calls) == point:
                os._exit(137)
            calls.append(name)
            return real(*args, **kwargs)

        return call

    os.replace, os.fsync = spy("replace", os.replace), spy("fsync", os.fsync)
    atomic._write_and_sync = spy("write", atomic._write_and_sync)
    real_save = atomic.write

    def checked(*args) -> None:  # noqa: ANN002
        real_save(*args)
        if calls != ["write", "fsync", "replace", "fsync"]:
            os._exit(99)

    atomic.write = checked


# ---- a trained model


def test_load_run_gives_the_trained_model(run: Path) -> None:
    model, skeleton, meta = checkpoint.load_run(run, plugins=[tiny])
    assert isinstance(model, tiny.TinyNet) and not model.training
    assert skeleton.joints == ("hip", "left_knee", "right_knee") and meta["step"] == 5
    saved = safetensors.torch.load_file(run / "last.safetensors")
    assert all(torch.equal(saved[f"model.{k}"], v) for k, v in model.state_dict().items())


def test_a_damaged_last_falls_back_to_best(run: Path, tmp_path: Path) -> None:
    (tmp_path / "best.safetensors").write_bytes((run / "best.safetensors").read_bytes())
    (tmp_path / "last.safetensors").write_bytes((run / "last.safetensors").read_bytes()[:-7])
    with pytest.warns(UserWarning, match="last.safetensors.*damaged.*going on from.*best.safetensors"):
        checkpoint.load_run(tmp_path, plugins=[tiny])
    (tmp_path / "best.safetensors").write_bytes(b"")
    with pytest.raises(checkpoint.DamagedError, match="last.safetensors"):
        checkpoint.load_run(tmp_path, plugins=[tiny])
    with pytest.raises(FileNotFoundError):
        checkpoint.load_run(tmp_path / "nothing", plugins=[tiny])


def _changed(run: Path, path: Path, change) -> Path:  # noqa: ANN001
    loaded, meta = checkpoint.load(run / "last.safetensors")
    change(loaded, meta)
    checkpoint.save(path, loaded, meta)
    return path


def test_weights_must_fit_before_any_is_copied(run: Path, tmp_path: Path) -> None:
    def reshape(loaded: dict, meta: dict) -> None:
        loaded["model.out.bias"] = torch.zeros(4)
        del loaded["model.out.weight"]
        loaded["model.extra"] = torch.zeros(1)

    path = _changed(run, tmp_path / "x", reshape)
    with pytest.raises(ValueError) as error:
        checkpoint.load_run(path, plugins=[tiny])
    for words in (str(path), "out.bias is [4]", "not [9]", "out.weight is missing", "extra is not in the model"):
        assert words in str(error.value)


def test_a_configuration_larger_than_its_weights_allocates_nothing(run: Path, tmp_path: Path) -> None:
    def grow(loaded: dict, meta: dict) -> None:
        meta["config"]["model"]["hidden"] = 10**12

    with pytest.raises(ValueError, match="larger than its weights"):
        checkpoint.load_run(_changed(run, tmp_path / "x", grow), plugins=[tiny])


def test_the_meta_is_json_of_plain_values(run: Path) -> None:
    _, meta = checkpoint.load(run / "last.safetensors")
    assert json.loads(json.dumps(meta, allow_nan=False)) == meta
    assert {"config", "skeleton", "epoch", "step", "versions", "mean_pose", "in_channels"} <= meta.keys()
