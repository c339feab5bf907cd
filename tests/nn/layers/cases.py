"""Every operator of ``skelgraph.nn.layers`` with every option its signature names: a new layer is a case by itself."""

import inspect
import typing
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

import torch
from nn.layers.oracles import Graph
from torch import Tensor, nn

from skelgraph import Skeleton
from skelgraph.nn import layers

Channels = tuple[int, int]
NARROW, WIDE = (8, 4), (4, 12)
SIZES = ("in_channels", "out_channels", "num_edges", "num_joints", "num_types")


@dataclass(frozen=True)
class Case:
    """A layer class and the options that differ from its defaults."""

    name: str
    options: dict[str, Any] = field(default_factory=dict)

    @property
    def layer(self) -> type[nn.Module]:
        return getattr(layers, self.name)

    @property
    def parameters(self) -> list[str]:
        return list(inspect.signature(self.layer).parameters)

    @property
    def inputs(self) -> list[str]:
        """What ``forward`` takes: x, x and edge_index, or edge_type too."""
        return list(inspect.signature(self.layer.forward).parameters)[1:]

    @property
    def takes_graph(self) -> bool:
        return "edge_index" in self.inputs

    def make(self, graph: Graph, channels: Channels = NARROW, seed: int = 0, **more: Any) -> nn.Module:
        """In float64, in eval mode, with no parameter or statistic at its initial value."""
        sizes = (*channels, graph.num_edges, graph.num_joints, graph.num_types)
        known = {k: v for k, v in zip(SIZES, sizes, strict=True) if k in self.parameters}
        torch.manual_seed(seed)
        layer = self.layer(**known, **self.options, **more).to(graph.edge_index.device, torch.float64).eval()
        with torch.no_grad():
            for parameter in layer.parameters():
                parameter.copy_(0.5 * torch.randn_like(parameter))
            for buffer in layer.buffers():
                if buffer.is_floating_point():
                    buffer.uniform_(0.5, 1.5)
        return layer

    def call(self, layer: nn.Module, x: Tensor, graph: Any) -> Tensor:
        """``graph`` is a Graph, a PyG Batch or a Topology."""
        if isinstance(graph, layers.Topology):
            return layer(x, graph) if self.takes_graph else layer(x)
        return layer(x, *(getattr(graph, name) for name in self.inputs[1:]))

    def __str__(self) -> str:
        return "-".join([self.name, *(f"{k}={v}" for k, v in self.options.items())])


def operators() -> list[str]:
    """The names in ``layers.__all__`` that are called with features."""
    return [n for n in layers.__all__ if "x" in inspect.signature(getattr(layers, n).forward).parameters]


def cases_of(name: str) -> Iterator[Case]:
    """The defaults, then each other value of each Literal or bool argument."""
    yield Case(name)
    layer = getattr(layers, name)
    hints = typing.get_type_hints(layer.__init__)
    for key, parameter in inspect.signature(layer).parameters.items():
        values = typing.get_args(hints[key]) if typing.get_origin(hints[key]) is Literal else ()
        values = (True, False) if hints[key] is bool else values
        for value in values:
            if value != parameter.default:
                yield Case(name, {key: value})


def graph_of(skeleton: Skeleton) -> Graph:
    return Graph(skeleton.num_joints, skeleton.edge_index, skeleton.edge_type)


CASES = [case for name in operators() for case in cases_of(name)]
DEFAULTS = [Case(name) for name in operators()]

# a hand-made tree with a cycle; its numbers of joints and edges differ from every number of channels in use
SMALL = graph_of(Skeleton("small", list("abcdefg"), [-1, 0, 1, 0, 3, 3, 5], extra_edges=[(1, 3), (2, 6)]))
LARGE = graph_of(Skeleton("large", [f"j{i}" for i in range(61)], [-1, *((7 * i) // 9 for i in range(60))]))
