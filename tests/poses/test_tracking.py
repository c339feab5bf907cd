import json

import numpy as np
import pytest
from keypoint_files import EVERY
from upright import whole_body

from skelgraph.datasets.synthetic import clip
from skelgraph.io import keypoints
from skelgraph.io.keypoints import FORMATS
from skelgraph.poses import tracking
from skelgraph.poses.people import Detection, People
from skelgraph.skeleton.builtin import COCO

FRAMES = 60


def walker(seed: int, start: float, stop: float) -> np.ndarray:
    """[F, 17, 3] of someone who walks across the image."""
    poses = clip(COCO, seed, FRAMES, action="walking").keypoints.numpy()
    poses = poses - poses.mean(axis=1, keepdims=True)
    way = np.stack([np.linspace(start, stop, FRAMES), np.full(FRAMES, 400)], -1)
    return np.concatenate([poses + way[:, None], np.ones((FRAMES, 17, 1))], -1)


def crossing(seed: int):
    """Frames of two people, in any order, with noise of 3 px and a tenth of the frames missing; and who is who."""
    random = np.random.default_rng(seed)
    both = np.stack([walker(2 * seed, 100, 900), walker(2 * seed + 1, 900, 100)])
    both[..., :2] += random.normal(0, 3, both[..., :2].shape)
    there = random.random((2, FRAMES)) > 0.1
    there[:, 0] = True
    who = [[int(p) for p in random.permutation(2) if there[p, f]] for f in range(FRAMES)]
    who[0] = [0, 1]
    return both, who, [[both[p, f] for p in people] for f, people in enumerate(who)]


@pytest.mark.parametrize("seed", range(10))
def test_two_who_cross_stay_who_they_are(seed):
    _, who, frames = crossing(seed)
    assert tracking.identities(frames) == who


def test_somebody_new_is_a_new_person_and_comes_back_after_a_short_absence():
    one, other = walker(1, 200, 300), walker(2, 800, 700)
    frames = [[one[f], other[f]] if f % 20 < 10 else [one[f]] for f in range(40)]
    assert tracking.identities(frames) == [[0, 1] if f % 20 < 10 else [0] for f in range(40)]
    far = other[:1] - [600, 300, 0]
    assert tracking.identities([[one[0]], [far[0]]]) == [[0], [1]]


def test_who_has_no_points_is_somebody_else_and_no_frames_are_none():
    nobody = np.zeros((17, 3))
    assert tracking.identities([[walker(1, 1, 2)[0]], [nobody], []]) == [[0], [1], []]
    assert tracking.identities([]) == []


def test_a_file_without_ids_is_read_person_by_person(tmp_path):
    both, who, frames = crossing(0)
    entries = [
        {"image_id": f, "category_id": 1, "keypoints": joints.flatten().tolist(), "score": 1.0}
        for f, people in enumerate(frames)
        for joints in people
    ]
    path = tmp_path / "results.json"
    path.write_text(json.dumps(entries))
    everybody = keypoints.read_all(path, image_size=(1000, 800))
    assert [one.person for one in everybody] == [0, 1]
    for p, one in enumerate(everybody):
        seen = np.array([p in people for people in who])
        assert (one.missing.all(axis=1) == ~seen).all() and one.image_size == (1000, 800)
        np.testing.assert_allclose(one.xy[seen], both[p, seen, :, :2], atol=1e-3)
        np.testing.assert_array_equal(keypoints.read(path, person=p).xy, one.xy)


def test_places_are_kept_where_they_say_who_it_is():
    one, other = walker(1, 200, 300), walker(2, 800, 700)
    frames = [[one[0], other[0]], [other[1], one[1]]]
    by_place = People.by_place(np.array(frames), COCO.joints, source="f").choose(0)
    np.testing.assert_allclose(by_place.xy[1], other[1, :, :2], rtol=1e-6)
    listed = [[Detection(None, each) for each in frame] for frame in frames]
    followed = People.of(listed, COCO.joints, source="f").choose(0)
    np.testing.assert_allclose(followed.xy[1], one[1, :, :2], rtol=1e-6)


@pytest.mark.parametrize(("name", "writer"), EVERY, ids=lambda value: getattr(value, "__name__", value))
def test_every_format_reads_all(tmp_path, name, writer):
    path = writer(tmp_path, whole_body(2))
    (only,) = keypoints.read_all(path)
    assert only.format == name and name in {each.NAME for each in FORMATS}
    np.testing.assert_array_equal(only.xy, keypoints.read(path).xy)
