"""What every model of ``skelgraph.models`` promises, on any skeleton. New models are covered by themselves."""

import copy
import inspect
import io
import pickle
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch_geometric.data import Batch

from skelgraph import Skeleton, losses, models
from skelgraph.models import SemGAN
from skelgraph.skeletons import COCO, COCO_WHOLEBODY, HUMAN36M, HUMAN36M_16, OPENPOSE_BODY25

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

each_model = pytest.mark.parametrize("name", models.__all__)
each_skeleton = pytest.mark.parametrize("skeleton", SKELETONS, ids=lambda s: f"{s.num_joints}")


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
    assert output._fields[0] == "pose"
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
        assert name == "LargeSimpleBaseline"  # has none
        return
    assert not torch.equal(parts_of(model(x))[0], parts_of(model(x))[0])


@each_model
@each_skeleton
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
@each_skeleton
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


@each_model
@pytest.mark.parametrize("skeleton", [HUMAN36M, COCO_WHOLEBODY], ids=["17", "133"])
@pytest.mark.filterwarnings("ignore")
def test_compiles_as_one_graph(name: str, skeleton: Skeleton, device: torch.device) -> None:
    torch.compiler.reset()
    model, x = small(name, skeleton, device).eval(), inputs(4, skeleton.num_joints, 2, device=device)
    compiled = torch.compile(model, fullgraph=True, backend="eager")
    expected, target = model(x), inputs(4, skeleton.num_joints, 3, device=device)
    assert_same(compiled(x), expected, atol=1e-5)
    parameters = list(model.parameters())
    grads = [torch.autograd.grad(loss_of(m(x), target), parameters) for m in (model, compiled)]
    for ours, theirs in zip(*grads, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-5)


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
