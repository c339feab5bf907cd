import json

import numpy as np
import pytest

from skelgraph.io import keypoints


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{}", "no format is known with the keys"),
        ('{"pose": 1}', "'pose'"),
        ("[]", "an empty list"),
        ("[1, 2]", "such a list"),
        ("hello", "neither npz nor JSON"),
        ("", "neither npz nor JSON"),
        ("a,b,c\n1,2,3", "JOINT_x, JOINT_y"),
        ('{"people": [}', "line 1: not readable as JSON"),
        ('{"people": []}', "no person"),
    ],
)
def test_what_is_no_keypoint_file_is_named(tmp_path, text, message):
    path = tmp_path / "strange.json"
    path.write_text(text)
    with pytest.raises(ValueError, match=message) as error:
        keypoints.read(path)
    assert "strange.json" in str(error.value)


def test_no_file(tmp_path):
    with pytest.raises(FileNotFoundError, match="nothing.json"):
        keypoints.read(tmp_path / "nothing.json")


def test_a_format_that_is_insisted_on(tmp_path):
    path = tmp_path / "clip.npz"
    np.savez(path, keypoints=np.ones((2, 17, 2)))
    assert keypoints.read(path, "NPZ").format == "npz"
    with pytest.raises(ValueError, match="did you mean 'openpose'"):
        keypoints.read(path, "openpos")
    with pytest.raises(ValueError, match="is an npz file, which the format mmpose is not"):
        keypoints.read(path, "mmpose")
    with pytest.raises(ValueError, match="is a folder"):
        keypoints.read(tmp_path, "coco_wholebody")
    other = tmp_path / "a.json"
    other.write_text(json.dumps({"people": []}))
    for name in ("npz", "mmpose", "coco-wholebody"):
        with pytest.raises(ValueError, match="a.json"):
            keypoints.read(other, name)
