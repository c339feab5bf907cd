"""Where tests find real data and the authors' fixtures, and the devices they run on."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
import torch
from result_tables import pytest_terminal_summary  # noqa: F401 - a hook


class Fixture(NamedTuple):
    """An authors' fixture: weights, inputs, outputs and how they were made."""

    state: dict[str, torch.Tensor]
    inputs: dict[str, torch.Tensor]
    outputs: dict[str, torch.Tensor]
    meta: dict


def _folder(variable: str) -> Path:
    folder = os.environ.get(variable)
    if not folder:
        pytest.skip(f"${variable} is not set: this test compares with files that are not part of the project")
    return Path(folder)


@pytest.fixture(scope="session")
def data_dir() -> Path:
    return _folder("SKELGRAPH_DATA")


@pytest.fixture(scope="session")
def fixture_npz() -> Callable[[str], dict[str, np.ndarray]]:
    """Loads ``$SKELGRAPH_FIXTURES/name.npz`` as plain arrays."""

    def load(name: str) -> dict[str, np.ndarray]:
        with np.load(_folder("SKELGRAPH_FIXTURES") / f"{name}.npz", allow_pickle=False) as file:
            return dict(file)

    return load


@pytest.fixture(scope="session")
def authors(fixture_npz: Callable[[str], dict[str, np.ndarray]]) -> Callable[[str], Fixture]:
    """Loads a fixture of the authors' code as tensors by group."""

    def load(name: str) -> Fixture:
        arrays = fixture_npz(name)

        def group(prefix: str) -> dict[str, torch.Tensor]:
            return {k[len(prefix) :]: torch.from_numpy(v) for k, v in arrays.items() if k.startswith(prefix)}

        return Fixture(group("state/"), group("in/"), group("out/"), json.loads(str(arrays["meta"])))

    return load


@pytest.fixture(params=["cpu", pytest.param("cuda", marks=pytest.mark.gpu)])
def device(request: pytest.FixtureRequest) -> torch.device:
    if request.param == "cuda" and not torch.cuda.is_available():
        pytest.skip("no CUDA device here")
    return torch.device(request.param)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What asks for a browser is marked ``browser``, and so left out of the default run."""
    for item in items:
        if "browser" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.browser)
