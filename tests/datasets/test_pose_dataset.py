"""The contract of a dataset, and its samples as a PyG dataset."""

import pytest
import tiny
import torch
from torch.utils.data import random_split
from torch_geometric.data import Dataset
from torch_geometric.loader import DataLoader
from torch_geometric.transforms import Compose, RandomJitter

from skelgraph import Skeleton
from skelgraph.datasets import MultiView, PoseDataset, Synthetic, check_dataset
from skelgraph.datasets.pose_dataset import ATTRIBUTES, counts_by_kind
from skelgraph.datasets.transforms import Center, Flip, PositionsToInput
from skelgraph.errors import ConfigError, ContractError
from skelgraph.nn.models import GCN, MultiViewLifter
from skelgraph.skeleton.builtin import HUMAN36M
from skelgraph.training import experiment

STICK = Skeleton.from_dict(tiny.SKELETON)


@pytest.fixture(scope="module")
def dataset() -> Synthetic:
    return Synthetic(HUMAN36M, num_poses=24, num_test_poses=6)


def test_an_epoch_is_drawn_whole_or_by_index(dataset: Synthetic) -> None:
    whole, index = dataset.draw(3), torch.tensor([5, 0, 23])
    for part in (dataset.draw(3, index), dataset.draw(3).take(index)):
        assert all(torch.equal(a, b[index]) for a, b in zip(part, whole, strict=True))
    assert torch.equal(dataset.draw(3, slice(2, 4)).target, whole.target[2:4])
    assert torch.equal(dataset[7].target, dataset.draw(0).target[7]), "an item is one of the first epoch"
    assert not torch.equal(dataset.draw(4, index).target, dataset.draw(3, index).target)
    test = Synthetic(HUMAN36M, "test", num_poses=24, num_test_poses=6)
    assert len(test) == 6 and torch.equal(test.draw(0).target, test.draw(9).target)


def test_graphs_are_a_pyg_dataset(dataset: Synthetic) -> None:
    graphs, poses = dataset.graphs(), dataset.draw(0)
    assert isinstance(graphs, Dataset) and len(graphs) == 24
    assert (graphs.num_features, graphs.num_node_features) == (2, 2)
    data = graphs[5]
    assert torch.equal(data.x, poses.inputs(2)[5]) and torch.equal(data.pos, data.x)
    assert torch.equal(data.y, poses.target[5]) and data.action.tolist() == [int(poses.action[5])]
    assert torch.equal(data.edge_index, HUMAN36M.edge_index) and torch.equal(data.edge_type, HUMAN36M.edge_type)
    assert data.validate() and not data.is_directed()
    assert len(graphs[4:10]) == 6 and torch.equal(graphs[4:10][1].x, data.x)
    assert torch.equal(graphs[torch.tensor([5])][0].x, data.x) and len(graphs.shuffle()) == 24
    assert torch.equal(dataset.graphs(epoch=3)[5].y, dataset.draw(3).target[5])
    assert dataset.graphs(channels=4).num_features == 4
    with pytest.raises(IndexError):
        graphs[24]


def test_graphs_go_through_loaders_and_splits(dataset: Synthetic) -> None:
    torch.manual_seed(0)
    model = GCN(HUMAN36M, hidden_channels=8).eval()
    expected = model(dataset.draw(0).inputs(2))
    found = torch.cat([model(batch) for batch in DataLoader(dataset.graphs(), batch_size=10)])
    torch.testing.assert_close(found.view(24, 17, 3), expected, rtol=0, atol=1e-6)
    first, second = random_split(dataset.graphs(), [20, 4], generator=torch.Generator().manual_seed(0))
    batch = next(iter(DataLoader(second, batch_size=4)))
    torch.testing.assert_close(model(batch).view(4, 17, 3), expected[second.indices], rtol=0, atol=1e-6)
    assert sorted([*first.indices, *second.indices]) == list(range(24))


def test_positions_that_a_transform_moves_reach_the_model(dataset: Synthetic) -> None:
    torch.manual_seed(0)
    model = GCN(HUMAN36M, hidden_channels=8).eval()
    plain, jittered = dataset.graphs()[3], dataset.graphs(RandomJitter(0.05))[3]
    assert torch.equal(model(jittered), model(plain)), "PyG moves pos alone"
    moved = dataset.graphs(Compose([RandomJitter(0.05), PositionsToInput(HUMAN36M)]))[3]
    assert not torch.equal(moved.x, plain.x) and torch.equal(moved.x, moved.pos)
    assert not torch.equal(model(moved), model(plain)) and torch.equal(plain.x, dataset.graphs()[3].x)
    expected = HUMAN36M.to_data(moved.x)
    torch.testing.assert_close(moved.edge_attr, expected.edge_attr)
    torch.testing.assert_close(moved.parent_distance, expected.parent_distance)


@pytest.mark.parametrize("transform", [Center(STICK), Flip(STICK, p=1.0), PositionsToInput(STICK)])
def test_a_clip_is_transformed_as_its_frames_are(transform) -> None:
    """PositionsToInput moves the middle one alone."""
    random = torch.Generator().manual_seed(0)
    x, y = torch.randn(3, 5, 2, generator=random), torch.randn(3, 5, 3, generator=random)
    frames = [STICK.to_data(x[:, t], y=y[:, t]) for t in range(5)]
    clip = frames[2].clone()
    clip.x, clip.y, clip.pos = x, y, x[:, 2] + 1 if isinstance(transform, PositionsToInput) else x[:, 2]
    frames[2].pos = clip.pos
    found, expected = transform(clip), [transform(frame) for frame in frames]
    assert torch.equal(found.x, torch.stack([frame.x for frame in expected], 1))
    assert torch.equal(found.y, torch.stack([frame.y for frame in expected], 1))
    assert torch.equal(found.pos, expected[2].pos) and torch.equal(found.edge_attr, expected[2].edge_attr)


def test_positions_must_be_there() -> None:
    data = STICK.to_data(torch.zeros(3, 2))
    data.pos = torch.zeros(3, 3)
    with pytest.raises(ValueError, match=r"pos must be the 2D positions \[3, 2\], found \[3, 3\]"):
        PositionsToInput(STICK)(data)


class Bare:
    """A dataset that somebody wrote who knows of no contract."""

    def __init__(self, skeleton: Skeleton, split: str = "train", seed: int = 0) -> None:
        self.skeleton = skeleton


def test_what_a_dataset_lacks_is_listed_altogether() -> None:
    with pytest.raises(ContractError) as raised:
        check_dataset(Bare(STICK))
    expected = {*ATTRIBUTES, "__len__", "draw"} - {"skeleton"}
    assert all(f"{name} is missing" in str(raised.value) for name in expected)
    assert "skeleton is missing" not in str(raised.value)
    assert check_dataset(tiny.TinyPoses(STICK)).actions == ("stand", "walk")


def test_a_model_and_a_dataset_of_another_kind_do_not_fit() -> None:
    class Views(tiny.TinyPoses):
        input_kind = "views"

    settings = tiny.settings(epochs=1)
    model, data = tiny.TinyNet(STICK), Views(STICK)
    with pytest.raises(ConfigError, match="TinyNet takes pose, but Views gives views"):
        experiment.check_fit(model, data)
    experiment.check_fit(model, experiment.build_data(settings["data"], STICK, "train", 0, [tiny]))


def test_a_model_that_is_given_no_rays_cannot_learn_places_in_the_world() -> None:
    data = {"recorded": 0.0, "num_clips": 2, "num_frames": 3}
    without_rays = MultiViewLifter(HUMAN36M, in_channels=3, num_frames=3, hidden_channels=8, num_layers=1)
    with pytest.raises(ConfigError, match=r"in_channels is 3.*data\.calibrated"):
        experiment.check_fit(without_rays, MultiView(HUMAN36M, **data))
    experiment.check_fit(without_rays, MultiView(HUMAN36M, calibrated=False, **data))


def test_views_say_whether_they_are_in_the_world() -> None:
    class Views(tiny.TinyPoses):
        input_kind = "views"

    with pytest.raises(ContractError, match="calibrated is missing"):
        check_dataset(Views(STICK))


def test_splits_sizes_and_frames_are_checked_once_for_all() -> None:
    for options in ({"split": "validation"}, {"num_poses": 0}, {"num_test_poses": 0}):
        with pytest.raises(ValueError, match="validation|num_poses|num_test_poses"):
            Synthetic(STICK, **options)
    with pytest.raises(TypeError, match="abstract"):
        PoseDataset(STICK)


def test_counts_by_kind_add_up() -> None:
    assert counts_by_kind(10, "rest", a=0.33, b=0.0) == {"a": 3, "rest": 7}
    assert counts_by_kind(10, "rest", a=1.0) == {"a": 10}
