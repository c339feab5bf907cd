"""``skelgraph doctor``."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from skelgraph.cli.console import console


def doctor(device: Annotated[str, typer.Option(help="Where to test: auto, cpu, cuda or cuda:1.")] = "auto") -> None:
    """Look at this installation and test it in seconds: versions, devices, extras, data. Exits 1 if it fails."""
    from skelgraph.cli import installation

    found = installation.examine(device)
    table = Table("", "", "found", box=None, header_style="bold")
    for row in (*found.rows, ("self-test", "passed" if found.ok else "FAILED", found.test)):
        table.add_row(*map(Text, row))
    console.print(table)
    if not found.ok:
        raise ValueError(f"the self-test failed: {found.test}")
