import json

import numpy as np
import pytest
from keypoint_files import dump, h3wb
from upright import whole_body

from skelgraph.io import keypoints
from skelgraph.skeleton.builtin import COCO_WHOLEBODY


def test_the_spelling_of_the_readme(tmp_path):
    points = whole_body(3)
    read = keypoints.read(h3wb(tmp_path, points, "keypont_2d"))
    assert (read.format, read.joints) == ("h3wb", COCO_WHOLEBODY.joints)
    np.testing.assert_allclose(read.xy, points[..., :2], atol=0.01)


def test_samples_are_ordered_by_number(tmp_path):
    points = whole_body(12)
    value = json.loads(h3wb(tmp_path, points).read_text())
    path = dump(tmp_path / "shuffled.json", dict(sorted(value.items(), reverse=True)))
    np.testing.assert_allclose(keypoints.read(path).xy, points[..., :2], atol=0.01)


def test_what_is_absent_null_or_zero_is_missing(tmp_path):
    path = h3wb(tmp_path, whole_body(2))
    value = json.loads(path.read_text())
    joints = value["1"]["keypoints_2d"]
    del joints["5"]
    joints |= {"6": None, "7": {"x": None, "y": 3.0}, "8": {"x": 0, "y": 0}, "9": {"x": 0, "y": 3}}
    read = keypoints.read(dump(path, value))
    assert np.flatnonzero(read.missing[1]).tolist() == [5, 6, 7, 8] and not read.missing[0].any()
    assert read.confidence[0].tolist() == [1] * 133


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda v: v["1"].pop("keypoints_2d"), "sample '1': expected an object 'keypoints_2d'"),
        (lambda v: v.update({"1": 5}), "sample '1': expected an object"),
        (lambda v: v["1"]["keypoints_2d"].update({"133": {"x": 1, "y": 2}}), "has a joint '133'; expected 0 to 132"),
        (lambda v: v["1"]["keypoints_2d"].update({"4": {"x": 1}}), "joint 4: expected an object with 'x' and 'y'"),
        (lambda v: v["1"]["keypoints_2d"].update({"4": {"x": "1", "y": 2}}), "expected numbers only"),
        (lambda v: v["1"]["keypoints_2d"].update({"4": {"x": [1], "y": 2}}), "numbers"),
    ],
)
def test_what_does_not_fit_is_named(tmp_path, edit, message):
    path = h3wb(tmp_path, whole_body(2))
    value = json.loads(path.read_text())
    edit(value)
    with pytest.raises(ValueError, match=message) as error:
        keypoints.read(dump(path, value))
    assert path.name in str(error.value)
