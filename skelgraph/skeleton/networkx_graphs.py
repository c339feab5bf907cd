"""Joints, parents and extra edges out of other forms of a skeleton: bones by name, networkx graphs."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import networkx as nx

if TYPE_CHECKING:
    from skelgraph.skeleton import Skeleton

_NAME = re.compile(r"[A-Za-z0-9_.:+-]{1,64}")


def check_joints(name: str, joints: Sequence[str]) -> None:
    """Refuses no joints, names that a file format could not hold, and names that stand twice."""
    if not joints:
        raise ValueError(f"skeleton {name!r} has no joints")
    for kind, text in [("name", name), *(("joint name", joint) for joint in joints)]:
        if not isinstance(text, str) or not _NAME.fullmatch(text):
            raise ValueError(f"skeleton {name!r}: {kind} {text!r} must be 1 to 64 of A-Z a-z 0-9 _ . : + -")
    twice = sorted({joint for joint in joints if joints.count(joint) > 1})
    if twice:
        raise ValueError(f"skeleton {name!r} names joints twice: {', '.join(map(repr, twice))}")


def check_parents(name: str, joints: Sequence[str], parents: Sequence[int]) -> None:
    """Refuses parents that are too many or few, out of range, or run in a cycle."""
    if len(parents) != len(joints):
        raise ValueError(f"skeleton {name!r} has {len(joints)} joints but {len(parents)} parents")
    for joint, parent in enumerate(parents):
        if not -1 <= parent < len(joints):
            raise ValueError(
                f"skeleton {name!r}: joint {joints[joint]!r} ({joint}) has the parent {parent}; "
                f"expected -1 (root) or 0 to {len(joints) - 1}"
            )
    rooted = {-1}
    for joint in range(len(joints)):
        chain: list[int] = []
        while joint not in rooted:
            if joint in chain:
                cycle = [joints[i] for i in (*chain[chain.index(joint) :], joint)]
                raise ValueError(f"skeleton {name!r}: parents form a cycle: {' -> '.join(cycle)}")
            chain.append(joint)
            joint = parents[joint]
        rooted.update(chain)


def from_bones(name: str, bones: Iterable[tuple[str, str]], roots: Sequence[str]) -> tuple[list[str], list[int]]:
    """Joints in order of first appearance, ``roots`` first, and their parents.

    Raises:
        ValueError: if a joint has two parents, or a root has one.
    """
    parent_of: dict[str, str | None] = dict.fromkeys(roots)
    for parent, child in bones:
        parent_of.setdefault(parent, None)
        first = parent_of.get(child)
        if first is not None:
            twice = f"twice from {parent!r}" if first == parent else f"from {first!r} and from {parent!r}"
            raise ValueError(f"skeleton {name!r}: joint {child!r} has two parents: it is reached {twice}")
        parent_of[child] = parent
    for root in roots:
        if parent_of[root] is not None:
            raise ValueError(f"skeleton {name!r}: root {root!r} has the parent {parent_of[root]!r}")
    joints = list(parent_of)
    return joints, [-1 if parent is None else joints.index(parent) for parent in parent_of.values()]


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


def to_networkx(skeleton: Skeleton) -> nx.DiGraph:
    """See :meth:`Skeleton.to_networkx`."""
    graph: nx.DiGraph = nx.DiGraph(name=skeleton.name)
    for key, members in skeleton.parts.items():
        graph.add_nodes_from((skeleton.joints[i] for i in members), part=key)
    ordered: nx.DiGraph = nx.DiGraph(name=skeleton.name)
    ordered.add_nodes_from((joint, graph.nodes[joint]) for joint in skeleton.joints)
    ordered.add_edges_from((skeleton.joints[p], skeleton.joints[i]) for p, i in skeleton.bones)
    ordered.add_edges_from(((skeleton.joints[a], skeleton.joints[b]) for a, b in skeleton.extra_edges), extra=True)
    return ordered


def branches(skeleton: Skeleton) -> dict[str, list[int]]:
    """The connected pieces that are left without the center, each named by its joint nearest to it."""
    graph: nx.Graph = nx.Graph([*skeleton.bones, *skeleton.extra_edges])
    graph.add_nodes_from(range(skeleton.num_joints))
    graph.remove_node(skeleton.center)
    hops = skeleton.hops().tolist()
    pieces = sorted(sorted(piece) for piece in nx.connected_components(graph))
    return {skeleton.joints[min(piece, key=lambda i: (hops[i], i))]: piece for piece in pieces}
