import json
from collections import Counter
from functools import partial

import numpy as np
import pytest

from skelgraph.errors import SeveralPeopleError
from skelgraph.files import json_file
from skelgraph.io import keypoints
from skelgraph.io.keypoints.formats import coco
from skelgraph.poses import tracking
from skelgraph.skeleton.builtin import COCO


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


def crowd(path, people=10, frames=200):
    """COCO results without ids: people who walk side by side."""
    random = np.random.default_rng(0)
    body = random.uniform(0, 60, (people, COCO.num_joints, 2)) + np.arange(people)[:, None, None] * [150, 0]
    entries = [
        {"image_id": f, "category_id": 1, "score": 1.0}
        | {"keypoints": np.c_[body[p] + [f, 0.5 * f], np.ones(COCO.num_joints)].round(2).ravel().tolist()}
        for f in range(frames)
        for p in range(people)
    ]
    path.write_text(json.dumps(entries))
    return path


@pytest.fixture
def counted(monkeypatch):
    """How often files are parsed and read, and people followed."""
    calls = Counter()

    def count(module, name):
        original = getattr(module, name)
        monkeypatch.setattr(module, name, lambda *args: calls.update([f"{module.__name__}.{name}"]) or original(*args))

    for module, name in ((json_file, "read"), (coco, "read"), (tracking, "identities")):
        count(module, name)
    return calls


@pytest.mark.parametrize("read", [keypoints.read_people, keypoints.read_all, partial(keypoints.read, person=7)])
def test_several_people_are_read_and_followed_once(tmp_path, counted, read):
    read(crowd(tmp_path / "crowd.json"))
    assert set(counted.values()) == {1} and len(counted) == 3


def test_read_all_and_read_choose_from_the_same_people(tmp_path):
    path = crowd(tmp_path / "crowd.json", people=3, frames=5)
    people = keypoints.read_people(path, image_size=(2000, 800))
    assert (people.ids, people.ids_from, people.format) == ((0, 1, 2), "first appearance", "coco")
    for person, one in enumerate(keypoints.read_all(path, image_size=(2000, 800))):
        again = keypoints.read(path, person=person)
        assert one.person == again.person == person and one.image_size == (2000, 800)
        np.testing.assert_array_equal(one.xy, again.xy)
    with pytest.raises(SeveralPeopleError):
        keypoints.read(path)
