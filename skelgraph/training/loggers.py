"""Where the rows of a training go, one per epoch."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from skelgraph.errors import MissingExtraError
from skelgraph.files import atomic

__all__ = ["CSV", "TensorBoard"]


class Logger(Protocol):
    """What a logger does; one from a user's package is named in the experiment's list ``loggers``."""

    def start(self, folder: Path, epochs: int) -> None:
        """A run begins in its folder, or is resumed after ``epochs`` epochs: rows of later epochs will come again."""

    def epoch(self, row: Mapping[str, Any]) -> None:
        """An epoch is over; the values of its row by name, ``""`` where there is none."""

    def stop(self) -> None:
        """The run is over or broken off."""


class CSV:
    """``log.csv`` in the run's folder, which every run has; a row is on disk before the next epoch begins.

    Columns: epoch, step, lr, loss, train_mpjpe_mm, test_mpjpe_mm (of a run with held-out samples held_out_mpjpe_mm in
    its place), poses_per_s, seconds.
    """

    def start(self, folder: Path, epochs: int) -> None:
        self.path = folder / "log.csv"
        if self.path.exists():
            rows = [row for row in read_log(self.path) if int(row["epoch"]) <= epochs]
            atomic.write(self.path, _text(rows, header=True) if rows else "")

    def epoch(self, row: Mapping[str, Any]) -> None:
        text = _text([row], header=not self.path.exists() or not self.path.stat().st_size)
        try:
            with open(self.path, "a", encoding="utf-8", newline="") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise atomic.explained(error, self.path, len(text)) from error

    def stop(self) -> None: ...


class TensorBoard:
    """Event files for TensorBoard in the folder ``tensorboard`` of the run; needs the extra ``tensorboard``."""

    def start(self, folder: Path, epochs: int) -> None:
        """
        Raises:
            MissingExtraError: if tensorboard is not installed.
        """
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError as error:
            raise MissingExtraError(
                f"the logger TensorBoard needs tensorboard: pip install 'skelgraph[tensorboard]' ({error})"
            ) from None
        self.writer: Any = SummaryWriter(folder / "tensorboard", purge_step=epochs + 1)

    def epoch(self, row: Mapping[str, Any]) -> None:
        for name, value in row.items():
            if name != "epoch" and value != "":
                self.writer.add_scalar(name, value, row["epoch"])
        self.writer.flush()

    def stop(self) -> None:
        self.writer.close()


def read_log(path: Path) -> list[dict[str, str]]:
    """The whole rows of a log.csv, as text; a row that a kill cut short is left out."""
    with open(path, encoding="utf-8", newline="") as file:
        lines = [line for line in file if line.endswith("\n")]
    rows = csv.DictReader(lines)
    return [row for row in rows if None not in row and None not in row.values() and row["epoch"].isdigit()]


def _text(rows: Sequence[Mapping[str, Any]], header: bool) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    if header:
        writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()
