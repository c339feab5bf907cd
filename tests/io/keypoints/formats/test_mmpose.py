import json

import numpy as np
import pytest
from upright import whole_body

from skelgraph.io import keypoints
from skelgraph.skeleton.builtin import COCO, COCO_WHOLEBODY, HUMAN36M


def instance(points: np.ndarray, **fields) -> dict:
    return {
        "keypoints": points[:, :2].tolist(),
        "keypoint_scores": points[:, 2].tolist(),
        "bbox": [[1, 2, 3, 4]],
        **fields,
    }


def video(points: np.ndarray, **fields) -> list[dict]:
    return [{"frame_id": i, "instances": [instance(frame, **fields)]} for i, frame in enumerate(points)]


def theirs() -> list[str]:
    """MMPose's names of COCO-WholeBody, from its ``configs/_base_/datasets/coco_wholebody.py``."""
    fingers = ("thumb", "forefinger", "middle_finger", "ring_finger", "pinky_finger")
    hands = [
        f"{side}_{joint}"
        for side in ("left", "right")
        for joint in ("hand_root", *(f"{finger}{i}" for finger in fingers for i in range(1, 5)))
    ]
    return [*COCO_WHOLEBODY.joints[:23], *(f"face-{i}" for i in range(68)), *hands]


def meta(names: list[str]) -> dict:
    colours = {"__ndarray__": [[51, 153, 255]], "dtype": "uint8"}
    return {"keypoint_id2name": {str(i): name for i, name in enumerate(names)}, "keypoint_colors": colours}


def write(tmp_path, content):
    path = tmp_path / "results.json"
    path.write_text(json.dumps(content))
    return path


@pytest.mark.parametrize("named", [True, False])
def test_a_video_of_whole_bodies(tmp_path, named):
    points = whole_body(3)
    content = {"meta_info": meta(theirs()), "instance_info": video(points)} if named else video(points)
    read = keypoints.read(write(tmp_path, content))
    assert read.format == "mmpose" and read.joints == COCO_WHOLEBODY.joints
    np.testing.assert_allclose(read.xy, points[..., :2], atol=1e-3)
    np.testing.assert_allclose(read.confidence, points[..., 2], atol=1e-6)


def test_names_in_the_file_are_believed(tmp_path):
    points = whole_body(2)[:, :17]
    order = np.random.default_rng(0).permutation(17)
    content = {"meta_info": meta([COCO.joints[i] for i in order]), "instance_info": video(points[:, order])}
    read = keypoints.read(write(tmp_path, content))
    for i, joint in enumerate(COCO.joints):
        np.testing.assert_allclose(read.xy[:, read.joints.index(joint)], points[:, i, :2], atol=1e-3)


def test_its_names_of_human36m(tmp_path):
    names = [
        *("root", "right_hip", "right_knee", "right_foot", "left_hip", "left_knee", "left_foot", "spine", "thorax"),
        *("neck_base", "head", "left_shoulder", "left_elbow", "left_wrist"),
        *("right_shoulder", "right_elbow", "right_wrist"),
    ]
    content = {"meta_info": meta(names), "instance_info": video(whole_body(1)[:, :17])}
    assert keypoints.read(write(tmp_path, content)).joints == HUMAN36M.joints


def test_an_image_and_several_people(tmp_path):
    points = whole_body(1)[0, :17]
    path = write(tmp_path, {"meta_info": {}, "instance_info": [instance(points), instance(points + 9)]})
    with pytest.raises(ValueError, match="frame 0 holds 2 people"):
        keypoints.read(path)
    np.testing.assert_allclose(keypoints.read(path, person=1).xy[0], points[:, :2] + 9, atol=1e-3)


def test_track_ids(tmp_path):
    points = whole_body(2)[:, :17]
    frames = video(points, track_id=5)
    frames[1]["instances"].insert(0, instance(points[1] + 9, track_id=2))
    np.testing.assert_allclose(keypoints.read(write(tmp_path, frames), person=5).xy, points[..., :2], atol=1e-3)


def test_scores_over_one_are_cut_and_frames_without_people_are_missing(tmp_path):
    points = whole_body(2)[:, :17]
    points[0, 0, 2] = 7.5
    content = [*video(points), {"frame_id": 2, "instances": []}]
    read = keypoints.read(write(tmp_path, content))
    assert read.confidence[0, 0] == 1 and read.missing[2].all() and not read.missing[:2].any()


def other(**fields):
    points = whole_body(1)[:, :17]
    return {"instance_info": [{"frame_id": 0, "instances": [{**instance(points[0]), **fields}]}]}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (other(keypoints=[[1.0, 2.0, 3.0]] * 17), "3D prediction"),
        (other(keypoints=[[1.0, 2.0]] * 26, keypoint_scores=[1] * 26), r"26 keypoints and no names.*17.*133"),
        (other(keypoint_scores=[1] * 3), r"scores \[3\]; expected"),
        (other(keypoints=[[1.0, 2.0]] * 16 + [[3.0]]), "equal length"),
        (other(keypoints={"0": 1}), "must be a list"),
        ({**other(), "meta_info": meta(["a"])}, "meta_info names 1"),
        ([{"frame_id": 1, "instances": []}, {"frame_id": 0, "instances": []}], "numbers that rise"),
        ([{"frame_id": 0, "instances": []}], "no person in any"),
        ({"instance_info": []}, "no person in any"),
        ([{"frame_id": 0, "instances": [5]}], "frame 0: expected a list"),
    ],
)
def test_what_does_not_fit_is_named(tmp_path, content, message):
    with pytest.raises(ValueError, match=message) as error:
        keypoints.read(write(tmp_path, content))
    assert "results.json" in str(error.value)
