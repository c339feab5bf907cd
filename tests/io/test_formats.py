"""Every format fulfils its Protocol and is registered."""

import inspect
import typing
from pathlib import Path

import pytest

from skelgraph.io import calibrations, keypoints, motions, poses

BESIDE = ("content", "fields", "file_storage", "format")
KINDS = [
    (keypoints.KeypointFormat, keypoints.FORMATS, "keypoints/formats", ()),
    (poses.PoseFormat, poses.FORMATS, "poses/formats", ()),
    (motions.MotionFormat, motions.FORMATS, "motions", ("format",)),
    (
        calibrations.CalibrationFormat,
        calibrations.FORMATS,
        "calibrations",
        BESIDE,
    ),
]
ids = ["keypoints", "poses", "motions", "calibrations"]


@pytest.mark.parametrize(("protocol", "formats", "folder", "others"), KINDS, ids=ids)
def test_every_file_is_registered_once(protocol, formats, folder, others):
    files = {path.stem for path in (Path(keypoints.__file__).parents[1] / folder).glob("*.py")}
    registered = [each.__name__.rpartition(".")[2] for each in formats]
    assert sorted(registered) == sorted(files - {"__init__", *others})


@pytest.mark.parametrize(("protocol", "formats", "folder", "others"), KINDS, ids=ids)
def test_every_format_has_what_its_protocol_names(protocol, formats, folder, others):
    for member, declared in vars(protocol).items():
        if isinstance(declared, property):
            expected = typing.get_type_hints(declared.fget)["return"]
            for each in formats:
                assert isinstance(getattr(each, member), typing.get_origin(expected) or expected), (each, member)
        elif inspect.isfunction(declared) and not member.startswith("_"):
            for each in formats:
                check_takes(getattr(each, member), declared)


def check_takes(function, declared):
    """Arguments are called the same and in the same order; what a format takes beyond has a default."""
    needed = list(inspect.signature(declared).parameters.values())[1:]
    taken, names = inspect.signature(function).parameters, [each.name for each in needed]
    assert [name for name in taken if name in names] == names, function
    for each in needed:
        assert taken[each.name].kind == each.kind, (function, each)
        assert each.default is each.empty or taken[each.name].default == each.default, (function, each)
    more = [value for name, value in taken.items() if name not in names]
    assert all(value.default is not value.empty for value in more), function


def test_names_and_endings_are_unique():
    for formats in (keypoints.FORMATS, calibrations.FORMATS):
        assert len({each.NAME for each in formats}) == len(formats)
    for formats in (poses.FORMATS, motions.FORMATS):
        assert len({each.ENDING for each in formats}) == len(formats)
