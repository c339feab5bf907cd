"""OpenCV's own files, EasyMocap's pair and one camera a file; YAML and XML from strangers.

`opencv.yml` and `opencv.xml` are written by OpenCV 5.0.0 (opencv-python-headless, numpy)::

    import sys
    import cv2, numpy as np
    for path in sys.argv[1:]:
        fs = cv2.FileStorage(path, cv2.FILE_STORAGE_WRITE)
        fs.startWriteStruct("names", cv2.FILE_NODE_SEQ)
        for name in ("01", "left"):
            fs.write("", name)
        fs.endWriteStruct()
        for i, name in enumerate(("01", "left")):
            fs.write("K_" + name, np.array([[1145.05 + i, 0, 512.54], [0, 1143.78, 515.45], [0, 0, 1]]))
            fs.write("dist_" + name, np.array([[-0.2071, 0.24777, -1.42e-05, -0.000976, -0.00308]]))
            rvec = np.array([[1.258], [-1.292 + i], [1.178]])
            fs.write("R_" + name, rvec)
            fs.write("Rot_" + name, cv2.Rodrigues(rvec)[0])
            fs.write("T_" + name, np.array([[0.453], [1.048 - i], [4.957]]))
            fs.write("W_" + name, 1000)
            fs.write("H_" + name, 1002)
        fs.release()
"""

from pathlib import Path

import pytest
import torch
from calibration_files import METRES, RIG, assert_is_the_rig, opencv, write

from skelgraph.io import calibrations
from skelgraph.io.calibrations import file_storage

HERE = Path(__file__).parent
ONE = """%YAML:1.0
---
calibration_time: "Tue 10 Nov 2026"
image_width: 640
image_height: 480
camera_matrix: !!opencv-matrix
   rows: 3
   cols: 3
   dt: d
   data: [ 5.0e+02, 0., 320., 0., 501., 240., 0., 0., 1. ]
distortion_coefficients: !!opencv-matrix
   rows: 5
   cols: 1
   dt: d
   data: [ -0.2, 1.0e-01, 1.0e-03, -2e-3, 0. ]
R: !!opencv-matrix
   rows: 3
   cols: 3
   dt: d
   data: [ 0., -1., 0., 0., 0., -1., 1., 0., 0. ]
T: !!opencv-matrix
   rows: 3
   cols: 1
   dt: d
   data: [ 1., 2., 3. ]
"""


@pytest.mark.parametrize("name", ["opencv.yml", "opencv.xml"])
def test_opencvs_own_files_are_read(name):
    cameras = calibrations.read(HERE / name)
    assert list(cameras) == ["01", "left"]
    for i, camera in enumerate(cameras.values()):
        assert camera.f.tolist() == [1145.05 + i, 1143.78] and camera.c.tolist() == [512.54, 515.45]
        assert camera.k.tolist() == [-0.2071, 0.24777, -0.00308] and camera.p.tolist() == [-1.42e-05, -0.000976]
        assert camera.image_size.tolist() == [1000, 1002]
        expected = torch.tensor([0.453, 1.048 - i, 4.957], dtype=torch.float64)
        torch.testing.assert_close(-(camera.R @ camera.T), expected)


def test_the_rotation_vector_and_the_matrix_that_opencv_made_of_it_agree(tmp_path):
    text = (HERE / "opencv.yml").read_text(encoding="utf-8")
    by_matrix = calibrations.read(write(tmp_path, text))
    by_vector = calibrations.read(write(tmp_path, text.replace("Rot_", "Other_")))
    for name, camera in by_matrix.items():
        torch.testing.assert_close(by_vector[name].R, camera.R, rtol=0, atol=1e-12)


@pytest.mark.parametrize("rotation", ["R", "Rot"])
@pytest.mark.parametrize("first", ["%YAML:1.0\n---\n", "%YAML 1.2\n---\n", ""])
def test_easymocaps_pair_of_files_in_a_folder(rotation, first, tmp_path):
    write(tmp_path, opencv(first, ("K", "dist", "W", "H")), "intri.yml")
    write(tmp_path, opencv(first, (rotation, "T")), "extri.yml")
    assert_is_the_rig(calibrations.read(tmp_path))


def test_a_pair_that_does_not_belong_together_is_refused(tmp_path):
    write(tmp_path, opencv(keep=("K", "dist", "W", "H")), "intri.yml")
    write(tmp_path, opencv(keep=("K", "R", "T")), "extri.yml")
    with pytest.raises(ValueError, match="'K_S1/54138969' is in both intri and extri"):
        calibrations.read(tmp_path)
    write(tmp_path, opencv(keep=("R", "T")).replace('   - "S1/54138969"\n', "", 1), "extri.yml")
    with pytest.raises(ValueError, match="intri names .* and extri"):
        calibrations.read(tmp_path)


def test_one_camera_as_opencvs_calibration_sample_writes_it(tmp_path):
    (camera,) = calibrations.read(write(tmp_path, ONE)).values()
    assert camera.name == "camera" and camera.f.tolist() == [500, 501] and camera.k.tolist() == [-0.2, 0.1, 0]
    assert camera.p.tolist() == [0.001, -0.002] and camera.image_size.tolist() == [640, 480]
    torch.testing.assert_close(
        camera.to_camera(torch.zeros(3, dtype=torch.float64)), torch.tensor([1.0, 2, 3]).double()
    )
    named = calibrations.read(write(tmp_path, ONE + "camera_name: left\n"), unit="mm")
    torch.testing.assert_close(named["left"].T, METRES["mm"] * camera.T)


def test_an_image_size_that_the_file_lacks_is_asked_for(tmp_path):
    path = write(tmp_path, opencv(keep=("K", "dist", "R", "T")))
    with pytest.raises(
        ValueError, match="camera 'S1/54138969': the file does not say how large the image is: give image"
    ):
        calibrations.read(path)
    cameras = calibrations.read(path, image_size=(640, 480))
    assert {tuple(camera.image_size.tolist()) for camera in cameras.values()} == {(640, 480)} and len(cameras) == len(
        RIG
    )


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("T: !!", "Tee: !!", "camera 'camera': T or t or tvec is missing; there: calibration_time, image_width"),
        ("   rows: 3\n   cols: 3", "   rows: 2\n   cols: 3", "camera_matrix says 2 x 3 and holds 9 numbers"),
        ("data: [ 1., 2., 3. ]", "data: [ 1., 2. ]", r"T must have shape \[3\], found \[2\]"),
        ("data: [ 1., 2., 3. ]", "data: [ 1., .Nan, 3. ]", "T: holds a number too large|T: expected numbers"),
        ("data: [ 1., 2., 3. ]", "data: [ 1., x, 3. ]", "T: expected numbers only, found 'x'"),
        ("[ 5.0e+02, 0.,", "[ -5., 0.,", r"f must be positive \(px\), found \[-5.0, 501.0\]"),
        ("[ 0., -1., 0., 0.,", "[ 0., 1., 0., 0.,", r"R is not a rotation: det\(R\) = -1"),
        ("rows: 5\n   cols: 1", "rows: 8\n   cols: 1", "says 8 x 1 and holds 5"),
        ("image_width: 640", "image_width: 640.5", "image_width, image_height must be a width and a height"),
        ("T: !!opencv-matrix", "T:", None),
    ],
)
def test_wrong_matrices_name_file_camera_and_field(old, new, message, tmp_path):
    assert old in ONE
    path = write(tmp_path, ONE.replace(old, new, 1), "one.yml")
    if message is None:
        assert len(calibrations.read(path)) == 1
        return
    with pytest.raises(ValueError, match=rf"one.yml \(opencv\): .*({message})"):
        calibrations.read(path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "---\nx: !!python/object/apply:os.system [echo]\n",
            "line 2: tag .*python/object/apply:os.system' is not allowed",
        ),
        ("---\nx: !!opencv-matrix [1]\n", "line 2: tag .*opencv-matrix' is not allowed"),
        ("---\nx: !!opencv-nd-matrix {a: 1}\n", "opencv-nd-matrix' is not allowed"),
        ("%YAML:1.0\n---\na: &x 1\nb: *x\n", "line 3: anchors and aliases are not allowed"),
        ("---\na: 1\na: 2\n", "line 3: key 'a' is duplicated"),
        ("---\n" + "[" * 200, "nested deeper than 32"),
        ("---\n- 1\n", "expected a mapping of names to values, not a list"),
        ("---\n" + "a" * 1_000_001, "a YAML file may hold at most 1000000"),
    ],
)
def test_yaml_that_is_more_than_values_is_refused(text, message, tmp_path):
    with pytest.raises(ValueError, match=f"calibration.*{message}"):
        calibrations.read(write(tmp_path, text))


BOMB = """<?xml version="1.0"?>
<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]>
<opencv_storage><names>&b;</names></opencv_storage>"""


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (BOMB, "a DOCTYPE is not read; OpenCV writes none"),
        ('<!DOCTYPE x SYSTEM "file:///etc/passwd"><opencv_storage/>', "a DOCTYPE is not read"),
        ("<opencv_storage><a>&b;</a></opencv_storage>", "line 1: not readable as XML: undefined entity"),
        ("<opencv_storage>\n<a></opencv_storage>", "line 2: not readable as XML: mismatched tag"),
        ("<calibration/>", "expected <opencv_storage>, found <calibration>"),
        ("<opencv_storage><a>1</a><a>2</a></opencv_storage>", "<a> is duplicated"),
        ("<opencv_storage>" + " " * 1_000_000 + "</opencv_storage>", "an XML file may hold at most 1000000"),
        ("<opencv_storage>" + "<a>" * 100_000 + "</a>" * 40_000, "not readable as XML"),
    ],
)
def test_xml_from_strangers_is_refused_where_it_is_odd(text, message, tmp_path):
    with pytest.raises(ValueError, match=f"calibration.*{message}"):
        calibrations.read(write(tmp_path, text))


def test_values_in_opencvs_xml():
    text = """<?xml version="1.0" encoding="latin-1"?><opencv_storage><a>1</a><b>-1.5e-3</b><c>"01"</c><d>word</d>
    <e>"01" two 3</e><f><_>"01"</_><_>x</_></f><g><inner>1</inner></g><h></h>
    <m type_id="opencv-matrix"><rows>1</rows><cols>2</cols><dt>d</dt><data>1. -2e1</data></m></opencv_storage>"""
    assert file_storage.parse_xml(text, "x") == {
        **{"a": 1, "b": -0.0015, "c": "01", "d": "word", "e": ["01", "two", 3], "f": ["01", "x"], "g": None, "h": []},
        "m": {"rows": 1, "cols": 2, "dt": "d", "data": [1.0, -20.0]},
    }


def test_deep_xml_is_read_or_refused_without_harm():
    text = "<opencv_storage>" + "<a>" * 100_000 + "</a>" * 100_000 + "</opencv_storage>"
    assert file_storage.parse_xml(text, "x") == {"a": None}
