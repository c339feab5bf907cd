import dataclasses

import numpy as np
import pytest
from standing import standing

from skelgraph.errors import OutputExistsError
from skelgraph.io import poses
from skelgraph.io.motions import read_motion
from skelgraph.io.poses.formats import csv_table, trc
from skelgraph.poses.pose3d import Pose3D
from skelgraph.skeleton.builtin import HUMAN36M


@pytest.mark.parametrize("ending", ["csv", "bvh", "trc", "c3d", "npz", "CSV"])
def test_the_ending_picks_the_format_and_files_are_replaced_only_with_force(tmp_path, ending):
    if ending == "c3d":
        pytest.importorskip("ezc3d", reason="the extra c3d is not installed")
    path = tmp_path / f"pose.{ending}"
    poses.write(standing(), path)
    before = path.read_bytes()
    with pytest.raises(OutputExistsError, match="force=True"):
        poses.write(standing(frames=9), path)
    assert path.read_bytes() == before
    poses.write(standing(frames=9), path, force=True)
    assert path.read_bytes() != before
    assert {p.suffix for p in tmp_path.iterdir()} <= {path.suffix, ".json"}


def test_each_format_has_the_axes_its_readers_expect(tmp_path):
    for ending in ("csv", "trc", "bvh", "npz"):
        poses.write(standing(), tmp_path / f"pose.{ending}")
    for back in (csv_table.read(tmp_path / "pose.csv", HUMAN36M), trc.read(tmp_path / "pose.trc", HUMAN36M)):
        np.testing.assert_allclose(back.joints, standing().joints, atol=1e-6)
    np.testing.assert_array_equal(Pose3D.load(tmp_path / "pose.npz").joints, standing().joints)
    motion = read_motion(tmp_path / "pose.bvh")
    assert motion.positions[0, motion.names.index("head"), 1] > 0.7  # y up


def test_axes_and_root_reach_the_format(tmp_path):
    poses.write(dataclasses.replace(standing(), root=np.full((4, 3), 5.0)), tmp_path / "a.csv", axes="blender")
    back = csv_table.read(tmp_path / "a.csv", HUMAN36M, axes="blender")
    np.testing.assert_allclose(back.joints, standing().joints + 5, atol=1e-6)


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("pose.fbx", {}, "'.fbx'.*.csv, .bvh, .trc, .c3d, .npz"),
        ("pose.csv", {"axes": "world"}, "of one camera"),
        ("pose", {}, "no pose format ends in 'nothing'"),
        ("pose.npz", {"axes": "blender"}, "own axes, 'camera'"),
        ("pose.csv", {"axes": "blendr"}, "did you mean 'blender'"),
        ("pose.bvh", {"axes": "blendr"}, "did you mean 'blender'"),
    ],
)
def test_what_does_not_fit_is_refused(tmp_path, name, options, message):
    with pytest.raises(ValueError, match=message):
        poses.write(standing(), tmp_path / name, **options)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("ending", ["csv", "bvh", "trc", "npz"])
def test_nothing_is_left_of_a_write_that_fails(tmp_path, ending, monkeypatch):
    def fail(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", fail)
    with pytest.raises(OSError, match="disk full"):
        poses.write(standing(), tmp_path / f"pose.{ending}")
    assert not list(tmp_path.iterdir())
