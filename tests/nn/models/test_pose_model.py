"""The contract of a model."""

import pytest
import torch
from torch import Tensor, nn

from skelgraph.errors import ContractError
from skelgraph.nn import models
from skelgraph.nn.models import PoseModel, SkeletonModel, check_model
from skelgraph.nn.models.pose_model import ATTRIBUTES
from skelgraph.nn.output import PoseOutput, as_output
from skelgraph.skeleton.builtin import HUMAN36M

KINDS = {
    "MSTR": ("images", 3, "all", 1),
    "MultiViewLifter": ("views", 9, "all", 9),
    "JointFormerRefinement": ("pose", 8, "all", 1),
    "PoseRefinement": ("pose", 6, "all", 1),
    "AMPose": ("pose", 2, "middle", 1),
}


@pytest.mark.parametrize("name", models.__all__)
def test_every_model_keeps_the_contract(name: str) -> None:
    sizes = {"depths": (1,), "heads": (1,)} if name == "MSTR" else {"hidden_channels": 8}
    model = getattr(models, name)(HUMAN36M, **sizes)
    assert isinstance(model, PoseModel) and isinstance(model, SkeletonModel)
    assert check_model(model) is model and model.skeleton is HUMAN36M and model.out_channels == 3
    found = (model.input_kind, model.in_channels, model.answers, model.num_frames)
    assert found == KINDS.get(name, ("pose", 2, "all", 1))
    assert (getattr(models, name).input_kind, *found[1:]) == found, "the class says what its instances take"


def test_a_model_of_poses_with_several_frames_is_one_of_clips() -> None:
    clips, poses = (models.STGCN(HUMAN36M, num_frames=t, hidden_channels=8) for t in (3, 1))
    assert (clips.input_kind, clips.answers, poses.input_kind) == ("clip", "all", "pose")
    middle = models.AMPose(HUMAN36M, num_frames=3, hidden_channels=8)
    assert (middle.input_kind, middle.answers) == ("clip", "middle")
    assert models.STGCN.input_kind == "pose"


def test_what_is_missing_is_listed_altogether() -> None:
    class Bare(nn.Module):
        pass

    with pytest.raises(ContractError) as raised:
        check_model(Bare())
    assert "Bare" in str(raised.value) and all(f"{name} is missing" in str(raised.value) for name in ATTRIBUTES)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("skeleton", "HUMAN36M"),
        ("in_channels", 0),
        ("out_channels", 3.0),
        ("num_frames", None),
        ("input_kind", "video"),
        ("answers", "last"),
        ("num_frames", 3),
    ],
)
def test_what_has_another_value_is_named(name: str, value: object) -> None:
    model = SkeletonModel(HUMAN36M)
    setattr(model, name, value)
    with pytest.raises(ContractError, match=f"{name} is "):
        check_model(model)


def test_models_of_images_answer_every_frame() -> None:
    model = models.MSTR(HUMAN36M, depths=(1,), heads=(1,), hidden_channels=8)
    model.answers = "middle"
    with pytest.raises(ContractError, match="answers is 'middle'"):
        check_model(model)


def test_outputs_are_one_type() -> None:
    pose = torch.randn(2, 17, 3)
    alone = as_output(pose)
    assert alone.pose is pose and alone[1:] == (None,) * 5
    assert as_output(alone) is alone and PoseOutput._fields[:2] == ("pose", "error")

    class Other(nn.Module):
        def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
            return x, x

    with pytest.raises(ContractError, match="tuple"):
        as_output(Other()(pose))


@pytest.mark.parametrize("num_frames", [1, 3])
def test_layers_stay_in_front_of_leading_dimensions(num_frames: int) -> None:
    """An output's poses of L layers are told from clips by their field, whatever the ranks."""
    model = models.JointFormer(HUMAN36M, hidden_channels=8, num_layers=2).eval()
    x = torch.randn(num_frames, 4, 17, 2)
    output = model(x)
    assert output.pose.shape == (num_frames, 4, 17, 3) and output.poses.shape == (2, num_frames, 4, 17, 3)
    assert output.features.shape == (num_frames, 4, 17, 8)
