"""The table of systems: what it counts is what the authors' code has, and the README shows it."""

from pathlib import Path

import pytest
import torch
from torch import nn

from skelgraph.nn.layers import GCNConv, Topology
from skelgraph.nn.models import (
    STGCN,
    AMPose,
    GraFormer,
    JointFormer,
    JointFormerRefinement,
    LargeSimpleBaseline,
    ModulatedGCN,
    SemGAN,
    SemGCN,
    SimpleBaseline,
    SkeletonModel,
)
from skelgraph.skeleton.builtin import COCO_WHOLEBODY, HUMAN36M, HUMAN36M_16
from skelgraph.training import systems
from skelgraph.training.systems import count_multiply_adds, count_parameters

README = Path(__file__).parents[2] / "README.md"


@pytest.mark.parametrize(
    ("model", "skeleton", "options", "expected"),
    [
        (SimpleBaseline, HUMAN36M_16, {}, 4_291_632),
        (SimpleBaseline, HUMAN36M, {}, 4_296_755),
        (SimpleBaseline, COCO_WHOLEBODY, {"input_unit": False}, 4_888_975),
        (LargeSimpleBaseline, COCO_WHOLEBODY, {}, 6_979_983),
        (SemGCN, HUMAN36M_16, {}, 267_343),
        (SemGCN, HUMAN36M_16, {"non_local": True}, 434_703),
        (SemGCN, HUMAN36M_16, {"channel_wise": True}, 320_013),
        (SemGCN, HUMAN36M_16, {"channel_wise": True, "non_local": True}, 487_373),
        (ModulatedGCN, HUMAN36M_16, {}, 287_923),
        (ModulatedGCN, HUMAN36M, {"hidden_channels": 384, "non_local": True}, 2_731_840),
        (ModulatedGCN, HUMAN36M, {"hidden_channels": 256, "non_local": True}, 1_232_384),
        (STGCN, HUMAN36M, {}, 3_627_847),
        (STGCN, HUMAN36M, {"num_frames": 3}, 5_040_455),
        (STGCN, HUMAN36M, {"num_frames": 7}, 5_040_455),
        (GraFormer, HUMAN36M_16, {}, 654_179),
        (JointFormer, HUMAN36M, {}, 1_478_104),
        (JointFormer, HUMAN36M, {"error": False}, 1_247_244),
        (JointFormer, COCO_WHOLEBODY, {"hidden_channels": 128, "intermediate": False}, 15_232_158),
        (JointFormerRefinement, HUMAN36M, {}, 2_335_283),
    ],
)
def test_parameters_are_those_of_the_authors_code(model, skeleton, options, expected) -> None:
    assert count_parameters(model(skeleton, **options)) == expected


TABLE_4_9 = [
    (4, 108, 0.67),
    (4, 128, 0.93),
    (5, 128, 1.17),
    (4, 256, 3.70),
    (4, 384, 8.31),
    (5, 512, 18.38),
    (6, 512, 22.13),
]


@pytest.mark.parametrize(("num_layers", "channels", "millions"), TABLE_4_9)
def test_parameters_of_am_pose_are_those_of_table_4_9(num_layers: int, channels: int, millions: float) -> None:
    found = count_parameters(AMPose(HUMAN36M_16, num_layers=num_layers, hidden_channels=channels)) / 1e6
    assert found == pytest.approx(millions, rel=0.01)


@pytest.mark.parametrize(
    ("options", "millions", "parameters"),
    [
        ({}, 312.2, 18.3),
        ({"block": "two_residual"}, 312.2, 18.5),
        ({"block": "transformer"}, 289.8, 17.0),
        ({"block": "convnext"}, 289.9, 17.0),
        ({"num_frames": 27}, 313, 18.4),
    ],
)
def test_am_pose_is_counted_as_in_tables_4_5_and_4_6(options: dict, millions: float, parameters: float) -> None:
    model = AMPose(HUMAN36M, **options)
    assert count_multiply_adds(model) / 1e6 == pytest.approx(millions, rel=1.5e-3)
    assert count_parameters(model) / 1e6 == pytest.approx(parameters, rel=0.01)


@pytest.mark.parametrize(
    ("encoder", "expected"),
    [
        ("plain", 788_224),
        ("out_proj", 919_949),
        ("out_proj_no_ffn", 656_525),
        ("append", 656_525),
        ("replace_ffn", 657_037),
    ],
)
def test_a_layer_of_each_reading_of_sem_gan(encoder: str, expected: int) -> None:
    assert count_parameters(SemGAN(COCO_WHOLEBODY, num_layers=1, encoder=encoder).encoder[0]) == expected


class TwoMaps(SkeletonModel):
    """One graph convolution 2 -> 5, a norm and a linear map 5 -> 3, on 17 joints."""

    def __init__(self) -> None:
        super().__init__(HUMAN36M)
        self.topology = Topology(HUMAN36M.edge_index)
        self.conv, self.norm, self.head = GCNConv(2, 5), nn.BatchNorm1d(17), nn.Linear(5, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.norm(self.conv(x, self.topology)))


def test_multiply_adds_by_hand() -> None:
    assert count_multiply_adds(TwoMaps()) == 17 * (2 * 5 + 2 * 5 + 5 * 3)


def test_the_readme_shows_the_table(table_of_systems: list) -> None:
    rows = table_of_systems
    assert all(len(row) == len(rows[0]) and all(row) for row in rows), "a cell is empty"
    assert systems.markdown(rows) in README.read_text(encoding="utf-8"), "python -m skelgraph models --markdown"
