"""Bones, normals, distances and alignment, with their gradients where they are not defined."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from skelgraph.geometry.alignment import procrustes
from skelgraph.skeleton.bones import (
    COLLINEAR,
    bone_lengths,
    bones,
    center_on,
    difference,
    normals,
    parent_distance,
    safe_norm,
)

PARENTS = (-1, 0, 1, 1, -1)


def poses(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def random_rotation(seed: int) -> torch.Tensor:
    return torch.from_numpy(Rotation.random(random_state=seed).as_matrix())


def test_safe_norm_is_the_norm_and_its_gradient_is_zero_at_zero() -> None:
    x = poses(4, 3)
    x[1] = 0
    x.requires_grad_()
    norm = safe_norm(x)
    torch.testing.assert_close(norm, x.norm(dim=-1))
    norm.sum().backward()
    assert x.grad is not None
    torch.testing.assert_close(x.grad[0], (x[0] / x[0].norm()).detach())
    assert x.grad[1].tolist() == [0, 0, 0]
    assert safe_norm(x, dim=0, keepdim=True).shape == (1, 3)
    assert torch.autograd.gradcheck(safe_norm, (poses(4, 3).requires_grad_(),))


def test_bones_point_from_the_parent_and_are_zero_at_roots() -> None:
    x = poses(2, 6, 5, 3)
    vectors = bones(x, PARENTS)
    for joint, parent in enumerate(PARENTS):
        expected = torch.zeros(2, 6, 3, dtype=x.dtype) if parent == -1 else x[..., joint, :] - x[..., parent, :]
        assert torch.equal(vectors[..., joint, :], expected)
    torch.testing.assert_close(bone_lengths(x, PARENTS), vectors.norm(dim=-1))
    torch.testing.assert_close(parent_distance(x, PARENTS), vectors.norm(dim=-1, keepdim=True))
    assert parent_distance(x[..., :2], PARENTS).shape == (2, 6, 5, 1)


def test_bone_of_length_zero_has_a_finite_gradient() -> None:
    x = torch.zeros(5, 3, requires_grad=True)
    bone_lengths(x, PARENTS).sum().backward()
    assert x.grad is not None and x.grad.eq(0).all()


def test_bones_refuse_another_number_of_joints() -> None:
    with pytest.raises(ValueError, match=r"\[2, 4, 3\] but parents name 5"):
        bones(poses(2, 4, 3), PARENTS)


def test_indices_first_seen_in_inference_mode_can_be_trained_with() -> None:
    with torch.inference_mode():
        bones(torch.zeros(3, 3), (-1, 0, 0))
    weight = torch.ones(3, 3, requires_grad=True)
    bone_lengths(weight * poses(3, 3).float(), (-1, 0, 0)).sum().backward()
    assert weight.grad is not None


def test_geometry_compiles_without_graph_breaks() -> None:
    def both(x: torch.Tensor) -> torch.Tensor:
        return parent_distance(x, PARENTS).sum() + normals(x, [(0, 1, 2)]).sum()

    x = poses(2, 5, 3)
    torch.testing.assert_close(torch.compile(both, fullgraph=True, backend="eager")(x), both(x))


def test_normals_are_unit_orthogonal_and_right_handed() -> None:
    x, triangles = poses(7, 5, 3), [(0, 1, 2), (4, 2, 3)]
    n = normals(x, triangles)
    assert n.shape == (7, 2, 3)
    torch.testing.assert_close(n.norm(dim=-1), torch.ones(7, 2, dtype=x.dtype))
    for m, (a, b, c) in enumerate(triangles):
        u, v = x[:, b] - x[:, a], x[:, c] - x[:, a]
        torch.testing.assert_close(n[:, m], torch.nn.functional.normalize(torch.linalg.cross(u, v), dim=-1))
    flat = torch.tensor([[0.0, 0, 0], [1, 0, 0], [1, 1, 0]])
    assert normals(flat, [(0, 1, 2)]).tolist() == [[0, 0, 1]]


@pytest.mark.parametrize(
    "corners",
    [
        [[0, 0, 0], [0, 0.3, 0], [0, 0.6, 0]],
        [[0.1, 0.2, 0.3], [0.2, 0.4, 0.6], [0.3, 0.6, 0.9]],
        [[0, 0, 0], [0, 0.3, 0], [0, 0.1, 0]],
        [[1, 1, 1], [1, 1, 1], [1, 1, 1]],
        [[1, 1, 1], [1, 1, 1], [2, 1, 0]],
    ],
)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_collinear_triangles_have_no_normal_and_no_gradient(corners: list[list[float]], dtype: torch.dtype) -> None:
    x = torch.tensor(corners, dtype=dtype, requires_grad=True)
    n = normals(x, [(0, 1, 2)])
    n.sum().backward()
    assert n.eq(0).all() and x.grad is not None and x.grad.eq(0).all()


@given(st.floats(-16, 2))
@settings(deadline=None, max_examples=40)
def test_the_gradient_of_nearly_collinear_normals_is_bounded(exponent: float) -> None:
    x = torch.tensor([[0, 0, 0], [0.3, 0, 0], [0.6, 10.0**exponent, 0]], requires_grad=True)
    normals(x, [(0, 1, 2)]).sum().backward()
    assert x.grad is not None and x.grad.abs().max() <= 10 / COLLINEAR


def test_normals_do_not_depend_on_scale() -> None:
    x = poses(3, 3)
    torch.testing.assert_close(normals(x * 1e-6, [(0, 1, 2)]), normals(x, [(0, 1, 2)]))


def test_normals_refuse_flat_points_and_no_triangles() -> None:
    with pytest.raises(ValueError, match="at least one"):
        normals(poses(5, 3), [])
    with pytest.raises(ValueError, match=r"\[5, 2\]"):
        normals(poses(5, 2), [(0, 1, 2)])


def test_center_on_puts_the_mean_of_the_joints_at_zero() -> None:
    x = poses(4, 5, 3)
    torch.testing.assert_close(center_on(x, (1, 3)), x - (x[:, 1:2] + x[:, 3:4]) / 2)
    assert center_on(x, [2])[:, 2].eq(0).all()
    with pytest.raises(ValueError, match="at least one"):
        center_on(x, ())


@given(st.integers(0, 2**20), st.floats(0.01, 100), st.integers(3, 30))
@settings(deadline=None, max_examples=30)
def test_procrustes_undoes_every_similarity(seed: int, scale: float, joints: int) -> None:
    target = poses(2, joints, 3, seed=seed)
    pred = scale * target @ random_rotation(seed) + poses(2, 1, 3, seed=seed + 1)
    torch.testing.assert_close(procrustes(pred, target), target, rtol=0, atol=1e-9)


@given(st.integers(0, 2**20))
@settings(deadline=None, max_examples=20)
def test_procrustes_is_the_best_similarity(seed: int) -> None:
    """Against scipy's rotation and a search around the optimum."""
    target, pred = poses(17, 3, seed=seed), poses(17, 3, seed=seed + 1)
    aligned = procrustes(pred, target)
    p, t = (x - x.mean(0) for x in (pred, target))
    rotation = torch.from_numpy(Rotation.align_vectors(t.numpy(), p.numpy())[0].as_matrix()).mT
    scale = (p @ rotation * t).sum() / p.square().sum()
    torch.testing.assert_close(aligned, scale * p @ rotation + target.mean(0), rtol=0, atol=1e-6)
    best = (aligned - target).square().sum()
    for trial in range(5):
        turn = torch.from_numpy(Rotation.from_rotvec(0.05 * np.random.default_rng(trial).normal(size=3)).as_matrix())
        assert ((aligned - target.mean(0)) @ turn + target.mean(0) - target).square().sum() >= best - 1e-12
        assert (aligned * (1 + 0.01 * trial) - target).square().sum() >= best - 1e-12


@given(st.integers(0, 2**20))
@settings(deadline=None, max_examples=20)
def test_a_mirrored_pose_does_not_align(seed: int) -> None:
    target = poses(17, 3, seed=seed)
    mirrored = target * torch.tensor([-1.0, 1, 1], dtype=target.dtype)
    aligned = procrustes(mirrored, target)
    assert (aligned - target).norm(dim=-1).mean() > 0.1
    basis, moved = ((x[1:4] - x[0]) for x in (mirrored, aligned))
    assert torch.det(basis) * torch.det(moved) > 0, "the alignment itself must not mirror"


def test_procrustes_returns_what_it_cannot_align(device: torch.device) -> None:
    good, other = poses(17, 3).to(device), poses(17, 3, seed=1).to(device)
    point = torch.full_like(good, 1.1)
    pred = torch.stack([good, point, good, torch.zeros_like(good), good])
    target = torch.stack([other, good, point, good, torch.full_like(good, torch.nan)])
    for dtype in (torch.float32, torch.float64):
        aligned = procrustes(pred.to(dtype), target.to(dtype))
        assert aligned.dtype == dtype
        assert torch.equal(aligned[1:], pred[1:].to(dtype))
        torch.testing.assert_close(aligned[0], procrustes(good, other).to(dtype))


def test_a_point_whose_mean_rounds_is_still_a_point() -> None:
    """Its centred joints are rounding errors, which must not be scaled up to a pose."""
    points = poses(500, 1, 3).expand(500, 17, 3)
    assert (points - points.mean(-2, keepdim=True)).abs().max() > 0
    assert torch.equal(procrustes(points, poses(500, 17, 3, seed=1)), points)


@pytest.mark.parametrize("points", [17, 2, 1])
def test_procrustes_is_finite_on_a_line(points: int) -> None:
    line = torch.arange(points, dtype=torch.float64)[:, None] * torch.tensor([1.0, 2, 3], dtype=torch.float64)
    other = line @ random_rotation(3) * 2 + 1
    aligned = procrustes(line, other)
    assert aligned.isfinite().all()
    if points > 1:
        torch.testing.assert_close(aligned, other, rtol=0, atol=1e-9)


def test_procrustes_in_float32_is_as_good_as_its_input(device: torch.device) -> None:
    target = poses(50, 17, 3).float().to(device)
    pred = target @ random_rotation(0).float().to(device) * 3 + 40
    assert (procrustes(pred, target) - target).abs().max() < 2e-5


def test_difference_does_not_broadcast() -> None:
    with pytest.raises(ValueError, match=r"\[4, 17, 3\] but target is \[17, 3\]"):
        difference(poses(4, 17, 3), poses(17, 3))
    with pytest.raises(ValueError, match="at least one pose"):
        difference(poses(0, 17, 3), poses(0, 17, 3))
