"""Which camera a keypoint file is of."""

from pathlib import Path

import pytest

from skelgraph.multiview.pairing import pair


def test_a_file_is_of_the_camera_that_its_name_or_its_folders_holds(tmp_path):
    rig = ["cam_01", "cam_02", "left", "left_far", "7"]
    for given, name in (
        ("walk_cam01.json", "cam_01"),
        ("CAM-02_keypoints", "cam_02"),
        ("cam_01/keypoints.json", "cam_01"),
        ("walk.left.far.npz", "left_far"),
        ("walk_left.npz", "left"),
        ("take7.csv", "7"),
    ):
        other = "left=x.npz" if name != "left" else "7=x.npz"
        assert pair([tmp_path / given, other], rig, "Calib.toml")[name] == tmp_path / given
    assert pair(["left=a=b.npz", "7=c.npz"], rig, "c") == {"left": Path("a=b.npz"), "7": Path("c.npz")}


@pytest.mark.parametrize(
    ("files", "said"),
    [
        (
            ["cam1.npz", "cam2.npz"],
            "/cam1.npz: its name holds .* no camera of .*Calib.toml, .* Cameras: cam",
        ),
        (["cam_010.npz", "cam_02.npz"], "cam_010.npz: its name holds that of no camera"),
        (
            ["cam_01_cam_02.npz", "cam_02.npz"],
            "files: .*cam_01_cam_02.npz, .*cam_01=.*cam",
        ),
        (["a/cam_01.npz", "b/cam_01.npz"], "a/cam_01.npz and .*b/cam_01.npz: both are of camera 'cam_01'"),
        (["cam_01=x.npz", "cam_02=x.npz"], "x.npz and x.npz: the same file, for the cameras 'cam_01' and 'cam_02'"),
        (["cam_03=x.npz", "cam_02.npz"], "Calib.toml has no camera 'cam_03'; it has cam_01, cam_02"),
        (["cam_01.npz"], "cam_01.npz: several cameras need a file each, at least two"),
    ],
)
def test_files_whose_camera_is_not_clear_are_listed(tmp_path, files, said):
    given = [file if "=" in file else tmp_path / file for file in files]
    with pytest.raises(ValueError, match=said):
        pair(given, ["cam_01", "cam_02"], "Calib.toml")
