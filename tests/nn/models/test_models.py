"""What every model that takes one view's keypoints promises, on any skeleton. New models are covered by themselves."""

import copy
import inspect
import io
import pickle
from typing import Any

import pytest
import torch
from every_model import keypoint_models
from torch import Tensor, nn
from torch_geometric import nn as pyg
from torch_geometric.data import Batch
from torch_geometric.nn import summary

from skelgraph import Skeleton
from skelgraph.nn import layers, losses, models
from skelgraph.nn.inputs import flip_input, flip_pose
from skelgraph.nn.layers import PartitionConv, Topology
from skelgraph.nn.models import SemGAN
from skelgraph.nn.models.sem_gcn import joint_groups
from skelgraph.nn.output import PoseOutput
from skelgraph.nn.prediction import predict
from skelgraph.skeleton.builtin import COCO, COCO_WHOLEBODY, HUMAN36M, HUMAN36M_16, OPENPOSE_BODY25
from skelgraph.training import config, experiment

SMALL = {
    "num_layers": 2,
    "hidden_channels": 16,
    "heads": 2,
    "head_channels": 8,
    "ffn_channels": 16,
    "dropout": 0.0,
    "head_dropout": 0.0,
    "pool_dropout": 0.0,
}
STAR = Skeleton("star", ["middle", "north", "east", "south", "west"], [-1, 0, 0, 0, 0])
SKELETONS = [STAR, HUMAN36M_16, HUMAN36M, OPENPOSE_BODY25, COCO_WHOLEBODY]

each_model = pytest.mark.parametrize("name", keypoint_models())
each_skeleton = pytest.mark.parametrize("skeleton", SKELETONS, ids=lambda s: f"{s.num_joints}")
# 16, 17 and 25 joints take the same code
few_skeletons = pytest.mark.parametrize(
    "skeleton",
    [pytest.param(s, marks=pytest.mark.slow) if s in (HUMAN36M_16, OPENPOSE_BODY25) else s for s in SKELETONS],
    ids=lambda s: f"{s.num_joints}",
)
# tracing takes seconds a layer, and a second layer is traced like the first
each_depth = pytest.mark.parametrize("num_layers", [1, pytest.param(2, marks=pytest.mark.slow)])
# these are traced like GCN (graph layers), SemGAN (attention) or PartLifter
TRACED_ALIKE = {"AMPose", "GraFormer", "JointFormer", "JointFormerRefinement", "LargeSimpleBaseline", "ModulatedGCN"}
TRACED_ALIKE |= {"PoseRefinement", "STGCN", "SemGCN", "SimpleBaseline"}


def each_traced(*slow: str) -> pytest.MarkDecorator:
    """Every model; slow are those that are traced like another, and those that are named."""
    marks = {name: [pytest.mark.slow] if name in TRACED_ALIKE | {*slow} else [] for name in keypoint_models()}
    return pytest.mark.parametrize("name", [pytest.param(name, marks=mark) for name, mark in marks.items()])


def small(name: str, skeleton: Skeleton, device: Any = "cpu", seed: int = 0, **changes: Any) -> nn.Module:
    model = getattr(models, name)
    known = inspect.signature(model).parameters
    torch.manual_seed(seed)
    return model(skeleton, **{k: v for k, v in {**SMALL, **changes}.items() if k in known}).to(device)


def inputs(*shape: int, device: Any = "cpu", dtype: torch.dtype = torch.float32) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(1), dtype=dtype).to(device)


def parts_of(output: Any) -> list[Tensor]:
    """The tensors of an output, the pose first."""
    if isinstance(output, Tensor):
        return [output]
    assert isinstance(output, PoseOutput)
    return [part for part in output if part is not None]


def poses_of(output: Any) -> list[Tensor]:
    """Those that hold one value for each coordinate of one pose a pose."""
    pose, *rest = parts_of(output)
    return [pose, *(part for part in rest if part.shape == pose.shape)]


def loss_of(output: Any, target: Tensor) -> Tensor:
    """Every output has a part in it, so that every parameter has a gradient."""
    parts = [part - target if part.shape[-3:] == target.shape else part for part in parts_of(output)]
    return sum((part**2).mean() for part in parts)


def assert_same(found: Any, expected: Any, **tolerance: float) -> None:
    for a, b in zip(parts_of(found), parts_of(expected), strict=True):
        torch.testing.assert_close(a, b, **({"rtol": 0, "atol": 0} | tolerance))


@each_model
@each_skeleton
def test_shapes_on_any_skeleton(name: str, skeleton: Skeleton, device: torch.device) -> None:
    joints = skeleton.num_joints
    model = small(name, skeleton, device).double().eval()
    x = inputs(6, joints, 2, device=device, dtype=torch.float64)
    expected = model(x)
    assert model.skeleton is skeleton
    assert all(part.shape == (6, joints, 3) for part in poses_of(expected))
    assert all(part.dtype == torch.float64 for part in parts_of(expected))
    for lead in ((2, 3), (1, 6, 1)):
        found = model(x.view(*lead, joints, 2))
        assert all(part.shape == (*lead, joints, 3) for part in poses_of(found))
        for a, b in zip(parts_of(found), parts_of(expected), strict=True):
            assert a.shape == (*b.shape[:-3], *lead, joints, b.size(-1))
            torch.testing.assert_close(a.view_as(b), b, rtol=0, atol=1e-12)
    assert all(part.shape == (joints, 3) for part in poses_of(model(x[0])))
    batch = Batch.from_data_list([skeleton.to_data(pose) for pose in x])
    for a, b in zip(parts_of(model(batch)), parts_of(expected), strict=True):
        assert a.shape == (*b.shape[:-3], 6 * joints, b.size(-1))
        torch.testing.assert_close(a.view_as(b), b, rtol=0, atol=1e-12)
    assert all(part.shape == (joints, 3) for part in poses_of(model(skeleton.to_data(x[0]))))


@each_model
def test_channels_in_and_out(name: str) -> None:
    if name == "PartLifter":  # turns its answer in space
        assert small(name, HUMAN36M, in_channels=3)(inputs(4, 17, 3)).pose.shape == (4, 17, 3)
        return
    model = small(name, HUMAN36M, in_channels=3, out_channels=1).eval()
    assert all(part.shape == (4, 17, 1) for part in poses_of(model(inputs(4, 17, 3))))


@each_model
def test_another_skeleton_raises(name: str) -> None:
    model = small(name, HUMAN36M)
    for wrong in (inputs(4, 16, 2), inputs(4, 17, 3), inputs(17 * 2), inputs(2, 34, 2)):
        with pytest.raises(ValueError, match="human36m|HUMAN36M|poses"):
            model(wrong)
    for graph in (HUMAN36M_16.to_data(inputs(16, 2)), COCO.to_data(inputs(17, 2)), HUMAN36M.to_data(inputs(17, 3))):
        with pytest.raises(ValueError, match="takes graphs of"):
            model(graph)
    mixed = Batch.from_data_list([HUMAN36M.to_data(inputs(17, 2)), COCO.to_data(inputs(17, 2))])
    with pytest.raises(ValueError, match="takes graphs of"):
        model(mixed)


@each_model
def test_eval_is_deterministic_and_independent_of_the_batch(name: str, device: torch.device) -> None:
    model, x = small(name, HUMAN36M, device, dropout=0.5), inputs(6, 17, 2, device=device)
    model.double().eval()
    x = x.double()
    expected = model(x)
    assert_same(model(x), expected)
    for part, alone in zip(parts_of(expected), parts_of(model(x[2:3])), strict=True):
        torch.testing.assert_close(alone, part[..., 2:3, :, :], rtol=0, atol=1e-12)
    for part, turned in zip(parts_of(expected), parts_of(model(x.flip(0))), strict=True):
        torch.testing.assert_close(turned, part.flip(-3), rtol=0, atol=1e-12)


@each_model
def test_dropout_is_random_in_training_only(name: str) -> None:
    model, x = small(name, HUMAN36M, dropout=0.5).train(), inputs(8, 17, 2)
    if not any(isinstance(module, nn.Dropout) and module.p > 0 for module in model.modules()):
        assert name in ("LargeSimpleBaseline", "PartLifter")  # have none
        return
    assert not torch.equal(parts_of(model(x))[0], parts_of(model(x))[0])


@each_model
@few_skeletons
def test_training_lowers_the_loss(name: str, skeleton: Skeleton, device: torch.device) -> None:
    model = small(name, skeleton, device).train()
    x, y = (inputs(8, skeleton.num_joints, c, device=device) for c in (2, 3))
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    losses_seen = []
    for _ in range(4):
        optimizer.zero_grad()
        loss = loss_of(model(x), y)
        loss.backward()
        without = [n for n, p in model.named_parameters() if p.grad is None or not p.grad.isfinite().all()]
        assert not without, f"parameters without a finite gradient: {without}"
        optimizer.step()
        losses_seen.append(float(loss.detach()))
    assert losses_seen[-1] < losses_seen[0]


@each_model
@few_skeletons
def test_bfloat16_autocast(name: str, skeleton: Skeleton, device: torch.device) -> None:
    model, x = small(name, skeleton, device), inputs(8, skeleton.num_joints, 2, device=device)
    model.eval()
    expected = parts_of(model(x))
    with torch.autocast(device.type, torch.bfloat16):
        output = model(x)
        loss = loss_of(output, inputs(8, skeleton.num_joints, 3, device=device))
    loss.backward()
    for found, exact in zip(parts_of(output), expected, strict=True):
        torch.testing.assert_close(found.float(), exact, rtol=0, atol=0.05 * float(exact.detach().abs().max()))
    assert all(p.grad.dtype == torch.float32 and p.grad.isfinite().all() for p in model.parameters())


@each_model
@few_skeletons
def test_bfloat16_altogether(name: str, skeleton: Skeleton, device: torch.device) -> None:
    model = small(name, skeleton, device).bfloat16()
    output = model(inputs(8, skeleton.num_joints, 2, device=device, dtype=torch.bfloat16))
    assert all(part.dtype == torch.bfloat16 for part in parts_of(output))
    loss_of(output, inputs(8, skeleton.num_joints, 3, device=device, dtype=torch.bfloat16)).backward()
    assert all(p.grad.dtype == torch.bfloat16 and p.grad.isfinite().all() for p in model.parameters())


@each_model
def test_a_saved_model_is_bitwise_the_same(name: str, device: torch.device) -> None:
    model, x = small(name, HUMAN36M, device), inputs(4, 17, 2, device=device)
    model(x)  # batch norms learn something
    file = io.BytesIO()
    torch.save(model.state_dict(), file)
    file.seek(0)
    state = torch.load(file, weights_only=True)
    assert not [key for key in state if "topology" in key], "a graph is no weight"
    other = small(name, HUMAN36M, device, seed=1)
    other.load_state_dict(state)
    model.eval()
    assert_same(other.eval()(x), model(x))
    for twin in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        assert_same(twin(x), model(x))
        assert twin.skeleton == model.skeleton


@each_traced("SemGAN")  # its export is traced as one graph too
@each_depth
@pytest.mark.parametrize(
    "skeleton", [HUMAN36M, pytest.param(COCO_WHOLEBODY, marks=pytest.mark.slow)], ids=["17", "133"]
)
@pytest.mark.filterwarnings("ignore")
def test_compiles_as_one_graph(name: str, skeleton: Skeleton, num_layers: int, device: torch.device) -> None:
    torch.compiler.reset()
    model, x = (
        small(name, skeleton, device, num_layers=num_layers).eval(),
        inputs(4, skeleton.num_joints, 2, device=device),
    )
    compiled = torch.compile(model, fullgraph=True, backend="eager")
    expected, target = model(x), inputs(4, skeleton.num_joints, 3, device=device)
    assert_same(compiled(x), expected, atol=1e-5)
    parameters = list(model.parameters())
    grads = [torch.autograd.grad(loss_of(m(x), target), parameters) for m in (model, compiled)]
    for ours, theirs in zip(*grads, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-5)


@each_traced()
@pytest.mark.parametrize(
    ("skeleton", "num_layers"), [(STAR, 1), pytest.param(HUMAN36M, 2, marks=pytest.mark.slow)], ids=["5-1", "17-2"]
)
@pytest.mark.filterwarnings("ignore")
def test_exports_as_one_program(name: str, skeleton: Skeleton, num_layers: int) -> None:
    model, joints = small(name, skeleton, num_layers=num_layers).eval(), skeleton.num_joints
    dynamic = ({0: torch.export.Dim("B")},)
    program = torch.export.export(model, (inputs(4, joints, 2),), dynamic_shapes=dynamic, strict=True)
    other = inputs(7, joints, 2)
    assert_same(program.module()(other), model(other), atol=1e-6)


@each_model
def test_is_summarised(name: str) -> None:
    model = small(name, HUMAN36M)
    text = summary(model, inputs(2, 17, 2), max_depth=2)
    assert name in text and f"{sum(p.numel() for p in model.parameters()):,}" in text


MIRRORED = ("AMPose", "GCN", "GraFormer", "ModulatedGCN", "STGCN", "SemGAN", "SemGCN")
each_mirrored = pytest.mark.parametrize("name", MIRRORED)


@each_mirrored
@pytest.mark.parametrize("skeleton", [HUMAN36M, COCO_WHOLEBODY], ids=["17", "133"])
def test_joints_that_trade_places_trade_outputs(name: str, skeleton: Skeleton) -> None:
    r""":math:`f(P x) = P f(x)` for the exchange P of left and right, once what is a joint's or an edge's own is tied.

    It holds for operators of the graph, which P maps to itself, and for attention; not for maps of all joints at once
    (SimpleBaseline, JointFormer's heads).
    """
    joints, flip = skeleton.num_joints, skeleton.flip_index
    model = small(name, skeleton, decoder="shared_parts").double().eval()
    with torch.no_grad():
        for key, parameter in model.named_parameters():
            if key.endswith("position"):
                parameter.copy_((parameter + parameter[flip]) / 2)
            elif key.endswith("edge_logit"):
                parameter.fill_(1)
            elif key.endswith(("affinity", "adjacency")):
                parameter.copy_((parameter + parameter[flip][:, flip]) / 2)
    x = inputs(3, joints, 2, dtype=torch.float64)
    for found, expected in zip(parts_of(model(x[:, flip])), parts_of(model(x)), strict=True):
        torch.testing.assert_close(found, expected[:, flip], rtol=0, atol=1e-11)


@each_model
def test_flip_augmentation_answers_a_mirrored_input_with_the_mirrored_pose(name: str) -> None:
    model, x, flip = small(name, HUMAN36M), inputs(4, 17, 2), HUMAN36M.flip_index
    mirrored = predict(model, flip_input(x, flip), HUMAN36M).pose
    torch.testing.assert_close(mirrored, flip_pose(predict(model, x, HUMAN36M).pose, flip), rtol=0, atol=1e-5)


class OwnConv(nn.Module):
    """A user's layer: the mean of the neighbours, by PyTorch alone."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.linear = nn.Linear(in_channels, out_channels)

    def forward(self, x: Tensor, edge_index: Tensor) -> Tensor:
        source, target = edge_index
        total = torch.zeros_like(x).index_add(-2, target, x[..., source, :])
        return self.linear(total / target.bincount(minlength=x.size(-2)).unsqueeze(-1))


class OwnBlock(nn.Module):
    """A user's GCN block."""

    def __init__(self, channels: int, num_types: int) -> None:
        super().__init__()
        self.conv = PartitionConv(channels, channels, num_types)

    def forward(self, x: Tensor, topology: Topology) -> Tensor:
        return x + self.conv(x, topology).tanh()


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("GCN", {"conv": OwnConv}),
        ("GCN", {"conv": pyg.GraphConv}),
        ("GCN", {"conv": pyg.GCNConv}),
        *(("GCN", {"conv": getattr(layers, conv)}) for conv in ("SemConv", "ModulatedConv", "PartitionConv")),
        ("AMPose", {"block": OwnBlock}),
    ],
    ids=lambda value: value if isinstance(value, str) else next(iter(value.values())).__name__,
)
def test_a_layer_of_ones_own_learns(name: str, options: dict) -> None:
    model = small(name, HUMAN36M, **options).train()
    x, y = inputs(8, 17, 2), inputs(8, 17, 3)
    optimizer, seen = torch.optim.Adam(model.parameters(), lr=1e-2), []
    for _ in range(5):
        optimizer.zero_grad()
        loss = loss_of(model(x), y)
        loss.backward()
        assert all(p.grad is not None for p in model.parameters())
        optimizer.step()
        seen.append(float(loss.detach()))
    assert seen[-1] < seen[0]


def test_a_layer_is_named_in_yaml() -> None:
    spec = config.parse("{name: GCN, hidden_channels: 8, conv: {name: ChebConv, order: 3}}", "own.yaml")
    model = experiment.build_model(spec, HUMAN36M)
    assert [type(m).__name__ for m in model.modules()].count("ChebConv") == 10
    assert model.head.order == 3


@pytest.mark.slow
@each_model
@pytest.mark.parametrize("skeleton", [HUMAN36M, COCO_WHOLEBODY], ids=["17", "133"])
@pytest.mark.filterwarnings("ignore")
@pytest.mark.timeout(600)
def test_inductor(name: str, skeleton: Skeleton) -> None:
    torch.compiler.reset()
    model, x = small(name, skeleton).eval(), inputs(4, skeleton.num_joints, 2)
    with torch.no_grad():
        assert_same(torch.compile(model, fullgraph=True)(x), model(x), rtol=1e-5, atol=1e-5)


@pytest.mark.slow
@each_model
@pytest.mark.filterwarnings("ignore")
def test_exports_as_one_program_at_133(name: str) -> None:
    model, x = small(name, COCO_WHOLEBODY).eval(), inputs(4, 133, 2)
    program = torch.export.export(model, (x,), dynamic_shapes=({0: torch.export.Dim("B")},), strict=True)
    assert_same(program.module()(x), model(x), atol=1e-5)


@pytest.mark.gpu
@each_model
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device here")
@pytest.mark.parametrize("skeleton", [HUMAN36M, COCO_WHOLEBODY], ids=["17", "133"])
def test_a_training_step_does_not_wait_for_the_gpu(name: str, skeleton: Skeleton) -> None:
    model = small(name, skeleton, "cuda", dropout=0.1).train()
    x, y = (inputs(8, skeleton.num_joints, c, device="cuda") for c in (2, 3))
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)

    def step() -> None:
        optimizer.zero_grad()
        loss_of(model(x), y).backward()
        optimizer.step()

    step()
    torch.cuda.set_sync_debug_mode("error")
    try:
        step()
    finally:
        torch.cuda.set_sync_debug_mode("default")


@pytest.mark.parametrize(
    "options",
    [
        {"encoder": "plain", "decoder": "linear", "distance": False},
        {"encoder": "out_proj", "decoder": "linear", "distance": False},
        {"encoder": "out_proj", "decoder": "parts", "distance": False},
        {"encoder": "out_proj", "decoder": "parts", "distance": True},
        {"encoder": "out_proj_no_ffn"},
        {"encoder": "append"},
        {"encoder": "replace_ffn"},
        {"decoder": "shared_parts"},
    ],
    ids=["baseline", "encoder", "decoder", "distance", "no_ffn", "append", "replace_ffn", "shared"],
)
def test_the_rows_of_sem_gan_learn(options: dict) -> None:
    model = small("SemGAN", COCO_WHOLEBODY, **options)
    x, y = inputs(4, 133, 2), inputs(4, 133, 3)
    output = model(x)
    assert output.pose.shape == output.error.shape == (4, 133, 3)
    weights = {"mse": 0.5, "error": 0.5, "normal": 2.5e-4, "bone": 5e-4}
    total, _ = losses.objective(output, y, COCO_WHOLEBODY, weights)
    total.backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in model.parameters())


def test_sem_gan_of_the_paper_takes_a_step(device: torch.device) -> None:
    torch.manual_seed(0)
    model = SemGAN(COCO_WHOLEBODY).to(device)
    assert model.embed.out_features == 256 and len(model.encoder) == 4
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    before = [p.detach().clone() for p in model.parameters()]
    x, y = (inputs(2, 133, c, device=device) for c in (2, 3))
    weights = {"mse": 0.5, "error": 0.5, "normal": 2.5e-4, "bone": 5e-4}
    total, _ = losses.objective(model(x), y, COCO_WHOLEBODY, weights)
    total.backward()
    optimizer.step()
    assert all(p.isfinite().all() and not torch.equal(p, q) for p, q in zip(model.parameters(), before, strict=True))


def test_sem_gan_knows_the_distance_to_the_parent() -> None:
    """Eq. 1 and 2: moving the whole body changes no distance, and without the distance there is one channel less."""
    assert small("SemGAN", HUMAN36M).embed.in_features == 3
    assert small("SemGAN", HUMAN36M, distance=False).embed.in_features == 2


@pytest.mark.parametrize("norm", ["union", "group", "sum"])
def test_am_pose_takes_the_norm_of_its_layers(norm: str) -> None:
    model = small("AMPose", HUMAN36M, norm=norm)
    assert parts_of(model(inputs(4, 17, 2)))[0].isfinite().all()


@pytest.mark.parametrize("block", ["ours", "two_residual", "transformer", "convnext"])
@pytest.mark.parametrize("num_frames", [1, 3])
def test_am_pose_has_the_blocks_of_table_4_6(block: str, num_frames: int) -> None:
    model = small("AMPose", HUMAN36M, block=block, num_frames=num_frames)
    x = inputs(4, *([3] if num_frames == 3 else []), 17, 2)
    assert model(x).shape == (4, 17, 3)
    loss_of(model(x), inputs(4, 17, 3)).backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in model.parameters())


GROUPS = {
    "center/farther/closer/symmetry": 4,
    "center/farther+closer/symmetry": 3,
    "center/farther+closer+symmetry": 2,
    "center+farther+closer+symmetry": 1,
    "center/farther/closer": 3,
    "center/farther+closer": 2,
}


@pytest.mark.parametrize("groups", GROUPS)
def test_am_pose_has_the_groups_of_table_4_8(groups: str) -> None:
    model = small("AMPose", HUMAN36M, groups=groups)
    edges, types = model.topology.edge_index, model.topology.edge_type
    assert model.topology.num_types == GROUPS[groups] == model.blocks[0].gcn1.conv.num_types
    assert edges.size(1) == HUMAN36M.num_edges + 2 * len(HUMAN36M.pairs) * ("symmetry" in groups)
    pairs, hops = {tuple(sorted(pair)) for pair in HUMAN36M.pairs}, HUMAN36M.hops()
    members: dict[int, set[str]] = {}
    for (source, target), kind in zip(edges.t().tolist(), types.tolist(), strict=True):
        near = "center" if source == target else "closer" if hops[source] < hops[target] else "farther"
        is_pair = tuple(sorted((source, target))) in pairs
        members.setdefault(kind, set()).add("symmetry" if is_pair else near)
    assert sorted(map(sorted, members.values())) == sorted(sorted(part.split("+")) for part in groups.split("/"))
    assert model(inputs(2, 17, 2)).isfinite().all()
    assert small("AMPose", STAR, groups=groups)(inputs(2, 5, 2)).isfinite().all(), "a skeleton without pairs"


def test_am_pose_has_the_orders_of_table_4_7() -> None:
    seen = {}
    for order in ("transformer_first", "gcn_first", "transformers_then_gcns", "gcns_then_transformers"):
        model, called = small("AMPose", HUMAN36M, order=order), []
        for letter, parts in (("T", model.encoders), ("G", model.blocks)):
            for part in parts:
                part.register_forward_hook(lambda *_, letter=letter, called=called: called.append(letter))
        model(inputs(2, 17, 2))
        seen[order] = "".join(called)
    assert list(seen.values()) == ["TGTG", "GTGT", "TTGG", "GGTT"]


def test_am_pose_takes_the_direction_of_the_toes() -> None:
    with pytest.raises(ValueError, match="toe_direction needs 2 of the in_channels"):
        small("AMPose", HUMAN36M, toe_direction=True)
    model = small("AMPose", HUMAN36M, in_channels=4, toe_direction=True, order="gcn_first").eval()
    x = inputs(3, 17, 4)
    before = model(x)
    x[:, 3, 2:] += 1  # the right ankle's toe
    assert not torch.equal(model(x), before)
    with torch.no_grad():
        model.embed_toes.weight.zero_()
    twin = small("AMPose", HUMAN36M, order="gcn_first").eval()
    twin.load_state_dict({k: v for k, v in model.state_dict().items() if k != "embed_toes.weight"})
    assert_same(model(x), twin(x[..., :2]))


@pytest.mark.parametrize("embedding", ["conv", "linear", "graph"])
@pytest.mark.parametrize("intermediate", [True, False])
@pytest.mark.parametrize("error", [True, False])
def test_joint_former_in_all_its_forms(embedding: str, intermediate: bool, error: bool) -> None:
    options = {"embedding": embedding, "intermediate": intermediate, "error": error, "position": True}
    model = small("JointFormer", HUMAN36M, **options)
    x, y = inputs(2, 3, 17, 2), inputs(2, 3, 17, 3)
    output = model(x)
    assert output.pose.shape == y.shape and output.features.shape == (2, 3, 17, 16)
    assert (output.error is None) == (not error) and (output.poses is None) == (not intermediate)
    if intermediate:
        assert torch.equal(output.poses[-1], output.pose) and output.poses.shape == (2, *y.shape)
    weights = {"mse": 0.5} | ({"error": 0.5} if error else {})
    total, values = losses.objective(output, y, HUMAN36M, weights)
    layers_of = output.poses if intermediate else output.pose.unsqueeze(0)
    expected = torch.stack([losses.mse(pose, y) for pose in layers_of]).mean()
    torch.testing.assert_close(values["mse"], expected.detach())
    total.backward()
    unused = {name for name, p in model.named_parameters() if p.grad is None}
    assert unused == ({"feedback.1.weight", "feedback.1.bias"} if intermediate else set())  # only features need these


def test_shared_parts_share() -> None:
    own, shared = (small("SemGAN", COCO_WHOLEBODY, decoder=d) for d in ("parts", "shared_parts"))
    count = [sum(p.numel() for p in model.parameters()) for model in (own, shared)]
    assert count[1] < count[0]
    decoder = shared.decoder
    assert decoder.layers[0] is decoder.layers[2] and decoder.pose[0].weight is decoder.pose[1].weight
    assert decoder.pose[0].edge_logit.shape != decoder.pose[1].edge_logit.shape


def test_sem_gcn_pools_the_authors_groups() -> None:
    groups = [[2, 3], [5, 6], [1, 4], [0, 7], [8, 9], [14, 15], [11, 12], [10, 13]]
    assert sorted(joint_groups(HUMAN36M_16)) == sorted(groups)
    with pytest.raises(ValueError, match="no joint 'left_nee'; did you mean 'left_knee'"):
        small("SemGCN", HUMAN36M_16, non_local=True, groups=[["left_nee", "left_hip"]])
