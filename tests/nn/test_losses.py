"""The losses against their formulas, their gradients, and the weighted sum by name."""

import types

import pytest
import torch
from torch import Tensor
from torch.autograd import gradcheck

from skelgraph.errors import ConfigError
from skelgraph.nn import losses
from skelgraph.nn.output import PoseOutput
from skelgraph.skeleton import Skeleton
from skelgraph.skeleton.builtin import COCO, COCO_WHOLEBODY, FACE, HUMAN36M

TRIANGLES = losses.limb_triangles(HUMAN36M)
ALL = dict.fromkeys(("mpjpe", "mse", "l1", "error", "normal", "bone"), 0.5)


def poses(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_losses_are_their_formulas() -> None:
    pred, y = poses(2, 4, 17, 3), poses(2, 4, 17, 3, seed=1)
    n = 2 * 4 * 17
    apart = (pred - y).view(-1, 3)
    assert float(losses.mse(pred, y)) == pytest.approx(sum(float(e @ e) for e in apart) / (3 * n))
    assert float(losses.l1(pred, y)) == pytest.approx(float(apart.abs().sum()) / (3 * n))
    assert float(losses.mpjpe(pred, y)) == pytest.approx(sum(float(e @ e) ** 0.5 for e in apart) / n)
    total = 0.0
    for joint, parent in enumerate(HUMAN36M.parents):
        if parent >= 0:
            ours, theirs = (x[..., joint, :] - x[..., parent, :] for x in (pred, y))
            total += float((ours - theirs).abs().sum())
    assert float(losses.bone(pred, y, HUMAN36M.parents)) == pytest.approx(total / n)


def test_normal_loss_is_its_formula() -> None:
    pred, y = poses(5, 17, 3), poses(5, 17, 3, seed=1)
    total = 0.0
    for a, b, c in TRIANGLES:
        unit = [
            torch.nn.functional.normalize(torch.linalg.cross(x[:, b] - x[:, a], x[:, c] - x[:, a])) for x in (pred, y)
        ]
        total += float((unit[0] - unit[1]).abs().sum())
    assert float(losses.normal(pred, y, TRIANGLES)) == pytest.approx(total / (4 * 5))
    moved = 2 * pred + 1
    torch.testing.assert_close(losses.normal(moved, y, TRIANGLES), losses.normal(pred, y, TRIANGLES))


def test_straight_limbs_count_zero_in_the_normal_loss() -> None:
    pred, y = poses(17, 3), poses(17, 3, seed=1)
    whole = losses.normal(pred, y, TRIANGLES)
    a, b, c = TRIANGLES[0]
    first = losses.normal(pred, y, TRIANGLES[:1])
    for straight in (pred, y):
        saved = straight[c].clone()
        straight[c] = 2 * straight[b] - straight[a]
        torch.testing.assert_close(losses.normal(pred, y, TRIANGLES), whole - first / 4)
        straight[c] = saved


def test_error_loss_trains_the_error_head_only() -> None:
    pred, y, foretold = poses(3, 17, 3).requires_grad_(), poses(3, 17, 3, seed=1), poses(3, 17, 3, seed=2)
    foretold.requires_grad_()
    loss = losses.error(foretold, pred, y)
    torch.testing.assert_close(loss, (foretold - (pred - y).abs()).square().mean())
    loss.backward()
    assert pred.grad is None and foretold.grad is not None and foretold.grad.abs().max() > 0
    assert losses.error((pred - y).abs(), pred, y).detach() == 0


def test_velocity_loss_is_its_formula_and_zero_for_one_frame() -> None:
    pred, y = poses(2, 6, 17, 3).requires_grad_(), poses(2, 6, 17, 3, seed=1)
    step = (pred[:, 1:] - pred[:, :-1]) - (y[:, 1:] - y[:, :-1])
    torch.testing.assert_close(losses.velocity(pred, y), step.norm(dim=-1).mean())
    one = losses.velocity(pred[:, :1], y[:, :1])
    one.backward()
    assert one.detach() == 0 and pred.grad is not None and pred.grad.eq(0).all()


@pytest.mark.parametrize(
    "loss",
    [
        losses.mse,
        losses.l1,
        losses.mpjpe,
        lambda p, y: losses.bone(p, y, HUMAN36M.parents),
        lambda p, y: losses.normal(p, y, TRIANGLES),
        lambda p, y: losses.error(p, y, 2 * y),
        lambda p, y: losses.velocity(p, y),
        lambda p, y: losses.objective(PoseOutput(p, p), y, HUMAN36M, ALL | {"error": 0.0})[0],
    ],
    ids=["mse", "l1", "mpjpe", "bone", "normal", "error", "velocity", "objective"],
)
def test_gradients_in_float64(loss) -> None:
    assert gradcheck(loss, (poses(2, 17, 3).requires_grad_(), poses(2, 17, 3, seed=1)))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("degenerate", ["equal", "zero", "straight", "point"])
def test_gradients_are_finite_on_degenerate_poses(degenerate: str, dtype: torch.dtype) -> None:
    line = torch.arange(17.0)[:, None] * torch.tensor([0.1, 0.2, 0.3])
    pred, y = {
        "equal": (poses(17, 3), poses(17, 3)),
        "zero": (torch.zeros(17, 3), poses(17, 3)),
        "straight": (line, line.flip(0)),
        "point": (torch.ones(17, 3), torch.ones(17, 3)),
    }[degenerate]
    pred = pred.to(dtype, copy=True).requires_grad_()
    total, values = losses.objective(PoseOutput(pred, torch.zeros(17, 3, dtype=dtype)), y.to(dtype), HUMAN36M, ALL)
    total.backward()
    assert pred.grad is not None and pred.grad.isfinite().all()
    assert all(value.isfinite() for value in values.values())


def test_objective_is_the_weighted_sum_and_names_each_value() -> None:
    pred, y = poses(2, 17, 3).requires_grad_(), poses(2, 17, 3, seed=1)
    weights = {"mse": 0.5, "error": 0.25, "normal": 2.5e-4, "bone": 5e-4}
    total, values = losses.objective(PoseOutput(pred, pred.abs()), y, HUMAN36M, weights)
    expected = {
        "mse": losses.mse(pred, y),
        "error": losses.error(pred.abs(), pred, y),
        "normal": losses.normal(pred, y, TRIANGLES),
        "bone": losses.bone(pred, y, HUMAN36M.parents),
    }
    assert list(values) == list(weights)
    for name, value in values.items():
        torch.testing.assert_close(value, expected[name].detach())
        assert not value.requires_grad
    torch.testing.assert_close(total, torch.stack([w * expected[k] for k, w in weights.items()]).sum())
    total.backward()
    plain, _ = losses.objective(pred, y, HUMAN36M, {"mpjpe": 1.0})
    torch.testing.assert_close(plain, losses.mpjpe(pred, y))
    torch.testing.assert_close(losses.objective(PoseOutput(pred), y, HUMAN36M, {"mpjpe": 1.0})[0], plain)


def test_objective_computes_in_the_targets_precision() -> None:
    pred, y = poses(2, 17, 3).bfloat16(), poses(2, 17, 3, seed=1).float()
    total, _ = losses.objective(pred, y, HUMAN36M, {"mpjpe": 1.0, "normal": 1.0, "bone": 1.0})
    assert total.dtype == torch.float32
    expected, _ = losses.objective(pred.float(), y, HUMAN36M, {"mpjpe": 1.0, "normal": 1.0, "bone": 1.0})
    assert torch.equal(total, expected)


def test_objective_takes_sequences_for_velocity_only() -> None:
    pred, y = poses(2, 6, 17, 3), poses(2, 6, 17, 3, seed=1)
    total, _ = losses.objective(pred, y, HUMAN36M, {"velocity": 2.0}, frames=True)
    torch.testing.assert_close(total, 2 * losses.velocity(pred, y))
    of_layers = PoseOutput(pred[0], poses=pred)
    for single, target in ((pred, y), (pred[0], y[0]), (of_layers, y[0])):
        with pytest.raises(ConfigError, match="'velocity' needs a model of clips"):
            losses.objective(single, target, HUMAN36M, {"velocity": 1.0})


def test_a_loss_is_one_function_of_what_it_names() -> None:
    """A function in a module's register is a loss; there is no other register."""

    def huber(pred: Tensor, target: Tensor, skeleton: Skeleton, delta: float = 0.1) -> Tensor:
        assert skeleton is HUMAN36M
        return torch.nn.functional.huber_loss(pred, target, delta=delta)

    def seen(image: Tensor) -> Tensor:
        return image.mean()

    module = types.ModuleType("more_losses")
    module.__dict__.update(huber=huber, seen=seen, __all__=["huber", "seen"])
    pred, y = poses(2, 17, 3), poses(2, 17, 3, seed=1)
    total, values = losses.objective(pred, y, HUMAN36M, {"huber": 2.0, "mse": 1.0}, [module])
    expected = 2 * huber(pred, y, HUMAN36M) + losses.mse(pred, y)
    assert torch.equal(total, expected) and list(values) == ["huber", "mse"]
    with pytest.raises(ConfigError, match="'seen' needs image"):
        losses.objective(pred, y, HUMAN36M, {"seen": 1.0}, [module])


def test_every_registered_loss_is_offered_what_it_needs() -> None:
    pred, y = poses(2, 6, 17, 3), poses(2, 6, 17, 3, seed=1)
    weights = dict.fromkeys(losses.__all__, 1.0)
    _, values = losses.objective(PoseOutput(pred, pred.abs()), y, HUMAN36M, weights, frames=True)
    assert values.keys() == weights.keys() and all(value.isfinite() for value in values.values())


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ({"mpjp": 1.0}, "unknown loss 'mpjp'; did you mean 'mpjpe'"),
        ({"perceptual": 1.0}, "mpjpe, mse"),
        ({"error": 1.0}, "predicts its error"),
        ({}, "names no terms"),
    ],
)
def test_objective_refuses_what_it_cannot_compute(weights: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        losses.objective(PoseOutput(poses(2, 17, 3)), poses(2, 17, 3), HUMAN36M, weights)


def test_limb_triangles_are_found_by_name() -> None:
    assert losses.limb_triangles(COCO) == ((5, 7, 9), (6, 8, 10), (11, 13, 15), (12, 14, 16))
    assert losses.limb_triangles(COCO_WHOLEBODY) == losses.limb_triangles(COCO)
    arm = HUMAN36M.subset(["thorax", "right_shoulder", "right_elbow", "right_wrist", "left_elbow"])
    assert losses.limb_triangles(arm) == ((1, 2, 3),)
    with pytest.raises(ValueError, match="'FACE' has no whole arm or leg"):
        losses.limb_triangles(FACE)


@pytest.mark.parametrize("loss", [losses.mse, losses.l1, losses.mpjpe])
def test_losses_do_not_broadcast(loss) -> None:
    with pytest.raises(ValueError, match=r"\[4, 17, 3\] but target is \[17, 3\]"):
        loss(poses(4, 17, 3), poses(17, 3))
    with pytest.raises(ValueError, match="at least one pose"):
        loss(poses(0, 17, 3), poses(0, 17, 3))


def test_a_step_is_the_same_on_every_device_without_waiting_for_it(device: torch.device) -> None:
    pred, y = poses(4, 17, 3), poses(4, 17, 3, seed=1)
    expected, _ = losses.objective(PoseOutput(pred, pred), y, HUMAN36M, ALL)
    moved = pred.to(device).requires_grad_()
    target = y.to(device)
    losses.objective(PoseOutput(moved, moved), target, HUMAN36M, ALL)[0].backward()
    if device.type == "cuda":
        torch.cuda.set_sync_debug_mode("error")
    try:
        total, _ = losses.objective(PoseOutput(moved, moved), target, HUMAN36M, ALL)
        total.backward()
    finally:
        if device.type == "cuda":
            torch.cuda.set_sync_debug_mode("default")
    torch.testing.assert_close(total.detach().cpu(), expected)
