import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skelgraph import Skeleton
from skelgraph.poses import joint_matching
from skelgraph.poses.joint_matching import RULES, match
from skelgraph.skeleton import builtin
from skelgraph.skeleton.builtin import (
    BLAZEPOSE,
    COCO,
    COCO_WHOLEBODY,
    HALPE26,
    HUMAN36M,
    MPI_INF_3DHP,
    OPENPOSE_BODY25,
    OPENPOSE_COCO18,
)

ALL = [getattr(builtin, name) for name in builtin.__all__]


def convert(source: Skeleton, target: Skeleton, values: dict[str, float], confidence: dict[str, float] | None = None):
    """{joint: x} of one frame by name, and the confidence."""
    x = np.array([[values[joint], 0.0] for joint in source.joints])
    seen = np.array([(confidence or {}).get(joint, 1.0) for joint in source.joints])
    xy, to_seen = match(source.joints, target)(x, seen)
    return dict(zip(target.joints, xy[:, 0], strict=True)), dict(zip(target.joints, to_seen, strict=True))


@pytest.mark.parametrize("skeleton", ALL, ids=lambda s: s.name)
def test_a_skeleton_to_itself_copies_bitwise(skeleton):
    rng = np.random.default_rng(0)
    xy = rng.uniform(0, 999, (2, skeleton.num_joints, 2)).astype(np.float32)
    found = match(skeleton.joints, skeleton)
    assert found.copied == skeleton.joints and not found.averaged and not found.missing and not found.unused
    np.testing.assert_array_equal(found(xy, np.ones(xy.shape[:2]))[0], xy)


@given(st.permutations(range(17)))
def test_the_order_of_the_source_does_not_matter(order):
    values = np.arange(34, dtype=np.float32).reshape(17, 2)
    expected = match(COCO.joints, HUMAN36M)(values, np.ones(17))
    found = match([COCO.joints[i] for i in order], HUMAN36M)(values[order], np.ones(17))
    np.testing.assert_allclose(found[0], expected[0], rtol=1e-6)


def test_coco_to_human36m_is_mmposes_rule():
    value = {joint: float(2**i) for i, joint in enumerate(COCO.joints)}
    to, _ = convert(COCO, HUMAN36M, value)
    hip = (value["left_hip"] + value["right_hip"]) / 2
    thorax = (value["left_shoulder"] + value["right_shoulder"]) / 2
    assert to["hip"] == hip and to["thorax"] == thorax and to["spine"] == (hip + thorax) / 2
    assert to["neck"] == value["nose"] and to["head"] == (value["left_eye"] + value["right_eye"]) / 2
    assert all(to[joint] == value[joint] for joint in HUMAN36M.joints if joint in value)
    found = match(COCO.joints, HUMAN36M)
    assert len(found.copied) == 12 and not found.missing
    assert found.averaged["spine"] == ("left_shoulder", "right_shoulder", "left_hip", "right_hip")
    assert found.unused == ("left_ear", "right_ear")


def test_an_averaged_joint_is_as_sure_as_its_least_sure_part():
    value = dict.fromkeys(COCO.joints, 100.0)
    to, confidence = convert(COCO, HUMAN36M, value, {"left_hip": 0.25, "left_shoulder": 0.0})
    assert confidence["hip"] == 0.25 and to["hip"] == 100
    assert confidence["thorax"] == confidence["spine"] == 0 and to["thorax"] == 0


def test_openposes_neck_is_the_thorax_of_human36m():
    value = {joint: float(i + 1) for i, joint in enumerate(OPENPOSE_BODY25.joints)}
    to, _ = convert(OPENPOSE_BODY25, HUMAN36M, value)
    assert to["thorax"] == value["neck"] and to["neck"] == value["nose"] and to["hip"] == value["hip"]
    assert "thorax" in match(OPENPOSE_BODY25.joints, HUMAN36M).copied


def test_the_words_of_mpi_inf_3dhp():
    value = {joint: float(i + 1) for i, joint in enumerate(MPI_INF_3DHP.joints)}
    to, _ = convert(MPI_INF_3DHP, HUMAN36M, value)
    assert to["thorax"] == value["neck"] and to["head"] == value["head_top"] and to["spine"] == value["spine"]
    back, seen = convert(HUMAN36M, MPI_INF_3DHP, {joint: float(i + 1) for i, joint in enumerate(HUMAN36M.joints)})
    assert back["head_top"] == HUMAN36M.index("head") + 1 and back["neck"] == HUMAN36M.index("thorax") + 1
    assert seen["head"] == 0


@pytest.mark.parametrize("source", [OPENPOSE_COCO18, HALPE26, BLAZEPOSE, OPENPOSE_BODY25], ids=lambda s: s.name)
def test_a_detectors_skeleton_gives_all_of_human36m(source):
    """By name, else by the rules of COCO: the same as if only its 17 joints of COCO and the words below were there."""
    value = {joint: float(i + 1) for i, joint in enumerate(source.joints)}
    to, seen = convert(source, HUMAN36M, value)
    hip = value.get("hip", (value["left_hip"] + value["right_hip"]) / 2)
    thorax = value.get("neck", (value["left_shoulder"] + value["right_shoulder"]) / 2)
    head = value.get("head", (value["left_eye"] + value["right_eye"]) / 2)
    made = {"hip": hip, "thorax": thorax, "spine": (hip + thorax) / 2, "neck": value["nose"], "head": head}
    assert to == {joint: made.get(joint, value.get(joint)) for joint in HUMAN36M.joints}
    assert all(seen.values())


def test_halpes_feet_come_in_another_order_than_those_of_the_whole_body():
    found = match(HALPE26.joints, COCO_WHOLEBODY)
    assert found.copied == COCO_WHOLEBODY.joints[:23]
    assert [parts[0][0] for parts in found.weights[17:23]] == [20, 22, 24, 21, 23, 25]


def test_blazeposes_points_on_feet_hands_and_face():
    found = match(BLAZEPOSE.joints, COCO_WHOLEBODY)
    made = {COCO_WHOLEBODY.index(joint): of for joint, of in found.averaged.items()}
    assert made == {
        **{17: ("left_foot_index",), 20: ("right_foot_index",)},
        **{59: ("right_eye_outer",), 62: ("right_eye_inner",), 65: ("left_eye_inner",), 68: ("left_eye_outer",)},
        **{71: ("right_mouth",), 77: ("left_mouth",), 91: ("left_wrist",), 112: ("right_wrist",)},
        **{93: ("left_thumb",), 96: ("left_index",), 108: ("left_pinky",)},
        **{114: ("right_thumb",), 117: ("right_index",), 129: ("right_pinky",)},
    }
    assert len(found.copied) == 19 and len(found.missing) == 133 - 19 - 16


def test_coco_to_the_whole_body_masks_what_is_not_there_and_knows_the_wrists():
    found = match(COCO.joints, COCO_WHOLEBODY)
    assert len(found.copied) == 17 and found.averaged == {
        "left_hand_0": ("left_wrist",),
        "right_hand_0": ("right_wrist",),
    }
    assert len(found.missing) == 133 - 19
    xy, confidence = found(np.full((4, 17, 2), 7.0), np.ones((4, 17)))
    assert xy.shape == (4, 133, 2) and (confidence == 0).sum() == 4 * 114 and (xy[confidence == 0] == 0).all()


def test_rules_that_name_each_other_end():
    assert match(["left_ankle"], COCO_WHOLEBODY).copied == ("left_ankle",)


def test_every_rule_names_joints_of_some_skeleton():
    known = {joint for skeleton in ALL for joint in skeleton.joints} | {"mid_head"}
    assert {joint for group in RULES.values() for names in group for joint in names} <= known
    assert set(RULES) <= known


def test_the_report_names_what_was_made_and_what_is_missing():
    text = match([joint for joint in COCO.joints if joint != "left_knee"], HUMAN36M).report()
    assert "copied: 11 of 17 joints of HUMAN36M" in text
    assert "hip (left_hip + right_hip)" in text and "missing, masked: left_knee" in text
    assert match(COCO.joints, COCO_WHOLEBODY).report().endswith("and 106 more")


def test_a_name_twice_and_other_shapes_are_refused():
    with pytest.raises(ValueError, match="duplicated.*'nose'"):
        match(["nose", "nose"], COCO)
    with pytest.raises(ValueError, match=r"expected \[..., 17, 2\]"):
        match(COCO.joints, HUMAN36M)(np.zeros((2, 16, 2)), np.zeros((2, 16)))


@pytest.mark.parametrize(
    ("count", "words"),
    [(17, "COCO (17)"), (18, "OPENPOSE_COCO18 (18)"), (19, "OPENPOSE_COCO18 (18)"), (25, "OPENPOSE_BODY25 (25)")],
)
def test_closest(count, words):
    assert words in joint_matching.closest(count)
