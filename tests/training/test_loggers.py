"""Loggers beside log.csv."""

import sys
from pathlib import Path

import pytest
import tiny

from skelgraph.errors import ConfigError, MissingExtraError
from skelgraph.training import experiment
from skelgraph.training.loggers import CSV, TensorBoard

ROW = {"epoch": 2, "step": 5, "lr": 0.1, "loss": 1.0, "test_mpjpe_mm": ""}


def test_tensorboard_writes_what_there_is_of_a_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[tuple] = []

    class SummaryWriter:
        def __init__(self, folder: Path, purge_step: int) -> None:
            written.append((folder, purge_step))

        def add_scalar(self, name: str, value: float, step: int) -> None:
            written.append((name, value, step))

        def flush(self) -> None: ...

        def close(self) -> None:
            written.append(("closed",))

    module = type(sys)("torch.utils.tensorboard")
    module.__dict__["SummaryWriter"] = SummaryWriter
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", module)
    logger = TensorBoard()
    logger.start(tmp_path, 1)
    logger.epoch(ROW)
    logger.stop()
    assert written == [
        (tmp_path / "tensorboard", 2),
        ("step", 5, 2),
        ("lr", 0.1, 2),
        ("loss", 1.0, 2),
        ("closed",),
    ]


def test_tensorboard_names_its_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    with pytest.raises(MissingExtraError, match=r"skelgraph\[tensorboard\]"):
        TensorBoard().start(tmp_path, 0)


def test_an_experiment_names_its_loggers() -> None:
    made = experiment.build({**tiny.settings(), "loggers": ["TensorBoard"]}, [tiny])
    assert [type(logger) for logger in made.loggers] == [CSV, TensorBoard]
    with pytest.raises(ConfigError, match="TensorBord.*TensorBoard"):
        experiment.build({**tiny.settings(), "loggers": ["TensorBord"]}, [tiny])
    with pytest.raises(ConfigError, match="list"):
        experiment.build({**tiny.settings(), "loggers": "TensorBoard"}, [tiny])
