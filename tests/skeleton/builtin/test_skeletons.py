"""The built-in skeletons are the published ones."""

import networkx as nx
import pytest
import torch

from skelgraph.skeleton import Skeleton, builtin

ALL = [builtin.get(name) for name in builtin.__all__]
JOINTS = {
    "HUMAN36M": 17,
    "HUMAN36M_16": 16,
    "COCO": 17,
    "COCO_WHOLEBODY": 133,
    "COCO_WHOLEBODY_CONTOURS": 133,
    "COCO_WHOLEBODY_PALMS": 133,
    "MPI_INF_3DHP": 17,
    "HAND": 21,
    "FACE": 68,
    "BLAZEPOSE": 33,
    "OPENPOSE_BODY25": 25,
    "OPENPOSE_COCO18": 18,
    "HALPE26": 26,
}
LIMB_JOINTS = ("shoulder", "elbow", "wrist", "hip", "knee", "ankle")


def by_name(skeleton: Skeleton) -> dict[str, str]:
    """child -> parent"""
    return {skeleton.joints[c]: skeleton.joints[p] for p, c in skeleton.bones}


def edge_set(skeleton: Skeleton) -> set[frozenset[int]]:
    return {frozenset(edge) for edge in (*skeleton.bones, *skeleton.extra_edges)}


@pytest.mark.parametrize("skeleton", ALL, ids=lambda s: s.name)
def test_every_built_in_skeleton(skeleton: Skeleton) -> None:
    assert getattr(builtin, skeleton.name) is skeleton
    assert len(skeleton.roots) == 1 and len(skeleton.bones) == skeleton.num_joints - 1, "one tree"
    assert skeleton.num_edges == skeleton.num_joints + 2 * (len(skeleton.bones) + len(skeleton.extra_edges))
    assert sorted(i for part in skeleton.parts.values() for i in part) == list(range(skeleton.num_joints))
    flip = skeleton.flip_index
    assert torch.equal(flip[flip], torch.arange(skeleton.num_joints))
    assert Skeleton.from_dict(skeleton.to_dict()) == skeleton


@pytest.mark.parametrize("name", JOINTS)
def test_joints_are_as_many_as_published(name: str) -> None:
    assert builtin.get(name).num_joints == JOINTS[name]


@pytest.mark.parametrize("skeleton", ALL, ids=lambda s: s.name)
def test_flipping_maps_the_graph_onto_itself(skeleton: Skeleton) -> None:
    """A mirrored person has the same edges, but for one of H3WB's drawing."""
    flip = skeleton.flip_index.tolist()
    mirrored = {frozenset(flip[i] for i in edge) for edge in edge_set(skeleton)}
    # it closes the inner lips at the right by 71-90 and at the left by 87-88
    one_sided = {frozenset(edge) for edge in ((71, 90), (83, 90), (77, 88), (87, 88))}
    assert mirrored ^ edge_set(skeleton) == (
        one_sided if skeleton.num_joints == 133 and skeleton.extra_edges else set()
    )
    for joint, other in enumerate(flip):
        name = skeleton.joints[joint]
        if name.startswith(("left_", "right_")):
            side, rest = name.split("_", 1)
            assert skeleton.joints[other] == f"{'right' if side == 'left' else 'left'}_{rest}"


@pytest.mark.parametrize("skeleton", [s for s in ALL if "left_hip" in s.joints], ids=lambda s: s.name)
def test_bodies_use_the_same_words(skeleton: Skeleton) -> None:
    names = {f"{side}_{joint}" for side in ("left", "right") for joint in LIMB_JOINTS}
    assert names <= set(skeleton.joints)
    parent = by_name(skeleton)
    for side in ("left", "right"):
        for upper, lower in (("shoulder", "elbow"), ("elbow", "wrist"), ("hip", "knee"), ("knee", "ankle")):
            assert parent[f"{side}_{lower}"] == f"{side}_{upper}"


def test_origins_are_the_hips() -> None:
    for skeleton in ALL:
        names = tuple(skeleton.joints[i] for i in skeleton.origin)
        if "hip" in skeleton.joints:
            assert names == ("hip",)
        elif "left_hip" in skeleton.joints:
            assert names == ("left_hip", "right_hip")


def test_human36m_is_the_published_one() -> None:
    s = builtin.HUMAN36M
    assert s.parents == (-1, 0, 1, 2, 0, 4, 5, 0, 7, 8, 9, 8, 11, 12, 8, 14, 15)
    assert sorted(s.pairs) == [(4, 1), (5, 2), (6, 3), (11, 14), (12, 15), (13, 16)]
    assert dict(s.parts) == {
        "left_arm": (11, 12, 13),
        "right_arm": (14, 15, 16),
        "left_leg": (4, 5, 6),
        "right_leg": (1, 2, 3),
        "torso": (0, 7, 8, 9, 10),
    }
    assert dict(s.limbs) == dict(s.parts) and s.center == 0 and s.num_edges == 49


def test_human36m_16_is_human36m_without_joint_9() -> None:
    s = builtin.HUMAN36M_16
    assert s.parents == (-1, 0, 1, 2, 0, 4, 5, 0, 7, 8, 8, 10, 11, 8, 13, 14)
    assert sorted(s.pairs) == [(4, 1), (5, 2), (6, 3), (10, 13), (11, 14), (12, 15)]
    rest = builtin.HUMAN36M.subset([i for i in range(17) if i != 9])
    assert (rest.joints, rest.parents, sorted(rest.pairs)) == (s.joints, s.parents, sorted(s.pairs))
    assert dict(rest.parts) == dict(s.parts)


def test_mpi_inf_3dhp_is_the_published_one() -> None:
    """The 17 joints kept of 28, their parents (1-based) contracted; only head_top (0) was hung on the neck (1)."""
    s = builtin.MPI_INF_3DHP
    kept = [7, 5, 14, 15, 16, 9, 10, 11, 23, 24, 25, 18, 19, 20, 4, 3, 6]
    parents28 = [3, 1, 4, 5, 5, 2, 6, 7, 6, 9, 10, 11, 12, 6, 14, 15, 16, 17, 5, 19, 20, 21, 22, 5, 24, 25, 26, 27]

    def parent(joint: int) -> int:
        above = parents28[joint] - 1
        return kept.index(above) if above in kept else parent(above)

    assert s.parents == (1, *(parent(j) for j in kept[1:14]), -1, *(parent(j) for j in kept[15:]))
    assert s.parents == (1, 15, 1, 2, 3, 1, 5, 6, 14, 8, 9, 14, 11, 12, -1, 14, 1)
    assert s.roots == (14,) and s.joints[14] == "hip"
    assert sorted(s.pairs) == [(5, 2), (6, 3), (7, 4), (11, 8), (12, 9), (13, 10)]


def test_coco_wholebody_is_h3wbs() -> None:
    s = builtin.COCO_WHOLEBODY
    hand = [91, 92, 93, 94, 91, 96, 97, 98, 91, 100, 101, 102, 91, 104, 105, 106, 91, 108, 109, 110]
    assert list(s.parents) == [
        *[-1, 0, 0, 0, 0, 0, 0, 5, 6, 7, 8, 5, 6, 11, 12, 13, 14],
        *([15] * 3 + [16] * 3 + [0] * 68),
        *([9] + hand + [10] + [p + 21 for p in hand]),
    ]
    assert s.num_edges == 397
    assert {name: (part[0], len(part)) for name, part in s.parts.items()} == {
        "body": (0, 23),
        "face": (23, 68),
        "hands": (91, 42),
    }
    assert [n for part in s.parts.values() for n in part] == list(range(133))
    assert s.joints[:17] == builtin.COCO.joints and s.parents[:17] == builtin.COCO.parents
    assert s.origin == (11, 12)


def test_coco_wholebody_flips_as_h3wb_does() -> None:
    flip = builtin.COCO_WHOLEBODY.flip_index.tolist()
    expected = dict(enumerate(range(133)))
    pairs = [(i, i + 1) for i in range(1, 16, 2)] + [(17, 20), (18, 21), (19, 22)]
    pairs += [(i, 62 - i) for i in range(23, 31)] + [(i, 89 - i) for i in range(40, 45)]
    pairs += [(54, 58), (55, 57), (59, 68), (60, 67), (61, 66), (62, 65), (63, 70), (64, 69)]
    pairs += [(71, 77), (72, 76), (73, 75), (78, 82), (79, 81), (83, 87), (84, 86), (88, 90)]
    pairs += [(i, i + 21) for i in range(91, 112)]
    for a, b in pairs:
        expected[a], expected[b] = b, a
    assert dict(enumerate(flip)) == expected


def test_contours_give_the_face_neighbours() -> None:
    plain, contours = builtin.COCO_WHOLEBODY, builtin.COCO_WHOLEBODY_CONTOURS
    assert contours.parents == plain.parents and contours.pairs == plain.pairs
    face = set(plain.parts["face"])
    assert not [e for e in edge_set(plain) if e <= face]
    graph = nx.Graph([tuple(e) for e in edge_set(contours) if e <= face])
    assert set(graph) == face
    assert all(a in face and b in face for a, b in contours.extra_edges)


def test_faces_are_the_same_face() -> None:
    """FACE and the face of COCO_WHOLEBODY: same names, pairs and order."""
    whole = builtin.COCO_WHOLEBODY
    part = whole.subset([i for i, name in enumerate(whole.joints) if name.startswith("face_")])
    assert part.joints == builtin.FACE.joints
    assert part.pairs == builtin.FACE.pairs


def test_left_and_right_of_the_face_are_the_persons(data_dir) -> None:
    """On a real canonical face seen from the front, the person's left is on the right of the image (x > 0)."""
    import numpy as np

    with np.load(data_dir / "face68_canonical.npz", allow_pickle=False) as file:
        xyz = file["xyz_mm"]
    for left, right in builtin.FACE.pairs:
        assert xyz[left, 0] > 0 > xyz[right, 0]
        assert np.abs(xyz[left] - xyz[right] * [-1, 1, 1]).max() < 8


def test_face_is_the_ibug_contours_and_ten_links() -> None:
    chains = [range(17), range(17, 22), range(22, 27), range(27, 31), range(31, 36)]
    loops = [range(36, 42), range(42, 48), range(48, 60), range(60, 68)]
    contours = {frozenset(e) for c in chains for e in zip(c, c[1:], strict=False)}
    contours |= {frozenset(e) for c in loops for e in zip(c, (*c[1:], c[0]), strict=True)}
    edges = edge_set(builtin.FACE)
    assert contours <= edges and len(edges - contours) == 10
    assert builtin.FACE.joints[builtin.FACE.roots[0]] == "face_30"


def test_hand_is_five_fingers() -> None:
    s = builtin.HAND
    assert s.parents == tuple(-1 if i == 0 else 0 if i % 4 == 1 else i - 1 for i in range(21))
    assert list(s.limbs.values()) == [tuple(range(i, i + 4)) for i in range(1, 21, 4)]
    assert s.joints[0] == "wrist" and s.joints[8] == "index_4" and s.pairs == ()
    whole = builtin.COCO_WHOLEBODY
    assert whole.subset([n for n in whole.joints if n.startswith("left_hand")]).parents == s.parents


def test_blazepose_has_all_of_mediapipes_connections() -> None:
    s = builtin.BLAZEPOSE
    head = {(0, 1), (1, 2), (2, 3), (3, 7), (0, 4), (4, 5), (5, 6), (6, 8), (9, 10)}
    arms = {(11, 12), (11, 13), (13, 15), (15, 17), (15, 19), (15, 21), (17, 19)}
    arms |= {(12, 14), (14, 16), (16, 18), (16, 20), (16, 22), (18, 20)}
    legs = {(11, 23), (12, 24), (23, 24), (23, 25), (24, 26), (25, 27), (26, 28)}
    legs |= {(27, 29), (28, 30), (29, 31), (30, 32), (27, 31), (28, 32)}
    published = {frozenset(e) for e in head | arms | legs}
    assert len(published) == 35
    assert edge_set(s) - published == {frozenset(e) for e in [(0, 9), (0, 10), (0, 11), (0, 12)]}
    assert published <= edge_set(s)
    names = {0: "nose", 7: "left_ear", 9: "left_mouth", 12: "right_shoulder", 17: "left_pinky", 22: "right_thumb"}
    names |= {3: "left_eye_outer", 4: "right_eye_inner", 23: "left_hip", 29: "left_heel", 32: "right_foot_index"}
    assert {i: s.joints[i] for i in names} == names


def test_openpose_body25_is_the_published_one() -> None:
    rendered = "1,8 1,2 1,5 2,3 3,4 5,6 6,7 8,9 9,10 10,11 8,12 12,13 13,14 1,0 0,15 15,17 0,16 16,18"
    rendered += " 14,19 19,20 14,21 11,22 22,23 11,24"
    s = builtin.OPENPOSE_BODY25
    assert edge_set(s) == {frozenset(int(i) for i in pair.split(",")) for pair in rendered.split()}
    names = {1: "neck", 2: "right_shoulder", 7: "left_wrist", 8: "hip", 14: "left_ankle", 15: "right_eye"}
    names |= {18: "left_ear", 19: "left_big_toe", 21: "left_heel", 22: "right_big_toe", 23: "right_small_toe"}
    assert {i: s.joints[i] for i in names} == names


def test_openpose_coco18_is_the_published_one() -> None:
    rendered = "1,2 1,5 2,3 3,4 5,6 6,7 1,8 8,9 9,10 1,11 11,12 12,13 1,0 0,14 14,16 0,15 15,17"
    s = builtin.OPENPOSE_COCO18
    assert edge_set(s) == {frozenset(int(i) for i in pair.split(",")) for pair in rendered.split()}
    names = {0: "nose", 1: "neck", 2: "right_shoulder", 7: "left_wrist", 8: "right_hip", 13: "left_ankle"}
    names |= {14: "right_eye", 15: "left_eye", 16: "right_ear", 17: "left_ear"}
    assert {i: s.joints[i] for i in names} == names


def test_halpe26_is_alphaposes_drawing_and_one_link() -> None:
    drawn = "0,1 0,2 1,3 2,4 5,18 6,18 5,7 7,9 6,8 8,10 17,18 18,19 19,11 19,12 11,13 12,14 13,15 14,16"
    drawn += " 20,24 21,25 23,25 22,24 15,24 16,25"
    s = builtin.HALPE26
    published = {frozenset(int(i) for i in pair.split(",")) for pair in drawn.split()}
    assert edge_set(s) - published == {frozenset((0, 18))} and published <= edge_set(s)
    assert s.joints[:17] == builtin.COCO.joints
    assert s.joints[17:] == (
        *("head", "neck", "hip", "left_big_toe", "right_big_toe", "left_small_toe", "right_small_toe"),
        *("left_heel", "right_heel"),
    )


@pytest.mark.parametrize(
    ("name", "hint"),
    [("human36m", "did you mean 'HUMAN36M'"), ("COCO_WHOLBODY", "'COCO_WHOLEBODY'"), ("dog", "HUMAN36M"), ("get", "")],
)
def test_get_names_the_nearest_skeleton(name: str, hint: str) -> None:
    with pytest.raises(ValueError, match=f"unknown skeleton '{name}'.*{hint}"):
        builtin.get(name)
