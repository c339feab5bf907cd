"""One function a system: what a checkpoint of the authors' code says of the model, and the rules for its tensors."""

from collections.abc import Callable
from dataclasses import dataclass
from math import isqrt
from typing import Any

import torch
from torch import Tensor, nn

from skelgraph.nn.models import (
    MSTR,
    STGCN,
    GraFormer,
    JointFormer,
    JointFormerRefinement,
    LargeSimpleBaseline,
    ModulatedGCN,
    SemGCN,
    SimpleBaseline,
)
from skelgraph.nn.published.rules import (
    Rules,
    State,
    attention_layer,
    batch_norm,
    cheb_conv,
    count,
    gaussian_non_local,
    grouped_non_local,
    layer_norm,
    linear,
    modulated_conv,
    pose_head,
    same,
    sem_conv,
    transformer_block,
)
from skelgraph.skeleton import Skeleton


@dataclass(frozen=True)
class Plan:
    """How a checkpoint becomes a model: its class and arguments, and the tensors that each of its own is made of.

    ``dead`` are the checkpoint's tensors that the authors' code makes no use of, or computes anew.
    """

    model: Callable[..., nn.Module]
    arguments: dict[str, Any]
    rules: Rules
    dead: frozenset[str] = frozenset()


def simple_baseline(state: State, skeleton: Skeleton) -> Plan:
    """SemGCN's ``linear_model``, or the code of H3WB (without a unit after the first map)."""
    if "upscale.weight" in state:
        channels, stages = state["upscale.weight"].size(0), count(state, "fc") // 2
        rules = linear("input", "upscale") | linear("head", "outputlayer")
        units = {f"stages.{i}.unit{k}": (f"fc{2 * i + k}", f"bn{2 * i + k}") for i in range(stages) for k in (1, 2)}
    else:
        channels, stages = state["w1.weight"].size(0), count(state, "linear_stages.")
        rules = linear("head", "w2")
        units = {"input": ("w1", "batch_norm1")}
        for i in range(stages):
            stage = f"linear_stages.{i}"
            units |= {f"stages.{i}.unit{k}": (f"{stage}.w{k}", f"{stage}.batch_norm{k}") for k in (1, 2)}
    for ours, (weight, norm) in units.items():
        rules |= linear(f"{ours}.0", weight) | batch_norm(f"{ours}.1", norm)
    arguments = {"hidden_channels": channels, "num_layers": stages, "input_unit": "input" in units}
    return Plan(SimpleBaseline, arguments, rules)


def large_simple_baseline(state: State, skeleton: Skeleton) -> Plan:
    stages = count(state, "res_")
    rules = linear("input", "upscale") | linear("head", "pose3d")
    for i in range(stages):
        for k in (1, 2):
            rules |= linear(f"stages.{i}.linear{k}", f"res_{i + 1}.l{k}")
    return Plan(LargeSimpleBaseline, {"hidden_channels": state["upscale.weight"].size(0), "num_layers": stages}, rules)


def sem_gcn(state: State, skeleton: Skeleton, groups: list[list[int | str]] | None = None) -> Plan:
    logits = state["gconv_output.e"]
    channel_wise = logits.size(0) > 1
    steps = count(state, "gconv_layers.")
    look = next((key for key in ("nonlocal", "nl") if any(f"gconv_input.1.{key}." in name for name in state)), None)
    stride = 2 if look else 1
    rules = sem_conv("head", "gconv_output", channel_wise)
    units = {"input": "gconv_input.0"}
    for i in range(steps // stride):
        units |= {f"blocks.{i}.unit{k}": f"gconv_layers.{i * stride}.gconv{k}" for k in (1, 2)}
    if look:
        rules |= grouped_non_local("input_look", f"gconv_input.1.{look}")
        for i in range(steps // stride):
            rules |= grouped_non_local(f"looks.{i}", f"gconv_layers.{2 * i + 1}.{look}")
    for ours, theirs in units.items():
        rules |= sem_conv(f"{ours}.conv", f"{theirs}.gconv", channel_wise)
        rules |= batch_norm(f"{ours}.norm", f"{theirs}.bn")
    arguments: dict[str, Any] = {
        "hidden_channels": state["gconv_output.W"].size(1),
        "num_layers": steps // stride,
        "channel_wise": channel_wise,
        "non_local": look is not None,
    }
    return Plan(SemGCN, arguments | ({} if groups is None else {"groups": groups}), rules)


def modulated_gcn(state: State, skeleton: Skeleton) -> Plan:
    blocks = count(state, "gconv_layers.")
    rules = modulated_conv("head", "gconv_output")
    units = {"input": "gconv_input.0"}
    for i in range(blocks):
        units |= {f"blocks.{i}.unit{k}": f"gconv_layers.{i}.gconv{k}" for k in (1, 2)}
    for ours, theirs in units.items():
        rules |= modulated_conv(f"{ours}.conv", f"{theirs}.gconv") | batch_norm(f"{ours}.norm", f"{theirs}.bn")
    non_local = any(name.startswith("non_local.") for name in state)
    if non_local:
        rules |= gaussian_non_local("look", "non_local")
    arguments = {
        "hidden_channels": state["gconv_output.W"].size(1),
        "num_layers": blocks,
        "modulation": "xavier" if non_local else "ones",
        "non_local": non_local,
    }
    return Plan(ModulatedGCN, arguments, rules)


def st_gcn(state: State, skeleton: Skeleton, num_frames: int | None = None) -> Plan:
    several = state["conv4.0.weight"].size(2) == 3
    frames = (3 if several else 1) if num_frames is None else num_frames
    if (frames > 1) != several:
        kind = "multi-frame" if several else "single-frame"
        raise ValueError(f"st_gcn: this is a checkpoint of the {kind} model; num_frames is {frames}")
    rules = batch_norm("data_norm", "data_bn")
    for i, skip in enumerate((False, False, True)):
        rules |= graph_block(f"blocks.{i}", f"st_gcn_networks.{i}", skip, state)
    for i, skip in enumerate((True, False)):
        rules |= graph_block(f"limb_blocks.{i}", f"st_gcn_pool.{i}", skip, state)
    rules["over_time.weight"] = (("conv4.0.weight",), lambda weight: weight.squeeze(-1))
    rules["over_time.bias"] = same("conv4.0.bias")
    rules |= batch_norm("time_norm", "conv4.1") | linear("merge", "conv2.0") | batch_norm("merge_norm", "conv2.1")
    rules |= gaussian_non_local("look", "non_local") | linear("head", "fcn.1")
    channels = state["st_gcn_networks.0.tcn.0.weight"].size(0)
    return Plan(STGCN, {"hidden_channels": channels, "num_frames": frames}, rules)


def graph_block(ours: str, theirs: str, skip: bool, state: State) -> Rules:
    """Their groups: self, farther (named ``a_close``), closer, symmetric, forward, backward; ours: closer first."""
    out = state[f"{theirs}.tcn.0.weight"].size(0)

    def by_type(tensor: Tensor) -> Tensor:
        typed = tensor.view(-1, out, *tensor.shape[1:])
        return typed[[0, 2, 1, *range(3, len(typed))]]

    weight = ((f"{theirs}.gcn.conv.weight",), lambda w: by_type(w).flatten(2).permute(2, 0, 1))
    rules: Rules = {f"{ours}.conv.weight": weight, f"{ours}.conv.typed_bias": ((f"{theirs}.gcn.conv.bias",), by_type)}
    rules |= batch_norm(f"{ours}.norm1", f"{theirs}.tcn.0") | linear(f"{ours}.linear", f"{theirs}.tcn.3")
    rules |= batch_norm(f"{ours}.norm2", f"{theirs}.tcn.4")
    if skip:
        rules |= linear(f"{ours}.skip.0", f"{theirs}.residual.0") | batch_norm(f"{ours}.skip.1", f"{theirs}.residual.1")
    return rules


def graformer(state: State, skeleton: Skeleton, heads: int = 4) -> Plan:
    layers = count(state, "atten_layers.")
    rules = cheb_conv("input", "gconv_input") | cheb_conv("head", "gconv_output")
    for i in range(layers):
        ours, theirs = f"layers.{i}", f"atten_layers.{i}"
        linears = [f"{theirs}.self_attn.linears.{k}" for k in range(3)]
        for key in ("weight", "bias"):
            names = tuple(f"{name}.{key}" for name in linears)
            rules[f"{ours}.attention.qkv.{key}"] = (names, lambda *parts: torch.cat(parts))
        rules |= linear(f"{ours}.attention.out_proj", f"{theirs}.self_attn.linears.3")
        rules[f"{ours}.graph.adjacency"] = same(f"{theirs}.feed_forward.A_hat")
        for k in (1, 2):
            rules |= linear(f"{ours}.graph.linear{k}", f"{theirs}.feed_forward.gconv{k}.fc")
            rules |= layer_norm(f"{ours}.norm{k}", f"{theirs}.sublayer.{k - 1}.norm", ("a_2", "b_2"))
            rules |= cheb_conv(f"blocks.{i}.unit{k}.conv", f"gconv_layers.{i}.gconv{k}.gconv")
    channels = state["gconv_input.weight"].size(-1)
    return Plan(GraFormer, {"hidden_channels": channels, "num_layers": layers, "heads": heads}, rules)


def joint_former(state: State, skeleton: Skeleton, heads: int = 8) -> Plan:
    layers = count(state, "layer_stack.")
    rules = joint_former_trunk(state, layers)
    intermediate = any(name.startswith("intermediate_pred.") for name in state)
    error = any(name.startswith(("intermediate_error.", "error_decoder.")) for name in state)
    for ours, flat, each in (
        ("poses", "decoder", "intermediate_pred"),
        ("errors", "error_decoder", "intermediate_error"),
    ):
        if ours == "errors" and not error:
            continue
        names = [f"{each}.{i}" for i in range(layers)] if intermediate else [flat]
        for i, name in enumerate(names):
            rules |= pose_head(f"{ours}.{i}", name)
    if intermediate:
        for i in range(layers):
            rules |= linear(f"feedback.{i}", f"intermediate_enc.{i}")
    arguments = joint_former_sizes(state, heads) | {"intermediate": intermediate, "error": error}
    if "embedding.W" in state:
        rules |= sem_conv("embed", "embedding")
        embedding = "graph"
    elif state["embedding.weight"].dim() == 2:
        rules |= linear("embed.linear", "embedding")
        embedding = "linear"
    else:
        rules |= linear("embed", "embedding")
        embedding = "conv"
    return Plan(JointFormer, arguments | {"embedding": embedding}, rules)


def joint_former_refinement(state: State, skeleton: Skeleton, heads: int = 8) -> Plan:
    trunk = joint_former_trunk(state, count(state, "layer_stack."))
    trunk |= linear("embed", "embedding") | pose_head("poses.0", "decoder")
    rules = {f"trunk.{name}": rule for name, rule in trunk.items()}
    return Plan(JointFormerRefinement, joint_former_sizes(state, heads), rules)


def joint_former_trunk(state: State, layers: int) -> Rules:
    rules = layer_norm("norm", "layer_norm")
    for i in range(layers):
        rules |= attention_layer(f"layers.{i}", f"layer_stack.{i}")
    if "position_enc" in state:
        rules["position"] = (("position_enc",), lambda table: table.squeeze(0))
    return rules


def joint_former_sizes(state: State, heads: int) -> dict[str, Any]:
    width = state["layer_stack.0.slf_attn.w_qs.weight"].size(0)
    values = state["layer_stack.0.slf_attn.w_vs.weight"].size(0)
    if width % heads or values != width:
        raise ValueError(
            f"queries are {width} and values {values} channels wide; expected the same, a multiple of heads {heads}"
        )
    return {
        "hidden_channels": state["layer_norm.weight"].size(0),
        "num_layers": count(state, "layer_stack."),
        "heads": heads,
        "head_channels": width // heads,
        "ffn_channels": state["layer_stack.0.pos_ffn.w_1.weight"].size(0),
        "position": "position_enc" in state,
    }


def mstr(state: State, skeleton: Skeleton, heads: int = 8) -> Plan:
    space, relation = "backbone", "keypoint_head"
    depths = [count(state, f"{space}.layers.{i}.blocks.") for i in range(count(state, f"{space}.layers."))]
    tables = [f"{space}.layers.{i}.blocks.0.attn.relative_position_bias_table" for i in range(len(depths))]
    rules = linear("head.1", f"{relation}.head.1") | layer_norm("head.0", f"{relation}.head.0")
    rules |= {f"space.embed.conv.{key}": same(f"{space}.patch_embed.proj.{key}") for key in ("weight", "bias")}
    rules |= layer_norm("space.embed.norm", f"{space}.patch_embed.norm") | layer_norm("space.norm", f"{space}.norm")
    step = 0  # of ours, in which merging is one
    for i, depth in enumerate(depths):
        for k in range(depth):
            ours, theirs = f"space.layers.{step + k}", f"{space}.layers.{i}.blocks.{k}"
            rules |= transformer_block(ours, theirs)
            rules[f"{ours}.attention.position_bias"] = same(f"{theirs}.attn.relative_position_bias_table")
        step += depth + 1
        if i + 1 < len(depths):
            ours, theirs = f"space.layers.{step - 1}", f"{space}.layers.{i}.downsample"
            rules |= layer_norm(f"{ours}.norm", f"{theirs}.norm")
            rules[f"{ours}.linear.weight"] = same(f"{theirs}.reduction.weight")
    layers = count(state, f"{relation}.blocks.")
    for i in range(layers):
        rules |= transformer_block(f"relation.blocks.{i}", f"{relation}.blocks.{i}")
    rules |= layer_norm("relation.norm", f"{relation}.Temporal_norm")
    arguments = {
        "out_channels": state[f"{relation}.head.1.bias"].size(0) // skeleton.num_joints,
        "patch_size": state[f"{space}.patch_embed.proj.weight"].size(2),
        "hidden_channels": state[f"{space}.patch_embed.proj.weight"].size(0),
        "depths": tuple(depths),
        "heads": tuple(state[table].size(1) for table in tables),
        "window_size": (isqrt(state[tables[0]].size(0)) + 1) // 2,
        "num_layers": layers,
        "relation_heads": heads,
    }
    unused = (f"{space}.head.", f"{relation}.Temporal_pos_embed", f"{relation}.weighted_mean.")
    computed = (".attn_mask", ".relative_position_index")
    return Plan(MSTR, arguments, rules, frozenset(n for n in state if n.startswith(unused) or n.endswith(computed)))


SYSTEMS: dict[str, Callable[..., Plan]] = {
    "simple_baseline": simple_baseline,
    "large_simple_baseline": large_simple_baseline,
    "sem_gcn": sem_gcn,
    "modulated_gcn": modulated_gcn,
    "st_gcn": st_gcn,
    "graformer": graformer,
    "joint_former": joint_former,
    "joint_former_refinement": joint_former_refinement,
    "mstr": mstr,
}
