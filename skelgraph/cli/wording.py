"""From Python's words to those of the command line: ``image_size=(1920, 1080)`` is ``--image-size 1920x1080``."""

from __future__ import annotations

import ast
import re
import shlex
from collections.abc import Mapping

_VALUE = r"""
    "[^"\n]*" | '[^'\n]*' | \([^()\n]*\) | \[[^][\n]*\]
    | -?\d+(?:\.\d+)?(?:e[-+]?\d+)?\b | (?:True|False|None|[A-Z][A-Z_]*)\b
"""
_ARGUMENT = re.compile(rf"(?<![\w./\\={{-])(?P<name>[a-z]\w*)=(?P<value>{_VALUE})?(?!\.?[\w/\\=({{\[])", re.VERBOSE)
_PLACEHOLDER = re.compile(r"(?<!['\"\w])[A-Z][A-Z_]*\b(?!['\"])")
"""``name=value`` or ``name=``, alone: not in paths, in changes of a configuration or in code."""
_COMMANDS = {"resume": "train --resume"}
_CALL = re.compile(r"""skelgraph\.(?P<name>resume)\((?P<value>"[^"\n]*"|'[^'\n]*')\)""")


def in_options(text: str, options: Mapping[str, str]) -> str:
    """The text with the Python arguments in it as the options of a command.

    Args:
        text: a message of the library.
        options: the command's, by the names of their arguments: ``{"image_size": "--image-size"}``.

    A switch loses its value (``force=True`` is ``--force``, ``flip=False`` is ``--no-flip``), several values are one
    (``write=["csv", "bvh"]`` is ``--write csv,bvh``), and of a repeated option each has its own (``plugins=["a", "b"]``
    is ``--plugin a --plugin b``). ``skelgraph.resume('RUN')`` is ``skelgraph train --resume RUN``. What the command has
    no option for stays as it is.
    """
    text = _CALL.sub(_command, text)
    return _ARGUMENT.sub(lambda found: _option(found, options), text)


def _command(found: re.Match[str]) -> str:
    return f"skelgraph {_COMMANDS[found['name']]} {shlex.quote(found['value'][1:-1])}"


def _option(found: re.Match[str], options: Mapping[str, str]) -> str:
    name, value = found["name"], found["value"]
    if value == "False" and f"no_{name}" in options:
        return options[f"no_{name}"]
    repeated = name not in options and name.removesuffix("s") in options
    option = options.get(name.removesuffix("s") if repeated else name)
    if option is None or value in ("False", "None"):
        return found[0]
    if value is None or value == "True":
        return option
    try:
        words = _words(name, value)
    except (ValueError, SyntaxError):  # no value of Python's: part of something else
        return found[0]
    return " ".join(f"{option} {word}" for word in words) if repeated else f"{option} {','.join(words)}"


def _words(name: str, value: str) -> list[str]:
    """What is typed for a value: one word, or one for each value of a list."""
    given = ast.literal_eval(_PLACEHOLDER.sub(r"'\g<0>'", value))
    values = given if isinstance(given, list | tuple) else [given]
    words = [f"{each:g}" if isinstance(each, float) else shlex.quote(str(each)) for each in values]
    return ["x".join(words)] if name.endswith("size") else words
