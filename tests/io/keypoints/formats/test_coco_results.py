import json

import numpy as np
import pytest
from keypoint_files import coco, coco_annotations, coco_wholebody, dump, pick
from upright import SIZE, whole_body

from skelgraph.io import keypoints
from skelgraph.skeleton.builtin import COCO


def test_v_is_zero_where_nothing_is_labelled(tmp_path):
    path = coco_annotations(tmp_path, whole_body(2))
    value = json.loads(path.read_text())
    value["annotations"][0]["keypoints"][:6] = [0, 0, 0, 5, 5, 1]
    read = keypoints.read(dump(path, value))
    assert (read.format, read.joints, read.image_size) == ("coco", COCO.joints, SIZE)
    assert read.confidence[0].tolist() == [0, *[1] * 16]


def test_results_go_by_image_id(tmp_path):
    points = whole_body(3)
    path = coco(tmp_path, points)
    value = json.loads(path.read_text())
    for entry, number in zip(value, (9, 4, 6), strict=True):
        entry["image_id"] = number
    read = keypoints.read(dump(path, value))
    expected = pick(points, COCO.joints)[[1, 2, 0]]
    assert np.flatnonzero(read.missing.all(axis=1)).tolist() == [1, 3, 4]
    np.testing.assert_allclose(read.xy[[0, 2, 5]], expected[..., :2], atol=0.01)


def test_images_far_apart_are_no_film(tmp_path):
    path = coco(tmp_path, whole_body(3))
    value = json.loads(path.read_text())
    for entry, number in zip(value, (397133, 37777, 252219), strict=True):
        entry["image_id"] = number
    assert keypoints.read(dump(path, value)).num_frames == 3


def test_track_ids(tmp_path):
    points = whole_body(2)
    path = coco(tmp_path, points)
    value = [{**entry, "track_id": 3} for entry in json.loads(path.read_text())]
    path = dump(path, [*[{**entry, "track_id": 8, "keypoints": [1.0] * 51} for entry in value], *value])
    np.testing.assert_allclose(keypoints.read(path, person=3).xy, pick(points, COCO.joints)[..., :2], atol=0.01)


@pytest.mark.parametrize(
    ("writer", "edit", "message"),
    [
        (coco, lambda v: v[1].update(keypoints=[1.0] * 48), r"entry \[1\], keypoints: 48 numbers; expected 51"),
        (coco, lambda v: v[1].update(image_id="b"), r"entry \[1\]: expected an object with a whole number 'image_id'"),
        (coco_wholebody, lambda v: v[1].update(face_kpts=[1.0]), r"entry \[1\], face_kpts: 1 numbers; expected 204"),
        (coco_annotations, lambda v: v["annotations"][1].update(image_id=7), r"annotations\[1\]: its image_id 7"),
        (coco_annotations, lambda v: v["images"][1].update(width=7), "1 of its images differ in size"),
    ],
)
def test_what_does_not_fit_is_named(tmp_path, writer, edit, message):
    path = writer(tmp_path, whole_body(2))
    value = json.loads(path.read_text())
    edit(value)
    with pytest.raises(ValueError, match=message) as error:
        keypoints.read(dump(path, value))
    assert path.name in str(error.value)
