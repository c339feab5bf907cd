"""The authors' published checkpoints as models of ours."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from skelgraph.models import (
    STGCN,
    GraFormer,
    JointFormer,
    LargeSimpleBaseline,
    ModulatedGCN,
    SemGCN,
    SimpleBaseline,
)
from skelgraph.models.refinements import JointFormerRefinement
from skelgraph.skeleton import Skeleton

State = Mapping[str, Tensor]
Rules = dict[str, tuple[tuple[str, ...], Callable[..., Tensor]]]

WRAPPERS = ("state_dict", "model_state_dict", "model_pos", "model")
BATCH_NORM = ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")


@dataclass(frozen=True)
class Plan:
    """How a checkpoint becomes a model: its class and arguments, and the tensors that each of its own is made of."""

    model: Callable[..., nn.Module]
    arguments: dict[str, Any]
    rules: Rules


def from_published(system: str, state_dict: Mapping[str, Any], skeleton: Skeleton, **arguments: Any) -> nn.Module:
    """Builds a model in eval mode from the state dict of the authors' own code.

    Sizes are inferred from names and shapes. What cannot be is an argument: ``heads`` (joint_former and its refinement:
    8, graformer: 4), ``num_frames`` (st_gcn: 1, and 3 for a checkpoint of the multi-frame model), ``groups`` (sem_gcn
    with non-local layers).

    Args:
        system: one of :data:`SYSTEMS`.
        state_dict: tensors by name, as they are, behind ``module.``, or in a mapping under ``state_dict``.
        skeleton: that of the checkpoint, in the authors' order of joints.
        **arguments: see above.

    Raises:
        ValueError: for an unknown system or argument, and for a checkpoint that does not fit: the message lists the
            tensors that are missing, not used, or of another shape.
    """
    plan, state = plan_of(system, state_dict, skeleton, arguments)
    try:
        model = plan.model(skeleton, **plan.arguments)
    except ValueError as error:
        raise ValueError(f"{system}: {error}") from None
    load(system, model, plan, state)
    return model.eval()


def plan_of(
    system: str, state_dict: Mapping[str, Any], skeleton: Skeleton, arguments: Mapping[str, Any]
) -> tuple[Plan, dict[str, Tensor]]:
    """The plan of a checkpoint, and its tensors without wrapping."""
    if system not in SYSTEMS:
        raise ValueError(f"unknown system {system!r}; known are {', '.join(SYSTEMS)}")
    make = SYSTEMS[system]
    known = list(inspect.signature(make).parameters)[2:]
    for name in arguments:
        if name not in known:
            what = f"its arguments are {', '.join(known)}" if known else "it takes none"
            raise ValueError(f"{system} has no argument {name!r}; {what}")
    state = unwrap(state_dict)
    try:
        return make(state, skeleton, **arguments), state
    except KeyError as error:
        some = ", ".join(list(state)[:8])
        raise ValueError(f"{system}: the checkpoint has no tensor {error}; it begins with {some}") from None


def unwrap(state_dict: Mapping[str, Any]) -> dict[str, Tensor]:
    """The tensors of a state dict, taken out of a wrapping mapping and from behind ``module.``.

    Raises:
        ValueError: if there are none, or something else stands among them.
    """
    for key in WRAPPERS:
        inner = state_dict.get(key)
        if isinstance(inner, Mapping):
            return unwrap(inner)
    strange = [name for name, value in state_dict.items() if not isinstance(value, Tensor)]
    if strange or not state_dict:
        found = f"found {strange[0]!r} among them" if strange else "found none"
        raise ValueError(f"a state dict holds tensors by name; {found}")
    state = {str(name): tensor for name, tensor in state_dict.items()}
    if all(name.startswith("module.") for name in state):
        state = {name.removeprefix("module."): tensor for name, tensor in state.items()}
    return state


def load(system: str, model: nn.Module, plan: Plan, state: State) -> None:
    """Fills a model, after every tensor on both sides was found to be accounted for and to have its shape."""
    wanted = model.state_dict()
    used = {name for theirs, _ in plan.rules.values() for name in theirs}
    faults = [f"{name} is missing" for name in sorted(used - set(state)) if not name.endswith("num_batches_tracked")]
    faults += [f"{name} is not used" for name in sorted(set(state) - used)]
    made = {}
    for ours, (theirs, make) in plan.rules.items():
        if all(name in state for name in theirs):
            try:
                made[ours] = make(*(state[name] for name in theirs)).to(wanted[ours].dtype)
            except (RuntimeError, IndexError) as error:
                faults.append(f"{' and '.join(theirs)} cannot be read: {error}")
                continue
            if made[ours].shape != wanted[ours].shape:
                shapes = " and ".join(f"{name} {list(state[name].shape)}" for name in theirs)
                faults.append(f"{shapes} would give {list(made[ours].shape)}, not {list(wanted[ours].shape)}")
    if faults:
        of = f"{type(model).__name__} on {model.skeleton!r} with {plan.arguments}"
        raise ValueError(f"{system}: the checkpoint does not fit {of}: " + "; ".join(faults))
    model.load_state_dict({**wanted, **made})


# ---- rules: a tensor of ours, the authors' names that it is made of, and how


def same(*theirs: str) -> tuple[tuple[str, ...], Callable[..., Tensor]]:
    return theirs, lambda tensor: tensor


def linear(ours: str, theirs: str) -> Rules:
    """A Linear, or what was written as a convolution of width 1."""
    matrix = ((f"{theirs}.weight",), lambda weight: weight.flatten(1))
    return {f"{ours}.weight": matrix, f"{ours}.bias": same(f"{theirs}.bias")}


def batch_norm(ours: str, theirs: str) -> Rules:
    return {f"{ours}.{key}": same(f"{theirs}.{key}") for key in BATCH_NORM}


def layer_norm(ours: str, theirs: str, names: tuple[str, str] = ("weight", "bias")) -> Rules:
    return {f"{ours}.weight": same(f"{theirs}.{names[0]}"), f"{ours}.bias": same(f"{theirs}.{names[1]}")}


def two_weights(ours: str, theirs: str) -> Rules:
    """W [2, in, out] and bias of SemGCN and Modulated GCN."""
    weight = ((f"{theirs}.W",), lambda w: w.transpose(0, 1))
    return {f"{ours}.weight": weight, f"{ours}.bias": same(f"{theirs}.bias")}


def sem_conv(ours: str, theirs: str, channel_wise: bool = False) -> Rules:
    logit = ((f"{theirs}.e",), lambda e: e.t() if channel_wise else e.squeeze(0))
    return two_weights(ours, theirs) | {f"{ours}.edge_logit": logit}


def modulated_conv(ours: str, theirs: str) -> Rules:
    own = {f"{ours}.modulation": same(f"{theirs}.M"), f"{ours}.affinity": same(f"{theirs}.adj2")}
    return two_weights(ours, theirs) | own


def cheb_conv(ours: str, theirs: str) -> Rules:
    weight = ((f"{theirs}.weight",), lambda w: w[:, 0].transpose(0, 1))
    return {f"{ours}.weight": weight, f"{ours}.bias": ((f"{theirs}.bias",), lambda bias: bias.flatten())}


def gaussian_non_local(ours: str, theirs: str) -> Rules:
    rules = batch_norm(f"{ours}.norm", f"{theirs}.W.1")
    for name, key in (("value", "g"), ("query", "theta"), ("key", "phi"), ("project", "W.0")):
        rules |= linear(f"{ours}.{name}", f"{theirs}.{key}")
    return rules


def grouped_non_local(ours: str, theirs: str) -> Rules:
    rules = batch_norm(f"{ours}.norm", f"{theirs}.W.1")
    for name, key in (("value", "g.0"), ("query", "theta"), ("key", "phi.0"), ("project", "W.0")):
        rules |= linear(f"{ours}.{name}", f"{theirs}.{key}")
    score = f"{theirs}.concat_project.0.weight"
    rules[f"{ours}.query_score.weight"] = ((score,), lambda w: w.view(1, -1).chunk(2, dim=1)[0])
    rules[f"{ours}.key_score.weight"] = ((score,), lambda w: w.view(1, -1).chunk(2, dim=1)[1])
    return rules


def attention_layer(ours: str, theirs: str) -> Rules:
    """A layer of JointFormer."""
    names = tuple(f"{theirs}.slf_attn.{name}.weight" for name in ("w_qs", "w_ks", "w_vs"))
    rules: Rules = {f"{ours}.attention.qkv.weight": (names, lambda *parts: torch.cat(parts))}
    rules[f"{ours}.attention.out_proj.weight"] = same(f"{theirs}.slf_attn.fc.weight")
    rules |= layer_norm(f"{ours}.norm1", f"{theirs}.slf_attn.layer_norm")
    rules |= linear(f"{ours}.ffn.0", f"{theirs}.pos_ffn.w_1") | linear(f"{ours}.ffn.2", f"{theirs}.pos_ffn.w_2")
    return rules | layer_norm(f"{ours}.norm2", f"{theirs}.pos_ffn.layer_norm")


def pose_head(ours: str, theirs: str) -> Rules:
    return layer_norm(f"{ours}.norm", f"{theirs}.0") | linear(f"{ours}.linear", f"{theirs}.2")


def count(state: State, prefix: str) -> int:
    """How many numbers follow a prefix: ``layers.0.x`` and ``layers.1.x`` are 2."""
    return len({name.removeprefix(prefix).split(".")[0] for name in state if name.startswith(prefix)})


# ---- systems


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


SYSTEMS: dict[str, Callable[..., Plan]] = {
    "simple_baseline": simple_baseline,
    "large_simple_baseline": large_simple_baseline,
    "sem_gcn": sem_gcn,
    "modulated_gcn": modulated_gcn,
    "st_gcn": st_gcn,
    "graformer": graformer,
    "joint_former": joint_former,
    "joint_former_refinement": joint_former_refinement,
}
