import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skelgraph import Skeleton
from skelgraph.poses.pose3d import Pose3D
from skelgraph.skeleton.builtin import COCO, HUMAN36M

TRIPOD = Skeleton("tripod", ["a", "left_b", "right_b"], [-1, 0, 0])


@settings(max_examples=25)
@given(
    frames=st.integers(0, 5),
    fps=st.none() | st.floats(0.1, 240),
    masked=st.booleans(),
    estimated=st.booleans(),
    skeleton=st.sampled_from([HUMAN36M, COCO, TRIPOD]),
    seed=st.integers(0, 99),
)
def test_a_saved_pose_is_loaded_back_exactly(tmp_path_factory, frames, fps, masked, estimated, skeleton, seed):
    path = tmp_path_factory.mktemp("pose") / "pose.npz"
    rng = np.random.default_rng(seed)
    joints = rng.normal(size=(frames, skeleton.num_joints, 3)).astype(np.float32)
    missing = rng.random(joints.shape[:2]) < 0.5 if masked else None
    pose = Pose3D(joints, skeleton, fps, missing, rng.gamma(2, 20, joints.shape[:2]) if estimated else None)
    pose.save(path)
    loaded = Pose3D.load(path)
    assert loaded.joints.dtype == np.float32 and loaded.joints.tobytes() == pose.joints.tobytes()
    assert (loaded.skeleton, loaded.fps, loaded.origin) == (skeleton, pose.fps, pose.origin)
    assert (loaded.missing is None, loaded.error_mm is None) == (not masked, not estimated)
    if masked:
        np.testing.assert_array_equal(loaded.missing, pose.missing)
    if estimated:
        assert loaded.error_mm.dtype == np.float32 and loaded.error_mm.tobytes() == pose.error_mm.tobytes()


def test_the_sidecar_says_what_the_numbers_mean(tmp_path):
    Pose3D(np.zeros((2, 17, 3)), COCO, 30).save(tmp_path / "pose.npz")

    def refuse(name):
        raise AssertionError(name)

    told = json.loads((tmp_path / "pose.json").read_text(), parse_constant=refuse)
    assert (told["unit"], told["axes"], told["fps"]) == ("m", "x right, y down, z forward", 30)
    assert told["joints"] == list(COCO.joints) and told["origin"] == ["left_hip", "right_hip"]
    assert told["frames"] == 2 and len(told["bones"]) == len(COCO.bones)
    assert Skeleton.from_dict(told["skeleton"]) == COCO


def test_the_sidecar_says_what_the_error_is():
    pose = Pose3D(np.zeros((3, 3)), TRIPOD, error_mm=[1, 2, 3])
    assert pose.describe()["error_mm"].startswith("expected distance of each joint from its true place, mm")
    assert Pose3D(np.zeros((3, 3)), TRIPOD).describe()["error_mm"] is None


def test_the_npz_is_enough_and_nothing_else_is_left(tmp_path):
    Pose3D(np.zeros((1, 3, 3)), TRIPOD).save(tmp_path / "pose.npz")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["pose.json", "pose.npz"]
    (tmp_path / "pose.json").unlink()
    assert Pose3D.load(tmp_path / "pose.npz").skeleton == TRIPOD


def test_one_frame_gets_a_frame_axis():
    pose = Pose3D(np.zeros((3, 3)), TRIPOD, missing=np.array([True, False, False]), error_mm=[0, 1, 2])
    assert pose.missing.shape == pose.error_mm.shape == (1, 3)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"joints": np.zeros((2, 4, 3))}, r"\[2, 4, 3\]; expected \[F, 3, 3\] of tripod"),
        ({"joints": np.full((2, 3, 3), np.nan)}, "6 joints are not finite: frame 0 joint a, frame 0 joint left_b"),
        ({"missing": np.zeros((3, 3))}, r"missing is \[3, 3\]"),
        ({"missing": np.zeros((2, 4))}, "missing is"),
        ({"error_mm": np.zeros((3, 3))}, r"error_mm is \[3, 3\]; expected \[2, 3\]"),
        ({"error_mm": np.full((2, 3), -1)}, "error_mm holds numbers that are negative or not finite"),
        ({"error_mm": np.full((2, 3), np.inf)}, "negative or not finite"),
        ({"unit": "mm"}, "unit 'mm'"),
        ({"axes": "y up"}, "axes 'y up'"),
        ({"fps": 0}, "fps 0"),
        ({"origin": ("hip",)}, "no joint 'hip'"),
    ],
)
def test_what_does_not_fit_is_refused(fields, message):
    with pytest.raises(ValueError, match=message):
        Pose3D(**{"joints": np.zeros((2, 3, 3)), "skeleton": TRIPOD, **fields})


def test_a_pose_is_saved_as_npz(tmp_path):
    with pytest.raises(ValueError, match="saved as .npz"):
        Pose3D(np.zeros((1, 3, 3)), TRIPOD).save(tmp_path / "pose.json")


class Payload:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


def description(**changes) -> np.ndarray:
    return np.array(json.dumps({**Pose3D(np.zeros((1, 3, 3)), TRIPOD).describe(), **changes}))


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"a": np.zeros(3)}, "not a pose"),
        ({"joints": np.zeros((1, 3, 3))}, "not a pose"),
        ({"joints": np.zeros((1, 3, 3)), "description": np.array("[" * 100_000)}, "nested too deep"),
        ({"joints": np.zeros((1, 3, 3)), "description": np.array("{}")}, "not of format 1"),
        ({"joints": np.zeros((1, 3, 3)), "description": np.array('{"format": 1}')}, "does not say its 'fps'"),
        ({"joints": np.zeros((1, 3, 3)), "description": description(fps="30")}, "fps '30'"),
        ({"joints": np.zeros((1, 3, 3)), "description": description(fps=True)}, "fps True"),
        ({"joints": np.zeros((1, 3, 3)), "description": description(origin=5)}, "not iterable"),
        ({"joints": np.zeros((1, 3, 3)), "description": description(skeleton=[])}, "pose.npz"),
        ({"joints": np.zeros((1, 3, 3), dtype=int), "description": description()}, "floating point"),
        ({"joints": np.full((1, 3, 3), np.nan), "description": description()}, "not finite"),
        ({"joints": np.zeros((1, 3, 3)), "error_mm": np.full((1, 3), "x"), "description": description()}, "convert"),
    ],
)
def test_strange_files_are_named(tmp_path, arrays, message):
    path = tmp_path / "pose.npz"
    np.savez(path, **arrays)
    with pytest.raises(ValueError, match=message) as error:
        Pose3D.load(path)
    assert "pose.npz" in str(error.value)


def test_a_script_for_a_joint_name_is_refused(tmp_path):
    skeleton = {**TRIPOD.to_dict(), "joints": ["<script>", "left_b", "right_b"], "center": 0, "origin": [0]}
    np.savez(tmp_path / "pose.npz", joints=np.zeros((1, 3, 3)), description=description(skeleton=skeleton))
    with pytest.raises(ValueError, match="joint name '<script>' must be"):
        Pose3D.load(tmp_path / "pose.npz")


def test_a_pickle_inside_is_refused_and_not_run(tmp_path):
    marker = tmp_path / "ran"
    np.savez(tmp_path / "pose.npz", joints=np.array([Payload(marker)], dtype=object), description=description())
    with pytest.raises(ValueError, match="pose.npz"):
        Pose3D.load(tmp_path / "pose.npz")
    assert not marker.exists()
