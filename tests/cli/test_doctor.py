"""What ``skelgraph doctor`` finds and how it ends."""

import sys
import types
from pathlib import Path

import fake_mocap
import pytest

from skelgraph.cli import installation
from skelgraph.cli.app import main


def rows() -> dict[str, str]:
    return {
        what: found for _, what, found in (*installation._versions(), *installation._devices(), *installation._data())
    }


def test_the_self_test_passes_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pictures: None
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    findings = installation.examine("cpu")
    assert findings.ok, findings.test
    assert "loss" in findings.test and "lifted 8 frames" in findings.test
    assert not list(tmp_path.glob("skelgraph-doctor*"))
    assert {topic for topic, _, _ in findings.rows} == {"version", "device", "extra", "weights", "data"}


def test_versions_devices_and_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SKELGRAPH_DATA", str(tmp_path))
    found = rows()
    assert found["python"].startswith(sys.version.split()[0]) and found["torch"][0].isdigit()
    assert "threads" in found["cpu"] and found["$SKELGRAPH_DATA"] == str(tmp_path)
    assert found[installation.MOTION_FILE].startswith("not there")
    fake_mocap.write(tmp_path)
    assert str(tmp_path) in rows()[installation.MOTION_FILE]
    monkeypatch.delenv("SKELGRAPH_DATA")
    assert rows()["$SKELGRAPH_DATA"].startswith("not set")


def test_the_shipped_weights_are_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("skelgraph.lifting.weights.FOLDER", tmp_path)
    (tmp_path / "human36m.safetensors").write_bytes(b"no checkpoint")
    (_, body, damaged), (_, whole, absent) = installation._weights()
    assert (body, whole) == ("body", "whole-body")
    assert "damaged" in damaged and "not part of this installation" in absent


def test_extras(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch_scatter", None)
    assert "pip install 'skelgraph[scatter]'" in installation._extra("scatter")
    monkeypatch.setitem(sys.modules, "torch_scatter", types.ModuleType("torch_scatter"))
    assert installation._extra("scatter").startswith("torch_scatter ")

    def built_for_another_torch(name: str) -> None:
        raise OSError("undefined symbol: _ZN3c10")

    monkeypatch.setattr(installation.importlib, "import_module", built_for_another_torch)
    assert "cannot be imported: undefined symbol" in installation._extra("scatter")


def test_a_loss_that_does_not_fall_fails(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setitem(installation.EXPERIMENT, "optim", {"name": "AdamW", "lr": 1e-12})
    with pytest.raises(SystemExit) as stopped:
        main(["doctor", "--device", "cpu"])
    said = capsys.readouterr()
    assert stopped.value.code == 1 and "FAILED" in said.out and "python" in said.out
    assert "the training loss does not fall" in " ".join(said.err.split())


def test_whatever_is_raised_is_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("no kernel image")

    monkeypatch.setattr(installation.train, "fit", broken)
    findings = installation.examine()
    assert not findings.ok and findings.test.startswith("RuntimeError: no kernel image")
