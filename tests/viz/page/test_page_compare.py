import numpy as np
import pytest
from typer.testing import CliRunner

from skelgraph.cli.app import app
from skelgraph.errors import OutputExistsError
from skelgraph.poses.pose3d import Pose3D
from skelgraph.skeleton.builtin import COCO, HUMAN36M
from skelgraph.viz.page.compare import compare


@pytest.fixture
def files(tmp_path):
    made = []
    for number, (folder, skeleton) in enumerate((("sem_gcn", HUMAN36M), ("graformer", COCO))):
        (tmp_path / folder).mkdir()
        joints = np.random.default_rng(number).normal(size=(4, 17, 3))
        Pose3D(joints, skeleton).save(tmp_path / folder / "pose.npz")
        made.append(tmp_path / folder / "pose.npz")
    return made


def test_poses_of_several_models_are_named_by_their_folders(files, tmp_path):
    done = CliRunner().invoke(app, ["page", *map(str, files), "--out", str(tmp_path / "both.html")])
    assert done.exit_code == 0, done.output
    text = (tmp_path / "both.html").read_text()
    assert '"name":"sem_gcn"' in text and '"name":"graformer"' in text and "both" in text


def test_people_of_one_folder_are_named_by_their_files(files, tmp_path):
    pose = Pose3D.load(files[0])
    for number in (3, 7):
        pose.save(tmp_path / f"pose_{number}.npz")
    text = compare([tmp_path / "pose_3.npz", tmp_path / "pose_7.npz"], tmp_path / "a.html", files[0]).read_text()
    assert '"name":"pose_3"' in text and '"name":"pose_7"' in text and '"truth":{' in text


def test_what_does_not_fit_is_said(files, tmp_path):
    page = tmp_path / "a.html"
    page.write_text("mine")
    with pytest.raises(OutputExistsError, match="a.html"):
        compare(files, page)
    assert page.read_text() == "mine"
    with pytest.raises(ValueError, match="ends in .html"):
        compare(files, tmp_path / "a.png")
    with pytest.raises(ValueError, match="given twice"):
        compare([files[0], files[0]], page, force=True)
    short = Pose3D(Pose3D.load(files[1]).joints[:2], COCO)
    short.save(tmp_path / "short.npz")
    with pytest.raises(ValueError, match="'short' has 2 frames"):
        compare([files[0], tmp_path / "short.npz"], page, force=True)
    assert page.read_text() == "mine"
