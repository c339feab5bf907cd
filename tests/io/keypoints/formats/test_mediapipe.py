import json

import numpy as np
import pytest
from keypoint_files import dump, mediapipe, pick, shares
from upright import SIZE, whole_body

from skelgraph.io import keypoints
from skelgraph.io.keypoints.formats import npz
from skelgraph.poses.adapt import adapt
from skelgraph.skeleton.builtin import BLAZEPOSE, HUMAN36M


def landmarks(points):
    return [{"x": x, "y": y, "z": 0.0, "visibility": c} for x, y, c in points.tolist()]


def test_the_image_size_makes_px(tmp_path):
    points = whole_body(2)
    read = keypoints.read(mediapipe(tmp_path, points))
    assert read.normalised and read.image_size is None and read.xy.max() < 1.1
    with pytest.raises(ValueError, match="image_size="):
        adapt(read, BLAZEPOSE)
    with pytest.raises(ValueError, match="landmarks.json: holds shares"):
        npz.write(tmp_path / "a.npz", read)
    fitted = adapt(read, BLAZEPOSE, SIZE).keypoints
    assert (fitted.normalised, fitted.image_size) == (False, SIZE)
    np.testing.assert_allclose(fitted.xy, pick(points, BLAZEPOSE.joints)[..., :2], atol=0.01)
    assert adapt(read, HUMAN36M, SIZE).warnings == ()


def test_frames_of_every_kind(tmp_path):
    points = shares(pick(whole_body(4), BLAZEPOSE.joints))
    one = [landmarks(frame) for frame in points]
    kinds = [one[0], {"pose_landmarks": [one[1]]}, {"landmarks": one[2]}, [one[3]], None, [], {"pose_landmarks": None}]
    read = keypoints.read(dump(tmp_path / "a.json", kinds))
    assert read.format == "mediapipe" and read.missing.all(axis=1).tolist() == [False] * 4 + [True] * 3
    np.testing.assert_allclose(read.xy[:4], points[..., :2], atol=1e-6)
    assert keypoints.read(dump(tmp_path / "b.json", one[0])).num_frames == 1


def test_several_people_and_no_visibility(tmp_path):
    points = shares(pick(whole_body(1), BLAZEPOSE.joints))[0]
    people = [[{"x": x + s, "y": y, "visibility": None} for x, y, _ in points.tolist()] for s in (0, 0.1)]
    read = keypoints.read(dump(tmp_path / "a.json", [people]), person=1)
    np.testing.assert_allclose(read.xy[0], points[:, :2] + [0.1, 0], atol=1e-6)
    assert (read.confidence == 1).all()


@pytest.mark.parametrize("columns", [2, 3, 4, 5])
@pytest.mark.parametrize("kind", ["npy", "npz"])
def test_arrays_where_the_format_is_insisted_on(tmp_path, columns, kind):
    points = shares(pick(whole_body(3), BLAZEPOSE.joints))
    given = np.stack([*np.moveaxis(points[..., :2], -1, 0), points[..., 2] - 0.5, points[..., 2], points[..., 2]], -1)
    given[1, 4, :2] = 0
    path = tmp_path / f"a.{kind}"
    np.save(path, given[..., :columns]) if kind == "npy" else np.savez(path, given[..., :columns])
    read = keypoints.read(path, "mediapipe", image_size=SIZE)
    np.testing.assert_allclose(read.xy[0], points[0, :, :2] * SIZE, atol=0.01)
    assert np.argwhere(read.missing).tolist() == ([] if columns > 3 else [[1, 4]])
    expected = points[0, :, 2] if columns > 3 else np.ones(33)
    np.testing.assert_allclose(read.confidence[0], expected, atol=1e-6)


def test_an_npy_file_says_what_is_to_be_done(tmp_path):
    np.save(tmp_path / "a.npy", np.ones((2, 33, 2)))
    with pytest.raises(ValueError, match="a.npy: .*format='mediapipe'"):
        keypoints.read(tmp_path / "a.npy")


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.ones((2, 17, 2)), r"\[F, 33, 2 to 5\], found the array float64 \[2, 17, 2\]"),
        (np.ones((2, 33, 6)), r"\[2, 33, 6\]; expected"),
        (np.full((2, 33, 2), 300.0), "coordinates are around 300: px already"),
        (np.array([{}], dtype=object), "not readable as npy: dtype object"),
    ],
)
def test_arrays_that_do_not_fit_are_named(tmp_path, array, message):
    np.save(tmp_path / "a.npy", array)
    with pytest.raises(ValueError, match=message) as error:
        keypoints.read(tmp_path / "a.npy", "mediapipe")
    assert "a.npy" in str(error.value)


def test_damaged_npy_files_are_named_and_nothing_large_is_allocated(tmp_path):
    path = tmp_path / "a.npy"
    np.save(path, np.full((2, 33, 3), 0.5))
    good, rng = path.read_bytes(), np.random.default_rng(0)
    lie = good.replace(b"(2, 33, 3)", b"(2, 33, 3000000000)").replace(b"          \n", b"\n")
    bad = [lie, good[:90], good + b"x", good.replace(b"<f8", b"|O8")]
    for _ in range(100):
        content = bytearray(good)
        content[rng.integers(6, 128)] = rng.integers(256)
        bad.append(bytes(content))
    for i, content in enumerate(bad):
        path.write_bytes(content)
        try:
            keypoints.read(path, "mediapipe")
        except ValueError as error:
            assert "a.npy" in str(error)
        else:
            assert i > 3


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda v: v[1].pop(), "frame 1, person 0: 32 landmarks; expected 33"),
        (lambda v: v[1][3].pop("y"), "frame 1, person 0, left_eye_outer: expected an object with 'x' and 'y'"),
        (lambda v: v[1][3].update(x="1"), "expected numbers only"),
        (lambda v: v.append({"face_landmarks": []}), "frame 2: expected a list of landmarks"),
        (lambda v: v.append("x"), "frame 2: expected a list of 33 landmarks"),
        (lambda v: [point.update(x=500 * point["x"]) for frame in v for point in frame], "px already"),
    ],
)
def test_what_does_not_fit_is_named(tmp_path, edit, message):
    path = mediapipe(tmp_path, whole_body(2))
    value = json.loads(path.read_text())
    edit(value)
    with pytest.raises(ValueError, match=message) as error:
        keypoints.read(dump(path, value))
    assert path.name in str(error.value)
