"""Skeletons to and from networkx graphs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import networkx as nx


def from_networkx(
    name: str, graph: nx.Graph | nx.DiGraph, root: str | None
) -> tuple[list[str], list[int], list[tuple[str, str]]]:
    """Joints in node order, parents and extra edges of a graph; see :meth:`Skeleton.from_networkx`.

    Raises:
        ValueError: if the root is no node, or a joint has two parents.
    """
    extra = [(str(a), str(b)) for a, b, data in graph.edges(data=True) if data.get("extra")]
    bones = [(a, b) for a, b, data in graph.edges(data=True) if not data.get("extra")]
    tree: nx.DiGraph = nx.DiGraph(bones)
    if not graph.is_directed():
        start = next(iter(graph), None) if root is None else root
        if start not in graph:
            raise ValueError(f"skeleton {name!r}: root {start!r} is not a node of the graph")
        undirected: nx.Graph = nx.Graph(bones)
        undirected.add_nodes_from(graph)
        tree = nx.DiGraph()
        for source in [start, *graph]:
            if source not in tree:
                tree.add_node(source)
                tree.add_edges_from(nx.bfs_edges(undirected, source))
        extra += [(str(a), str(b)) for a, b in bones if not tree.has_edge(a, b) and not tree.has_edge(b, a)]
    tree.add_nodes_from(graph)
    joints = [str(node) for node in graph]
    parents = []
    for node in graph:
        above = [str(parent) for parent in tree.predecessors(node)]
        if len(above) > 1:
            raise ValueError(f"skeleton {name!r}: joint {node!r} has two parents: {', '.join(map(repr, above))}")
        parents.append(joints.index(above[0]) if above else -1)
    return joints, parents, extra


def to_networkx(
    name: str,
    joints: Sequence[str],
    bones: Iterable[tuple[int, int]],
    extra_edges: Iterable[tuple[int, int]],
    parts: Mapping[str, Iterable[int]],
) -> nx.DiGraph:
    """See :meth:`Skeleton.to_networkx`."""
    part_of = {i: part for part, members in parts.items() for i in members}
    graph: nx.DiGraph = nx.DiGraph(name=name)
    graph.add_nodes_from((joint, {"part": part_of[i]}) for i, joint in enumerate(joints))
    graph.add_edges_from((joints[p], joints[i]) for p, i in bones)
    graph.add_edges_from(((joints[a], joints[b]) for a, b in extra_edges), extra=True)
    return graph
