"""Edges: their order and types, against dense matrices and networkx."""

import networkx as nx
import pytest
import torch
from forests import forests, graph_of
from hypothesis import given, settings
from hypothesis import strategies as st

from skelgraph.skeleton import Skeleton, builtin, edges


def dense(skeleton: Skeleton) -> torch.Tensor:
    a = torch.eye(skeleton.num_joints)
    for i, j in (*skeleton.bones, *skeleton.extra_edges):
        a[i, j] = a[j, i] = 1
    return a


@given(forests())
@settings(deadline=None, max_examples=60)
def test_edges_are_the_nonzeros_of_a_plus_i_row_by_row(skeleton: Skeleton) -> None:
    target, source = dense(skeleton).nonzero().t()
    assert skeleton.edge_index.dtype == torch.long and skeleton.edge_index.is_contiguous()
    assert torch.equal(skeleton.edge_index, torch.stack([source, target]))
    assert skeleton.num_edges == skeleton.edge_index.size(1)


def test_edge_order_of_a_small_tree() -> None:
    s = Skeleton("t", ["a", "b", "c"], [-1, 0, 0])
    assert s.edge_index.tolist() == [[0, 1, 2, 0, 1, 0, 2], [0, 0, 0, 1, 1, 2, 2]]
    center, closer, farther = edges.CENTER, edges.CLOSER, edges.FARTHER
    assert s.edge_type.tolist() == [center, farther, farther, closer, center, closer, center]


@given(forests())
@settings(deadline=None, max_examples=60)
def test_types_say_which_end_is_nearer_the_center(skeleton: Skeleton) -> None:
    graph = graph_of(skeleton)
    edge_index, edge_type = skeleton.typed_edges()
    assert torch.equal(edge_index, skeleton.edge_index) and torch.equal(edge_type, skeleton.edge_type)
    reach = nx.single_source_shortest_path_length(graph, skeleton.center)
    kind = {(s, t): k for (s, t), k in zip(edge_index.t().tolist(), edge_type.tolist(), strict=True)}
    for (s, t), k in kind.items():
        if s == t:
            assert k == edges.CENTER
            continue
        assert {k, kind[t, s]} == {edges.CLOSER, edges.FARTHER}, "one type a direction"
        if s in reach and reach[s] != reach[t]:
            assert k == (edges.CLOSER if reach[s] < reach[t] else edges.FARTHER)


@given(forests())
@settings(deadline=None, max_examples=30)
def test_in_a_component_without_the_center_hops_count_from_its_root(skeleton: Skeleton) -> None:
    graph, hops = graph_of(skeleton), skeleton.hops().tolist()
    for component in nx.connected_components(graph):
        start = skeleton.center if skeleton.center in component else min(component & set(skeleton.roots))
        assert {i: hops[i] for i in component} == nx.single_source_shortest_path_length(graph, start)


def test_ties_go_by_depth_then_by_index_or_are_dropped() -> None:
    # ring: center a with children b, c (equal hops and depth), and d below c, tied to b's child e
    s = Skeleton("ring", list("abcde"), [-1, 0, 0, 2, 1], extra_edges=[("b", "c"), ("d", "e")])
    kind = {tuple(e): k for e, k in zip(s.edge_index.t().tolist(), s.edge_type.tolist(), strict=True)}
    assert kind[1, 2] == kind[3, 4] == edges.CLOSER and kind[2, 1] == kind[4, 3] == edges.FARTHER
    edge_index, edge_type = s.typed_edges(ties="drop")
    left = {tuple(e) for e in edge_index.t().tolist()}
    assert set(kind) - left == {(1, 2), (2, 1), (3, 4), (4, 3)}
    assert len(edge_type) == len(left)
    # counted from d, a and b are both 2 hops away, b the deeper one
    hops, from_d = s.hops("d").tolist(), s.typed_edges("d")
    kind = {tuple(e): k for e, k in zip(from_d[0].t().tolist(), from_d[1].tolist(), strict=True)}
    assert hops[0] == hops[1] == 2
    assert kind[0, 1] == edges.CLOSER and kind[1, 0] == edges.FARTHER


def test_types_of_human36m_from_cais_center() -> None:
    """Edge counts a type as the authors' code has them: 17, 16, 16 and 12 symmetric, the spine the center."""
    s = builtin.HUMAN36M
    edge_index, edge_type = edges.by_symmetry(*s.typed_edges("spine"), s.pairs)
    assert edge_type.bincount().tolist() == [17, 16, 16, 12]
    order = (edge_index[1] * 17 + edge_index[0]).tolist()
    assert order == sorted(order) and len(set(order)) == 61
    hip_to_spine = ((edge_index[0] == 0) & (edge_index[1] == 7)).nonzero().item()
    assert edge_type[hip_to_spine] == edges.FARTHER
    assert s.typed_edges()[1][(s.edge_index == torch.tensor([[0], [7]])).all(0)] == edges.CLOSER
    assert not torch.equal(s.typed_edges("spine")[1], s.typed_edges()[1])


def test_a_pair_that_is_a_bone_becomes_symmetric() -> None:
    s = Skeleton("two", ["left", "right"], [-1, 0], pairs=[("left", "right")])
    edge_index, edge_type = edges.by_symmetry(s.edge_index, s.edge_type, s.pairs)
    assert torch.equal(edge_index, s.edge_index)
    assert edge_type.tolist() == [edges.CENTER, edges.SYMMETRIC, edges.SYMMETRIC, edges.CENTER]


@given(forests(max_joints=6), st.integers(1, 4))
@settings(deadline=None, max_examples=30)
def test_over_time_repeats_the_frame_and_ties_each_joint_to_itself(skeleton: Skeleton, frames: int) -> None:
    n = skeleton.num_joints
    edge_index, edge_type = edges.over_time(skeleton.edge_index, skeleton.edge_type, n, frames)
    assert edge_index.size(1) == frames * skeleton.num_edges + 2 * (frames - 1) * n
    order = (edge_index[1] * n * frames + edge_index[0]).tolist()
    assert order == sorted(order)
    source, target = edge_index
    same = source // n == target // n
    for frame in range(frames):
        here = same & (source // n == frame)
        assert torch.equal(edge_index[:, here] - frame * n, skeleton.edge_index)
        assert torch.equal(edge_type[here], skeleton.edge_type)
    assert torch.equal(target[edge_type == edges.FORWARD], source[edge_type == edges.FORWARD] + n)
    assert torch.equal(target[edge_type == edges.BACKWARD], source[edge_type == edges.BACKWARD] - n)
    assert (edge_type >= edges.FORWARD).equal(~same)


def test_over_time_needs_a_frame() -> None:
    s = builtin.HAND
    with pytest.raises(ValueError, match="num_frames is 0"):
        edges.over_time(s.edge_index, s.edge_type, 21, 0)


def test_an_unknown_center_names_the_nearest_joint() -> None:
    with pytest.raises(ValueError, match="no joint 'spne'; did you mean 'spine'"):
        builtin.HUMAN36M.typed_edges("spne")
