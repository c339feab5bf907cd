import dataclasses

import numpy as np
import pytest
from standing import standing

from skelgraph import Skeleton
from skelgraph.geometry import axes
from skelgraph.io.poses.formats import trc
from skelgraph.poses.pose3d import Pose3D
from skelgraph.skeleton.builtin import COCO_WHOLEBODY, HUMAN36M


@pytest.mark.parametrize("unit", ["m", "mm"])
@pytest.mark.parametrize("preset", list(axes.PRESETS))
def test_a_written_pose_is_read_back_to_a_micrometre(tmp_path, unit, preset):
    pose = standing(COCO_WHOLEBODY, fps=29.97)
    trc.write(pose, tmp_path / "pose.trc", unit=unit, axes=preset)
    back = trc.read(tmp_path / "pose.trc", COCO_WHOLEBODY, axes=preset)
    np.testing.assert_allclose(back.joints, pose.joints, atol=1e-6)
    assert back.skeleton == COCO_WHOLEBODY and back.fps == pytest.approx(29.97) and not back.missing.any()


def test_the_header_is_opensims(tmp_path):
    pose = standing(Skeleton("pair", ["left_hip", "right_hip"], [-1, 0]), frames=3, fps=50)
    moved = dataclasses.replace(pose, root=np.ones((3, 3)))
    trc.write(moved, tmp_path / "pose.trc", unit="mm", names={"left_hip": "LHip"})
    lines = (tmp_path / "pose.trc").read_text().split("\n")
    assert lines[0] == "PathFileType\t4\t(X/Y/Z)\tpose.trc"
    assert lines[1].startswith("DataRate\tCameraRate\tNumFrames\tNumMarkers\tUnits\tOrigDataRate")
    assert lines[2] == "50\t50\t3\t2\tmm\t50\t1\t3"
    assert lines[3] == "Frame#\tTime\tLHip\t\t\tright_hip\t\t" and lines[4] == "\t\tX1\tY1\tZ1\tX2\tY2\tZ2"
    assert lines[5] == "" and lines[6].split("\t")[:2] == ["1", "0"] and lines[7].split("\t")[:2] == ["2", "0.02"]
    assert len({len(line.split("\t")) for line in lines[3:5] + lines[6:9]}) == 1
    assert trc.read(tmp_path / "pose.trc").skeleton.joints == ("LHip", "right_hip")


def test_in_opensim_y_is_up_and_a_person_faces_x(tmp_path):
    trc.write(standing(), tmp_path / "pose.trc")
    cells = (tmp_path / "pose.trc").read_text().split("\n")[6].split("\t")[2:]
    joints = dict(zip(HUMAN36M.joints, np.reshape(cells, (17, 3)).astype(float), strict=True))
    assert joints["head"][1] - joints["left_ankle"][1] > 1.5
    assert joints["right_wrist"][2] - joints["left_wrist"][2] > 0.3


def test_empty_cells_are_missing_markers(tmp_path):
    path = tmp_path / "pose.trc"
    trc.write(standing(), path)
    lines = path.read_text().split("\n")
    cells = lines[7].split("\t")
    cells[2:5], cells[-3:] = ["", "", ""], ["NaN"] * 3
    lines[7] = "\t".join(cells)
    lines[8] = "\t".join(lines[8].split("\t")[:-3])
    path.write_text("\n".join(lines))
    back = trc.read(path, HUMAN36M)
    assert np.argwhere(back.missing).tolist() == [[1, 0], [1, 16], [2, 16]] and not back.joints[back.missing].any()


@pytest.mark.parametrize(
    ("line", "old", "new", "message"),
    [
        (0, "4", "3", "line 1: expected 'PathFileType 4"),
        (1, "NumFrames", "Frames", "line 2: 'NumFrames'"),
        (2, "\t4\t", "\tfour\t", "line 3: invalid literal"),
        (2, "\t4\t", "\t5\t", "NumFrames is 5, but there are 4"),
        (2, "\t4\t", "\t999999999\t", "line 3: .*NumFrames 999999999"),
        (2, "\tm\t", "\tfeet\t", "line 3: .*Units 'feet'"),
        (2, "30\t", "0\t", "line 3: DataRate 0"),
        (3, "hip\t", "hip\t", ""),
        (3, "spine", "hip", "joints twice|duplicated"),
        (3, "spine", "", "line 4: 16 markers"),
        (7, "\t0.", "\tx0.", "line 8: could not convert"),
        (7, "\t0.", "\tinf0.", "line 8: could not convert"),
    ],
)
def test_strange_files_are_named(tmp_path, line, old, new, message):
    path = tmp_path / "pose.trc"
    trc.write(standing(), path)
    lines = path.read_text().split("\n")
    lines[line] = lines[line].replace(old, new) if line == 7 else lines[line].replace(old, new, 1)
    path.write_text("\n".join(lines))
    if not message:
        assert trc.read(path).num_frames == 4
        return
    with pytest.raises(ValueError, match=message) as error:
        trc.read(path)
    assert "pose.trc" in str(error.value)


def test_what_cannot_be_written_is_refused(tmp_path):
    path, pose = tmp_path / "pose.trc", standing()
    for changed, options, message in (
        (dataclasses.replace(pose, fps=None), {}, "needs frames per second"),
        (Pose3D(np.zeros((0, 17, 3)), HUMAN36M, 30), {}, "no frames"),
        (pose, {"unit": "cm"}, "unit 'cm'"),
        (pose, {"axes": "unreal"}, "unknown axes"),
        (pose, {"names": {"hip": "a b"}}, "marker name 'a b'"),
        (pose, {"names": {"hip": "spine"}}, "duplicated: spine"),
        (pose, {"names": {"hop": "a"}}, "no joint 'hop'"),
    ):
        with pytest.raises(ValueError, match=message):
            trc.write(changed, path, **options)
    assert not list(tmp_path.iterdir())
