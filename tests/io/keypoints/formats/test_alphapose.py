import json

import numpy as np
import pytest
from keypoint_files import alphapose, dump, flat, pick
from upright import whole_body

from skelgraph.io import keypoints
from skelgraph.io.keypoints.formats.alphapose import JOINTS
from skelgraph.poses import joint_matching
from skelgraph.skeleton.builtin import COCO, COCO_WHOLEBODY, HALPE26

HALPE136 = JOINTS[136]


def change(path, edit):
    value = json.loads(path.read_text())
    edit(value)
    return dump(path, value)


@pytest.mark.parametrize("count", sorted(JOINTS))
def test_the_number_of_joints_tells_the_skeleton(tmp_path, count):
    points = whole_body(3)
    read = keypoints.read(alphapose(tmp_path, points, JOINTS[count]))
    assert (read.format, read.joints) == ("alphapose", JOINTS[count])
    np.testing.assert_allclose(read.xy, pick(points, JOINTS[count])[..., :2], atol=0.01)


def test_halpe_136_becomes_the_whole_body(tmp_path):
    """Halpe-FullBody: face 26-93, left hand 94-114, right hand 115-135."""
    assert (HALPE136[26], HALPE136[94], HALPE136[115], len(HALPE136)) == (
        *("face_0", "left_hand_0", "right_hand_0"),
        136,
    )
    points = whole_body(2)
    read = keypoints.read(alphapose(tmp_path, points, HALPE136))
    found = joint_matching.match(read.joints, COCO_WHOLEBODY)
    assert found.copied == COCO_WHOLEBODY.joints
    np.testing.assert_allclose(found(read.xy, read.confidence)[0], points[..., :2], atol=0.01)


def test_confidences_beyond_one_are_cut_off(tmp_path):
    points = whole_body(1)
    points[..., 2] = 5.5
    points[0, 0, 2] = 0
    read = keypoints.read(alphapose(tmp_path, points, COCO.joints))
    assert read.confidence[0].tolist() == [0, *[1] * 16]


def test_frames_go_by_number_and_those_left_out_are_empty(tmp_path):
    points = whole_body(12)
    path = change(alphapose(tmp_path, points), lambda v: (v.__delitem__(slice(3, 5)), v.reverse()))
    read = keypoints.read(path)
    assert read.num_frames == 12 and np.flatnonzero(read.missing.all(axis=1)).tolist() == [3, 4]
    np.testing.assert_allclose(read.xy[11, 0], points[11, 0, :2], atol=0.01)


def test_images_of_other_names_keep_their_order(tmp_path):
    points = whole_body(2)
    path = change(alphapose(tmp_path, points), lambda v: [e.update(image_id=n) for e, n in zip(v, "ba", strict=True)])
    np.testing.assert_allclose(keypoints.read(path).xy[:, 0], points[:, 0, :2], atol=0.01)


def test_idx_is_the_track(tmp_path):
    points = whole_body(2)
    other = [
        {"image_id": f"{f}.jpg", "keypoints": flat(frame), "score": 1, "idx": idx}
        for f, (frame, idx) in enumerate(zip(pick(points + [9, 0, 0], HALPE26.joints), (7, [[7.0]]), strict=True))
    ]
    path = change(alphapose(tmp_path, points, idx=4.0), lambda v: v.extend(other))
    with pytest.raises(ValueError, match=r"frame 0 holds 2 people.*track ids 4, 7"):
        keypoints.read(path)
    np.testing.assert_allclose(keypoints.read(path, person=7).xy[:, 0], points[:, 0, :2] + [9, 0], atol=0.01)


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda v: v[1].update(keypoints=[1.0] * 48), r"entry \[1\] \(image 1.jpg\), keypoints: 48 numbers; expected"),
        (lambda v: v[1].update(keypoints=[1.0] * 51), "17 joints, but 26 in the entries before"),
        (lambda v: v[1].update(keypoints=[[1.0] * 78]), "expected a flat list"),
        (lambda v: v[1].update(keypoints=["1"] * 78), "expected numbers only"),
        (lambda v: v[1].update(keypoints=[10**400] * 78), "number"),
        (lambda v: v[1].pop("keypoints"), "keypoints"),
        (lambda v: v[1].pop("image_id"), r"entry \[1\]: expected an object with an 'image_id'"),
        (lambda v: v.append(3), r"entry \[2\]"),
    ],
)
def test_what_does_not_fit_is_named(tmp_path, edit, message):
    with pytest.raises(ValueError, match=message) as error:
        keypoints.read(change(alphapose(tmp_path, whole_body(2)), edit))
    assert "alphapose-results.json" in str(error.value)
