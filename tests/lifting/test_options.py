"""What files are lifted with."""

import dataclasses
import inspect

import pytest

import skelgraph
from skelgraph import LiftOptions
from skelgraph.cli.lift import lift as command


def test_options_are_a_frozen_value() -> None:
    options = LiftOptions(write="csv", fov=90)
    assert options == LiftOptions(write=("csv",), fov=90.0) and options.focal_px(1000) == pytest.approx(500)
    assert LiftOptions().focal_px(1000) is None and LiftOptions(focal=700).focal_px(1000) == 700
    with pytest.raises(dataclasses.FrozenInstanceError):
        options.fov = 60  # type: ignore[misc]
    with pytest.raises(TypeError, match="smoth"):
        skelgraph.lift("none.npz", "out", smoth=True)


def test_options_of_one_camera_and_of_several() -> None:
    LiftOptions(fov=60, flip=False, axes="blender").check_cameras(1, several=False)
    LiftOptions(up="z", refine=True, axes="world").check_cameras(4, several=True)
    for options, files, several, said in (
        ({"up": "z", "refine": True}, 1, False, "up=, refine=True.*calibration="),
        ({"axes": "world"}, 1, False, "world"),
        ({}, 4, False, "4 files.*calibration="),
        ({"flip": False, "image_size": (640, 480)}, 4, True, "image_size=, flip=False"),
        ({"person": "all"}, 4, True, "person='all'"),
        ({"axes": "camera"}, 4, True, "camera"),
    ):
        with pytest.raises(ValueError, match=said):
            LiftOptions(**options).check_cameras(files, several=several)


def test_files_and_calibration_decide_what_is_lifted(tmp_path) -> None:
    with pytest.raises(ValueError, match="2 files"):
        skelgraph.lift(["a.npz", "b.npz"], tmp_path / "out")
    with pytest.raises(FileNotFoundError, match="Calib.toml"):
        skelgraph.lift(["a.npz", "b.npz"], tmp_path / "out", tmp_path / "Calib.toml")
    with pytest.raises(FileNotFoundError, match="a.npz"):
        skelgraph.lift(str(tmp_path / "a.npz"), tmp_path / "out")


def test_the_command_has_every_option() -> None:
    fields = {field.name for field in dataclasses.fields(LiftOptions)}
    typed = {"no_flip": "flip", "plugin": "plugins"}
    parameters = {typed.get(name, name) for name in inspect.signature(command).parameters}
    assert parameters == fields | {"keypoints", "out", "calibration"}
