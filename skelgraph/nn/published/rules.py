"""How tensors of the authors' state dicts become tensors of ours: by name, and by a function of theirs."""

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

State = Mapping[str, Tensor]
Rules = dict[str, tuple[tuple[str, ...], Callable[..., Tensor]]]  # ours: (theirs, what makes ours of theirs)

BATCH_NORM = ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")


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


def transformer_block(ours: str, theirs: str) -> Rules:
    """A block of MSTR, of both of its modules."""
    names = {"attention.qkv": "attn.qkv", "attention.out_proj": "attn.proj", "mlp.0": "mlp.fc1", "mlp.2": "mlp.fc2"}
    rules = layer_norm(f"{ours}.norm1", f"{theirs}.norm1") | layer_norm(f"{ours}.norm2", f"{theirs}.norm2")
    for name, key in names.items():
        rules |= linear(f"{ours}.{name}", f"{theirs}.{key}")
    return rules


def pose_head(ours: str, theirs: str) -> Rules:
    return layer_norm(f"{ours}.norm", f"{theirs}.0") | linear(f"{ours}.linear", f"{theirs}.2")


def count(state: State, prefix: str) -> int:
    """How many numbers follow a prefix: ``layers.0.x`` and ``layers.1.x`` are 2."""
    return len({name.removeprefix(prefix).split(".")[0] for name in state if name.startswith(prefix)})
