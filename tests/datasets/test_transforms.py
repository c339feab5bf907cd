"""Model input, mirroring, and the PyG transforms on single graphs and on batches."""

import pytest
import torch
from torch_geometric.data import Batch, Data
from torch_geometric.transforms import Compose

from skelgraph import Skeleton
from skelgraph.datasets.transforms import Center, Flip, ParentDistance, PositionsToInput, TypedEdges
from skelgraph.nn.inputs import flip_input, flip_pose, model_input
from skelgraph.skeleton.builtin import COCO, HUMAN36M

SKELETONS = [HUMAN36M, COCO, Skeleton("pair", ["left_a", "right_a", "tail"], [-1, 0, 1], extra_edges=[(0, 2)])]


def graph(skeleton: Skeleton, seed: int = 0, channels: int = 2) -> Data:
    random = torch.Generator().manual_seed(seed)
    x = torch.randn(skeleton.num_joints, channels, generator=random)
    return skeleton.to_data(x, y=torch.randn(skeleton.num_joints, 3, generator=random))


def bare(data: Data) -> Data:
    return Data(x=data.x, y=data.y)


def test_model_input_is_normalised_and_masked():
    keypoints = torch.tensor([[[0.0, 0.0], [640.0, 480.0], [320.0, 240.0]]])
    confidence, size = torch.tensor([[0.5, 1.0, 0.0]]), torch.tensor([[640.0, 480.0]])
    assert model_input(keypoints, confidence, size).tolist() == [[[-1, -0.75], [1, 0.75], [0, 0]]]
    assert model_input(keypoints, confidence, size, channels=3)[..., 2].tolist() == [[0.5, 1, 0]]


def test_missing_joints_may_hold_nan_and_send_no_gradient():
    keypoints = torch.tensor([[[float("nan"), 3.0], [10.0, 20.0]]], requires_grad=True)
    x = model_input(keypoints, torch.tensor([[0.0, 1.0]]), torch.tensor([[100.0, 100.0]]), channels=3)
    assert x.isfinite().all() and (x[0, 0] == 0).all()
    x.sum().backward()
    assert keypoints.grad is not None
    torch.testing.assert_close(keypoints.grad, torch.tensor([[[0, 0], [0.02, 0.02]]]))


def test_model_input_tells_the_focal_length_over_the_width():
    keypoints, confidence = torch.rand(2, 3, 2), torch.tensor([[1.0, 1.5, 0.0]] * 2)
    size, focal = torch.tensor([[640.0, 480.0], [1080.0, 1920.0]]), torch.tensor([320.0, 0.0])
    x = model_input(keypoints, confidence, size, 4, focal)
    assert x[..., 2].tolist() == [[1, 1, 0]] * 2 and x[..., 3].tolist() == [[0.5] * 3, [0] * 3]
    assert (model_input(keypoints, confidence, size, 4)[..., 3] == 0).all()
    clips = model_input(
        keypoints.unsqueeze(1).expand(2, 5, 3, 2), confidence.unsqueeze(1).expand(2, 5, 3), size, 4, focal
    )
    assert torch.equal(clips[:, 3], x)


def test_model_input_has_two_to_four_channels():
    with pytest.raises(ValueError, match=r"channels must be 2 \(x, y\), 3 \(with confidence\) or 4 .*, found 5"):
        model_input(torch.zeros(1, 2, 2), torch.ones(1, 2), torch.ones(1, 2), channels=5)


@pytest.mark.parametrize("skeleton", SKELETONS, ids=lambda s: s.name)
@pytest.mark.parametrize("flip", [flip_input, flip_pose])
def test_flipping_twice_is_bitwise_nothing(skeleton, flip):
    x = torch.randn(2, 4, skeleton.num_joints, 3)
    once = flip(x, skeleton.flip_index)
    assert torch.equal(flip(once, skeleton.flip_index), x) and not torch.equal(once, x)


def test_a_flip_swaps_sides_and_the_sign_of_x():
    pose = torch.arange(51.0).view(17, 3)
    left, right = HUMAN36M.index("left_wrist"), HUMAN36M.index("right_wrist")
    assert flip_pose(pose, HUMAN36M.flip_index)[left].tolist() == (pose[right] * torch.tensor([-1, 1, 1])).tolist()


def test_flipped_keypoints_are_those_of_the_mirrored_image():
    keypoints, size = torch.rand(1, 17, 2) * 480, torch.tensor([[640.0, 480.0]])
    seen = torch.ones(1, 17)
    mirrored = torch.stack([640 - keypoints[..., 0], keypoints[..., 1]], -1)[:, HUMAN36M.flip_index]
    expected = model_input(mirrored, seen, size)
    torch.testing.assert_close(flip_input(model_input(keypoints, seen, size), HUMAN36M.flip_index), expected)


@pytest.mark.parametrize("skeleton", SKELETONS, ids=lambda s: s.name)
def test_typed_edges_are_the_skeletons(skeleton):
    data = TypedEdges(skeleton)(bare(graph(skeleton)))
    assert torch.equal(data.edge_index, skeleton.edge_index) and torch.equal(data.edge_type, skeleton.edge_type)
    batch = Batch.from_data_list([graph(skeleton, seed) for seed in range(3)])
    expected = batch.edge_type.clone()
    batch.edge_type = None
    assert torch.equal(TypedEdges(skeleton)(batch).edge_type, expected)


def test_typed_edges_of_a_batch_without_edges():
    batch = Batch.from_data_list([bare(graph(HUMAN36M, seed)) for seed in range(3)])
    expected = Batch.from_data_list([graph(HUMAN36M, seed) for seed in range(3)])
    batch = TypedEdges(HUMAN36M)(batch)
    assert torch.equal(batch.edge_index, expected.edge_index) and torch.equal(batch.edge_type, expected.edge_type)


def test_typed_edges_follow_the_order_of_the_graph():
    data = graph(HUMAN36M)
    order = torch.randperm(HUMAN36M.num_edges)
    data.edge_index = data.edge_index[:, order]
    assert torch.equal(TypedEdges(HUMAN36M)(data).edge_type, HUMAN36M.edge_type[order])


@pytest.mark.parametrize(
    ("edge", "message"), [((0, 16), r"0 -> 16 \(hip -> right_wrist\)"), ((3, 17 + 2), r"3 -> 19 \(right_ankle ->")]
)
def test_foreign_edges_are_refused(edge, message):
    batch = Batch.from_data_list([graph(HUMAN36M, seed) for seed in range(2)])
    batch.edge_index = torch.cat([batch.edge_index, torch.tensor(edge).view(2, 1)], 1)
    with pytest.raises(ValueError, match="'HUMAN36M' has no edge " + message):
        TypedEdges(HUMAN36M)(batch)


@pytest.mark.parametrize("skeleton", SKELETONS, ids=lambda s: s.name)
def test_parent_distance_is_that_of_to_data(skeleton):
    datas = [graph(skeleton, seed, channels=3) for seed in range(3)]
    torch.testing.assert_close(ParentDistance(skeleton)(bare(datas[0])).parent_distance, datas[0].parent_distance)
    batch = Batch.from_data_list(datas)
    expected = batch.parent_distance.clone()
    batch.parent_distance = None
    torch.testing.assert_close(ParentDistance(skeleton)(batch).parent_distance, expected)


def test_center_subtracts_the_origin_of_each_graph():
    datas = [graph(COCO, seed, channels=3) for seed in range(3)]
    origin, batch = list(COCO.origin), Batch.from_data_list(datas)
    for data, original in ((Center(COCO)(datas[0].clone()), datas[0]), (Center(COCO)(batch).get_example(1), datas[1])):
        torch.testing.assert_close(data.x[:, :2], original.x[:, :2] - original.x[origin, :2].mean(0))
        torch.testing.assert_close(data.y, original.y - original.y[origin].mean(0))
        assert torch.equal(data.x[:, 2], original.x[:, 2])


def test_random_flip_of_all_or_none():
    data = graph(HUMAN36M, channels=3)
    flipped = Flip(HUMAN36M, p=1.0)(data.clone())
    assert torch.equal(flipped.x, flip_input(data.x, HUMAN36M.flip_index))
    assert torch.equal(flipped.y, flip_pose(data.y, HUMAN36M.flip_index))
    expected = HUMAN36M.to_data(flipped.x)
    torch.testing.assert_close(flipped.edge_attr, expected.edge_attr)
    torch.testing.assert_close(flipped.parent_distance, expected.parent_distance)
    same = Flip(HUMAN36M, p=0.0)(data.clone())
    assert torch.equal(same.x, data.x) and torch.equal(same.y, data.y)


def test_random_flip_decides_for_each_graph_of_a_batch():
    datas = [graph(HUMAN36M, seed) for seed in range(64)]
    flip = Flip(HUMAN36M, generator=torch.Generator().manual_seed(0))
    done = 0
    for before, after in zip(datas, flip(Batch.from_data_list(datas)).to_data_list(), strict=True):
        mirrored = torch.equal(after.x, flip_input(before.x, HUMAN36M.flip_index))
        assert mirrored or torch.equal(after.x, before.x)
        assert torch.equal(after.y, flip_pose(before.y, HUMAN36M.flip_index) if mirrored else before.y)
        done += mirrored
    assert 16 < done < 48


def test_random_flip_works_without_a_target():
    assert Flip(HUMAN36M, p=1.0)(Data(x=torch.randn(17, 2))).y is None


def test_a_flip_needs_a_probability():
    with pytest.raises(ValueError, match=r"p must be a probability in \[0, 1\], found 2"):
        Flip(HUMAN36M, p=2)


@pytest.mark.parametrize("transform", [TypedEdges, ParentDistance, Center, Flip, PositionsToInput])
def test_graphs_of_another_skeleton_are_refused(transform):
    with pytest.raises(ValueError, match=r"'HUMAN36M' has 17 joints: x must be \[graphs \* 17, C\], found \[18, 2\]"):
        transform(HUMAN36M)(Data(x=torch.zeros(18, 2)))
    with pytest.raises(ValueError, match="found none"):
        transform(HUMAN36M)(Data())


def test_transforms_compose_and_leave_the_original_alone():
    data = graph(HUMAN36M)
    before = data.clone()
    steps = [Center(HUMAN36M), Flip(HUMAN36M, p=1.0), ParentDistance(HUMAN36M), TypedEdges(HUMAN36M)]
    after = Compose(steps)(data)
    assert torch.equal(data.x, before.x) and torch.equal(data.y, before.y)
    torch.testing.assert_close(after.parent_distance, HUMAN36M.to_data(after.x).parent_distance)
