"""Models without public code, and variants without a fixture, against their papers' formulas written naively."""

from typing import Any

import pytest
import torch
from nn.layers.cases import graph_of
from nn.layers.oracles import heads_of, partition_conv, sem_conv
from torch import Tensor, nn

from skelgraph import Skeleton
from skelgraph.nn.models import GCN, AMPose, LargeSimpleBaseline, SemGAN, SimpleBaseline
from skelgraph.skeleton.builtin import COCO_WHOLEBODY, HUMAN36M

TOLERANCE = 1e-10


def moved(model: nn.Module) -> Any:
    """In float64, no tensor at its initial value."""
    model.double().eval()
    for tensor in model.state_dict().values():
        if tensor.is_floating_point():
            tensor.add_(0.2 * torch.rand_like(tensor))
    return model


def inputs(skeleton: Skeleton) -> Tensor:
    return torch.randn(3, skeleton.num_joints, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def linear(layer: Any, x: Tensor) -> Tensor:
    return x @ layer.weight.t() + (0 if layer.bias is None else layer.bias)


def batch_norm(norm: Any, x: Tensor) -> Tensor:
    return (x - norm.running_mean) / (norm.running_var + norm.eps).sqrt() * norm.weight + norm.bias


def layer_norm(norm: Any, x: Tensor) -> Tensor:
    centred = x - x.mean(-1, keepdim=True)
    return centred / (centred.square().mean(-1, keepdim=True) + norm.eps).sqrt() * norm.weight + norm.bias


def attention(layer: Any, x: Tensor) -> Tensor:
    return linear(layer.out_proj, heads_of(layer, x))


def close(found: Tensor, expected: Tensor) -> None:
    torch.testing.assert_close(found, expected, rtol=TOLERANCE, atol=TOLERANCE)


def test_large_simple_baseline() -> None:
    torch.manual_seed(0)
    model = moved(LargeSimpleBaseline(HUMAN36M, hidden_channels=16))
    leaky = nn.LeakyReLU(0.01)
    x = inputs(HUMAN36M)
    h = linear(model.input, x.reshape(3, 34))
    for stage in model.stages:
        h = leaky(h + leaky(linear(stage.linear2, leaky(linear(stage.linear1, h)))))
    close(model(x), linear(model.head, h).view(3, 17, 3))


def test_simple_baseline_of_h3wb() -> None:
    torch.manual_seed(0)
    model = moved(SimpleBaseline(HUMAN36M, hidden_channels=16, input_unit=False))
    x = inputs(HUMAN36M)
    h = linear(model.input, x.reshape(3, 34))
    for stage in model.stages:
        r = h
        for unit in (stage.unit1, stage.unit2):
            r = batch_norm(unit[1], linear(unit[0], r)).relu()
        h = h + r
    close(model(x), linear(model.head, h).view(3, 17, 3))


@pytest.mark.parametrize("norm", ["sym", "row"])
def test_gcn(norm: str) -> None:
    torch.manual_seed(0)
    model = moved(GCN(HUMAN36M, hidden_channels=8, num_layers=2, norm=norm))
    adjacency = graph_of(HUMAN36M).adjacency
    degree = adjacency.sum(1)
    root = torch.diag(degree.rsqrt())
    matrix = root @ adjacency @ root if norm == "sym" else adjacency / degree.unsqueeze(1)

    def conv(layer: Any, x: Tensor) -> Tensor:
        return matrix @ x @ layer.weight[:, 0] + layer.bias

    def unit(part: Any, x: Tensor) -> Tensor:
        return batch_norm(part.norm, conv(part.conv, x)).relu()

    x = inputs(HUMAN36M)
    h = unit(model.input, x)
    for block in model.blocks:
        h = h + unit(block.unit2, unit(block.unit1, h))
    close(model(x), conv(model.head, h))


def encoder(part: Any, x: Tensor) -> Tensor:
    """AMPose eq. 3.5 to 3.7."""
    z = x + part.position
    z = attention(part.attention, layer_norm(part.norm1, z)) + z
    inner = nn.functional.gelu(linear(part.mlp[0], layer_norm(part.norm2, z)))
    return linear(part.mlp[2], inner) + z


def gcn_block(name: str, part: Any, x: Tensor, norm: str) -> Tensor:
    """Figures 4.1 and 4.2."""

    def gcn(layer: Any, x: Tensor) -> Tensor:
        return batch_norm(layer.norm, partition_conv(layer.conv, {"norm": norm}, x, graph_of(HUMAN36M)))

    if name == "ours":
        h = gcn(part.gcn1, x).relu()
        return h + gcn(part.gcn2, h).relu()
    if name == "two_residual":
        h = x + gcn(part.gcn1, x).relu()
        return h + gcn(part.gcn2, h).relu()
    h = x + gcn(part.gcn, x) if name == "transformer" else gcn(part.gcn, x)
    inner = layer_norm(part.norm, h) if name == "transformer" else h
    out = linear(part.mlp[2], nn.functional.gelu(linear(part.mlp[0], inner)))
    return out + (h if name == "transformer" else x)


@pytest.mark.parametrize("block", ["ours", "two_residual", "transformer", "convnext"])
@pytest.mark.parametrize("order", ["transformer_first", "gcns_then_transformers"])
@pytest.mark.parametrize("norm", ["union", "group"])
def test_am_pose(block: str, order: str, norm: str) -> None:
    torch.manual_seed(0)
    options: dict = {"block": block, "order": order, "norm": norm}
    model = moved(AMPose(HUMAN36M, num_layers=2, hidden_channels=8, heads=2, **options))
    x = inputs(HUMAN36M)
    h = linear(model.embed, x)
    (e1, e2), (b1, b2) = model.encoders, model.blocks
    for part in (e1, b1, e2, b2) if order == "transformer_first" else (b1, b2, e1, e2):
        h = encoder(part, h) if part in (e1, e2) else gcn_block(block, part, h, norm)
    close(model(x), linear(model.head, layer_norm(model.norm, h)))


def test_am_pose_concatenates_frames() -> None:
    torch.manual_seed(0)
    model = moved(AMPose(HUMAN36M, num_layers=1, hidden_channels=8, heads=2, num_frames=3))
    clip = torch.stack([inputs(HUMAN36M) + i for i in range(3)], dim=1)
    h = linear(model.embed, torch.cat([clip[:, 0], clip[:, 1], clip[:, 2]], dim=-1))
    h = gcn_block("ours", model.blocks[0], encoder(model.encoders[0], h), "union")
    close(model(clip), linear(model.head, layer_norm(model.norm, h)))


def semantic(reading: str, part: Any, x: Tensor) -> Tensor:
    graph = graph_of(COCO_WHOLEBODY)

    def ffn(x: Tensor) -> Tensor:
        return linear(part.ffn[2], linear(part.ffn[0], x).relu())

    if reading == "append":
        return layer_norm(part.norm1, x + sem_conv(part.conv, {}, attention(part.attention, x), graph))
    if reading == "replace_ffn":
        a = layer_norm(part.norm1, x + attention(part.attention, x))
        return layer_norm(part.norm2, a + sem_conv(part.conv, {}, a, graph))
    if reading == "plain":
        a = layer_norm(part.norm1, x + attention(part.attention, x))
        return layer_norm(part.norm2, a + ffn(a))
    a = layer_norm(part.norm1, x + sem_conv(part.attention.out_proj, {}, heads_of(part.attention, x), graph))
    return a if reading == "out_proj_no_ffn" else layer_norm(part.norm2, a + ffn(a))


@pytest.mark.parametrize("reading", ["plain", "out_proj", "out_proj_no_ffn", "append", "replace_ffn"])
@pytest.mark.parametrize("decoder", ["parts", "shared_parts", "linear"])
def test_sem_gan(reading: str, decoder: str) -> None:
    torch.manual_seed(0)
    sizes: dict = {"hidden_channels": 8, "num_layers": 2, "heads": 2, "head_channels": 4, "ffn_channels": 8}
    model = moved(SemGAN(COCO_WHOLEBODY, encoder=reading, decoder=decoder, **sizes))
    x = inputs(COCO_WHOLEBODY)
    distances = [
        torch.zeros(3, dtype=x.dtype) if parent < 0 else (x[:, joint] - x[:, parent]).norm(dim=-1)
        for joint, parent in enumerate(COCO_WHOLEBODY.parents)
    ]
    h = linear(model.embed, torch.cat([x, torch.stack(distances, 1).unsqueeze(-1)], dim=-1)) + model.position
    h = layer_norm(model.norm, h)
    for part in model.encoder:
        h = (h + semantic(reading, part, h)).relu()
    output = model(x)
    if decoder == "linear":
        return close(
            torch.cat([output.pose, output.error], 1),
            torch.cat([linear(model.decoder.pose, h), linear(model.decoder.error, h)], 1),
        )
    for i, joints in enumerate(COCO_WHOLEBODY.parts.values()):
        part = h[:, list(joints)]
        for layer in model.decoder.layers[i]:
            part = semantic("plain", layer, part)
        graph = graph_of(COCO_WHOLEBODY.subset(joints))
        close(output.pose[:, list(joints)], sem_conv(model.decoder.pose[i], {}, part, graph))
        close(output.error[:, list(joints)], sem_conv(model.decoder.error[i], {}, part, graph))
