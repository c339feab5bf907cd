"""Ctrl-C and SIGTERM as a question asked between two steps."""

from __future__ import annotations

import signal
import threading
from types import FrameType, TracebackType
from typing import Any

_NAMES = ("SIGINT", "SIGTERM", "SIGHUP")  # Windows has no SIGHUP
EXIT_CODE = 75  # EX_TEMPFAIL: try again


class Interrupted(RuntimeError):
    """Training stopped on request; its state is saved. The message says how to go on."""


class StopRequest:
    """While entered, the first SIGINT, SIGTERM or SIGHUP is only noted in :attr:`name`; the second acts at once.

    Signals that were ignored before (``nohup``) stay ignored. Outside the main thread nothing is changed.
    """

    def __init__(self) -> None:
        self.name: str | None = None
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> StopRequest:
        if threading.current_thread() is threading.main_thread():
            for number in (signal.Signals[name] for name in _NAMES if name in signal.Signals.__members__):
                if signal.getsignal(number) not in (signal.SIG_IGN, None):
                    self._before[number] = signal.signal(number, self._note)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._give_back()

    def _give_back(self) -> None:
        while self._before:
            signal.signal(*self._before.popitem())

    def _note(self, number: int, frame: FrameType | None) -> None:
        if self.name is not None:
            self._give_back()
            signal.raise_signal(number)
        self.name = signal.Signals(number).name
