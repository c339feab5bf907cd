"""What a person sees while a model trains: a bar on a terminal, a line an epoch elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn


class TrainingProgress(Protocol):
    """What :func:`skelgraph.training.train.fit` tells while it works."""

    def start(self, title: str, steps: int, done: int) -> None:
        """A run begins, or goes on after ``done`` of ``steps``."""

    def step(self, done: int, loss: float, mpjpe_mm: float, poses_per_s: float) -> None:
        """``done`` steps are taken; the means are those of the epoch so far."""

    def epoch(self, row: Mapping[str, Any]) -> None:
        """An epoch is over; ``row`` is its line of log.csv."""

    def note(self, text: str) -> None:
        """Something that a person should know of the run, such as why it ended early."""

    def stop(self) -> None:
        """The run is over or broken off."""


class Silent:
    """Tells nothing."""

    def start(self, title: str, steps: int, done: int) -> None: ...

    def step(self, done: int, loss: float, mpjpe_mm: float, poses_per_s: float) -> None: ...

    def epoch(self, row: Mapping[str, Any]) -> None: ...

    def note(self, text: str) -> None: ...

    def stop(self) -> None: ...


class ConsoleProgress(Silent):
    """A bar with loss, MPJPE, poses/s and time left on a terminal; a plain line an epoch elsewhere."""

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Console()
        self._bar: Progress | None = None
        self._task = TaskID(0)

    def start(self, title: str, steps: int, done: int) -> None:
        self.console.print(f"{title}: {steps} steps" + (f", going on after {done}" if done else ""), highlight=False)
        if not self.console.is_terminal:
            return
        columns = "loss {task.fields[loss]:.4f}  MPJPE {task.fields[mpjpe]:.1f} mm  {task.fields[speed]:,.0f} poses/s"
        self._bar = Progress(
            BarColumn(), MofNCompleteColumn(), TextColumn(columns), TimeRemainingColumn(), console=self.console
        )
        nan = float("nan")
        self._task = self._bar.add_task("", total=steps, completed=done, loss=nan, mpjpe=nan, speed=0.0)
        self._bar.start()

    def step(self, done: int, loss: float, mpjpe_mm: float, poses_per_s: float) -> None:
        if self._bar is not None:
            self._bar.update(self._task, completed=done, loss=loss, mpjpe=mpjpe_mm, speed=poses_per_s)

    def epoch(self, row: Mapping[str, Any]) -> None:
        judged = {"test_mpjpe_mm": "test", "held_out_mpjpe_mm": "held out"}
        test = "".join(f"  {judged[key]} {row[key]:.1f} mm" for key in judged if row.get(key, "") != "")
        self.console.print(
            f"epoch {row['epoch']:>3}  loss {row['loss']:.4f}  train {row['train_mpjpe_mm']:.1f} mm{test}"
            f"  {row['poses_per_s']:,.0f} poses/s  {row['seconds']:.0f} s",
            highlight=False,
        )

    def note(self, text: str) -> None:
        self.console.print(text, highlight=False)

    def stop(self) -> None:
        if self._bar is not None:
            self._bar.stop()
            self._bar = None
