"""Where tests find real data and the authors' fixtures, and the devices they run on."""

import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch


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


FIXTURE_ERROR = re.compile(r"(?P<name>.+): largest absolute error \((?P<where>.+)\)")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Prints the tables that tests filled through ``record_property``.

    ``"NAME: largest absolute error (WHERE)"`` is a row of the fixtures' errors, ``"layers | LAYER | COLUMN"`` a cell of
    the layers' table; of a cell filled more than once the largest number stays.
    """
    fixtures: dict[tuple[str, str], Any] = {}
    cells: dict[tuple[str, str], Any] = {}
    reports = [r for group in terminalreporter.stats.values() for r in group if getattr(r, "when", "") == "call"]
    for name, value in [pair for report in reports for pair in report.user_properties]:
        if match := FIXTURE_ERROR.fullmatch(name):
            fixtures[match["name"], match["where"]] = max(value, fixtures.get((match["name"], match["where"]), 0.0))
        elif name.startswith("layers | "):
            key = tuple(name.split(" | ")[1:])
            cells[key] = max(value, cells.get(key, value))
    if fixtures:
        terminalreporter.section("largest absolute error against the authors' fixtures")
        for (name, where), value in sorted(fixtures.items()):
            terminalreporter.write_line(f"{name:<24} {where:<20} {value:.1e}")
    if cells:
        terminalreporter.section("layers: largest error in float64")
        columns = list(dict.fromkeys(column for _, column in cells))
        terminalreporter.write_line("".join(f"{text:<20}" if not i else f"{text:>10}" for i, text in enumerate(["layer", *columns])))
        for row in sorted({row for row, _ in cells}):
            values = [cells.get((row, column), "-") for column in columns]
            terminalreporter.write_line(f"{row:<20}" + "".join(f"{v if isinstance(v, str) else format(v, '.1e'):>10}" for v in values))


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What asks for a browser is marked ``browser``, and so left out of the default run."""
    for item in items:
        if "browser" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.browser)
