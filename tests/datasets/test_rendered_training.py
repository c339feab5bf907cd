"""MSTR is trained on rendered pictures by the loop that trains everything, and evaluated."""

from pathlib import Path
from typing import Any

import fake_mocap
import pytest
import torch

from skelgraph.datasets import Rendered
from skelgraph.nn.prediction import predict
from skelgraph.training import checkpoint, evaluate, experiment, train
from skelgraph.training.progress import Silent

MODEL = {"name": "MSTR", "patch_size": 8, "hidden_channels": 8, "depths": [1, 1], "heads": [1, 2], "relation_heads": 2}
SETTINGS: dict[str, Any] = {
    "skeleton": "HUMAN36M",
    "model": {**MODEL, "num_layers": 1, "position": [2, 2]},
    "data": {
        "name": "Rendered",
        "num_poses": 6,
        "num_test_poses": 5,
        "frame_step": 1,
        "cameras": ["54138969", "55011271"],
    },
    "train": {"epochs": 2, "batch_size": 4, "flip_test": False, "device": "cpu"},
}


@pytest.fixture(autouse=True)
def mocap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_mocap.write(tmp_path)
    monkeypatch.setenv("SKELGRAPH_DATA", str(tmp_path))


def test_a_run_is_evaluated_on_all_pictures(tmp_path: Path) -> None:
    run = train.fit(SETTINGS, tmp_path / "run", progress=Silent())
    result = evaluate.evaluate(run)
    assert result["poses"] == 5 * 2 * 2 and result["steps"] == 4
    model, skeleton, meta = checkpoint.load_run(run)
    test = Rendered(skeleton, "test", **{k: v for k, v in SETTINGS["data"].items() if k != "name"}).draw(0)
    with torch.no_grad():
        by_hand = (model.eval()(test.images).pose - test.target).norm(dim=-1).mean() * 1000
    assert result["mpjpe_mm"] == pytest.approx(float(by_hand), rel=1e-5) and meta["in_channels"] == 3
    train_data = experiment.build_data(SETTINGS["data"], skeleton, "train", 0).draw(0)
    mean = (train_data.target.flatten(0, 2).mean(0) - test.target).norm(dim=-1).mean() * 1000
    assert result["mean_pose"]["mpjpe_mm"] == pytest.approx(float(mean), rel=1e-5)
    few = predict(model, test.images, skeleton, flip=False, batch_size=4).pose
    torch.testing.assert_close(few, predict(model, test.images, skeleton, flip=False).pose)


def test_pictures_are_not_mirrored(tmp_path: Path) -> None:
    settings = {**SETTINGS, "train": {"epochs": 1}}
    with pytest.raises(ValueError, match=r"train.flip_test: what MSTR takes cannot be mirrored"):
        train.fit(settings, tmp_path / "run", progress=Silent())
    run = train.fit({**SETTINGS, "train": {**SETTINGS["train"], "epochs": 1}}, tmp_path / "run", progress=Silent())
    with pytest.raises(ValueError, match="cannot be mirrored"):
        evaluate.evaluate(run, overrides=["train.flip_test=true"])


def test_a_model_of_keypoints_takes_no_images(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="SemGCN takes pose, but Rendered gives images"):
        train.fit({**SETTINGS, "model": "SemGCN"}, tmp_path / "run", progress=Silent())
