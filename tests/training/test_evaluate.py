"""Evaluation against sums written out by hand."""

import json
import types
from pathlib import Path

import pytest
import tiny
import torch
from torch import Tensor

from skelgraph import Skeleton
from skelgraph.nn import metrics
from skelgraph.nn.models import SkeletonModel
from skelgraph.nn.prediction import predict
from skelgraph.skeleton import builtin
from skelgraph.training import evaluate, train
from skelgraph.training.evaluate import PosePairs, report
from skelgraph.training.metric_tables import metric_rows
from skelgraph.training.progress import Silent

STICK = Skeleton.from_dict(tiny.SKELETON)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    settings = tiny.settings(epochs=2)
    settings["skeleton"] = {**tiny.SKELETON, "parts": {"trunk": ["hip"], "legs": ["left_knee", "right_knee"]}}
    return train.fit(settings, tmp_path_factory.mktemp("runs") / "run", plugins=[tiny], progress=Silent())


def test_metrics_of_a_run(run: Path) -> None:
    result = evaluate.evaluate(run, plugins=[tiny])
    assert json.loads((run / "metrics.json").read_text()) == result
    assert result["poses"] == 20 and result["steps"] == 10 and result["parameters"] > 0
    mean = result["mean_pose"]
    assert {"mpjpe_mm", "p_mpjpe_mm", "n_mpjpe_mm", "pck", "auc", "parts", "joints", "actions"} == mean.keys()
    test, training = (tiny.TinyPoses(STICK, split).draw(0).target for split in ("test", "train"))
    by_hand = (training.mean(0) - test).norm(dim=-1) * 1000
    assert mean["mpjpe_mm"] == pytest.approx(by_hand.mean().item(), rel=1e-5)
    assert mean["parts"]["legs"] == pytest.approx(by_hand[:, 1:].mean().item(), rel=1e-5)
    assert mean["joints"]["left_knee"] == pytest.approx(by_hand[:, 1].mean().item(), rel=1e-5)
    assert mean["actions"]["walk"]["mpjpe_mm"] == pytest.approx(by_hand[1::2].mean().item(), rel=1e-5)
    assert mean["p_mpjpe_mm"] <= mean["mpjpe_mm"] and 0 <= mean["auc"] <= mean["pck"] <= 1


def test_best_and_overrides_and_a_bare_file(run: Path) -> None:
    before = (run / "metrics.json").read_bytes()
    other = evaluate.evaluate(run, overrides=["data.size=6"], plugins=[tiny])
    assert other["poses"] == 6 and (run / "metrics.json").read_bytes() == before
    best = evaluate.evaluate(run, which="best", overrides=["data.size=20"], plugins=[tiny])
    assert best["steps"] in (5, 10)
    single = evaluate.evaluate(run / "last.safetensors", overrides=["data.size=6"], plugins=[tiny])
    assert single == other
    with pytest.raises(ValueError, match="did you mean 'size'"):
        evaluate.evaluate(run, overrides=["data.sise=6"], plugins=[tiny])
    with pytest.raises(ValueError, match=r'needs the package tiny: pass plugins=\["tiny"\]'):
        evaluate.evaluate(run)


class OneSided(SkeletonModel):
    """Copies the input's x, and answers only for the left."""

    def forward(self, x: Tensor) -> Tensor:
        pose = torch.zeros(*x.shape[:-1], 3)
        pose[..., 1, 0] = x[..., 1, 0]
        return pose


def test_flip_mirrors_input_and_output() -> None:
    x = torch.randn(5, 3, 2)
    plain, flipped = (predict(OneSided(STICK), x, STICK, flip=flip, batch_size=2).pose for flip in (False, True))
    assert torch.equal(plain[:, 1, 0], x[:, 1, 0]) and not plain[:, 2].any()
    expected = torch.zeros(5, 3, 3)
    expected[:, 1, 0], expected[:, 2, 0] = x[:, 1, 0] / 2, x[:, 2, 0] / 2
    torch.testing.assert_close(flipped, expected)
    alone = Skeleton("alone", ["a", "b", "c"], [-1, 0, 0])
    assert torch.equal(predict(OneSided(STICK), x, alone, flip=True).pose, plain)


def test_predict_keeps_the_mode_and_takes_named_tuples() -> None:
    model = tiny.TinyNet(STICK, head=True, dropout=0.5).train()
    x = torch.randn(4, 3, 2)
    first, second = predict(model, x, STICK).pose, predict(model, x, STICK, batch_size=3).pose
    torch.testing.assert_close(first, second)
    assert model.training and not first.requires_grad


def test_whole_bodies_add_the_h3wb_protocol() -> None:
    skeleton = builtin.get("COCO_WHOLEBODY")
    target = torch.randn(4, 133, 3) * 0.3
    poses = PosePairs(torch.zeros(4, 133, 2), target, torch.zeros(4, dtype=torch.long))
    pose = target.clone()
    pose[:, 0] += torch.tensor([0.0, 0.0, 0.05])
    result = report(pose, poses, skeleton, ["stand"])
    assert list(result["h3wb"]) == ["all", "body", "face", "face_nose", "hands", "hands_wrist"]
    assert result["h3wb"]["face_nose"] == pytest.approx(50, rel=1e-4) and result["h3wb"]["hands"] == 0


def test_133_joints_of_another_skeleton_are_no_whole_body() -> None:
    chain = Skeleton("chain", [f"j{i}" for i in range(133)], [-1, *range(132)])
    target = torch.randn(4, 133, 3) * 0.3
    poses = PosePairs(torch.zeros(4, 133, 2), target, torch.zeros(4, dtype=torch.long))
    assert "h3wb" not in report(target, poses, chain, ["stand"])


def test_metrics_of_motion_are_those_of_all_frames() -> None:
    target = torch.randn(4, 3, 3, 3, dtype=torch.float64)
    pose = target + torch.tensor([0.0, 0.01, 0.03]).view(1, 3, 1, 1)  # steps that are 10 and 20 mm off in each axis
    zeros = torch.zeros(4, dtype=torch.long)
    poses = PosePairs(torch.zeros(4, 3, 3, 2), target[:, 1], zeros, target)
    result = report(pose[:, 1], poses, STICK, ["stand"], pred_frames=pose)
    assert result["velocity_error_mm"] == pytest.approx(15 * 3**0.5)
    assert result["mpjpe_mm"] == pytest.approx(10 * 3**0.5) and result["bone_variation"] > 0
    assert "velocity_error_mm" not in report(pose[:, 1], poses, STICK, ["stand"])


def test_a_metric_is_one_function_that_says_what_it_needs_and_gives() -> None:
    def farthest(pred: Tensor, target: Tensor) -> metrics.Metres:
        return (pred - target).norm(dim=-1).max()

    def loss(pred: Tensor, target: Tensor) -> Tensor:
        raise AssertionError("no metric: its type says no unit")

    module = types.ModuleType("more_metrics")
    module.__dict__.update(farthest=farthest, loss=loss, Net=OneSided, __all__=["farthest", "loss", "Net"])
    target = torch.randn(4, 3, 3)
    pose = target + torch.tensor([0.0, 0.3, 0.4])
    poses = PosePairs(torch.zeros(4, 3, 2), target, torch.zeros(4, dtype=torch.long))
    result = report(pose, poses, STICK, ["stand"], plugins=[module])
    assert result["farthest_mm"] == pytest.approx(500) == result["actions"]["stand"]["farthest_mm"]
    assert "loss" not in result and "farthest_mm" in [row.name for row in metric_rows(result)]
