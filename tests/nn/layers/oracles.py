"""Each layer's published formula, written densely and naively: the truth that the fast layers are compared with.

An oracle takes a layer (for its parameters), the options it was made with, x [B, J, C] and the graph. A new layer adds
one function here.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from torch import Tensor, nn

Options = Mapping[str, Any]


@dataclass(frozen=True)
class Graph:
    """One skeleton's graph; matrices are indexed (target, source)."""

    num_joints: int
    edge_index: Tensor
    edge_type: Tensor

    @property
    def num_edges(self) -> int:
        return self.edge_index.size(1)

    @property
    def num_types(self) -> int:
        return int(self.edge_type.max()) + 1

    @cached_property
    def typed(self) -> Tensor:
        """0/1 matrices by type [K, J, J]."""
        matrices = torch.zeros(self.num_types, self.num_joints, self.num_joints, dtype=torch.float64)
        for (source, target), kind in zip(self.edge_index.t().tolist(), self.edge_type.tolist(), strict=True):
            matrices[kind, target, source] = 1
        return matrices.to(self.edge_index.device)

    @property
    def adjacency(self) -> Tensor:
        """0/1, self loops as in the edges [J, J]."""
        return self.typed.sum(0)

    def to(self, device: torch.device) -> "Graph":
        return Graph(self.num_joints, self.edge_index.to(device), self.edge_type.to(device))


def bias_of(layer: nn.Module) -> Tensor | float:
    bias = layer.bias
    return 0.0 if bias is None else bias


def eye_like(matrix: Tensor) -> Tensor:
    return torch.eye(matrix.size(-1), dtype=matrix.dtype, device=matrix.device)


def by_degree(matrix: Tensor, norm: str) -> Tensor:
    """D^-1/2 A D^-1/2 or D^-1 A of a symmetric A."""
    degree = matrix.sum(1)
    if norm == "row":
        return torch.diag(1 / degree) @ matrix
    root = torch.diag(torch.where(degree > 0, degree, 1).rsqrt())
    return root @ matrix @ root


def gcn_conv(layer: nn.Module, options: Options, x: Tensor, graph: Graph) -> Tensor:
    return by_degree(graph.adjacency, options.get("norm", "sym")) @ x @ layer.weight[:, 0] + bias_of(layer)


def two_weights(matrix: Tensor, x: Tensor, weight: Tensor) -> Tensor:
    """diag(P) X W_0 + offdiag(P) X W_1."""
    eye = eye_like(matrix)
    return (matrix * eye) @ x @ weight[:, 0] + (matrix * (1 - eye)) @ x @ weight[:, 1]


def sem_conv(layer: nn.Module, options: Options, x: Tensor, graph: Graph) -> Tensor:
    def attention(logits: Tensor) -> Tensor:
        scores = torch.full_like(graph.adjacency, -9e15)
        scores[graph.adjacency > 0] = logits  # the authors' line: row by row
        return scores.softmax(1)

    if not options.get("channel_wise"):
        return two_weights(attention(layer.edge_logit), x, layer.weight) + bias_of(layer)
    channels = range(layer.weight.size(2))
    each = [two_weights(attention(layer.edge_logit[:, c]), x, layer.weight[:, :, [c]]) for c in channels]
    return torch.cat(each, dim=-1) + bias_of(layer)


def modulated_conv(layer: nn.Module, options: Options, x: Tensor, graph: Graph) -> Tensor:
    eye = eye_like(graph.adjacency)
    neighbours = graph.adjacency * (1 - eye)
    matrix = neighbours / neighbours.sum(1, keepdim=True).clamp(min=1) + eye + layer.affinity
    matrix = (matrix + matrix.t()) / 2
    own, other = (layer.modulation * (x @ layer.weight[:, k]) for k in (0, 1))
    return (matrix * eye) @ own + (matrix * (1 - eye)) @ other + bias_of(layer)


def partition_conv(layer: nn.Module, options: Options, x: Tensor, graph: Graph) -> Tensor:
    out: Any = bias_of(layer)
    for k, matrix in enumerate(graph.typed):
        norm = options.get("norm", "union")
        if norm == "union":
            matrix = matrix / graph.adjacency.sum(1, keepdim=True)
        elif norm == "group":
            ends, starts = matrix.sum(1).clamp(min=1), matrix.sum(0).clamp(min=1)
            matrix = torch.diag(ends.rsqrt()) @ matrix @ torch.diag(starts.rsqrt())
        out = out + matrix @ x @ layer.weight[:, k]
        if layer.typed_bias is not None:
            out = out + matrix.sum(1, keepdim=True) * layer.typed_bias[k]
    return out


def cheb_conv(layer: nn.Module, options: Options, x: Tensor, graph: Graph) -> Tensor:
    eye = eye_like(graph.adjacency)
    if options.get("operator", "row") == "row":
        step = eye - by_degree(graph.adjacency, "row")
    else:
        step = -by_degree(graph.adjacency * (1 - eye), "sym")
    terms = [eye, step]
    for _ in range(layer.weight.size(1) - 2):
        terms.append(2 * step @ terms[-1] - terms[-2])
    return sum(t @ x @ layer.weight[:, k] for k, t in enumerate(terms)) + bias_of(layer)


def heads_of(layer: nn.Module, x: Tensor, mask: Tensor | None = None) -> Tensor:
    """The concatenated heads of softmax(q k^T / sqrt(d)) v."""
    projected = x @ layer.qkv.weight.t() + bias_of(layer.qkv)
    query, key, value = projected.chunk(3, dim=-1)
    width = query.size(-1) // layer.heads
    heads = []
    for q, k, v in zip(*(t.split(width, dim=-1) for t in (query, key, value)), strict=True):
        score = q @ k.transpose(1, 2) / math.sqrt(width)
        if mask is not None:
            score = score.masked_fill(mask == 0, -torch.inf)
        heads.append(score.softmax(-1) @ v)
    return torch.cat(heads, dim=-1)


def attention(layer: nn.Module, options: Options, x: Tensor, graph: Graph) -> Tensor:
    return heads_of(layer, x, graph.adjacency) @ layer.out_proj.weight.t() + bias_of(layer.out_proj)


def self_attention(layer: nn.Module, options: Options, x: Tensor, graph: Graph) -> Tensor:
    return heads_of(layer, x) @ layer.out_proj.weight.t() + bias_of(layer.out_proj)


def sem_attention(layer: nn.Module, options: Options, x: Tensor, graph: Graph) -> Tensor:
    return sem_conv(layer.out_proj, {}, heads_of(layer, x), graph)


def non_local(layer: nn.Module, options: Options, x: Tensor, graph: Graph) -> Tensor:
    groups = options.get("groups") or [range(i, min(i + 2, graph.num_joints)) for i in range(0, graph.num_joints, 2)]

    def linear(part: nn.Module) -> Tensor:
        return x @ part.weight.t() + part.bias

    theta = linear(layer.query)
    phi, g = (
        torch.stack([linear(part)[:, list(group)].amax(1) for group in groups], dim=1)
        for part in (layer.key, layer.value)
    )
    w = torch.cat([layer.query_score.weight, layer.key_score.weight], dim=1)[0]
    rows = []
    for i in range(graph.num_joints):
        pair = torch.cat([theta[:, [i]].expand_as(phi), phi], dim=-1)  # [B, G, 2 C']
        rows.append(((pair @ w).relu().unsqueeze(-1) * g).sum(1) / len(groups))
    mixed = torch.stack(rows, dim=1) @ layer.project.weight.t() + layer.project.bias
    return x + batch_norm(layer.norm, mixed)


def gaussian_non_local(layer: nn.Module, options: Options, x: Tensor, graph: Graph) -> Tensor:
    theta, phi, g = (x @ part.weight.t() + part.bias for part in (layer.query, layer.key, layer.value))
    rows = []
    for i in range(graph.num_joints):
        score = torch.stack([(theta[:, i] * phi[:, j]).sum(-1) for j in range(graph.num_joints)], dim=1).exp()
        rows.append(((score / score.sum(1, keepdim=True)).unsqueeze(-1) * g).sum(1))
    mixed = torch.stack(rows, dim=1) @ layer.project.weight.t() + layer.project.bias
    return x + batch_norm(layer.norm, mixed)


def batch_norm(norm: nn.Module, x: Tensor) -> Tensor:
    return (x - norm.running_mean) / (norm.running_var + norm.eps).sqrt() * norm.weight + norm.bias


ORACLES: dict[str, Callable[[nn.Module, Options, Tensor, Graph], Tensor]] = {
    "Attention": attention,
    "ChebConv": cheb_conv,
    "GCNConv": gcn_conv,
    "GaussianNonLocal": gaussian_non_local,
    "ModulatedConv": modulated_conv,
    "NonLocal": non_local,
    "PartitionConv": partition_conv,
    "SelfAttention": self_attention,
    "SemAttention": sem_attention,
    "SemConv": sem_conv,
}
