import numpy as np
import pytest
from keypoint_files import flat, pick, shares, yolo
from upright import SIZE, whole_body

from skelgraph.io import keypoints
from skelgraph.skeleton.builtin import COCO


def test_without_v_a_point_at_zero_is_missing(tmp_path):
    points = shares(pick(whole_body(1), COCO.joints))[0]
    points[4] = 0
    (tmp_path / "a.txt").write_text("0 0.5 0.5 0.2 0.8 " + " ".join(map(str, flat(points[:, :2]))) + "\n\n")
    read = keypoints.read(tmp_path / "a.txt", image_size=SIZE)
    assert (read.format, read.joints, np.flatnonzero(read.missing[0]).tolist()) == ("yolo", COCO.joints, [4])
    np.testing.assert_allclose(read.xy[0], points[:, :2] * SIZE, atol=0.01)


def test_frames_go_by_number_and_those_without_a_file_or_line_are_empty(tmp_path):
    points = whole_body(12)
    folder = yolo(tmp_path, points)
    (folder / "clip_5.txt").unlink()
    (folder / "clip_7.txt").write_text("")
    (folder / "classes.txt").write_text("person\n")
    read = keypoints.read(folder, image_size=SIZE)
    assert np.flatnonzero(read.missing.all(axis=1)).tolist() == [4, 6]
    np.testing.assert_allclose(read.xy[11], pick(points, COCO.joints)[11, :, :2], atol=0.01)


@pytest.mark.parametrize("confidence", ["", " 0.91"])
def test_the_last_number_is_the_track(tmp_path, confidence):
    points = whole_body(3)
    yolo(tmp_path, points, f"{confidence} 2")
    folder = yolo(tmp_path, points + [9, 0, 0], f"{confidence} 5")
    with pytest.raises(ValueError, match="track ids 2, 5"):
        keypoints.read(folder)
    read = keypoints.read(folder, person=5, image_size=SIZE)
    np.testing.assert_allclose(read.xy, pick(points, COCO.joints)[..., :2] + [9, 0], atol=0.01)


def test_a_last_number_below_one_is_the_confidence_of_the_box(tmp_path):
    yolo(tmp_path, whole_body(2), " 0.91")
    folder = yolo(tmp_path, whole_body(2), " 1")
    with pytest.raises(ValueError, match="people 0 to 1, by first appearance"):
        keypoints.read(folder)


LINE = "0 0.5 0.5 0.2 0.8" + " 0.5" * 51


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (LINE + "\n0 0.5 0.5", r"clip_2.txt, line 2: 3 numbers; expected 39 or 56"),
        (LINE.replace("0.8", "x"), "clip_2.txt, line 1, number 5: expected a number, found 'x'"),
        (LINE.replace("0.8", "nan"), "found 'nan'"),
        (LINE.replace("0.8", "1e999"), "found '1e999'"),
        (LINE.replace("0.8", "1_0"), "found '1_0'"),
        (LINE.rsplit(" ", 17)[0], "2 numbers a joint and some 3"),
        (LINE.replace("0.5", "500"), "px already"),
        (LINE + "\0", "byte 221 is zero"),
    ],
)
def test_what_does_not_fit_is_named(tmp_path, text, message):
    folder = yolo(tmp_path, whole_body(1))
    (folder / "clip_2.txt").write_text(text)
    with pytest.raises(ValueError, match=message):
        keypoints.read(folder, person=0)


def test_a_folder_without_labels(tmp_path):
    (tmp_path / "notes.txt").write_text("hello\n")
    with pytest.raises(ValueError, match="no YOLO frames"):
        keypoints.read(tmp_path)
    with pytest.raises(ValueError, match="notes.txt, line 1: 1 numbers"):
        keypoints.read(tmp_path, "yolo")
    (tmp_path / "notes.txt").unlink()
    with pytest.raises(ValueError, match="holds no frames"):
        keypoints.read(tmp_path, "yolo")
