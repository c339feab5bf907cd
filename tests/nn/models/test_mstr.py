"""MSTR: its Swin Transformer equals the authors', its relation module PyTorch's own Transformer."""

import copy
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from skelgraph import Skeleton
from skelgraph.nn.models import MSTR
from skelgraph.nn.models.mstr import Block, FrameImageRelation, PatchMerging
from skelgraph.nn.published import from_published
from skelgraph.skeleton.builtin import COCO_WHOLEBODY, HUMAN36M, HUMAN36M_16, OPENPOSE_BODY25
from skelgraph.training import checkpoint, config, experiment
from skelgraph.training.convert import convert
from skelgraph.training.systems import count_multiply_adds, count_parameters, describe

STAR = Skeleton("star", ["middle", "north", "east", "south", "west"], [-1, 0, 0, 0, 0])
SKELETONS = [STAR, HUMAN36M_16, HUMAN36M, OPENPOSE_BODY25, COCO_WHOLEBODY]
TOKENS = ["all", "time", "view", "time+view", "image"]
SMALL: dict[str, Any] = {
    "hidden_channels": 8,
    "depths": (2, 2),
    "heads": (1, 2),
    "window_size": 3,
    "num_layers": 2,
    "relation_heads": 2,
}

each_tokens = pytest.mark.parametrize("tokens", TOKENS)


def small(skeleton: Skeleton = HUMAN36M, device: Any = "cpu", seed: int = 0, **changes: Any) -> MSTR:
    torch.manual_seed(seed)
    return MSTR(skeleton, **{**SMALL, **changes}).to(device)


def inputs(*shape: int, device: Any = "cpu", dtype: torch.dtype = torch.float32) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(1), dtype=dtype).to(device)


def relation_of(tokens: str, position: tuple[int, int] | None = None) -> FrameImageRelation:
    torch.manual_seed(0)
    return FrameImageRelation(8, 2, 2, 0.2, tokens, position).double().eval()


def close(found: Tensor, expected: Tensor, tolerance: float = 1e-12) -> None:
    torch.testing.assert_close(found, expected, rtol=0, atol=tolerance)


# the authors' code


def authors_checkpoint(fixture: Any, layers: int = 2) -> dict[str, Tensor]:
    """The fixture's Swin Transformer, and a relation module by the names and shapes of the authors' code."""
    torch.manual_seed(0)
    state = {f"backbone.{name}": tensor for name, tensor in fixture.state.items()}
    channels = len(fixture.state["norm.bias"])

    def add(name: str, *shape: int) -> None:
        state[f"keypoint_head.{name}.weight"] = torch.randn(*shape) / shape[-1] ** 0.5
        state[f"keypoint_head.{name}.bias"] = torch.randn(shape[0])

    for name in ("Temporal_norm", "head.0", *(f"blocks.{i}.norm{k}" for i in range(layers) for k in (1, 2))):
        add(name, channels)
    for i in range(layers):
        add(f"blocks.{i}.attn.qkv", 3 * channels, channels)
        add(f"blocks.{i}.attn.proj", channels, channels)
        add(f"blocks.{i}.mlp.fc1", 2 * channels, channels)
        add(f"blocks.{i}.mlp.fc2", channels, 2 * channels)
    add("head.1", 34, channels)
    add("weighted_mean", 1, 128, 1)
    return {**state, "keypoint_head.Temporal_pos_embed": torch.randn(1, 128, channels)}


def torch_encoder(state: dict[str, Tensor], layers: int, heads: int) -> nn.TransformerEncoder:
    """PyTorch's own Transformer with the blocks and the norm of a state dict of the authors' names."""
    names = {
        "self_attn.in_proj_": "attn.qkv.",
        "self_attn.out_proj.": "attn.proj.",
        "linear1.": "mlp.fc1.",
        "linear2.": "mlp.fc2.",
        "norm1.": "norm1.",
        "norm2.": "norm2.",
    }
    channels = len(state["Temporal_norm.bias"])
    layer = nn.TransformerEncoderLayer(
        channels, heads, 2 * channels, 0, "gelu", 1e-6, batch_first=True, norm_first=True
    )
    encoder = nn.TransformerEncoder(layer, layers, nn.LayerNorm(channels, 1e-6), enable_nested_tensor=False)
    made = {f"norm.{key}": state[f"Temporal_norm.{key}"] for key in ("weight", "bias")}
    for i in range(layers):
        for ours, theirs in names.items():
            for key in ("weight", "bias"):
                made[f"layers.{i}.{ours}{key}"] = state[f"blocks.{i}.{theirs}{key}"]
    encoder.load_state_dict(made)
    return encoder.to(made["norm.bias"].dtype).train()  # without its fast path; there is no dropout


def test_fixture(authors: Callable, device: torch.device, record_property: Callable) -> None:
    fixture = authors("MSTR_swin_space_small")
    state = authors_checkpoint(fixture)
    model = from_published("mstr", state, HUMAN36M, heads=4).to(device)
    images, expected = fixture.inputs["x"].to(device), fixture.outputs["y"].to(device)  # [B, 3, H, W], [1, B, C]
    with torch.no_grad():
        error = float((model.space(images) - expected[0]).abs().max())
        found = model(images.view(1, 1, *images.shape))
        relation = {name.removeprefix("keypoint_head."): tensor.to(device) for name, tensor in state.items()}
        tokens = torch_encoder(relation, 2, 4).to(device)(expected)
        norm = nn.functional.layer_norm(tokens, [24], relation["head.0.weight"], relation["head.0.bias"])
        pose = norm @ relation["head.1.weight"].t() + relation["head.1.bias"]
    what = f"MSTR_swin_space_small: largest absolute error (from_published{'' if device.type == 'cpu' else ', cuda'})"
    record_property(what, error)
    assert error <= 1e-5
    close(found.pose, pose.view(1, 1, 4, 17, 2), 1e-4)
    assert found.keypoints is None and float(pose.std()) > 0.1


def test_a_converted_checkpoint_is_read_back(authors: Callable, tmp_path: Path) -> None:
    fixture = authors("MSTR_swin_space_small")
    torch.save(authors_checkpoint(fixture), tmp_path / "authors.pth")
    model = convert("mstr", tmp_path / "authors.pth", tmp_path / "ours.safetensors", HUMAN36M, heads=4)
    again, skeleton, _ = checkpoint.load_run(tmp_path / "ours.safetensors")
    assert skeleton == HUMAN36M
    x = fixture.inputs["x"].view(1, 2, 2, 3, 56, 56)
    assert torch.equal(again.eval()(x).pose, model(x).pose)


def test_a_checkpoint_that_does_not_fit_is_told(authors: Callable) -> None:
    state = authors_checkpoint(authors("MSTR_swin_space_small"))
    with pytest.raises(ValueError, match="extra is not used"):
        from_published("mstr", {**state, "extra": torch.zeros(1)}, HUMAN36M)
    with pytest.raises(ValueError, match=r"keypoint_head.head.1.bias \[34\] would give \[34\], not \[32\]"):
        from_published("mstr", state, HUMAN36M_16)
    del state["backbone.layers.0.downsample.norm.bias"]
    with pytest.raises(ValueError, match="backbone.layers.0.downsample.norm.bias is missing"):
        from_published("mstr", state, HUMAN36M)


@pytest.fixture(scope="module")
def full_size() -> MSTR:
    return MSTR(HUMAN36M, out_channels=2)


def test_parameters_are_those_of_the_authors_code(full_size: MSTR) -> None:
    """Less their unused head [34, 768], table of positions [128, 768] and mean layer of 128 frames."""
    space = count_parameters(full_size.space)
    assert (space, count_parameters(full_size) - space) == (27_519_354, 18_937_378)
    assert (27_545_500 - (34 * 768 + 34), 19_035_811 - 128 * 768 - (128 + 1)) == (27_519_354, 18_937_378)


def test_multiply_adds_by_hand(full_size: MSTR) -> None:
    """A patch, the four maps of a block each 12 C^2 (or with a ratio of 2, 8 C^2), merging and head."""
    total = 56 * 56 * 48 * 96
    for stage, depth in enumerate((2, 2, 6, 2)):
        cells, channels = (56 // 2**stage) ** 2, 96 * 2**stage
        total += depth * cells * 12 * channels**2
        total += cells // 4 * 8 * channels**2 if stage < 3 else 0
    total += 4 * 8 * 768**2 + 768 * 34
    assert count_multiply_adds(full_size) == total


# the relation module


def authors_names(relation: FrameImageRelation) -> dict[str, Tensor]:
    names = {"attention.qkv": "attn.qkv", "attention.out_proj": "attn.proj", "mlp.0": "mlp.fc1", "mlp.2": "mlp.fc2"}
    state = {}
    for name, tensor in relation.state_dict().items():
        name = f"Temporal_{name}" if name.startswith("norm") else name
        for ours, theirs in names.items():
            name = name.replace(f"{ours}.", f"{theirs}.")
        state[name] = tensor
    return state


@pytest.mark.parametrize("position", [None, (3, 4)], ids=["none", "learned"])
@each_tokens
def test_relation_is_pytorchs_transformer(tokens: str, position: tuple[int, int] | None, device: torch.device) -> None:
    relation = relation_of(tokens, position).to(device)
    x = inputs(2, 3, 4, 8, device=device, dtype=torch.float64)
    encoder = torch_encoder(authors_names(relation), 2, 2).to(device)
    h = x.clone()
    for view in range(3):
        for frame in range(4):
            if relation.view_position is not None:
                h[:, view, frame] += relation.view_position[view, 0]
            if relation.frame_position is not None:
                h[:, view, frame] += relation.frame_position[frame]
    for layer, kind in zip(encoder.layers, {"time+view": ["time", "view"]}.get(tokens, [tokens] * 2), strict=True):
        out = torch.empty_like(h)
        if kind == "all":
            out = layer(h.reshape(2, 12, 8)).view_as(h)
        for view in range(3 if kind == "time" else 0):
            out[:, view] = layer(h[:, view])
        for frame in range(4 if kind == "view" else 0):
            out[:, :, frame] = layer(h[:, :, frame])
        for image in range(12 if kind == "image" else 0):
            out.flatten(1, 2)[:, [image]] = layer(h.flatten(1, 2)[:, [image]])
        h = out
    close(relation(x), encoder.norm(h))


@each_tokens
def test_the_order_of_views_and_frames_plays_no_part_without_positions(tokens: str) -> None:
    relation, x = relation_of(tokens), inputs(2, 3, 4, 8, dtype=torch.float64)
    views, frames = torch.tensor([2, 0, 1]), torch.tensor([1, 3, 0, 2])
    close(relation(x[:, views][:, :, frames]), relation(x)[:, views][:, :, frames])
    images = torch.randperm(12, generator=torch.Generator().manual_seed(0))
    mixed = relation(x.flatten(1, 2)[:, images].view_as(x)).flatten(1, 2)
    assert torch.allclose(mixed, relation(x).flatten(1, 2)[:, images], rtol=0, atol=1e-12) == (
        tokens in ("all", "image")
    )
    learned = relation_of(tokens, (3, 4))
    for order, axis in ((views, 1), (frames, 2)):
        turned = learned(x.index_select(axis, order))
        assert not torch.allclose(turned, learned(x).index_select(axis, order), rtol=0, atol=1e-12)


@each_tokens
def test_who_sees_whom(tokens: str) -> None:
    relation, x = relation_of(tokens), inputs(2, 3, 4, 8, dtype=torch.float64)
    other = x.clone()
    other[0, 1, 2, 0] += 1  # a layer norm would take no notice of all channels alike
    moved = (relation(other) != relation(x)).any(-1)
    expected = torch.zeros(2, 3, 4, dtype=torch.bool)
    at: Any = {"time": (0, 1), "view": (0, slice(None), 2), "image": (0, 1, 2)}.get(tokens, 0)
    expected[at] = True
    assert torch.equal(moved, expected)


@each_tokens
def test_any_number_of_views_and_frames(tokens: str) -> None:
    model = small(tokens=tokens).double().eval()
    limited = small(tokens=tokens, position=(2, 3)).double().eval()
    for views, frames in ((1, 1), (2, 3), (4, 2), (1, 5)):
        x = inputs(1, views, frames, 3, 12, 12, dtype=torch.float64)
        assert model(x).pose.shape == (1, views, frames, 17, 3)
        beyond = [views > 2, frames > 3]
        if any(beyond):
            with pytest.raises(ValueError, match="position has 2 views; there are 4" if beyond[0] else "has 3 frames"):
                limited(x)
        else:
            assert limited(x).pose.shape == (1, views, frames, 17, 3)


def test_all_kinds_of_relation_have_the_same_parameters() -> None:
    """So that rows of a table differ in the relation alone."""
    names = [[n for n, _ in relation_of(tokens, (3, 4)).named_parameters()] for tokens in TOKENS]
    assert all(each == names[0] for each in names) and "view_position" in names[0]


def test_tokens_of_two_kinds_need_two_blocks() -> None:
    with pytest.raises(ValueError, match="num_layers is 1"):
        small(tokens="time+view", num_layers=1)
    assert small(tokens="time+view", num_layers=3).relation.tokens == ["time", "view", "time"]


# the parts of the spatial module


def test_patches_are_merged_as_in_swin() -> None:
    torch.manual_seed(0)
    merging, x = PatchMerging(4).double(), inputs(2, 4, 6, 4, dtype=torch.float64)
    for i in range(2):
        for j in range(3):
            a, b, c, d = (x[:, 2 * i + down, 2 * j + right] for right in (0, 1) for down in (0, 1))
            close(merging(x)[:, i, j], merging.linear(merging.norm(torch.cat([a, b, c, d], -1))))
    padded = torch.cat([x[:, :, :5], torch.zeros(2, 4, 1, 4, dtype=torch.float64)], 2)
    close(merging(x[:, :, :5]), merging(padded))


def test_images_are_padded_to_whole_patches_and_windows() -> None:
    """54 x 47 pixels are 14 x 12 patches, in windows of 3."""
    model = small(patch_size=4).double().eval()
    images = inputs(2, 3, 54, 47, dtype=torch.float64)
    padded = torch.zeros(2, 3, 56, 48, dtype=torch.float64)
    padded[:, :, :54, :47] = images
    close(model.space(images), model.space(padded))
    assert not torch.allclose(model.space(images), model.space(padded[:, :, :52, :44]))


def test_pictures_in_uint8() -> None:
    model, images = small().eval(), torch.randint(0, 256, (1, 2, 2, 3, 12, 12), dtype=torch.uint8)
    close(model(images).pose, model((images / 255 - 0.5) / 0.25).pose, 1e-5)
    assert model.double()(images).pose.dtype == torch.float64


def test_blocks_are_left_out_in_training_only() -> None:
    block = Block(nn.Identity(), 4, 2, 0.25)
    torch.manual_seed(0)
    kept = block.train().some(torch.ones(4000, 2, 4)).flatten(1)
    assert (kept == kept[:, :1]).all() and set(kept.unique().tolist()) == {0.0, torch.tensor(1 / 0.75).item()}
    assert float(kept.mean()) == pytest.approx(1, abs=0.03)
    assert torch.equal(block.eval().some(torch.ones(3, 2, 4)), torch.ones(3, 2, 4))
    model = MSTR(STAR, hidden_channels=8, depths=(2, 3), heads=(1, 1), relation_heads=1)
    rates = [module.drop_path for module in model.modules() if isinstance(module, Block)]
    assert rates == pytest.approx([0, 0.025, 0.05, 0.075, 0.1, 0, 0.2 / 3, 0.4 / 3, 0.2])


def test_every_second_block_is_shifted_by_half_a_window() -> None:
    layers = MSTR(STAR, hidden_channels=6, relation_heads=1).space.layers
    shifts = [layer.attention.shift if isinstance(layer, Block) else None for layer in layers]
    assert shifts == [0, 3, None, 0, 3, None, 0, 3, 0, 3, 0, 3, None, 0, 3]


# what every model promises


@pytest.mark.parametrize("skeleton", SKELETONS, ids=lambda s: f"{s.num_joints}")
def test_shapes_on_any_skeleton(skeleton: Skeleton, device: torch.device) -> None:
    x = inputs(2, 2, 3, 3, 26, 20, device=device, dtype=torch.float64)
    model = small(skeleton, device, keypoints=True).double().eval()
    output = model(x)
    pose, keypoints = output.pose, output.keypoints
    assert model.skeleton is skeleton and pose.dtype == torch.float64
    assert pose.shape == (2, 2, 3, skeleton.num_joints, 3) and keypoints.shape == (2, 2, 3, skeleton.num_joints, 2)
    close(model(x[1:]).pose, pose[1:])
    grey = small(skeleton, device, in_channels=1, out_channels=2)(x[:, :, :, :1].float())
    assert grey.pose.shape == keypoints.shape and grey.keypoints is None


def test_what_are_no_images_raises() -> None:
    model = small()
    for shape in ((2, 17, 2), (2, 3, 3, 12, 12), (1, 2, 3, 1, 12, 12)):
        with pytest.raises(ValueError, match=r"MSTR takes images \[B, V, T, 3, H, W\], not \["):
            model(torch.zeros(shape))
    for changes in ({"depths": (2, 2, 2)}, {"depths": (), "heads": ()}):
        with pytest.raises(ValueError, match="the same stages"):
            small(**changes)
    with pytest.raises(ValueError, match="no multiple of heads 3"):
        small(heads=(3, 2))


@each_tokens
def test_training_lowers_the_loss(tokens: str, device: torch.device) -> None:
    model = small(device=device, tokens=tokens, position=(2, 2), keypoints=True, drop_path=0, relation_drop_path=0)
    x, y = inputs(2, 2, 2, 3, 30, 22, device=device), inputs(2, 2, 2, 17, 3, device=device)
    optimizer, seen = torch.optim.Adam(model.train().parameters(), lr=1e-3), []
    for _ in range(4):
        optimizer.zero_grad()
        output = model(x)
        pose, keypoints = output.pose, output.keypoints
        loss = (pose - y).square().mean() + (keypoints - y[..., :2]).square().mean()
        loss.backward()
        without = [n for n, p in model.named_parameters() if p.grad is None or not p.grad.isfinite().all()]
        assert not without, f"parameters without a finite gradient: {without}"
        optimizer.step()
        seen.append(float(loss.detach()))
    assert seen[-1] < seen[0]


def test_drop_path_is_random_in_training_only() -> None:
    model, x = small(drop_path=0.5, relation_drop_path=0.5), inputs(8, 1, 2, 3, 12, 12)
    assert not torch.equal(model.train()(x).pose, model(x).pose)
    assert torch.equal(model.eval()(x).pose, model(x).pose)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_bfloat16(dtype: torch.dtype, device: torch.device) -> None:
    """By itself, and under autocast where the parameters stay in float32."""
    model, x = small(device=device).eval(), inputs(2, 2, 2, 3, 26, 20, device=device)
    expected = model(x).pose
    model.to(dtype)
    with torch.autocast(device.type, torch.bfloat16, enabled=dtype is torch.float32):
        found = model(x.to(dtype)).pose
    found.square().mean().backward()
    assert all(p.grad.dtype == dtype and p.grad.isfinite().all() for p in model.parameters())
    close(found.float(), expected, 0.05 * float(expected.detach().abs().max()))


# tracing is slow: window_attention's test traces a shifted window, and an export is traced as one graph too
SHALLOW: dict[str, Any] = {"depths": (1, 1), "num_layers": 1}
DEEP: dict[str, Any] = {"depths": (2, 1), "tokens": "time+view"}


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_compiles_as_one_graph(device: torch.device) -> None:
    torch.compiler.reset()
    model, x = small(device=device, **DEEP).eval(), inputs(2, 2, 2, 3, 26, 20, device=device)
    close(torch.compile(model, fullgraph=True, backend="eager")(x).pose, model(x).pose, 1e-5)


@pytest.mark.parametrize("sizes", [SHALLOW, pytest.param(DEEP, marks=pytest.mark.slow)], ids=["shallow", "deep"])
@pytest.mark.filterwarnings("ignore")
def test_exports(sizes: dict[str, Any], device: torch.device) -> None:
    torch.compiler.reset()
    model, x = small(device=device, **sizes).eval(), inputs(2, 2, 2, 3, 26, 20, device=device)
    expected = model(x).pose
    program = torch.export.export(model, (x,), dynamic_shapes=({0: torch.export.Dim("B")},), strict=True)
    close(program.module()(x.repeat(2, 1, 1, 1, 1, 1)).pose, expected.repeat(2, 1, 1, 1, 1), 1e-5)


def test_is_copied(device: torch.device) -> None:
    model, x = small(device=device, **DEEP).eval(), inputs(2, 2, 2, 3, 26, 20, device=device)
    expected = model(x).pose
    other = small(device=device, seed=1, **DEEP).eval()
    other.load_state_dict(model.state_dict())
    for twin in (other, copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        assert torch.equal(twin(x).pose, expected) and twin.skeleton == HUMAN36M


def test_it_is_named_in_yaml() -> None:
    text = "{name: MSTR, hidden_channels: 8, depths: [1, 1], heads: [1, 2], tokens: time+view, position: [2, 5]}"
    model: Any = experiment.build_model(config.parse(text, "own.yaml"), HUMAN36M)
    assert model.in_channels == 3 and len(model.relation.frame_position) == 5
    with pytest.raises(ValueError, match="tokens"):
        experiment.build_model(config.parse("{name: MSTR, tokens: views}", "own.yaml"), HUMAN36M)


def test_it_is_told_of_by_name() -> None:
    signature, about = describe("MSTR")
    assert "window_size" in signature and "frame-image relation" in about
