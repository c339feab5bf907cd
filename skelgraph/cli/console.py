"""The terminal: what commands print, and the bar of those that take long."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

console = Console()
_PATIENCE = 1.0  # s


def complain(message: str) -> None:
    """One line on the standard error."""
    Console(stderr=True, soft_wrap=True).print(Text(message))


def show_table(cells: Iterable[Sequence[str]]) -> None:
    """The rows of a table as columns, one metric per line: what fits a terminal."""
    table = Table(box=None, header_style="bold")
    head, *body = zip(*cells, strict=True)
    for i, title in enumerate(head):
        table.add_column(title, justify="right" if i else "left")
    for line in body:
        table.add_row(*map(Text, line), style="dim" if "published" in line[0] else None)
    console.print(table)


@contextmanager
def frames_bar(console: Console = console) -> Iterator[Callable[[int, int], None]]:
    """A bar for what takes longer than a second, on a terminal; gives what to call with the frames done and in all."""
    columns = BarColumn(), MofNCompleteColumn(), TextColumn("frames"), TimeRemainingColumn()
    bar = Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
    task, start = bar.add_task("", total=None), time.monotonic()

    def progress(done: int, total: int) -> None:
        if time.monotonic() - start > _PATIENCE:
            bar.start()
        bar.update(task, completed=done, total=total)

    try:
        yield progress
    finally:
        if bar.live.is_started:
            bar.stop()
