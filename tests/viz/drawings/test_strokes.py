"""Which lines are drawn of a skeleton, and how keypoints of known names find theirs."""

from skelgraph import Skeleton
from skelgraph.skeleton import builtin
from skelgraph.viz.drawings import strokes


def names(drawn: strokes.Strokes) -> set[frozenset[str]]:
    return {frozenset((drawn.joints[a], drawn.joints[b])) for a, b in drawn.lines}


def test_bones_and_sides():
    drawn = strokes.of_skeleton(builtin.HUMAN36M)
    assert drawn.lines == builtin.HUMAN36M.bones
    assert drawn.side[drawn.joints.index("left_knee")] == strokes.LEFT
    assert drawn.side[drawn.joints.index("hip")] == strokes.MIDDLE
    assert drawn.parts[drawn.part[drawn.joints.index("left_knee")]] == "left_leg"


def test_whole_body_has_contours_instead_of_a_fan():
    drawn = strokes.of_skeleton(builtin.COCO_WHOLEBODY)
    lines = names(drawn)
    assert len(lines) == len(drawn.lines)
    assert not any("nose" in line and any(joint.startswith("face") for joint in line) for line in lines)
    assert {"face_0", "face_1"} in lines and {"face_67", "face_60"} in lines and {"face_16", "face_17"} not in lines
    assert {"left_hip", "right_hip"} in lines and {"left_hand_0", "left_hand_1"} in lines
    hips = drawn.joints.index("left_hip"), drawn.joints.index("right_hip")
    assert strokes.side_of_line(drawn, *hips) == strokes.MIDDLE
    assert names(strokes.of_skeleton(builtin.COCO_WHOLEBODY_CONTOURS)) >= lines


def test_keypoints_take_the_lines_of_the_skeleton_that_joins_most():
    joints = tuple(reversed(builtin.COCO.joints))
    drawn = strokes.of_joints(joints, 17, builtin.HUMAN36M)
    assert names(drawn) == names(strokes.of_skeleton(builtin.COCO))
    assert drawn.part[joints.index("nose")] == -1
    assert drawn.parts[drawn.part[joints.index("left_knee")]] == "left_leg"


def test_unknown_names_are_points_with_sides():
    own = Skeleton("own", ["a", "b"], [-1, 0])
    drawn = strokes.of_joints(("left_antenna", "x"), 2, own)
    assert drawn.lines == () and drawn.side == (strokes.LEFT, strokes.MIDDLE)
