"""The folder of one training run: owned by one process at a time, readable by all."""

from __future__ import annotations

import csv
import fcntl
import io
import os
import socket
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from skelgraph.files import atomic
from skelgraph.training import config

LOG_COLUMNS = ("epoch", "step", "lr", "loss", "train_mpjpe_mm", "test_mpjpe_mm", "poses_per_s", "seconds")


class RunFolder:
    """A run folder, locked while entered (``flock``, so a killed owner's lock is free at once).

    Holds config.yaml, log.csv, last.safetensors, best.safetensors, metrics.json and curve.png. On network file
    systems without ``flock`` between machines, start one process a folder yourself.

    Raises:
        ValueError: on entering, naming the process that holds the folder.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.last = self.path / "last.safetensors"
        self.best = self.path / "best.safetensors"
        self.log = self.path / "log.csv"
        self._lock: int | None = None

    def __enter__(self) -> RunFolder:
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            self._lock = os.open(self.path / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise atomic.explained(error, self.path, 0) from None
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._lock)
            raise ValueError(f"{self.path}: in use by {self._owner()}; stop it, or give another folder") from None
        os.ftruncate(self._lock, 0)
        os.pwrite(self._lock, f"process {os.getpid()} on {socket.gethostname()}".encode(), 0)
        atomic.sweep(self.path)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._lock is not None:
            os.ftruncate(self._lock, 0)
            os.close(self._lock)
            self._lock = None

    def _owner(self) -> str:
        for _ in range(50):  # the owner writes its name just after it has the lock
            try:
                owner = (self.path / ".lock").read_text()
                if owner.endswith(f" on {socket.gethostname()}"):
                    os.kill(int(owner.split()[1]), 0)
                if owner:
                    return owner
            except (ProcessLookupError, FileNotFoundError):
                pass
            except PermissionError:
                return owner
            time.sleep(0.01)
        return "another process"

    def write_config(self, settings: Mapping[str, Any]) -> None:
        atomic.write(self.path / "config.yaml", config.dump(settings))

    def read_config(self) -> config.Section:
        path = self.path / "config.yaml"
        if not path.exists():
            raise FileNotFoundError(f"{self.path}: no config.yaml, so no run to go on with")
        return config.read(path)

    def append_log(self, row: Mapping[str, Any]) -> None:
        """Adds a row to log.csv, on disk before this returns."""
        text = io.StringIO()
        writer = csv.DictWriter(text, LOG_COLUMNS, lineterminator="\n")
        if not self.log.exists():
            writer.writeheader()
        writer.writerow(dict(row))
        try:
            with open(self.log, "a", encoding="utf-8") as file:
                file.write(text.getvalue())
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise atomic.explained(error, self.log, len(text.getvalue())) from error

    def truncate_log(self, epochs: int) -> None:
        """Drops the rows of epochs after the first ``epochs``: they will be trained again."""
        if self.log.exists():
            rows = [row for row in read_log(self.log) if int(row["epoch"]) <= epochs]
            text = io.StringIO()
            writer = csv.DictWriter(text, LOG_COLUMNS, lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)
            atomic.write(self.log, text.getvalue())


def read_log(path: Path) -> list[dict[str, str]]:
    """The whole rows of a log.csv, as text; a row that a kill cut short is left out."""
    with open(path, encoding="utf-8", newline="") as file:
        lines = [line for line in file if line.endswith("\n")]
    rows = csv.DictReader(lines)
    return [row for row in rows if None not in row and None not in row.values() and row["epoch"].isdigit()]
