"""Which camera of a calibration each keypoint file is of."""

from __future__ import annotations

import itertools
import re
from collections.abc import Collection, Sequence
from pathlib import Path


def pair(files: Sequence[str | Path], cameras: Collection[str], calibration: str | Path) -> dict[str, Path]:
    """Each file's camera: ``NAME=FILE``, or the camera whose name the file's name holds, or else its folder's name.

    Names are compared by their words and numbers: ``cam_01`` is in ``walk_cam01.json`` but not in ``cam010.json``.

    Args:
        files: at least two.
        cameras: their names.
        calibration: their file, for messages.

    Returns:
        The files by camera, in the cameras' order.

    Raises:
        ValueError: if a file fits no camera or several, or a file or camera is given twice; lists all.
    """
    paired: dict[str, Path] = {}
    for given in files:
        name, path = _camera_of(given, cameras)
        if name is None:
            listed = ", ".join(str(each) for each in files)
            raise ValueError(
                f"{path}: its name holds that of no camera of {calibration}, or of several. Cameras: "
                f"{', '.join(cameras)}; files: {listed}. Name the camera: {next(iter(cameras))}={path} and so on"
            )
        if name not in cameras:
            raise ValueError(f"{given}: {calibration} has no camera {name!r}; it has {', '.join(cameras)}")
        if name in paired:
            raise ValueError(f"{paired[name]} and {path}: both are of camera {name!r}; name each camera: NAME=FILE")
        paired[name] = path
    for (a, one), (b, other) in itertools.combinations(paired.items(), 2):
        if one.resolve() == other.resolve():
            raise ValueError(f"{one} and {other}: the same file, for the cameras {a!r} and {b!r}")
    if len(paired) < 2:
        raise ValueError(f"{', '.join(map(str, files)) or 'no file'}: several cameras need a file each, at least two")
    return {name: paired[name] for name in cameras if name in paired}


def _camera_of(given: str | Path, cameras: Collection[str]) -> tuple[str | None, Path]:
    """The camera's name, None where it is not known, and the file."""
    name, equals, rest = str(given).partition("=")
    if equals and not Path(given).exists():
        return name, Path(rest)
    path = Path(given)
    whole = path.resolve()
    for text in (whole.name if whole.is_dir() else whole.stem, whole.parent.name):
        words = {camera: _words(camera) for camera in cameras if _holds(_words(text), _words(camera))}
        longest = [n for n, w in words.items() if not any(v != w and _holds(v, w) for v in words.values())]
        if words:
            return (longest[0] if len(longest) == 1 else None), path
    return None, path


def _words(text: str) -> list[str]:
    return re.findall(r"[^\W\d_]+|\d+", text.lower())


def _holds(words: list[str], part: list[str]) -> bool:
    """Whether ``part`` is in ``words``, one after another."""
    return bool(part) and any(words[i : i + len(part)] == part for i in range(len(words) - len(part) + 1))
