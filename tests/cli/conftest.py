"""Commands that draw no pictures."""

import pytest


@pytest.fixture(autouse=True)
def _without_pictures(no_pictures: None) -> None:
    """Of tests that do not ask for ``pictures``."""
