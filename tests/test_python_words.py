"""The library speaks of Python's arguments; options of the command line are named in ``cli/`` alone."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import skelgraph

ROOT = Path(skelgraph.__file__).parent
LIBRARY = [path for path in sorted(ROOT.rglob("*.py")) if path.relative_to(ROOT).parts[0] != "cli"]
OPTION = re.compile(r"(?<![\w-])--[a-z]")
DOCUMENTED = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


def strings(tree: ast.AST) -> Iterator[ast.Constant]:
    """The string literals, parts of f-strings too, but for docstrings."""
    docs = {id(node.body[0].value) for node in ast.walk(tree) if isinstance(node, DOCUMENTED) and is_documented(node)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docs:
            yield node


def is_documented(node: DOCUMENTED) -> bool:
    return bool(node.body) and isinstance(node.body[0], ast.Expr) and isinstance(node.body[0].value, ast.Constant)


def options(code: str) -> list[int]:
    """The lines of literals that name an option."""
    return [node.lineno for node in strings(ast.parse(code)) if OPTION.search(str(node.value))]


def test_an_option_in_a_message_is_found() -> None:
    assert options('"""Like --force."""\nmessage = f"{x}: give --fps"') == [2]
    assert not options('message = "a -- b, x--y, ---, --1"')


@pytest.mark.parametrize("path", LIBRARY, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_message_names_an_option(path: Path) -> None:
    assert not options(path.read_text(encoding="utf-8"))
