"""The tables that a test run ends with, filled by tests through ``record_property``.

``"NAME: largest absolute error (WHERE)"`` is a row of the fixtures' errors, ``"layers | LAYER | COLUMN"`` a cell of the
layers' table. Of what is written more than once the largest number stays.
"""

import re
from typing import Any

import pytest

FIXTURE_ERROR = re.compile(r"(.+): largest absolute error \((.+)\)")
LAYER_CELL = re.compile(r"layers \| (.+) \| (.+)")
Cells = dict[tuple[str, str], Any]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    reports = [r for group in terminalreporter.stats.values() for r in group if getattr(r, "when", "") == "call"]
    properties = [pair for report in reports for pair in report.user_properties]
    for pattern, title, lines in (
        (FIXTURE_ERROR, "largest absolute error against the authors' fixtures", fixture_lines),
        (LAYER_CELL, "layers: largest error in float64, relative where numbers exceed 1", layer_lines),
    ):
        if cells := collect(pattern, properties):
            terminalreporter.section(title)
            for line in lines(cells):
                terminalreporter.write_line(line)


def collect(pattern: re.Pattern[str], properties: list[tuple[str, Any]]) -> Cells:
    cells: Cells = {}
    for name, value in properties:
        if match := pattern.fullmatch(name):
            key = (match[1], match[2])
            cells[key] = max(value, cells.get(key, value))
    return cells


def fixture_lines(cells: Cells) -> list[str]:
    return [f"{name:<37}{where:<20}{value:.1e}" for (name, where), value in sorted(cells.items())]


def layer_lines(cells: Cells) -> list[str]:
    columns = list(dict.fromkeys(column for _, column in cells))
    lines = [f"{'layer':<22}" + "".join(f"{column:>10}" for column in columns)]
    for row in sorted({row for row, _ in cells}):
        values = [cells.get((row, column), "-") for column in columns]
        lines.append(f"{row:<22}" + "".join(f"{v if isinstance(v, str) else format(v, '.1e'):>10}" for v in values))
    return lines
