"""Untrusted tables of text: rows and numbers, with errors that name the line and column."""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Iterator

from skelgraph.errors import FormatError

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,4})?")
_NONE = ("", "nan", "na", "n/a", "null", "none")
_LONGEST = 64
MAX_COLUMNS = 20_000


def is_number(word: str) -> bool:
    return len(word) <= _LONGEST and _NUMBER.fullmatch(word) is not None


def number(word: str, where: str) -> float:
    """A finite number in plain digits, with a decimal point.

    Raises:
        FormatError: naming ``where``, for anything else.
    """
    value = float(word) if is_number(word) else math.nan
    if not math.isfinite(value):
        hint = "; write decimals with a point" if re.fullmatch(r"[+-]?\d{1,32},\d{1,32}", word) else ""
        raise FormatError(f"{where}: expected a number, found {word[:40]!r}{hint}")
    return value


def number_or_nan(cell: str, where: str) -> float:
    """As :func:`number`, NaN for an empty cell or one that says so."""
    word = cell.strip()
    return math.nan if word.lower() in _NONE else number(word, where)


def whole(cell: str, where: str) -> int:
    """A whole number; ``3.0``, as spreadsheets write it, is one.

    Raises:
        FormatError: naming ``where``, for anything else.
    """
    value = number(cell.strip(), where)
    if not value.is_integer() or abs(value) > 2**53:
        raise FormatError(f"{where}: expected a whole number, found {cell.strip()[:40]!r}")
    return int(value)


def header(text: str, lines: int = 1) -> list[list[str]]:
    """The first rows, as far as they can be read, for telling formats apart."""
    start = "\n".join(text[: 1 << 20].splitlines()[:lines])
    try:
        return [row for _, row in rows(start, "")]
    except ValueError:
        return []


def rows(text: str, source: str) -> Iterator[tuple[int, list[str]]]:
    """Line numbers and cells of a table that commas, semicolons or tabs divide, whichever the first line has most of.

    Raises:
        FormatError: naming the line, for broken quotes, too many columns, or a row of another length than the first.
    """
    first = text.lstrip("\r\n")[: 1 << 20].split("\n", 1)[0]
    delimiter = max(",;\t", key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    width = 0
    try:
        for row in reader:
            if not any(cell.strip() for cell in row):
                continue
            width = width or len(row)
            if width > MAX_COLUMNS:
                raise FormatError(f"{source}: {width} columns; at most {MAX_COLUMNS} are read")
            if len(row) != width:
                raise FormatError(f"{source}, line {reader.line_num}: {len(row)} cells; expected {width}")
            yield reader.line_num, [cell.strip() for cell in row]
    except csv.Error as error:
        raise FormatError(f"{source}, line {reader.line_num}: not readable as CSV: {error}") from None
