"""Random skeletons for property tests."""

import networkx as nx
from hypothesis import strategies as st

from skelgraph.skeleton import Skeleton


@st.composite
def forests(draw, max_joints: int = 12) -> Skeleton:
    """Random forests in random joint order, with random extra edges and a random center."""
    n = draw(st.integers(1, max_joints))
    order = draw(st.permutations(range(n)))
    parents = [-1] * n
    for i in range(1, n):
        above = draw(st.integers(-1, i - 1))
        parents[order[i]] = order[above] if above >= 0 else -1
    bones = {frozenset((i, p)) for i, p in enumerate(parents) if p >= 0}
    free = [(a, b) for a in range(n) for b in range(a) if frozenset((a, b)) not in bones]
    extra = draw(st.lists(st.sampled_from(free), unique=True, max_size=4)) if free else []
    center = draw(st.integers(0, n - 1))
    return Skeleton("random", [f"j{i}" for i in range(n)], parents, center=center, extra_edges=extra)


def graph_of(skeleton: Skeleton) -> nx.Graph:
    graph = nx.Graph()
    graph.add_nodes_from(range(skeleton.num_joints))
    graph.add_edges_from((*skeleton.bones, *skeleton.extra_edges))
    return graph
