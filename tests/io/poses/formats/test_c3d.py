import dataclasses
import sys

import numpy as np
import pytest
from standing import standing

from skelgraph.geometry import axes
from skelgraph.io import poses
from skelgraph.io.poses.formats import c3d
from skelgraph.poses.pose3d import Pose3D
from skelgraph.skeleton.builtin import COCO_WHOLEBODY, HUMAN36M


@pytest.fixture
def ezc3d():
    return pytest.importorskip("ezc3d", reason="the extra c3d is not installed")


@pytest.mark.parametrize("unit", ["m", "mm"])
@pytest.mark.parametrize("preset", ["opensim", "unity", "camera"])
def test_a_written_pose_is_read_back(ezc3d, tmp_path, unit, preset):
    pose = standing(COCO_WHOLEBODY, fps=29.97)
    moved = dataclasses.replace(pose, root=np.full((4, 3), 2.0))
    c3d.write(moved, tmp_path / "pose.c3d", unit=unit, axes=preset)
    back = c3d.read(tmp_path / "pose.c3d", COCO_WHOLEBODY, axes=preset)
    np.testing.assert_allclose(back.joints, pose.joints + 2, atol=1e-6)
    assert back.skeleton == COCO_WHOLEBODY and back.fps == pytest.approx(29.97) and not back.missing.any()
    assert [p.name for p in tmp_path.iterdir()] == ["pose.c3d"]


def test_points_that_were_not_measured_are_missing(ezc3d, tmp_path):
    path = str(tmp_path / "pose.c3d")
    c3d.write(standing(), path)
    file = ezc3d.c3d(path)
    file["data"]["points"][:3, 5, 2] = np.nan
    file.write(path)
    back = c3d.read(path)
    assert np.argwhere(back.missing).tolist() == [[2, 5]] and not back.joints[2, 5].any()
    assert back.skeleton.joints == HUMAN36M.joints


def test_strange_files_are_named(ezc3d, tmp_path):
    path = tmp_path / "pose.c3d"
    c3d.write(standing(frames=50), path)
    whole = path.read_bytes()
    for content, message in ((b"", "not a C3D"), (b"x" * 600, "not a C3D"), (whole[:600], "pose.c3d")):
        path.write_bytes(content)
        with pytest.raises(ValueError, match=message):
            c3d.read(path)
    path.write_bytes(whole[:-4000])
    with pytest.raises(ValueError, match="cut off"):
        c3d.read(path)
    with pytest.raises(FileNotFoundError):
        c3d.read(tmp_path / "absent.c3d")


def test_what_cannot_be_written_is_refused_and_nothing_is_left(ezc3d, tmp_path, monkeypatch):
    with pytest.raises(ValueError, match="at most 65535 frames"):
        c3d.write(Pose3D(np.zeros((65536, 17, 3)), HUMAN36M, 30), tmp_path / "pose.c3d")
    with pytest.raises(ValueError, match="unit 'ft'"):
        c3d.write(standing(), tmp_path / "pose.c3d", unit="ft")

    with pytest.raises(OSError, match="no such folder"):
        c3d.write(standing(), tmp_path / "absent" / "pose.c3d")

    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="disk full"):
        c3d.write(standing(), tmp_path / "pose.c3d")
    assert not list(tmp_path.iterdir())


def test_a_file_that_the_library_cut_off_is_told(ezc3d, tmp_path, monkeypatch):
    whole = ezc3d.c3d.write

    def short(self, path):
        whole(self, path)
        with open(path, "r+b") as file:
            file.truncate(1000)

    monkeypatch.setattr(ezc3d.c3d, "write", short)
    with pytest.raises(OSError, match="disk full"):
        c3d.write(standing(), tmp_path / "pose.c3d")
    assert not list(tmp_path.iterdir())


def test_the_extra_is_named_where_it_is_missing(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "ezc3d", None)
    with pytest.raises(ValueError, match=r"pip install 'skelgraph\[c3d\]'"):
        c3d.write(standing(), tmp_path / "pose.c3d")
    assert not list(tmp_path.iterdir()) and "camera" in axes.PRESETS


def test_a_missing_library_is_told_before_any_work(monkeypatch):
    monkeypatch.setitem(sys.modules, "ezc3d", None)
    poses.check_endings(["csv", "trc"])
    with pytest.raises(ValueError, match=r"pip install 'skelgraph\[c3d\]'"):
        poses.check_endings(["csv", "c3d"])
    with pytest.raises(ValueError, match="fbx.*csv, bvh, trc, c3d"):
        poses.check_endings(["fbx"])
