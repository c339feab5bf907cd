import json

import numpy as np
import pytest
from upright import whole_body

from skelgraph.errors import SeveralPeopleError
from skelgraph.io import keypoints
from skelgraph.poses import joint_matching
from skelgraph.skeleton.builtin import COCO_WHOLEBODY, OPENPOSE_BODY25, OPENPOSE_COCO18

COCO_18 = OPENPOSE_COCO18.joints


def body(points: np.ndarray, names: tuple[str, ...]) -> list[float]:
    """x, y, c of one frame's whole body [133, 3] in OpenPose's order; neck and hip are means."""
    of = {joint: points[i] for i, joint in enumerate(COCO_WHOLEBODY.joints)}
    of["neck"] = (of["left_shoulder"] + of["right_shoulder"]) / 2
    of["hip"] = (of["left_hip"] + of["right_hip"]) / 2
    return [float(v) for name in names for v in of[name]]


def whole(points: np.ndarray) -> dict:
    return {
        "person_id": [-1],
        "pose_keypoints_2d": body(points, OPENPOSE_BODY25.joints),
        "face_keypoints_2d": [*map(float, points[23:91].flatten()), *[5.0] * 6],
        "hand_left_keypoints_2d": [*map(float, points[91:112].flatten())],
        "hand_right_keypoints_2d": [*map(float, points[112:].flatten())],
        "pose_keypoints_3d": [],
    }


def write(folder, frames, name="walk_{:012d}_keypoints.json"):
    folder.mkdir(exist_ok=True)
    for i, people in enumerate(frames):
        (folder / name.format(i)).write_text(json.dumps({"version": 1.3, "people": people}))
    return folder


def test_body_feet_face_and_hands_of_a_folder(tmp_path):
    points = whole_body(3)
    read = keypoints.read(write(tmp_path / "clip", [[whole(frame)] for frame in points]))
    assert read.format == "openpose" and read.image_size is None
    xy, confidence = joint_matching.match(read.joints, COCO_WHOLEBODY)(read.xy, read.confidence)
    np.testing.assert_allclose(xy, points[..., :2], atol=1e-3)
    np.testing.assert_allclose(confidence, points[..., 2], atol=1e-6)


def test_coco_18(tmp_path):
    points = whole_body(2)
    frames = [[{"pose_keypoints_2d": body(frame, COCO_18)}] for frame in points]
    read = keypoints.read(write(tmp_path / "clip", frames))
    assert read.joints == COCO_18
    np.testing.assert_allclose(read.xy[:, COCO_18.index("left_knee")], points[:, 13, :2], atol=1e-3)


def test_frames_are_ordered_by_number_not_by_name(tmp_path):
    points = whole_body(12)
    frames = [[{"pose_keypoints_2d": body(frame, COCO_18)}] for frame in points]
    read = keypoints.read(write(tmp_path / "clip", frames, "f{}.json"))
    np.testing.assert_allclose(read.xy[:, 0], points[:, 0, :2], atol=1e-3)


def test_zeros_and_frames_without_people_or_hands_are_missing(tmp_path):
    points = whole_body(3)
    frames = [[whole(frame)] for frame in points]
    frames[1] = []
    frames[2][0]["hand_left_keypoints_2d"] = []
    frames[2][0]["pose_keypoints_2d"][:3] = [0, 0, 0]
    read = keypoints.read(write(tmp_path / "clip", frames))
    left = [i for i, joint in enumerate(read.joints) if joint.startswith("left_hand")]
    assert read.missing[1].all() and read.missing[2, left].all() and read.missing[2, 0]
    assert not read.missing[0].any() and not read.missing[2, 1]


def test_several_people(tmp_path):
    points = whole_body(2)
    frames = [[{"pose_keypoints_2d": body(frame + shift, COCO_18)} for shift in (0, 50)] for frame in points]
    folder = write(tmp_path / "clip", frames)
    with pytest.raises(SeveralPeopleError, match="person=N"):
        keypoints.read(folder)
    np.testing.assert_allclose(keypoints.read(folder, person=1).xy[:, 0], points[:, 0, :2] + 50, atol=1e-3)
    for people, ids in zip(frames, [(3, 8), (8, 3)], strict=True):
        for one, number in zip(people, ids, strict=True):
            one["person_id"] = [number]
    xy = keypoints.read(write(tmp_path / "ids", frames), person=8).xy
    np.testing.assert_allclose(xy[:, 0], points[:, 0, :2] + [[50], [0]], atol=1e-3)


def test_a_single_file_is_one_frame(tmp_path):
    folder = write(tmp_path / "clip", [[whole(whole_body(1)[0])]])
    assert keypoints.read(next(folder.iterdir())).num_frames == 1


@pytest.mark.parametrize(
    ("field", "values", "message"),
    [
        ("pose_keypoints_2d", [1.0] * 51, r"pose_keypoints_2d has 51 numbers; expected 75 \(BODY_25\) or 54"),
        ("hand_left_keypoints_2d", [1.0] * 60, "60 numbers; expected 63"),
        ("face_keypoints_2d", [1.0] * 204, "204 numbers; expected 210"),
        ("pose_keypoints_2d", ["1"] * 75, "expected numbers only"),
        ("pose_keypoints_2d", [[1.0, 2.0, 3.0]] * 75, "flat list"),
        ("pose_keypoints_2d", [10**400] * 75, "number"),
        ("pose_keypoints_2d", [None] * 75, "expected numbers only, found None"),
    ],
)
def test_what_does_not_fit_is_named(tmp_path, field, values, message):
    folder = write(tmp_path / "clip", [[{**whole(whole_body(1)[0]), field: values}]])
    with pytest.raises(ValueError, match=message) as error:
        keypoints.read(folder)
    assert "walk_000000000000_keypoints.json" in str(error.value)


def test_folders_that_are_none(tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match="holds no OpenPose frames"):
        keypoints.read(tmp_path / "empty")
    with pytest.raises(ValueError, match="holds no frames"):
        keypoints.read(tmp_path / "empty", "openpose")
    two = write(tmp_path / "two", [[]], "a_{}.json")
    with pytest.raises(ValueError, match="no person in any"):
        keypoints.read(two)
    with pytest.raises(ValueError, match=r"2 videos \(a_, b_\)"):
        keypoints.read(write(two, [[]], "b_{}.json"))
    mixed = write(tmp_path / "mixed", [[whole(whole_body(1)[0])]])
    (mixed / "walk_000000000001_keypoints.json").write_text("[]")
    with pytest.raises(ValueError, match="walk_000000000001_keypoints.json: not a frame"):
        keypoints.read(mixed)
