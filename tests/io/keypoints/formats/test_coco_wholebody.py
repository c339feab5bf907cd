import json

import numpy as np
import pytest
from upright import SIZE, whole_body

from skelgraph.errors import SeveralPeopleError
from skelgraph.io import keypoints
from skelgraph.skeleton.builtin import COCO, COCO_WHOLEBODY

PARTS = {"keypoints": 0, "foot_kpts": 17, "face_kpts": 23, "lefthand_kpts": 91, "righthand_kpts": 112, "": 133}


def annotation(points: np.ndarray, image: int, **fields) -> dict:
    starts = list(PARTS.values())
    parts = {
        name: points[a:b].flatten().tolist()
        for name, a, b in zip(PARTS, starts, starts[1:], strict=False)
    }  # fmt: skip
    valid = {"foot_valid": True, "face_valid": True, "lefthand_valid": True, "righthand_valid": True}
    return {"id": image * 10, "image_id": image, "category_id": 1, "iscrowd": 0, **parts, **valid, **fields}


def content(points: np.ndarray) -> dict:
    return {
        "info": {},
        "images": [{"id": i, "width": SIZE[0], "height": SIZE[1]} for i in range(len(points))],
        "annotations": [annotation(frame, i) for i, frame in enumerate(points)],
    }


def write(tmp_path, value):
    path = tmp_path / "coco.json"
    path.write_text(json.dumps(value))
    return path


def test_whole_bodies_with_their_image_size(tmp_path):
    points = whole_body(3)
    points[..., 2] = 2
    points[1, 30] = 0
    read = keypoints.read(write(tmp_path, content(points)))
    assert (read.format, read.joints, read.image_size) == ("coco-wholebody", COCO_WHOLEBODY.joints, SIZE)
    np.testing.assert_allclose(read.xy, points[..., :2], atol=1e-3)
    assert read.missing.sum() == 1 and read.missing[1, 30] and read.confidence.max() == 1


def test_frames_are_images_in_the_files_order(tmp_path):
    points = whole_body(3)
    value = content(points)
    value["annotations"].reverse()
    np.testing.assert_allclose(keypoints.read(write(tmp_path, value)).xy, points[..., :2], atol=1e-3)


def test_an_invalid_part_is_missing(tmp_path):
    value = content(whole_body(1))
    value["annotations"][0]["lefthand_valid"] = False
    assert np.flatnonzero(keypoints.read(write(tmp_path, value)).missing[0]).tolist() == list(range(91, 112))


def test_body_only_is_coco(tmp_path):
    points = whole_body(2)
    value = content(points)
    for entry in value["annotations"]:
        for part in ("foot_kpts", "face_kpts", "lefthand_kpts", "righthand_kpts"):
            del entry[part]
    read = keypoints.read(write(tmp_path, value))
    assert read.joints == COCO.joints
    np.testing.assert_allclose(read.xy, points[:, :17, :2], atol=1e-3)


def test_people_are_chosen_in_the_files_order(tmp_path):
    points = whole_body(2)
    value = content(points)
    value["annotations"] += [annotation(frame + 5, i) for i, frame in enumerate(points)]
    path = write(tmp_path, value)
    with pytest.raises(SeveralPeopleError, match="person=N"):
        keypoints.read(path)
    np.testing.assert_allclose(keypoints.read(path, person=1).xy, points[..., :2] + 5, atol=1e-3)


def test_no_image_size(tmp_path):
    value = content(whole_body(2))
    value["images"] = [{"id": 0}, {"id": 1}]
    assert keypoints.read(write(tmp_path, value)).image_size is None


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda v: v["annotations"][1].update(foot_kpts=[1.0] * 17),
            r"annotations\[1\], foot_kpts: 17 numbers; expected 18",
        ),
        (lambda v: v["annotations"][0].update(keypoints=[1.0] * 54), "54 numbers; expected 51"),
        (lambda v: v["annotations"][0].update(keypoints="x" * 51), "expected numbers only"),
        (lambda v: v["annotations"][0].update(image_id=77), "image_id 77 is not among"),
        (lambda v: v["annotations"][1].update(image_id=None), "whole number 'image_id'"),
        (lambda v: v["images"][1].update(id=0), r"images\[1\]"),
        (lambda v: v["images"][1].update(width=5), "differ in size"),
        (lambda v: v["images"].__setitem__(0, 3), r"images\[0\]"),
    ],
)
def test_what_does_not_fit_is_named(tmp_path, change, message):
    value = content(whole_body(2))
    change(value)
    with pytest.raises(ValueError, match=message) as error:
        keypoints.read(write(tmp_path, value))
    assert "coco.json" in str(error.value)
