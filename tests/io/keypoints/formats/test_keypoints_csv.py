import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keypoint_files import csv_long, csv_wide, pick
from upright import whole_body

from skelgraph.io import keypoints
from skelgraph.skeleton.builtin import COCO


def table(tmp_path, text):
    path = tmp_path / "points.csv"
    path.write_text(text)
    return path


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("writer", [csv_long, csv_wide])
def test_every_delimiter_and_windows_endings(tmp_path, writer, delimiter):
    points = whole_body(2)
    path = writer(tmp_path, points, delimiter)
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    read = keypoints.read(path)
    assert read.format == "csv"
    np.testing.assert_allclose(read.xy, pick(points, read.joints)[..., :2], atol=0.01)


def test_a_long_table_of_people(tmp_path):
    text = "Person,y,x,Joint,Frame,Score\n" + "".join(
        f"{who},{20 + who},{10 + frame},{joint},{frame}.0,0.{who}\n"
        for frame in (4, 3, 6) for who in (8, 2) for joint in ("left ear", "nose")
    )  # fmt: skip
    path = table(tmp_path, text)
    with pytest.raises(ValueError, match="track ids 2, 8"):
        keypoints.read(path)
    read = keypoints.read(path, person=8)
    assert read.joints == ("left_ear", "nose") and read.missing.all(axis=1).tolist() == [False, False, True, False]
    assert read.xy[:, 0].tolist() == [[13, 28], [14, 28], [0, 0], [16, 28]]
    np.testing.assert_allclose(read.confidence[0], 0.8)


def test_a_wide_table_without_frames_and_confidence(tmp_path):
    read = keypoints.read(table(tmp_path, ",nose_X,nose_Y,tail_x,tail_y\n0,1,2,3,4\n1,,2,nan,\n2,5,6,7,8\n"))
    assert read.joints == ("nose", "tail") and read.confidence.tolist() == [[1, 1], [0, 0], [1, 1]]
    assert read.xy[2].tolist() == [[5, 6], [7, 8]]


def test_a_wide_table_of_people(tmp_path):
    path = table(tmp_path, "frame,person,nose_x,nose_y,nose_conf\n0,1,1,2,0.5\n0,2,3,4,0\n1,2,5,6,1\n")
    read = keypoints.read(path, person=2)
    assert read.xy.tolist() == [[[0, 0]], [[5, 6]]] and read.confidence.tolist() == [[0], [1]]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("frame,joint,x,y\n0,nose,1,a\n", "line 2, frame 0, joint 'nose', y: expected a number, found 'a'"),
        ("frame,joint,x,y\n0,nose,1,inf\n", "found 'inf'"),
        ("frame;joint;x;y\n0;nose;1;2,5\n", "found '2,5'; write decimals with a point"),
        ("frame,joint,x,y\n0.5,nose,1,2\n", "line 2, column frame: expected a whole number"),
        ("frame,joint,x,y\n,nose,1,2\n", "line 2, column frame: expected a number, found ''"),
        ("frame,joint,x,y\n0,nose,1,2\n0,nose,1,2\n", "line 3: frame 0, joint 'nose' is duplicated"),
        ("frame,joint,x,y,person\n0,nose,1,2,1\n0,nose,1,2,1\n", "frame 0, person 1, joint 'nose' is duplicated"),
        ("frame,joint,x,y,person\n0,nose,1,2,-1\n", "column person: expected a whole number from 0"),
        ("frame,joint,x,y,z\n0,nose,1,2,3\n", "column 'z'; expected frame, joint, x, y, confidence, person"),
        ("frame,joint,x,y\n0,nose,1\n", "line 2: 3 cells; expected 4"),
        ("frame,joint,x,y\n0,<b>,1,2\n", "joint name '<b>'"),
        ("frame,joint,x,y\n", None),
        ("nose_x,nose_y,ear_x\n1,2,3\n", "column 'ear_x'; expected JOINT_x, JOINT_y"),
        ("nose_x,nose_y,nose_X\n1,2,3\n", "the column 'nose_x' is duplicated"),
        ("nose_x,nose_y,time\n1,2,3\n", "column 'time'"),
        ("frame,joint,x,y\n" + "".join(f"{i},j{i},1,2\n" for i in range(1900)), "too few to be keypoints"),
        ("frame,joint,x,y\n" + "".join(f"0,j{i},1,2\n" for i in range(2001)), "2001 joints; at most 2000"),
    ],
)
def test_what_does_not_fit_is_named(tmp_path, text, message):
    path = table(tmp_path, text)
    if message is None:
        assert keypoints.read(path).num_frames == 0
        return
    with pytest.raises(ValueError, match=message) as error:
        keypoints.read(path)
    assert path.name in str(error.value)


def test_a_table_of_too_many_columns(tmp_path):
    with pytest.raises(ValueError, match="points.csv: 30003 columns"):
        keypoints.read(table(tmp_path, "a_x,a_y," + "," * 30_000), "csv")


def test_frames_far_apart_do_not_make_a_long_clip(tmp_path):
    path = table(tmp_path, "frame,joint,x,y\n" + "".join(f"{f},nose,1,2\n" for f in (0, 5, 10**15)))
    assert keypoints.read(path).num_frames == 3


@settings(max_examples=150)
@given(
    st.text(st.sampled_from('frame,joint;xy_\n\t"0129.-eE+nose \r'), max_size=60),
    st.sampled_from(["frame,joint,x,y\n", "a_x,a_y\n", ""]),
)
def test_any_text_is_read_or_refused_by_name(tmp_path_factory, text, start):
    path = tmp_path_factory.getbasetemp() / "any.csv"
    path.write_text(start + text)
    for format in ("csv", "deeplabcut", "yolo", None):
        try:
            read = keypoints.read(path, format)
        except ValueError as error:
            assert "any.csv" in str(error)
        else:
            assert np.isfinite(read.xy).all()


def test_a_table_of_coco_in_any_order_of_columns(tmp_path):
    points = whole_body(2)
    path = csv_wide(tmp_path, points)
    lines = [line.split(",") for line in path.read_text().splitlines()]
    path.write_text("\n".join(",".join(reversed(line)) for line in lines))
    read = keypoints.read(path)
    np.testing.assert_allclose(
        read.xy[:, [read.joints.index(name) for name in COCO.joints]], points[:, :17, :2], atol=0.01
    )
