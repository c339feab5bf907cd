import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from standing import standing

from skelgraph.geometry import axes
from skelgraph.io.poses.formats import csv_table
from skelgraph.poses.pose3d import Pose3D
from skelgraph.skeleton.builtin import COCO, COCO_WHOLEBODY, HUMAN36M


@settings(max_examples=20)
@given(
    frames=st.integers(1, 4),
    fps=st.none() | st.floats(1, 240),
    masked=st.booleans(),
    preset=st.sampled_from(list(axes.PRESETS)),
    skeleton=st.sampled_from([HUMAN36M, COCO, COCO_WHOLEBODY]),
    seed=st.integers(0, 99),
)
def test_a_written_pose_is_read_back_exactly(tmp_path_factory, frames, fps, masked, preset, skeleton, seed):
    path = tmp_path_factory.mktemp("csv") / "pose.csv"
    rng = np.random.default_rng(seed)
    joints = rng.normal(size=(frames, skeleton.num_joints, 3))
    pose = Pose3D(joints, skeleton, fps, rng.random(joints.shape[:2]) < 0.5 if masked else None)
    csv_table.write(pose, path, axes=preset)
    back = csv_table.read(path, skeleton, axes=preset)
    np.testing.assert_array_equal(back.joints, pose.joints)
    assert back.skeleton == skeleton and (back.fps is None) == (fps is None or frames == 1)
    assert back.fps is None or back.fps == pytest.approx(fps)
    assert (back.missing is None) == (not masked)
    if masked:
        np.testing.assert_array_equal(back.missing, pose.missing)


def test_the_rows_are_what_a_table_program_expects(tmp_path):
    pose = dataclasses.replace(standing(frames=2, fps=4), missing=np.zeros((2, 17), bool))
    moved = dataclasses.replace(pose, root=np.array([[0, 0, 3], [0, 0, 4]]))
    csv_table.write(moved, tmp_path / "pose.csv", axes="blender")
    lines = (tmp_path / "pose.csv").read_text().splitlines()
    assert lines[0] == "frame,time,joint,x,y,z,missing" and len(lines) == 1 + 2 * 17
    frame, time, joint, x, y, z, missing = lines[18].split(",")
    assert (frame, time, joint, missing) == ("1", "0.25", "hip", "0")
    assert (float(x), float(y), float(z)) == pytest.approx((0, 4, 0), abs=1e-6)


def test_without_a_skeleton_the_joints_have_no_bones(tmp_path):
    csv_table.write(standing(), tmp_path / "my pose.csv")
    back = csv_table.read(tmp_path / "my pose.csv")
    assert (back.skeleton.name, back.skeleton.joints, back.skeleton.bones) == ("my_pose", HUMAN36M.joints, ())
    csv_table.write(Pose3D(np.zeros((0, 17, 3)), HUMAN36M), tmp_path / "none.csv")
    assert csv_table.read(tmp_path / "none.csv", HUMAN36M).joints.shape == (0, 17, 3)


HEAD = "frame,time,joint,x,y,z\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "line 1: the columns are ''"),
        ("a,b\n", "line 1: the columns are 'a,b'; expected frame,time,joint,x,y,z"),
        (HEAD, "0 rows of 0 joints"),
        (HEAD + "0,0,a,1,2\n", "line 2: 5 columns; expected 6"),
        (HEAD + "1,0,a,1,2,3\n", "line 2: frame '1'; expected frames to count from 0"),
        (HEAD + "0,0,a,1,2,nan\n", "line 2: holds a number that is not finite"),
        (HEAD + "0,0,a,1,2,1,5\n", "line 2: 7 columns"),
        (HEAD + '0,0,a,1,2,"1,5"\n', "line 2: could not convert string to float: '1,5'"),
        (HEAD + "0,0,a,1,2,1e300\n", "not finite"),
        (HEAD + "0,0,a,1,2,3\n0,0,a,1,2,3\n", "twice"),
        (HEAD + "0,0,a,1,2,3\n0,0,b,1,2,3\n1,1,b,1,2,3\n", "line 4: frame '1', joint 'b'; expected frame 1, joint a"),
        (HEAD + "0,0,a,1,2,3\n0,0,b,1,2,3\n1,1,a,1,2,3\n", "3 rows of 2 joints"),
        (HEAD + "0,1,a,1,2,3\n1,1,a,1,2,3\n", "times do not rise"),
        (HEAD + '0,0,"a\n', "line"),
        (HEAD + "0,0,<b>,1,2,3\n", "joint name '<b>'"),
    ],
)
def test_strange_files_are_named(tmp_path, text, message):
    path = tmp_path / "pose.csv"
    path.write_text(text)
    with pytest.raises(ValueError, match=message) as error:
        csv_table.read(path)
    assert "pose.csv" in str(error.value)


def test_byte_order_mark_and_line_ends_are_accepted(tmp_path):
    csv_table.write(standing(), tmp_path / "pose.csv")
    text = (tmp_path / "pose.csv").read_bytes().replace(b"\n", b"\r\n")
    (tmp_path / "pose.csv").write_bytes(b"\xef\xbb\xbf" + text)
    np.testing.assert_array_equal(csv_table.read(tmp_path / "pose.csv", HUMAN36M).joints, standing().joints)
    (tmp_path / "pose.csv").write_bytes(b"\xff\xfe" + text)
    with pytest.raises(ValueError, match="not text in UTF-8"):
        csv_table.read(tmp_path / "pose.csv")
    with pytest.raises(FileNotFoundError, match="no such file"):
        csv_table.read(tmp_path / "absent.csv")
    with pytest.raises(ValueError, match="lacks the joints left_eye"):
        csv_table.write(standing(), tmp_path / "pose.csv", force=True)
        csv_table.read(tmp_path / "pose.csv", COCO.subset(["left_eye", "left_hip"]))
