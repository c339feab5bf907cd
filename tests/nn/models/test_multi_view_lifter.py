"""MultiViewLifter: triangulation that learns whom to trust."""

import pytest
import torch

from skelgraph.datasets import MultiView
from skelgraph.nn.models.multi_view_lifter import AxisAttention, MultiViewLifter
from skelgraph.skeleton import builtin
from skelgraph.skeleton.builtin import HUMAN36M


@pytest.fixture(scope="module")
def clips():
    data = MultiView(
        HUMAN36M, "test", recorded=0.0, num_test_clips=3, num_frames=5, noise_px=(8, 8), missing=(0.2, 0.2)
    )
    return data.draw(0)


def made(in_channels: int = 9, device: torch.device | None = None, **options) -> MultiViewLifter:
    """A model whose head and trust are not 0."""
    torch.manual_seed(0)
    model = MultiViewLifter(HUMAN36M, in_channels, num_frames=5, hidden_channels=16, num_layers=2, **options).double()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter += 0.1 * torch.randn_like(parameter)
    return model.to(device).eval()


@pytest.mark.parametrize("channels", [3, 9])
def test_any_number_of_views_and_frames_in_any_order(clips, channels: int, device: torch.device) -> None:
    model, x = made(channels, device), clips.inputs(channels).double().to(device)
    pose = model(x)
    assert pose.shape == (3, 5, 17, 3) and pose.isfinite().all()
    shuffled = torch.cat([x[:, :1], x[:, [3, 1, 2]]], 1)  # without cameras the first one gives the axes
    assert torch.allclose(model(shuffled), pose, atol=1e-9)
    assert model(x[:, :2, :3]).shape == (3, 3, 17, 3)
    assert model(x[:, :1, :1]).isfinite().all()


@pytest.mark.parametrize("channels", [3, 9])
def test_a_view_that_sees_nothing_is_no_view(clips, channels: int) -> None:
    model, x = made(channels), clips.inputs(channels).double()
    blind = torch.cat([x, torch.zeros_like(x[:, :1])], 1)
    assert torch.allclose(model(blind), model(x), atol=1e-9)
    assert model(torch.zeros_like(x)).isfinite().all()


def test_exact_keypoints_are_triangulated_exactly(device: torch.device) -> None:
    data = MultiView(HUMAN36M, "test", recorded=0.0, num_test_clips=3, num_frames=5, missing=(0.2, 0.2))
    exact = data.draw(0).to(device)
    off = (made(device=device)(exact.inputs(9).double()) - exact.target).norm(dim=-1)
    assert off[(exact.confidence > 0).sum(1) >= 2].max() < 5e-4


def test_the_world_may_be_moved(clips) -> None:
    model, x = made(), clips.inputs(9).double()
    shift = torch.tensor([3.0, -2.0, 1.0], dtype=torch.float64)
    moved = x.clone()
    moved[..., 3:6] += shift * (x[..., 2:3] > 0)
    assert torch.allclose(model(moved), model(x) + shift, atol=1e-6)


def test_learning_helps_and_reaches_every_parameter(clips, device: torch.device) -> None:
    torch.manual_seed(0)
    model = MultiViewLifter(HUMAN36M, num_frames=5, hidden_channels=16, num_layers=1).to(device)
    x, target = clips.inputs(9).to(device), clips.target.to(device)
    optimizer = torch.optim.Adam(model.parameters(), 3e-3)
    losses = []
    for _ in range(25):
        loss = (model(x) - target).norm(dim=-1).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.8 * losses[0]
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in model.parameters())


@pytest.mark.parametrize("name", ["HUMAN36M_16", "BLAZEPOSE", "COCO_WHOLEBODY"])
def test_any_skeleton(name: str) -> None:
    skeleton = builtin.get(name)
    data = MultiView(skeleton, "train", recorded=0.0, around=1.0, num_clips=1, num_frames=3, noise_px=(5, 5))
    clip = data.draw(0)
    pose = MultiViewLifter(skeleton, num_frames=3, hidden_channels=8, num_layers=1)(clip.inputs(9))
    error = (pose - clip.target).norm(dim=-1)[(clip.confidence > 0).sum(1) >= 2]
    assert error.median() < 0.1


def test_attention_in_time_falls_with_the_distance() -> None:
    """Against the formula, one head at a time, in float64."""
    torch.manual_seed(0)
    layer = AxisAttention(8, 2, distance=True).double()
    x = torch.randn(3, 6, 8, dtype=torch.float64)
    h = torch.nn.functional.layer_norm(x, (8,), layer.norm.weight, layer.norm.bias)
    query, key, value = (h @ layer.qkv.weight.T + layer.qkv.bias).split(8, -1)
    heads = []
    for k in range(2):
        part = slice(4 * k, 4 * k + 4)
        score = query[..., part] @ key[..., part].mT / 2
        for i in range(6):
            for j in range(6):
                score[:, i, j] -= torch.nn.functional.softplus(layer.slope[k]) * abs(i - j)
        heads.append(score.softmax(-1) @ value[..., part])
    assert torch.allclose(layer(x), x + layer.out(torch.cat(heads, -1)), atol=1e-12)


def test_attention_across_views_is_torchs() -> None:
    torch.manual_seed(0)
    layer, torchs = AxisAttention(8, 2, distance=False), torch.nn.MultiheadAttention(8, 2, batch_first=True)
    with torch.no_grad():
        torchs.in_proj_weight.copy_(layer.qkv.weight)
        torchs.in_proj_bias.copy_(layer.qkv.bias)
        torchs.out_proj.weight.copy_(layer.out.weight)
        torchs.out_proj.bias.copy_(layer.out.bias)
    x, seen = torch.randn(5, 4, 8), torch.tensor([[True, True, False, True]]).expand(5, 4)
    h = layer.norm(x)
    expected = x + torchs(h, h, h, key_padding_mask=~seen)[0]
    assert torch.allclose(layer(x, seen)[seen], expected[seen], atol=1e-6)


@pytest.mark.parametrize("shape", [(4, 5, 17, 9), (1, 4, 5, 16, 9), (1, 4, 5, 17, 3)])
def test_another_shape_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"takes \[B, V, T, 17, 9\] of HUMAN36M"):
        made()(torch.zeros(shape, dtype=torch.float64))


def test_other_channels_are_refused() -> None:
    with pytest.raises(ValueError, match="in_channels must be 3 .* found 4"):
        MultiViewLifter(HUMAN36M, 4)
    with pytest.raises(ValueError, match="out_channels must be 3, found 2"):
        MultiViewLifter(HUMAN36M, 9, 2)


def test_autocast_does_not_round_the_rays(clips, device: torch.device) -> None:
    torch.manual_seed(0)
    model = MultiViewLifter(HUMAN36M, num_frames=5, hidden_channels=16, num_layers=1).to(device).eval()
    x = clips.inputs(9).to(device)
    with torch.no_grad(), torch.autocast(device.type, torch.bfloat16):
        rounded = model(x)
    with torch.no_grad():
        assert (rounded - model(x)).norm(dim=-1).max() < 2e-3
