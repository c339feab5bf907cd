"""A skeleton is a value: what it refuses, what it derives, and its other forms."""

import copy
import json
import pickle

import networkx as nx
import pytest
import torch
from forests import forests, graph_of
from hypothesis import given, settings
from hypothesis import strategies as st
from torch_geometric.data import Batch
from torch_geometric.loader import DataLoader

from skelgraph import Skeleton
from skelgraph.skeleton import builtin

NAMES = ["hip", "left_knee", "right_knee", "spine", "head"]
PARENTS = [-1, 0, 0, 0, 3]


def person(**fields) -> Skeleton:
    return Skeleton(**{"name": "person", "joints": NAMES, "parents": PARENTS} | fields)


# ---- what it refuses


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"joints": [], "parents": []}, "no joints"),
        ({"parents": [-1, 0, 0, 0]}, "5 joints but 4 parents"),
        ({"parents": [-1, 0, 0, 4, 3]}, "cycle: (spine -> head -> spine|head -> spine -> head)"),
        ({"parents": [-1, 0, 0, 3, 3]}, "cycle: spine -> spine"),
        ({"parents": [1, 2, 0, 0, 3]}, "cycle: hip -> left_knee -> right_knee -> hip"),
        ({"parents": [-1, 0, 0, 0, 5]}, r"'head' \(4\) has the parent 5; expected -1 \(root\) or 0 to 4"),
        ({"parents": [-1, 0, -2, 0, 3]}, r"'right_knee' \(2\) has the parent -2"),
        ({"joints": ["hip", "knee", "knee", "spine", "head"]}, "names joints twice: 'knee'"),
        ({"joints": ["hip", "a b", "c", "d", "e"]}, "joint name 'a b' must be"),
        ({"joints": ["hip", "<script>", "c", "d", "e"]}, "joint name '<script>' must be"),
        ({"joints": ["hip", "x" * 65, "c", "d", "e"]}, "must be 1 to 64"),
        ({"joints": ["hip", "a\n", "c", "d", "e"]}, "must be"),
        ({"center": "hipp"}, "no joint 'hipp'; did you mean 'hip'"),
        ({"center": 5}, "no joint 5; indices run from 0 to 4"),
        ({"center": -1}, "no joint -1"),
        ({"center": True}, "no joint True"),
        ({"pairs": [("left_knee", "right_kne")]}, "no joint 'right_kne'; did you mean 'right_knee'"),
        ({"pairs": [("left_knee", "left_knee")]}, r"pairs use a joint more than once: 'left_knee' \(1\)"),
        ({"pairs": [(1, 2), (1, 3)]}, "pairs use a joint more than once: 'left_knee'"),
        ({"parts": {"a": [0, 1, 2, 3]}}, r"parts must cover every joint; left out: 'head' \(4\)"),
        ({"parts": {"a": [0, 1, 2, 3], "b": ["spine", "head"]}}, r"'a' and 'b' share 'spine' \(3\)"),
        ({"parts": {"a": [0, 1, 2, 3, 4, 4]}}, r"parts\['a'\] names joints twice: 'head'"),
        ({"parts": {"a": [0, 1, 2, 3, 4], "b": []}}, r"parts\['b'\] is empty"),
        ({"limbs": {"a": ["hips"]}}, "did you mean 'hip'"),
        ({"limbs": {"a": [1], "b": [1]}}, "limbs 'a' and 'b' share 'left_knee'"),
        ({"origin": []}, "origin is empty"),
        ({"origin": ["hip", 0]}, "origin names joints twice: 'hip'"),
        ({"extra_edges": [(1, 1)]}, "extra edge 'left_knee'-'left_knee' joins a joint to itself"),
        ({"extra_edges": [("spine", "hip")]}, "extra edge 'spine'-'hip' is there already"),
        ({"extra_edges": [(1, 2), (2, 1)]}, "extra edge 'right_knee'-'left_knee' is there already"),
        ({"extra_edges": [("hip", "tail")]}, "no joint 'tail'"),
    ],
)
def test_a_faulty_skeleton_is_an_error_that_names_the_joints(fields: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        person(**fields)


def test_edges_by_name_refuse_two_parents_and_cycles() -> None:
    with pytest.raises(ValueError, match="'b' has two parents: it is reached from 'a' and from 'c'"):
        Skeleton.from_edges("s", [("a", "b"), ("a", "c"), ("c", "b")])
    with pytest.raises(ValueError, match="two parents.*twice from 'a'"):
        Skeleton.from_edges("s", [("a", "b"), ("a", "b")])
    with pytest.raises(ValueError, match="cycle: a -> b -> a"):
        Skeleton.from_edges("s", [("a", "b"), ("b", "a")])
    with pytest.raises(ValueError, match="root 'b' has the parent 'a'"):
        Skeleton.from_edges("s", [("a", "b")], root="b")


# ---- what it derives


def test_defaults() -> None:
    s = person()
    assert (s.center, s.origin, s.roots) == (0, (0,), (0,))
    assert s.pairs == ((1, 2),), "left_x and right_x are a pair"
    assert dict(s.parts) == {"person": (0, 1, 2, 3, 4)}
    assert sorted(s.limbs.values()) == [(1,), (2,), (3, 4)], "the branches that leave the center"
    assert s.bones == ((0, 1), (0, 2), (0, 3), (3, 4)) and s.depth == (0, 1, 1, 1, 2)
    assert person(pairs=()).pairs == ()


def test_joints_may_be_named_or_numbered() -> None:
    by_name = person(
        center="spine",
        pairs=[("left_knee", "right_knee")],
        parts={"a": NAMES},
        origin=["hip"],
        extra_edges=[("head", "hip")],
    )
    by_index = person(center=3, pairs=[(1, 2)], parts={"a": range(5)}, origin=[0], extra_edges=[(4, 0)])
    assert by_name == by_index and by_name.extra_edges == ((4, 0),)


def test_a_skeleton_of_one_joint() -> None:
    s = Skeleton("point", ["only"], [-1])
    assert s.num_edges == 1 and s.edge_index.tolist() == [[0], [0]] and s.edge_type.tolist() == [0]
    assert s.limbs == {} and s.flip_index.tolist() == [0] and s.bones == ()
    assert Skeleton.from_dict(s.to_dict()) == s


def test_long_chains_are_fine() -> None:
    n = 3000
    s = Skeleton("snake", [f"v{i}" for i in range(n)], range(-1, n - 1))
    assert s.depth == tuple(range(n)) and s.hops().tolist() == list(range(n))


@given(forests())
@settings(deadline=None, max_examples=40)
def test_depth_and_hops_are_networkxs(skeleton: Skeleton) -> None:
    tree = nx.DiGraph(skeleton.bones)
    tree.add_nodes_from(range(skeleton.num_joints))
    for root in skeleton.roots:
        for joint, depth in nx.single_source_shortest_path_length(tree, root).items():
            assert skeleton.depth[joint] == depth
    graph = graph_of(skeleton)
    for source in range(skeleton.num_joints):
        hops = skeleton.hops(source).tolist()
        for joint, distance in nx.single_source_shortest_path_length(graph, source).items():
            assert hops[joint] == distance


def test_flip_index_renames_the_joints_of_a_mirrored_pose() -> None:
    s = builtin.HUMAN36M
    x = torch.randn(4, 17, 3)
    flipped = x[..., s.flip_index, :]
    assert torch.equal(flipped[:, s.index("left_wrist")], x[:, s.index("right_wrist")])
    assert torch.equal(flipped[:, s.index("hip")], x[:, s.index("hip")])
    assert torch.equal(flipped[..., s.flip_index, :], x)


@given(forests(), st.data())
@settings(deadline=None, max_examples=40)
def test_subset_keeps_the_nearest_kept_ancestor(skeleton: Skeleton, data: st.DataObject) -> None:
    kept = data.draw(st.lists(st.integers(0, skeleton.num_joints - 1), min_size=1, unique=True))
    part = skeleton.subset(kept)
    assert part.joints == tuple(skeleton.joints[i] for i in kept)
    for new, old in enumerate(kept):
        above = skeleton.parents[old]
        while above not in (*kept, -1):
            above = skeleton.parents[above]
        assert part.parents[new] == (kept.index(above) if above >= 0 else -1)
    whole = skeleton.subset(range(skeleton.num_joints), name=skeleton.name)
    assert whole == skeleton


def test_subset_turns_an_extra_edge_into_the_bone_that_it_has_become() -> None:
    """BLAZEPOSE has the bones ankle, heel, foot_index and the extra edge ankle-foot_index."""
    foot = builtin.BLAZEPOSE.subset(["left_ankle", "left_foot_index"])
    assert foot.bones == ((0, 1),) and foot.extra_edges == ()


def test_subset_keeps_what_is_left_of_pairs_parts_and_origin() -> None:
    arm = builtin.COCO_WHOLEBODY.subset(["left_hip", "right_hip", "left_wrist", "left_hand_0", "face_0", "face_16"])
    assert arm.pairs == ((0, 1), (5, 4)) and arm.origin == (0, 1)
    assert dict(arm.parts) == {"body": (2, 0, 1), "face": (4, 5), "hands": (3,)}, "in the order of the whole"
    assert arm.parents == (-1, -1, -1, 2, -1, -1) and arm.center == 0
    hand = builtin.COCO_WHOLEBODY.subset(["left_wrist", "left_hand_0"])
    assert hand.origin == (0,), "without a joint of the origin: the root"
    with pytest.raises(ValueError, match="no joint 'left_hnd_0'; did you mean 'left_hand_0'"):
        builtin.COCO_WHOLEBODY.subset(["left_hnd_0"])
    with pytest.raises(ValueError, match="subset names joints twice: 'nose'"):
        builtin.COCO.subset(["nose", 0])
    with pytest.raises(ValueError, match="subset is empty"):
        builtin.COCO.subset([])


# ---- a value


def test_a_skeleton_is_frozen_hashable_and_compares_by_value() -> None:
    s = person()
    assert s == person() and hash(s) == hash(person()) and s != person(center=1) and s != "person"
    assert len({s, person(), person(name="other")}) == 2
    for name, value in {"center": 1, "joints": (), "extra": 0}.items():
        with pytest.raises(AttributeError, match="frozen"):
            setattr(s, name, value)
    with pytest.raises(AttributeError, match="frozen"):
        del s.center
    with pytest.raises(TypeError):
        s.parts["person"] = ()  # type: ignore[index]
    assert copy.deepcopy(s) == s and pickle.loads(pickle.dumps(s)) == s


def test_tensors_that_it_hands_out_can_be_changed_without_changing_it() -> None:
    s = person()
    s.edge_index.zero_()
    s.edge_type.fill_(9)
    s.flip_index.zero_()
    s.hops().zero_()
    assert s.edge_index.sum() > 0 and s.edge_type.max() == 2 and s.flip_index.tolist() == [0, 2, 1, 3, 4]
    assert s.hops().tolist() == [0, 1, 1, 1, 2]


# ---- other forms


@given(forests())
@settings(deadline=None, max_examples=30)
def test_dict_and_json_round_trip(skeleton: Skeleton) -> None:
    assert Skeleton.from_dict(json.loads(json.dumps(skeleton.to_dict()))) == skeleton


@given(skeleton=forests())
@settings(deadline=None, max_examples=15)
def test_yaml_round_trip(skeleton: Skeleton, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("yaml") / "s.yaml"
    skeleton.to_yaml(path)
    assert Skeleton.from_yaml(path) == skeleton


def test_whole_body_round_trips_through_yaml(tmp_path) -> None:
    builtin.COCO_WHOLEBODY_CONTOURS.to_yaml(tmp_path / "s.yaml")
    assert Skeleton.from_yaml(tmp_path / "s.yaml") == builtin.COCO_WHOLEBODY_CONTOURS


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name: s\njoints: [a, b]\nparents: [1, 0]\n", "cycle"),
        ("name: s\njoints: [a, b]\nparents: [-1, c]\n", "'c'"),
        ("name: s\njoints: [a, b]\nparents: [-1, 0]\ncentre: a\n", "'centre' is not known; did you mean 'center'"),
        ("name: s\njoints: [a, b]\n", "missing: 'parents'"),
        ("name: s\njoints: 5\nparents: [-1]\n", "wrong type"),
        ("name: s\njoints: [a]\nparents: [-1]\npairs: 3\n", "wrong type"),
        ("name: s\njoints: [a]\nparents: [-1]\nparents: [-1]\n", "duplicated"),
        ("name: s\njoints: &j [a]\nparents: [-1]\norigin: *j\n", "alias"),
        ("- a\n- b\n", ""),
        ("name: !!python/object/apply:os.system [ls]\n", ""),
    ],
)
def test_a_faulty_yaml_is_an_error_that_names_the_file(tmp_path, text: str, message: str) -> None:
    path = tmp_path / "faulty.yaml"
    path.write_text(text)
    with pytest.raises(ValueError, match=f"(?s)faulty.yaml.*{message}"):
        Skeleton.from_yaml(path)


def test_bones_by_name_in_yaml(tmp_path) -> None:
    path = tmp_path / "s.yaml"
    path.write_text("name: s\nbones: [[a, b], [b, c]]\npairs: [[a, c]]\n")
    s = Skeleton.from_yaml(path)
    assert s.joints == ("a", "b", "c") and s.parents == (-1, 0, 1) and s.pairs == ((0, 2),)


def test_a_missing_yaml_is_a_file_error(tmp_path) -> None:
    with pytest.raises(FileNotFoundError, match="nowhere.yaml"):
        Skeleton.from_yaml(tmp_path / "nowhere.yaml")


def test_named_edges_make_a_skeleton() -> None:
    s = Skeleton.from_edges("s", [("hip", "spine"), ("spine", "head"), ("hip", "knee")])
    assert s.joints == ("hip", "spine", "head", "knee") and s.parents == (-1, 0, 1, 0)
    late = Skeleton.from_edges("s", [("spine", "head"), ("hip", "spine")], root="hip")
    assert late.joints[0] == "hip" and late.roots == (0,)
    two = Skeleton.from_edges("s", [("a", "b"), ("c", "d")], root=["a", "c", "lonely"], center="d")
    assert [two.joints[i] for i in two.roots] == ["a", "c", "lonely"] and two.center == two.index("d")


@given(forests())
@settings(deadline=None, max_examples=30)
def test_networkx_round_trip(skeleton: Skeleton) -> None:
    back = Skeleton.from_networkx(skeleton.to_networkx(), center=skeleton.center)
    assert (back.name, back.joints, back.parents) == (skeleton.name, skeleton.joints, skeleton.parents)
    assert {frozenset(e) for e in back.extra_edges} == {frozenset(e) for e in skeleton.extra_edges}
    assert torch.equal(back.edge_index, skeleton.edge_index) and torch.equal(back.edge_type, skeleton.edge_type)


def test_networkx_of_every_kind() -> None:
    ring = Skeleton.from_networkx(nx.relabel_nodes(nx.cycle_graph(5), {i: f"v{i}" for i in range(5)}), root="v0")
    assert len(ring.bones) == 4 and len(ring.extra_edges) == 1 and ring.num_edges == 15
    forest = Skeleton.from_networkx(nx.Graph([("a", "b"), ("c", "d")]), name="forest")
    assert forest.name == "forest" and forest.parents == (-1, 0, -1, 2)
    with pytest.raises(ValueError, match="'c' has two parents: 'a', 'b'"):
        Skeleton.from_networkx(nx.DiGraph([("a", "c"), ("b", "c")]))
    with pytest.raises(ValueError, match="cycle"):
        Skeleton.from_networkx(nx.DiGraph([("a", "b"), ("b", "a")]))
    with pytest.raises(ValueError, match="root 'z' is not a node"):
        Skeleton.from_networkx(nx.Graph([("a", "b")]), root="z")
    assert builtin.COCO_WHOLEBODY.to_networkx().nodes["face_3"]["part"] == "face"


def test_to_data_is_a_pyg_graph() -> None:
    s = builtin.HUMAN36M
    x = torch.randn(17, 3)
    data = s.to_data(x, y=torch.zeros(17, 3), action=3)
    assert data.validate() and data.num_nodes == 17 and data.num_edges == 49
    assert data.has_self_loops() and data.is_undirected() and data.is_coalesced() is not None
    source, target = data.edge_index
    torch.testing.assert_close(data.edge_attr[:, 0], (x[source, :2] - x[target, :2]).norm(dim=-1))
    torch.testing.assert_close(data.parent_distance[2, 0], (x[2, :2] - x[1, :2]).norm())
    assert data.parent_distance.shape == (17, 1) and data.parent_distance[0] == 0
    assert torch.equal(data.edge_type, s.edge_type) and data.action == 3


def test_to_data_takes_arrays_and_refuses_other_shapes() -> None:
    s = person()
    assert s.to_data([[0, 0], [3, 4], [0, 1], [1, 0], [1, 1]]).parent_distance.flatten().tolist() == [0, 5, 1, 1, 1]
    for shape in ((4, 2), (5, 1), (2, 5, 2), (5,)):
        with pytest.raises(ValueError, match=r"5 joints: x must be \[5, C\]"):
            s.to_data(torch.zeros(shape))


def test_data_batches_as_pyg_expects() -> None:
    s = builtin.COCO
    graphs = [s.to_data(torch.randn(17, 2), y=torch.randn(17, 3), action=i) for i in range(5)]
    batch = Batch.from_data_list(graphs)
    assert batch.num_graphs == 5 and batch.num_nodes == 85
    for i in range(5):
        edges_of_i = batch.edge_index[:, i * 49 : (i + 1) * 49]
        assert torch.equal(edges_of_i, s.edge_index + 17 * i)
    assert torch.equal(batch.edge_type, s.edge_type.repeat(5)), "types are not incremented"
    assert batch.parent_distance.shape == (85, 1) and batch.action.tolist() == [0, 1, 2, 3, 4]
    assert torch.equal(batch[3].edge_index, s.edge_index)
    loaded = next(iter(DataLoader(graphs, batch_size=5)))
    assert torch.equal(loaded.x, batch.x)


def test_repr_says_what_it_is() -> None:
    assert repr(person()) == "Skeleton('person', joints=5, edges=13)"


@pytest.mark.parametrize("field", ["joints", "parents"])
def test_bones_stand_for_joints_and_parents(field: str) -> None:
    with pytest.raises(ValueError, match=f"'t'.*{field}"):
        Skeleton.from_dict({"name": "t", "bones": [("a", "b")], field: [-1, 0]})


def test_a_skeleton_loads_neither_pyg_nor_networkx(another_process: dict) -> None:
    assert another_process["with skeletons"] == []
