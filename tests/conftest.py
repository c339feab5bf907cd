"""Where tests find real data and the authors' fixtures, and the devices they run on."""

import json
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import another_process as another_process_script
import numpy as np
import pytest
import torch
from benchmark_scripts import benchmark  # noqa: F401 - a fixture
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
def device(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> torch.device:
    """The CPU, and with ``-m gpu`` a GPU that computes as exactly: without TF32, which convolutions use by default."""
    if request.param == "cuda":
        if not torch.cuda.is_available():
            pytest.skip("no CUDA device here")
        monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", False)
        monkeypatch.setattr(torch.backends.cuda.matmul, "allow_tf32", False)
    return torch.device(request.param)


@pytest.fixture
def default_signals() -> Iterator[None]:
    """Ctrl-C, termination and hang-up as in a terminal, also where the run began with them ignored (nohup, ``&``)."""
    handlers = {
        signal.SIGINT: signal.default_int_handler,
        signal.SIGTERM: signal.SIG_DFL,
        signal.SIGHUP: signal.SIG_DFL,
    }
    before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture(scope="session")
def another_process(tmp_path_factory: pytest.TempPathFactory) -> dict:
    """The report of ``another_process.py``, from a fork."""
    return another_process_script.forked(tmp_path_factory.mktemp("another_process"))


@pytest.fixture(scope="session")
def table_of_systems() -> list:
    """``systems.table()``, which makes and counts every system and so takes seconds."""
    from skelgraph.training import systems

    return systems.table()


@pytest.fixture
def pictures() -> None:
    """Asked for by tests whose runs and lifts draw their pictures."""


@pytest.fixture
def no_pictures(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs and lifts without their pictures, which take longest and are tested where they are drawn."""
    if "pictures" in request.fixturenames:
        return
    from skelgraph.files import atomic
    from skelgraph.lifting import output_files
    from skelgraph.training import train

    def blank(keypoints: object, pose: object, path: str | Path, truth: object = None) -> Path:
        atomic.write(Path(path), b"\x89PNG")
        return Path(path)

    monkeypatch.setattr(output_files, "draw_pose", blank)
    monkeypatch.setattr(train.curve, "draw_curve", lambda *anything: None)
    monkeypatch.setattr(train, "draw_table", lambda *anything: None)


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list:
    """The figures that are saved, to look into."""
    from skelgraph.viz.drawings import figures

    kept: list = []
    save = figures.save
    monkeypatch.setattr(figures, "save", lambda figure, path: (kept.append(figure), save(figure, path))[1])
    return kept


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What asks for a browser is marked ``browser``, and so left out of the default run."""
    for item in items:
        if "browser" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.browser)
