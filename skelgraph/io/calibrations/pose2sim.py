"""Pose2Sim's ``Calib.toml``: a section a camera with name, size, matrix, distortions, rotation, translation, fisheye.

``x_cam = exp([rotation]_x) x_world + translation`` in metres; distortions are OpenCV's k1, k2, p1, p2 and, where there
is a fifth, k3. Told from Anipose's by ``fisheye``, which Pose2Sim writes in every section.
"""

from __future__ import annotations

from typing import Any

from skelgraph.errors import FormatError
from skelgraph.geometry.cameras import Camera
from skelgraph.io.calibrations import fields

NAME = "pose2sim"
UNIT = "m"
_NO_CAMERAS = ("metadata",)
_NEEDED = {"matrix", "distortions", "rotation", "translation"}


def matches(content: dict[str, Any]) -> bool:
    return holds_cameras(content) and all("fisheye" in value for value in sections(content).values())


def read(content: dict[str, Any], metres: float, image_size: tuple[int, int] | None = None) -> list[Camera]:
    cameras: dict[str, Camera] = {}
    for key in sections(content):
        section = fields.section(content, key)
        name = section.get("name", key)
        if not isinstance(name, str):
            raise FormatError(f"camera {key!r}: name must be a word, found {name!r}")
        if name in cameras:
            raise FormatError(f"two cameras are called {name!r}")
        if section.get("fisheye", False) is not False:
            raise FormatError(
                f"camera {name!r}: a fisheye lens is another model than k1, k2, p1, p2, k3; it is not read"
            )
        cameras[name] = fields.from_opencv(
            name,
            fields.numbers(section, "matrix", name, (3, 3)),
            fields.numbers(section, "distortions", name, (4,), (5,), (8,), (12,), (14,)),
            fields.numbers(section, "rotation", name, (3,), (3, 3)),
            fields.numbers(section, "translation", name, (3,)),
            fields.size(fields.numbers(section, "size", name, (2,)), name, "size"),
            metres,
        )
    return list(cameras.values())


def sections(content: dict[str, Any]) -> dict[str, Any]:
    """What should be cameras."""
    return {key: value for key, value in content.items() if key not in _NO_CAMERAS}


def holds_cameras(content: dict[str, Any]) -> bool:
    """Whether at least one section looks like a camera, and all are sections."""
    values = list(sections(content).values())
    return all(isinstance(value, dict) for value in values) and any(len(_NEEDED & set(value)) >= 2 for value in values)
