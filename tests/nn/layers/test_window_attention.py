"""Windowed attention against its definition, one cell at a time in float64."""

import copy
import io
from collections.abc import Sequence

import pytest
import torch
from torch import Tensor, nn
from torch.autograd import gradcheck

from skelgraph.nn.layers import WindowAttention

GRIDS = [  # height, width, window, shift
    (6, 9, 3, 0),
    (6, 9, 3, 1),
    (6, 9, 3, 2),
    (7, 8, 3, 0),  # no multiples
    (7, 8, 3, 1),
    (5, 4, 3, 2),
    (3, 7, 3, 1),  # one window high: shifted along the width only
    (2, 5, 3, 1),
    (2, 1, 3, 1),  # less than a window
    (4, 4, 1, 0),
]
each_grid = pytest.mark.parametrize(("height", "width", "window", "shift"), GRIDS)


def layer_of(window: int, shift: int, in_channels: int = 4, out_channels: int = 6, heads: int = 2) -> WindowAttention:
    torch.manual_seed(0)
    layer = WindowAttention(in_channels, out_channels, heads, window, shift).double()
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.normal_()
    return layer


def grid_of(*shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


def window_of(cell: tuple[int, int], lengths: Sequence[int], window: int, shift: int) -> list[int]:
    """Which window a cell is in, along each axis."""
    return [(i - (shift if n > window else 0)) // window for i, n in zip(cell, lengths, strict=True)]


def oracle(layer: WindowAttention, x: Tensor) -> Tensor:
    """Every cell looks at those of its window: [h, w, C_in] -> [h, w, C_out]."""
    height, width, channels = x.shape
    cells = [(i, j) for i in range(height) for j in range(width)]
    step, size, depth = 2 * layer.window_size - 1, layer.window_size, channels // layer.heads
    weight, bias = layer.qkv.weight.view(3, layer.heads, depth, channels), layer.qkv.bias.view(3, layer.heads, depth)
    out = []
    for cell in cells:
        own = window_of(cell, (height, width), size, layer.shift)
        others = [each for each in cells if window_of(each, (height, width), size, layer.shift) == own]
        heads = []
        for h in range(layer.heads):
            query, key, value = (
                [weight[k, h] @ x[each] + bias[k, h] for each in ([cell] if k == 0 else others)] for k in range(3)
            )
            scores = []
            for (i, j), k in zip(others, key, strict=True):
                row = (cell[0] - i + size - 1) * step + cell[1] - j + size - 1
                scores.append(query[0] @ k / depth**0.5 + layer.position_bias[row, h])
            heads.append(torch.stack(scores).softmax(0) @ torch.stack(value))
        out.append(layer.out_proj.weight @ torch.cat(heads) + layer.out_proj.bias)
    return torch.stack(out).view(height, width, -1)


@each_grid
def test_outputs_and_gradients_are_those_of_the_definition(
    height: int, width: int, window: int, shift: int, device: torch.device
) -> None:
    layer = layer_of(window, shift).to(device)
    x = grid_of(height, width, 4).to(device).requires_grad_()
    probe = grid_of(height, width, 6).to(device)
    wanted = [x, *layer.parameters()]
    outputs = layer(x), oracle(layer, x)
    torch.testing.assert_close(*outputs, rtol=0, atol=1e-12)
    grads = [torch.autograd.grad((out * probe).sum(), wanted, allow_unused=True) for out in outputs]
    for ours, theirs in zip(*grads, strict=True):
        torch.testing.assert_close(ours, torch.zeros_like(ours) if theirs is None else theirs, rtol=0, atol=1e-10)


@each_grid
def test_no_cell_sees_beyond_its_window(height: int, width: int, window: int, shift: int) -> None:
    layer, x = layer_of(window, shift), grid_of(height, width, 4)
    cells = [(i, j) for i in range(height) for j in range(width)]
    for changed in (cells[0], cells[len(cells) // 2], cells[-1]):
        other = x.clone()
        other[changed] += 1
        moved = (layer(x) != layer(other)).any(-1)
        own = window_of(changed, (height, width), window, shift)
        assert moved.tolist() == [
            [window_of((i, j), (height, width), window, shift) == own for j in range(width)] for i in range(height)
        ]


def test_one_window_without_position_is_multihead_attention() -> None:
    layer, x = layer_of(4, 0, out_channels=4), grid_of(3, 4, 4, 4)
    theirs = nn.MultiheadAttention(4, 2, batch_first=True, dtype=torch.float64)
    with torch.no_grad():
        layer.position_bias.zero_()
        theirs.in_proj_weight.copy_(layer.qkv.weight)
        theirs.in_proj_bias.copy_(layer.qkv.bias)
    theirs.out_proj.load_state_dict(layer.out_proj.state_dict())
    cells = x.flatten(1, 2)
    torch.testing.assert_close(layer(x).flatten(1, 2), theirs(cells, cells, cells)[0], rtol=0, atol=1e-12)


def test_a_constant_position_bias_is_none() -> None:
    layer, x = layer_of(3, 1), grid_of(2, 7, 8, 4)
    without = copy.deepcopy(layer)
    with torch.no_grad():
        layer.position_bias.fill_(5)
        without.position_bias.zero_()
    torch.testing.assert_close(layer(x), without(x), rtol=0, atol=1e-12)


def test_leading_dimensions_are_free() -> None:
    layer, x = layer_of(3, 1), grid_of(2, 3, 5, 7, 4)
    found = layer(x)
    assert found.shape == (2, 3, 5, 7, 6)
    for i in range(2):
        torch.testing.assert_close(layer(x[i]), found[i], rtol=0, atol=1e-12)
        torch.testing.assert_close(layer(x[i, 0]), found[i, 0], rtol=0, atol=1e-12)
    assert layer(x[:0]).shape == (0, 3, 5, 7, 6)


@pytest.mark.parametrize("shift", [0, 1])
def test_gradients(shift: int) -> None:
    layer = layer_of(2, shift, 2, 2, 1)
    assert gradcheck(layer, grid_of(1, 3, 4, 2).requires_grad_())


@pytest.mark.filterwarnings("ignore")
@pytest.mark.slow  # its export is traced as one graph too
def test_compiles_as_one_graph(device: torch.device) -> None:
    torch.compiler.reset()
    layer, x = layer_of(3, 1).to(device), grid_of(2, 7, 8, 4).to(device)
    compiled = torch.compile(layer, fullgraph=True, backend="eager")
    torch.testing.assert_close(compiled(x), layer(x), rtol=0, atol=1e-12)


@pytest.mark.filterwarnings("ignore")
def test_exports_and_is_saved(device: torch.device) -> None:
    torch.compiler.reset()
    layer, x = layer_of(3, 1).to(device), grid_of(2, 7, 8, 4).to(device)
    expected = layer(x)
    program = torch.export.export(layer, (x,), dynamic_shapes=({0: torch.export.Dim("B")},), strict=True)
    torch.testing.assert_close(program.module()(x[:1].repeat(5, 1, 1, 1))[4], expected[0], rtol=0, atol=1e-12)
    file = io.BytesIO()
    torch.save(layer.state_dict(), file)
    file.seek(0)
    state = torch.load(file, weights_only=True)
    assert "relative_index" not in state, "a table of indices is no weight"
    other = WindowAttention(4, 6, 2, 3, 1).double().to(device)
    other.load_state_dict(state)
    assert torch.equal(other(x), expected)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_bfloat16(dtype: torch.dtype, device: torch.device) -> None:
    """By itself, and under autocast where the parameters stay in float32."""
    layer, x = layer_of(3, 1).to(device), grid_of(2, 7, 8, 4).to(device)
    expected = layer(x)
    layer.to(dtype)
    with torch.autocast(device.type, torch.bfloat16, enabled=dtype is torch.float32):
        found = layer(x.to(dtype))
    found.sum().backward()
    torch.testing.assert_close(found.double(), expected, rtol=0, atol=0.05 * float(expected.detach().abs().max()))
    assert all(p.grad.dtype == dtype and p.grad.isfinite().all() for p in layer.parameters())


def test_what_does_not_fit_raises() -> None:
    with pytest.raises(ValueError, match="10 is no multiple of heads 4"):
        WindowAttention(10, 8)
    for shift in (-1, 3):
        with pytest.raises(ValueError, match=f"shift {shift} is not within a window of 3"):
            WindowAttention(8, 8, window_size=3, shift=shift)
    assert repr(layer_of(3, 1)) == "WindowAttention(4, 6, heads=2, window_size=3, shift=1)"
