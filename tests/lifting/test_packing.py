"""A packed file is small, lifts as the run does, and says what its errors mean."""

import fake_mocap
import numpy as np
import pytest
import torch

from skelgraph.cli.app import main
from skelgraph.errors import OutputExistsError
from skelgraph.lifting.error_estimate import ErrorEstimate
from skelgraph.lifting.packing import pack, parts_of
from skelgraph.skeleton.builtin import COCO_WHOLEBODY, HUMAN36M
from skelgraph.training import checkpoint, train

SETTINGS = {
    "skeleton": "HUMAN36M",
    "model": {"name": "PartLifter", "in_channels": 4, "hidden_channels": 32, "num_layers": 1},
    "data": {"name": "MixedPeople", "num_poses": 600, "num_test_poses": 50},
    "loss": {"mpjpe": 1.0, "error": 1.0},
    "train": {"epochs": 2, "batch_size": 64},
}


@pytest.fixture(autouse=True)
def mocap(tmp_path, monkeypatch):
    monkeypatch.setenv("SKELGRAPH_DATA", str(tmp_path))
    fake_mocap.write(tmp_path)


@pytest.fixture
def run(tmp_path):
    return train.fit(SETTINGS, tmp_path / "run")


def test_a_packed_run_is_the_run_in_half_precision(run, tmp_path):
    summary = pack(run, tmp_path / "small.safetensors")
    assert (
        summary.size == (tmp_path / "small.safetensors").stat().st_size < (run / "last.safetensors").stat().st_size / 3
    )
    assert summary.poses == 600 and f"{summary.size:,} bytes" in str(summary)
    (model, _, _), (packed, skeleton, meta) = checkpoint.load_run(run), checkpoint.load_run(summary.path)
    assert skeleton == HUMAN36M and meta["in_channels"] == 4
    for name, tensor in packed.state_dict().items():
        assert torch.equal(tensor, model.state_dict()[name].half().float()), name
    x = torch.rand(5, 17, 4)
    torch.testing.assert_close(packed(x).pose, model(x).pose, atol=5e-3, rtol=0)


def test_its_error_estimate_fits_the_data_named(run, tmp_path):
    pack(run, tmp_path / "mixed.safetensors")
    noisy = ["data={name: MotionCapture, exclude: [b], noise_px: 30, frame_step: 2}"]
    summary = pack(run, tmp_path / "noisy.safetensors", noisy)
    assert summary.poses == 12  # every second of the 23 good frames of a
    curves = [
        ErrorEstimate.from_dict(checkpoint.load(tmp_path / f"{name}.safetensors")[1]["error_estimate"])
        for name in ("mixed", "noisy")
    ]
    assert all(curve.parts == tuple(parts_of(HUMAN36M)) for curve in curves)
    assert not np.array_equal(curves[0].measured, curves[1].measured)
    assert np.average(curves[1].measured) > 20


def test_a_model_that_foretells_no_error_is_packed_without_an_estimate(tmp_path):
    settings = {**SETTINGS, "model": {"name": "LargeSimpleBaseline", "hidden_channels": 16}, "loss": {"mpjpe": 1.0}}
    summary = pack(train.fit(settings, tmp_path / "run"), tmp_path / "plain.safetensors")
    assert summary.poses == 0 and "error_estimate" not in checkpoint.load(summary.path)[1]


def test_nothing_is_overwritten_unasked(run, tmp_path):
    out = tmp_path / "small.safetensors"
    out.write_text("mine")
    with pytest.raises(OutputExistsError, match="small.safetensors"):
        pack(run, out)
    assert out.read_text() == "mine"
    pack(run, out, force=True)
    with pytest.raises(ValueError, match="ends in .safetensors"):
        pack(run, tmp_path / "small.pt")


def test_parts_are_numbered_in_the_skeletons_order():
    parts = parts_of(COCO_WHOLEBODY)
    assert [parts[i] for i in (0, 22, 23, 90, 91, 132)] == [0, 0, 1, 1, 2, 2]


def test_the_command_line(run, tmp_path, capsys):
    for arguments, code in ((["a.safetensors", "data.num_poses=100"], 0), (["a.safetensors"], 1)):
        with pytest.raises(SystemExit) as stop:
            main(["pack", str(run), str(tmp_path / arguments[0]), *arguments[1:]])
        assert stop.value.code == code
    said = capsys.readouterr()
    assert "fitted to 100 poses" in said.out and "already there" in said.err
