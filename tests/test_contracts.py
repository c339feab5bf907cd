"""Models, outputs and datasets keep contracts: nothing asks which attributes they have or of which class they are."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import skelgraph
from skelgraph import datasets
from skelgraph.nn import models

ROOT = Path(skelgraph.__file__).parent
ROOMS = ("nn", "multiview", "datasets", "training", "lifting")
"""Where models, outputs and datasets are handled."""
FILES = [path for room in ROOMS for path in sorted((ROOT / room).rglob("*.py")) if path.parent != ROOT / "nn/layers"]
WITHOUT_CONTRACT = {"target", "kind", "module", "plugin", "event"}
"""What configurations and plugins name, classes, functions and modules, has no contract to keep."""
CONCRETE = {*models.__all__, *datasets.__all__} - {"Poses"}


def calls(source: str) -> list[ast.Call]:
    return [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]


def asks_for_attributes(call: ast.Call) -> bool:
    """``hasattr(x, ...)`` or ``getattr(x, ..., default)``."""
    name = call.func.id if isinstance(call.func, ast.Name) else ""
    asks = name == "hasattr" or (name == "getattr" and len(call.args) == 3)
    return asks and ast.unparse(call.args[0]) not in WITHOUT_CONTRACT


def asks_for_class(call: ast.Call) -> bool:
    """``isinstance(x, MSTR)``, also in unions, tuples and behind a module's name."""
    if not (isinstance(call.func, ast.Name) and call.func.id in ("isinstance", "issubclass")):
        return False
    inside = [node for node in ast.walk(call.args[1]) if isinstance(node, ast.Name | ast.Attribute)]
    return bool(CONCRETE & {node.id if isinstance(node, ast.Name) else node.attr for node in inside})


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_contracts_are_relied_on(path: Path) -> None:
    found = [
        f"line {call.lineno}: {ast.unparse(call)}"
        for call in calls(path.read_text(encoding="utf-8"))
        if asks_for_attributes(call) or asks_for_class(call)
    ]
    assert not found


@pytest.mark.parametrize(
    "source",
    [
        "getattr(model, 'num_frames', 1)",
        "getattr(self.model, name, None)",
        "hasattr(output, 'error')",
        "hasattr(made.train_data, 'flips')",
        "isinstance(model, MSTR)",
        "isinstance(model, models.MSTR | AMPose)",
        "isinstance(dataset, (MultiView, Rendered))",
    ],
)
def test_what_is_forbidden_is_found(source: str) -> None:
    (call,) = calls(source)
    assert asks_for_attributes(call) or asks_for_class(call)


@pytest.mark.parametrize("source", ["getattr(model, name)", "getattr(target, '__name__', '')", "isinstance(x, Tensor)"])
def test_what_is_allowed_is_not(source: str) -> None:
    (call,) = calls(source)
    assert not asks_for_attributes(call) and not asks_for_class(call)
