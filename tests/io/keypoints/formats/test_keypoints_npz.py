import pickle
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skelgraph.io import keypoints
from skelgraph.io.keypoints.formats import npz
from skelgraph.poses.keypoints import Keypoints
from skelgraph.skeleton.builtin import HUMAN36M


@settings(max_examples=25)
@given(
    frames=st.integers(0, 4),
    named=st.booleans(),
    size=st.none() | st.tuples(st.integers(1, 4000), st.integers(1, 4000)),
    fps=st.none() | st.floats(1, 240),
    seed=st.integers(0, 99),
)
def test_written_keypoints_are_read_back(tmp_path_factory, frames, named, size, fps, seed):
    path = tmp_path_factory.mktemp("clip") / "clip.npz"
    rng = np.random.default_rng(seed)
    joints = HUMAN36M.joints if named else ()
    written = Keypoints(rng.uniform(1, 999, (frames, 17, 2)), rng.uniform(-0.2, 1, (frames, 17)), joints, size, fps)
    npz.write(path, written)
    read = keypoints.read(path)
    np.testing.assert_array_equal(read.xy, written.xy)
    np.testing.assert_array_equal(read.confidence, written.confidence)
    assert (read.joints, read.image_size, read.fps) == (written.joints, written.image_size, written.fps)
    assert (read.format, read.source) == ("npz", str(path))


def save(path: Path, **arrays) -> Path:
    np.savez(path, **arrays)
    return path


def test_a_skeleton_name_gives_the_joints(tmp_path):
    path = save(tmp_path / "a.npz", keypoints=np.ones((2, 17, 3)), skeleton="HUMAN36M", image_size=[640, 480], fps=30)
    read = keypoints.read(path)
    assert (read.joints, read.image_size, read.fps) == (HUMAN36M.joints, (640, 480), 30)


def test_a_plain_array_under_any_name_has_no_names(tmp_path):
    read = keypoints.read(save(tmp_path / "a.npz", arr_0=np.ones((2, 17, 2)), note=np.arange(3)))
    assert read.joints == () and read.xy.shape == (2, 17, 2)


def test_people_are_chosen_by_place(tmp_path):
    values = np.arange(1, 25, dtype=float).reshape(2, 2, 3, 2)
    path = save(tmp_path / "a.npz", keypoints=values)
    with pytest.raises(ValueError, match="frame 0 holds 2 people"):
        keypoints.read(path)
    np.testing.assert_array_equal(keypoints.read(path, person=1).xy, values[:, 1])
    path = save(tmp_path / "b.npz", keypoints=values, confidence=np.array([[[1, 0, 1]] * 2] * 2))
    assert keypoints.read(path, person=0).missing.tolist() == [[False, True, False]] * 2


def test_the_format_is_known_by_content_not_by_name(tmp_path):
    path = save(tmp_path / "a.npz", keypoints=np.ones((2, 17, 2))).rename(tmp_path / "clip.json")
    assert keypoints.read(path).xy.shape == (2, 17, 2)


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"pose": np.ones(3)}, r"no keypoints found.*pose \[3\]"),
        ({"a": np.ones((2, 3, 2)), "b": np.ones((2, 3, 2))}, "one such array only"),
        ({"keypoints": np.ones((2, 3, 2)), "confidence": np.ones((2, 4))}, "confidence"),
        ({"keypoints": np.ones((2, 3))}, r"expected numbers \[F, J"),
        ({"keypoints": np.array([[["a", "b"]]])}, "expected numbers"),
        ({"keypoints": np.ones((2, 3, 2)), "joints": np.arange(3)}, "list of names"),
        ({"keypoints": np.ones((2, 3, 2)), "joints": np.array(["a", "b"])}, "3 joints but 2 names"),
        ({"keypoints": np.ones((2, 17, 2)), "skeleton": "HUMAN37M"}, "did you mean 'HUMAN36M'"),
        ({"keypoints": np.ones((2, 3, 2)), "image_size": [1, 2, 3]}, "image_size"),
        ({"keypoints": np.ones((2, 3, 2)), "fps": "fast"}, "fps"),
    ],
)
def test_what_does_not_fit_is_named(tmp_path, arrays, message):
    path = save(tmp_path / "walk.npz", **arrays)
    with pytest.raises(ValueError, match=message) as error:
        keypoints.read(path)
    assert "walk.npz" in str(error.value)


def test_a_person_of_a_file_for_one(tmp_path):
    path = save(tmp_path / "a.npz", keypoints=np.ones((2, 3, 2)))
    assert keypoints.read(path, person=0).num_frames == 2
    with pytest.raises(ValueError, match="no person 1"):
        keypoints.read(path, person=1)


class Payload:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


def test_a_pickle_inside_is_refused_and_not_run(tmp_path):
    marker = tmp_path / "ran"
    path = tmp_path / "evil.npz"
    np.savez(path, keypoints=np.array([Payload(marker)], dtype=object))
    with pytest.raises(ValueError, match="evil.npz"):
        keypoints.read(path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("keypoints.npy", pickle.dumps(Payload(marker)))
    with pytest.raises(ValueError, match="evil.npz"):
        keypoints.read(path)
    assert not marker.exists()


def test_damaged_files_give_an_error_that_names_them(tmp_path):
    good = save(tmp_path / "good.npz", keypoints=np.ones((2, 17, 2)), joints=np.array(HUMAN36M.joints)).read_bytes()
    rng = np.random.default_rng(0)
    path = tmp_path / "bad.npz"
    for _ in range(200):
        content = bytearray(good[: rng.integers(4, len(good))] if rng.random() < 0.5 else good)
        for place in rng.integers(4, len(content), rng.integers(1, 4)) if len(content) > 4 else []:
            content[place] = rng.integers(256)
        path.write_bytes(content)
        try:
            keypoints.read(path)
        except ValueError as error:
            assert "bad.npz" in str(error)
