"""Untrusted JSON: plain values only, and every oddity is an error that names the file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from skelgraph.errors import FormatError

MAX_BYTES = 1 << 29


def read(path: Path, max_bytes: int = MAX_BYTES) -> Any:
    """The value in a JSON file; a byte order mark is accepted.

    Raises:
        FileNotFoundError: if there is no such file.
        FormatError: naming the file, if it is too large or :func:`parse` refuses it.
    """
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such file")
    size = path.stat().st_size
    if size > max_bytes:
        raise FormatError(f"{path}: {size} bytes; a JSON file may hold at most {max_bytes}: split it")
    return parse(path.read_bytes(), str(path))


def parse(content: bytes | str, source: str) -> Any:
    """As :func:`read`, of text; ``source`` names it in errors.

    Raises:
        FormatError: for ill-formed JSON, NaN or Infinity, a key that is duplicated, deep nesting, or no UTF-8.
    """
    try:
        text = content.decode("utf-8-sig") if isinstance(content, bytes) else content
        return json.loads(text, parse_constant=_refuse_constant, object_pairs_hook=_without_duplicates)
    except UnicodeDecodeError as error:
        raise FormatError(f"{source}: not UTF-8 text, so not JSON: byte {error.start} is no text") from None
    except json.JSONDecodeError as error:
        raise FormatError(f"{source}, line {error.lineno}: not readable as JSON: {error.msg}") from None
    except RecursionError:
        raise FormatError(f"{source}: not read as JSON: nested too deep") from None
    except ValueError as error:
        raise FormatError(f"{source}: not read as JSON: {error}") from None


def numbers(value: object, where: str) -> NDArray[np.float64]:
    """A (nested) list of finite numbers as an array.

    Raises:
        FormatError: naming ``where``, if lists differ in length or something in them is no finite number.
    """
    try:
        array = np.asarray(value if isinstance(value, list) else [value])
    except (ValueError, OverflowError):
        raise FormatError(f"{where}: expected numbers in lists of equal length") from None
    if array.size and array.dtype.kind not in "fiu":
        raise FormatError(f"{where}: expected numbers only, found {_odd_one(value)}")
    array = array.astype(np.float64)
    if not np.isfinite(array).all():
        raise FormatError(f"{where}: holds a number too large to be one")
    return array


def _odd_one(value: object) -> str:
    if isinstance(value, list):
        return next((found for entry in value if (found := _odd_one(entry))), "")
    odd = isinstance(value, bool) or not isinstance(value, int | float) or abs(value) > 2**63
    return ("an integer too large" if isinstance(value, int) else repr(value)[:40]) if odd else ""


def _refuse_constant(name: str) -> NoReturn:
    raise FormatError(f"{name} is no JSON number; write null or leave the point out")


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise FormatError(f"the key {twice[:64]!r} is duplicated in one object")
    return result
