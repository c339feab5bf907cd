"""How a command runs: its errors and warnings are one line each, in the words of its options."""

from __future__ import annotations

import warnings
from typing import Any, TextIO

from rich.text import Text
from typer import BadParameter
from typer.core import TyperCommand

from skelgraph.cli.console import complain, console
from skelgraph.cli.wording import in_options


class CommandError(Exception):
    """What ends a command, to be said in one line.

    Args:
        message: the line.
        exit_code: of the process.
    """

    def __init__(self, message: str, exit_code: int) -> None:
        super().__init__(message)
        self.exit_code = exit_code


class Command(TyperCommand):
    """A command whose function may raise what the library raises, and returns what is to be printed at its end."""

    def invoke(self, ctx: Any) -> None:
        from skelgraph.training.signals import EXIT_CODE, Interrupted

        options = {each.name: each.opts[0] for each in self.params if each.name and each.param_type_name == "option"}

        def show(
            message: Warning | str,
            category: type[Warning],
            filename: str,
            lineno: int,
            file: TextIO | None = None,
            line: str | None = None,
        ) -> None:
            complain(f"warning: {in_options(str(message), options)}")

        try:
            with warnings.catch_warnings():
                warnings.showwarning = show
                result = super().invoke(ctx)
            if result is not None:
                console.print(Text(in_options(str(result), options)))
        except BadParameter as error:
            error.message = in_options(error.message, options)
            raise
        except Interrupted as error:
            raise CommandError(in_options(str(error), options), EXIT_CODE) from error
        except (ValueError, OSError, FloatingPointError) as error:
            raise CommandError(f"error: {in_options(str(error), options)}", 1) from error
