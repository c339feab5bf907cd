"""The program: all commands in one list, and how it ends."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Annotated, NoReturn

import typer

from skelgraph.cli import data, doctor, lift, models, train
from skelgraph.cli.command import Command, CommandError
from skelgraph.cli.console import complain
from skelgraph.version import __version__

app = typer.Typer(
    name="skelgraph",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="From 2D keypoints to 3D poses with graph networks, on any skeleton.",
)
data_app = typer.Typer(no_args_is_help=True, help="Make data files.")
app.add_typer(data_app, name="data")

for function in (
    *(lift.lift, lift.page),
    *(train.train, train.evaluate),
    *(models.models, models.show, models.convert, models.pack, models.export),
    doctor.doctor,
):
    app.command(cls=Command)(function)
data_app.command(cls=Command)(data.mocap)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"skelgraph {__version__}")
        raise typer.Exit


@app.callback()
def _skelgraph(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version, and exit.")
    ] = False,
) -> None: ...


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Runs a command; nothing of the process is changed afterwards.

    Args:
        arguments: without the program's name; default those of the process.

    Raises:
        SystemExit: always: 0; 1 after one line that says what is wrong; 2 for wrong usage; 75 when stopped by a signal.
    """
    try:
        app(arguments, prog_name="skelgraph")
    except CommandError as error:
        complain(str(error))
        sys.exit(error.exit_code)
    sys.exit(0)
