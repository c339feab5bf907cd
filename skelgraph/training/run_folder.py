"""The folder of one training run: owned by one process at a time, readable by all."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from filelock import FileLock, Timeout

from skelgraph.errors import ConfigError
from skelgraph.files import atomic
from skelgraph.training import config


class RunFolder:
    """A run folder, locked while entered; a killed owner's lock is free at once.

    Holds config.yaml, log.csv, last.safetensors, best.safetensors, metrics.json and curve.png. On network file
    systems without locks between machines, start one process per folder yourself.

    Raises:
        ConfigError: on entering, naming the process that holds the folder.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.last = self.path / "last.safetensors"
        self.best = self.path / "best.safetensors"
        self._owner = self.path / ".owner"
        self._lock = FileLock(self.path / ".lock", timeout=0)

    def __enter__(self) -> RunFolder:
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            self._lock.acquire()
            self._owner.write_text(f"process {os.getpid()} on {socket.gethostname()}", encoding="utf-8")
        except Timeout:
            owner = self._owner.read_text(encoding="utf-8") if self._owner.exists() else "another process"
            raise ConfigError(f"{self.path}: in use by {owner}; stop it, or give another folder") from None
        except OSError as error:
            raise atomic.explained(error, self.path, 0) from None
        atomic.sweep(self.path)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._owner.unlink(missing_ok=True)
        self._lock.release()

    def write_config(self, settings: Mapping[str, Any]) -> None:
        """Writes config.yaml, unless it says the same already."""
        path, text = self.path / "config.yaml", config.dump(settings)
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            atomic.write(path, text)

    def read_config(self) -> config.Section:
        """
        Raises:
            FileNotFoundError: if there is none.
        """
        path = self.path / "config.yaml"
        if not path.exists():
            raise FileNotFoundError(f"{self.path}: no config.yaml, so no run to resume")
        return config.read(path)
