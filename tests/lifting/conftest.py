"""Lifts without their pictures, which take longest."""

from pathlib import Path

import pytest

from skelgraph.files import atomic
from skelgraph.lifting import output_files


def blank(keypoints: object, pose: object, path: str | Path, truth: object = None) -> Path:
    """In place of ``draw_pose``, which is tested where it is defined."""
    atomic.write(Path(path), b"\x89PNG")
    return Path(path)


@pytest.fixture
def pictures() -> None:
    """Asked for by tests whose lifts draw their pictures."""


@pytest.fixture(autouse=True)
def _blank_pictures(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if "pictures" not in request.fixturenames:
        monkeypatch.setattr(output_files, "draw_pose", blank)
