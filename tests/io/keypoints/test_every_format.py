"""What holds for every 2D format: known by its content, the same keypoints and pose, and only clear errors."""

import copy
import json

import numpy as np
import pytest
import torch
from keypoint_files import EVERY, WHOLE_BODY, WRITERS, pick
from upright import SIZE, whole_body

from skelgraph import Skeleton
from skelgraph.datasets.synthetic import clip
from skelgraph.io import keypoints
from skelgraph.io.keypoints import FORMATS, sniff
from skelgraph.lifting.lifter import Lifter
from skelgraph.nn import models
from skelgraph.poses.adapt import adapt
from skelgraph.poses.joint_matching import match
from skelgraph.poses.keypoints import Keypoints
from skelgraph.skeleton.builtin import COCO, COCO_WHOLEBODY, HUMAN36M

every_writer = pytest.mark.parametrize(("name", "writer"), EVERY, ids=lambda value: getattr(value, "__name__", value))
ODD = [None, True, -1, 0, 1.5, 10**400, "x", "nan", [], {}, [[]], [None], {"x": 1}, [1, [2]], "\u202e" * 9]


def test_every_writer_is_of_a_registered_format():
    assert set(WRITERS) <= {each.NAME for each in FORMATS}


@every_writer
def test_it_is_known_by_its_content_and_by_no_other_format(tmp_path, name, writer):
    path = writer(tmp_path, whole_body(3))
    kind = sniff.kind(path)
    content = sniff.content(path, kind)
    assert [each.NAME for each in FORMATS if kind in each.TAKES and each.matches(path, content)] == [name]


@pytest.fixture(scope="module")
def scene() -> tuple[np.ndarray, np.ndarray]:
    """30 frames of one body that turns: what is written of it, and HUMAN36M's joints of the same body [F, 17, 2]."""
    names = (*WHOLE_BODY, "thorax", "hip", "head", "spine", "neck")
    poses = clip(Skeleton("everything", names, [-1] * len(names)), 3, 30, action="turning")
    xy = poses.keypoints.numpy() * 0.79  # fits into SIZE
    written = xy[:, : names.index("spine")]  # detectors call the thorax neck
    confidence = np.random.default_rng(0).uniform(0.75, 1, (*written.shape[:2], 1))
    return np.concatenate([written, confidence], -1), xy[:, [names.index(joint) for joint in HUMAN36M.joints]]


@every_writer
def test_the_keypoints_are_the_same(tmp_path, name, writer, scene):
    points, _ = scene
    read = keypoints.read(writer(tmp_path, points), image_size=SIZE)
    expected = pick(points, read.joints)
    assert (read.format, read.image_size, read.normalised, read.num_frames) == (name, SIZE, False, 30)
    np.testing.assert_allclose(read.xy, expected[..., :2], atol=0.01)
    assert not read.missing.any()
    if writer.__name__ not in ("h3wb", "coco_annotations"):  # these have no confidence
        np.testing.assert_allclose(read.confidence, expected[..., 2], atol=1e-5)


@every_writer
def test_the_pose_is_the_same(tmp_path, name, writer, scene):
    """By one model for all, which needs COCO's joints; by another for those that have all of the whole body."""
    points, _ = scene
    read = keypoints.read(writer(tmp_path, points), image_size=SIZE)
    needed = [COCO, COCO_WHOLEBODY] if set(WHOLE_BODY) <= set(read.joints) else [COCO]
    for skeleton in needed:
        torch.manual_seed(0)
        lift = Lifter(models.SimpleBaseline(skeleton, hidden_channels=16), skeleton)
        expected = lift(Keypoints.of(pick(points, skeleton.joints), skeleton.joints, image_size=SIZE)).joints
        np.testing.assert_allclose(lift(read).joints, expected, atol=1e-4)  # 0.1 mm
        assert np.ptp(expected, axis=0).max() > 0.01


@every_writer
def test_joints_of_human36m_are_where_they_are(tmp_path, name, writer, scene):
    """Where they are known: the middle of hips or shoulders, nose and eyes are what detectors see instead of others.

    The farthest that these stand-ins are from the joints of this body, some 375 px tall: hip 0.2, thorax 6 (shoulders
    rise and come forward), spine 5 (backs bend), neck 25 (the nose stands in), head 31 px (the eyes, for the crown).
    """
    points, truth = scene
    fitted, made, warnings = adapt(keypoints.read(writer(tmp_path, points), image_size=SIZE), HUMAN36M)
    off = dict(zip(HUMAN36M.joints, np.linalg.norm(fitted.xy - truth, axis=-1).max(axis=0), strict=True))
    assert set(made.averaged) <= {"hip", "thorax", "spine", "neck", "head"} and not warnings
    assert max(off[joint] for joint in (*made.copied, "hip")) < 1, off
    assert max(off.values()) < 35, off


@every_writer
def test_it_becomes_human36m_and_a_whole_body(tmp_path, name, writer):
    read = keypoints.read(writer(tmp_path, whole_body(2)), image_size=SIZE)
    assert adapt(read, HUMAN36M).match.missing == ()
    found = match(read.joints, COCO_WHOLEBODY)
    assert set(COCO_WHOLEBODY.joints[:17]) <= set(found.copied)
    assert set(COCO_WHOLEBODY.joints) & set(read.joints) <= set(found.copied)


@every_writer
def test_insisting_on_it_changes_nothing(tmp_path, name, writer):
    path = writer(tmp_path, whole_body(2))
    np.testing.assert_array_equal(keypoints.read(path, name).xy, keypoints.read(path).xy)


@every_writer
def test_insisting_on_another_is_a_clear_error_or_reads_it(tmp_path, name, writer):
    path = writer(tmp_path, whole_body(2))
    for other in {each.NAME for each in FORMATS} - {name}:
        only_value_error(path, other, path.name)


@every_writer
def test_a_person_that_is_not_there(tmp_path, name, writer):
    with pytest.raises(ValueError, match="no person 5"):
        keypoints.read(writer(tmp_path, whole_body(2)), person=5)


def only_value_error(path, format, named):
    """Whatever is read is whole; whatever is refused is refused by name."""
    try:
        read = keypoints.read(path, format)
    except ValueError as error:
        assert named in str(error)
    else:
        assert np.isfinite(read.xy).all() and read.confidence.min(initial=0) >= 0


def damage(good: bytes, rng: np.random.Generator) -> bytes:
    content = bytearray(good)
    place = int(rng.integers(len(content)))
    match rng.integers(5):
        case 0:
            return bytes(content[:place])
        case 1:
            content[place] = rng.integers(256)
        case 2:
            del content[place : place + int(rng.integers(1, 40))]
        case 3:
            content[place:place] = rng.choice([b"\0", b"\xff", b"9" * 500, b",", b"\n", b'"', b"-", b"e", b"[" * 3000])
        case _:
            content[place:place] = content[: int(rng.integers(1, 200))]
    return bytes(content)


fewer_or_more = pytest.mark.parametrize("tries", [10, pytest.param(40, marks=pytest.mark.slow)])


@fewer_or_more
@every_writer
def test_damaged_files_give_errors_that_name_them(tmp_path, name, writer, tries):
    whole = writer(tmp_path, whole_body(2))
    path = min(whole.iterdir()) if whole.is_dir() else whole
    good, rng = path.read_bytes(), np.random.default_rng(0)
    for i in range(tries):
        path.write_bytes(damage(good, rng))
        only_value_error(whole, name if i % 2 else None, whole.name)


def places(value, path=()):
    """Paths to the nodes of a JSON value, the first and last of long lists only."""
    yield path
    if isinstance(value, dict):
        entries = [(key, value[key]) for key in value]
    else:
        entries = list(enumerate(value)) if isinstance(value, list) else []
    for key, entry in [*entries[:4], *entries[-1:]] if len(entries) > 5 else entries:
        yield from places(entry, (*path, key))


def changed(value, path, odd):
    if not path:
        return odd
    value = copy.deepcopy(value)
    node = value
    for key in path[:-1]:
        node = node[key]
    if odd is ...:
        del node[path[-1]]
    else:
        node[path[-1]] = odd
    return value


JSONS = [(name, writer) for name, writer in EVERY if name not in ("csv", "deeplabcut", "npz", "videopose3d", "yolo")]


@fewer_or_more
@pytest.mark.parametrize(("name", "writer"), JSONS, ids=lambda value: getattr(value, "__name__", value))
def test_json_with_something_else_at_any_place(tmp_path, name, writer, tries):
    whole = writer(tmp_path, whole_body(2))
    path = min(whole.iterdir()) if whole.is_dir() else whole
    good, rng = json.loads(path.read_text()), np.random.default_rng(0)
    spots = list(places(good))
    for spot in [spots[i] for i in rng.permutation(len(spots))[: tries // 2]] + spots[: max(4, tries // 5)]:
        odd = ... if spot and rng.random() < 0.2 else ODD[rng.integers(len(ODD))]
        path.write_text(json.dumps(changed(good, spot, odd)))
        only_value_error(whole, name, whole.name)
        only_value_error(whole, None, whole.name)


def test_what_is_neither_file_nor_folder_is_not_waited_for(tmp_path):
    import os

    os.mkfifo(tmp_path / "pipe.json")
    with pytest.raises(ValueError, match="pipe.json: neither a file nor a folder"):
        keypoints.read(tmp_path / "pipe.json")
