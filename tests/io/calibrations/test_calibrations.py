"""Every format of calibrated cameras: the same rig written in each is read back; wrong files say what is wrong."""

import copy
import json

import numpy as np
import pytest
import torch
from calibration_files import METRES, RIG, WRITTEN, assert_is_the_rig, own_fields, plain, rotation_vector, toml, write
from hypothesis import given, settings
from hypothesis import strategies as st

from skelgraph.geometry.cameras import Camera
from skelgraph.geometry.human36m import human36m_cameras
from skelgraph.io import calibrations
from skelgraph.io.calibrations import content, fields, human36m


def test_what_is_tested_are_registered_formats():
    assert set(WRITTEN) <= {each.NAME for each in calibrations.FORMATS}


@pytest.mark.parametrize("format", WRITTEN)
def test_a_rig_is_read_back_from_every_format_whatever_its_name(format, tmp_path):
    name, text = WRITTEN[format]
    for file in (name, "nameless"):
        path = write(tmp_path, text(), file)
        assert_is_the_rig(calibrations.read(path))
        assert_is_the_rig(calibrations.read(str(path), format=format))
    bytes_with_mark = tmp_path / "marked"
    bytes_with_mark.write_bytes(b"\xef\xbb\xbf" + text().replace("\n", "\r\n").encode())
    assert_is_the_rig(calibrations.read(bytes_with_mark))


@pytest.mark.parametrize("unit", METRES)
def test_a_unit_can_be_told(unit, tmp_path):
    path = write(tmp_path, toml(unit, ""))
    assert_is_the_rig(calibrations.read(path, unit=unit))
    scaled = calibrations.read(path)
    for camera in RIG:
        torch.testing.assert_close(scaled[camera.name].T, camera.T * 0.001 / METRES[unit])


def test_plain_json_says_its_unit_itself(tmp_path):
    values = json.loads(plain())
    values["unit"] = "mm"
    for camera in values["cameras"].values():
        camera["T"] = [1000 * value for value in camera["T"]]
    path = write(tmp_path, json.dumps(values))
    assert_is_the_rig(calibrations.read(path))
    with pytest.raises(ValueError, match=r"\(plain\): the file says its unit itself \(mm\): leave unit out"):
        calibrations.read(path, unit="cm")


def test_what_is_written_is_read_back_exactly(tmp_path):
    path = tmp_path / "rig.json"
    calibrations.write(path, RIG)
    assert_is_the_rig(calibrations.read(path), atol=0)
    with pytest.raises(ValueError, match="two cameras are called 'S1/54138969'"):
        calibrations.write(path, [RIG[0], RIG[0]])
    assert_is_the_rig(calibrations.read(path), atol=0)


def transposed(camera):
    return {**own_fields(camera), "R": camera.R.mT.tolist()}


def test_the_published_human36m_file_is_read_upright_though_its_R_is_transposed(data_dir):
    """That file's R take camera to world; the embedded cameras are those of the test of their uprightness."""
    found = calibrations.read(data_dir / "human36m_cameras.json")
    embedded = human36m_cameras()
    assert set(found) == set(embedded.names)
    for name, camera in zip(embedded.names, embedded.flatten(), strict=True):
        assert all(getattr(found[name], key).equal(getattr(camera, key)) for key in "RTfckp")
        assert found[name].R[1, 2] < -0.9  # down in the image is down in the world


@pytest.mark.parametrize("names", [[camera.name] for camera in RIG] + [[camera.name for camera in RIG]])
def test_human36m_is_read_either_way_round_even_of_one_camera(names, tmp_path):
    for way in (own_fields, transposed):
        path = write(tmp_path, json.dumps({camera.name: way(camera) for camera in RIG if camera.name in names}))
        for name, camera in calibrations.read(path).items():
            torch.testing.assert_close(camera.R, human36m_cameras()[name].R, rtol=0, atol=0)


def test_human36m_that_looks_elsewhere_is_refused_not_guessed(tmp_path):
    values = own_fields(RIG[0])
    away = {**values, "T": [-value for value in values["T"]]}
    symmetric = {**values, "R": [[1, 0, 0], [0, -1, 0], [0, 0, -1]], "T": [0, 0, 5]}
    for cameras in ({"a": away}, {"a": symmetric}):
        with pytest.raises(ValueError, match="transpose.*write them as plain JSON"):
            calibrations.read(write(tmp_path, json.dumps(cameras)))
    assert human36m.MAX_ANGLE == 20


def test_pose2sims_first_camera_is_that_of_its_recording(tmp_path, data_dir):
    """cam_01 of Pose2Sim's demo (BSD-3), whose numbers are facts, against the matrix that the recording holds."""
    text = """[cam_01]
name = "cam_01"
size = [ 1088.0, 1920.0]
matrix = [ [ 1681.244873046875, 0.0, 532.97369384375], [ 0.0, 1681.075439453125, 948.137390140625], [ 0.0, 0.0, 1.0]]
distortions = [ -0.000721609375, 0.002187234375, 9.5e-06, 1.078125e-05]
rotation = [ 1.6882754799999993, 1.0483220499999997, -0.41955852000000016]
translation = [ 0.3211048899999996, 0.9563320600000009, 2.8907130499999996]
fisheye = false

[metadata]
adjusted = false
error = 0.0
"""
    camera = calibrations.read(write(tmp_path, text))["cam_01"]
    with np.load(data_dir / "pose2sim_multiview.npz", allow_pickle=False) as file:
        P = torch.from_numpy(file["P"][0]) * torch.tensor([1000.0, 1000.0, 1000.0, 1.0])
    torch.testing.assert_close(camera.P / camera.P[2, 3], P / P[2, 3], rtol=1e-6, atol=1e-6)
    assert camera.k[2] == 0 and camera.p.tolist() == [9.5e-06, 1.078125e-05]
    assert camera.image_size.tolist() == [1088, 1920]


def test_rodrigues_formula():
    for camera in RIG:
        vector = torch.tensor(rotation_vector(camera.R), dtype=torch.float64)
        torch.testing.assert_close(fields.place(vector, torch.zeros(3).double())["R"], camera.R, rtol=0, atol=1e-12)
    assert fields.place(torch.zeros(3).double(), torch.zeros(3).double())["R"].equal(torch.eye(3, dtype=torch.float64))


def changed(text, path, value):
    """The JSON ``text`` with the entry at ``path`` set, or taken away where ``value`` is ``...``."""
    values = copy.deepcopy(json.loads(text))
    at = values
    for key in path[:-1]:
        at = at[key]
    if value is ...:
        del at[path[-1]]
    else:
        at[path[-1]] = value
    return json.dumps(values)


A = "S1/54138969"
WRONG = [
    ("plain", ["cameras", A, "f", 0], 0, rf"camera '{A}': f must be positive \(px\), found \[0.0, 1143"),
    ("plain", ["cameras", A, "R"], ..., rf"camera '{A}': R is missing; there: 'T', 'f'"),
    ("plain", ["cameras", A, "R"], [[2, 0, 0], [0, 2, 0], [0, 0, 2]], r"R is not a rotation: det\(R\) = 8"),
    ("plain", ["cameras", A, "R"], [[1, 0, 0]], r"R must have shape \[3, 3\], found \[1, 3\]"),
    ("plain", ["cameras", A, "T"], [1, 2, "x"], "T: expected numbers only, found 'x'"),
    ("plain", ["cameras", A, "T"], [1, 2, None], "T: expected numbers only, found None"),
    ("plain", ["cameras", A, "width"], 10.5, "width, height must be a width and a height in whole px"),
    ("plain", ["cameras", A, "skew"], 1, "unknown field 'skew'; valid: R, T, f, c, k, p, width, height"),
    ("plain", ["cameras", A], 3, f"camera '{A}': expected a mapping of fields, found int"),
    ("plain", ["unit"], ..., "unit must be one of m, cm, mm, found None"),
    ("plain", ["units"], "m", "unknown key 'units'; valid: unit, cameras"),
    ("plain", ["cameras"], {}, "holds no camera"),
    ("panoptic", ["cameras", 0, "name"], ..., r"cameras\[0\] has no name"),
    ("panoptic", ["cameras", 1, "name"], A, f"two cameras are called '{A}'"),
    ("panoptic", ["cameras", 0, "K", 0, 1], 5, r"K must be \[\[fx, 0, cx\], \[0, fy, cy\], \[0, 0, 1\]\], found"),
    ("panoptic", ["cameras", 0, "distCoef"], [0, 0], r"distCoef must have shape \[5\], found \[2\]"),
    ("panoptic", ["cameras"], [], "holds no camera"),
    ("panoptic", ["cameras", 0], None, r"cameras\[0\] has no name"),
    ("human36m", [A, "k"], ..., f"camera '{A}': k is missing"),
    ("human36m", [A, "f"], [-1, 5], "f must be positive"),
]


@pytest.mark.parametrize(("format", "path", "value", "message"), WRONG)
def test_wrong_json_names_file_camera_and_field(format, path, value, message, tmp_path):
    file = write(tmp_path, changed(WRITTEN[format][1](), path, value), "wrong.json")
    with pytest.raises(ValueError, match=rf"wrong.json \({format}\): .*{message}"):
        calibrations.read(file)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("fisheye = false", "fisheye = true", f"camera '{A}': a fisheye lens is another model"),
        (f'name = "{A}"', 'name = "S1/55011271"', "two cameras are called 'S1/55011271'"),
        (f'name = "{A}"', "name = 7", "camera 'cam_0': name must be a word, found 7"),
        ("size = [1000, 1002]", "size = [1000]", r"size must have shape \[2\], found \[1\]"),
        ("size = [1000, 1002]", "size = [0, 2]", "size must be a width and a height in whole px"),
        ("translation", "translated", "translation is missing; there: 'name', 'fisheye'"),
        ("[metadata]", "[board]", "camera 'board': matrix is missing"),
        ("distortions = [", "distortions = [1, 2, 3, ", r"distortions has .*8 coefficients|the distortion has 8"),
        ("rotation = [", "rotation = [nan, ", "rotation: holds a number too large|rotation must have shape"),
    ],
)
def test_wrong_toml_names_file_camera_and_field(old, new, message, tmp_path):
    text = toml("m", "fisheye = false\n")
    assert old in text
    file = write(tmp_path, text.replace(old, new, 1), "Calib.toml")
    with pytest.raises(ValueError, match=rf"Calib.toml \((pose2sim|anipose)\): .*({message})"):
        calibrations.read(file)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"no calibration format is known with the keys \(none\)"),
        ("{}", r"no calibration format is known with the keys \(none\)"),
        ('{"a": 1}', "no calibration format is known with the keys 'a'; those that are read: plain, panoptic"),
        ("[x]\ny = 1\n", "no calibration format is known with the keys 'x'"),
        ("cameras = ", "neither JSON nor OpenCV's YAML or XML, and not readable as TOML: Invalid value"),
        ('{"a": 1, "a": 2}', "key 'a' is duplicated"),
        ("{", "line 1: not readable as JSON"),
        ("x = " + "[" * 100_000, "nested too deep|not readable as TOML"),
    ],
)
def test_what_is_no_calibration_says_so(text, message, tmp_path):
    with pytest.raises(ValueError, match=f"calibration.*({message})"):
        calibrations.read(write(tmp_path, text))


def test_paths_formats_and_units_that_are_wrong(tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere: no such file"):
        calibrations.read(tmp_path / "nowhere")
    with pytest.raises(ValueError, match="is a folder without intri.yml and extri.yml"):
        calibrations.read(tmp_path)
    path = write(tmp_path, plain())
    with pytest.raises(ValueError, match="'pose2sin'.*'pose2sim'"):
        calibrations.read(path, format="pose2sin")
    with pytest.raises(ValueError, match="inch.*m, cm, mm"):
        calibrations.read(path, unit="inch")
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ValueError, match="binary: not text in UTF-8: byte 0"):
        calibrations.read(tmp_path / "binary")
    (tmp_path / "large").write_bytes(b" " * (content.MAX_BYTES + 1))
    with pytest.raises(ValueError, match="large: 4000001 bytes; at most 4000000 are read"):
        calibrations.read(tmp_path / "large")


@pytest.mark.parametrize("format", WRITTEN)
@pytest.mark.parametrize("told", WRITTEN)
def test_insisting_on_the_wrong_format_is_an_error_that_names_it(format, told, tmp_path):
    path = write(tmp_path, WRITTEN[format][1]())
    if {format, told} in ({"pose2sim", "anipose"}, {format}):
        return
    with pytest.raises(ValueError, match=rf"calibration \({told}\): "):
        calibrations.read(path, format=told)


@settings(max_examples=100, deadline=None)
@given(format=st.sampled_from(sorted(WRITTEN)), data=st.data())
def test_a_damaged_file_is_read_or_refused_with_a_message(format, data, tmp_path_factory):
    raw = WRITTEN[format][1]().encode()
    at = data.draw(st.integers(0, len(raw)))
    hurt = raw[:at] + data.draw(st.binary(max_size=6)) + raw[at + data.draw(st.integers(0, 40)) :]
    path = tmp_path_factory.getbasetemp() / "damaged"
    path.write_bytes(hurt)
    try:
        cameras = calibrations.read(path)
    except ValueError as error:
        assert "damaged" in str(error)
    else:
        assert all(isinstance(camera, Camera) for camera in cameras.values())
