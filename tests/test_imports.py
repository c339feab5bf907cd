"""The rooms of the package: imports, those inside functions too, only point down, and never in a circle."""

from __future__ import annotations

import ast
import itertools
import re
from pathlib import Path

import pytest
from networkx import DiGraph, simple_cycles

import skelgraph

ROOT = Path(skelgraph.__file__).parent
ROOMS = (
    "version",
    *("errors files skeleton geometry poses io nn motion multiview datasets viz training lifting cli".split()),
    "__main__",
)
"""From the ground up; io, nn and motion stand on one floor."""
BESIDE = {"io", "nn", "motion"}
FRONT_DOOR = "__init__"
"""Imports lazily what it gives; its TYPE_CHECKING block alone may look up."""
FILES = sorted(ROOT.rglob("*.py"))


def module(path: Path) -> str:
    """A file's dotted name below skelgraph; a folder's own file is ``folder.__init__``."""
    return ".".join(path.relative_to(ROOT).with_suffix("").parts)


MODULES = {module(path) for path in FILES}


def imports(path: Path) -> set[str]:
    """The files of skelgraph that a file imports."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name}: imports are absolute"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
    return {file_of(name.partition(".")[2]) for name in found if name.split(".")[0] == "skelgraph"}


def file_of(name: str) -> str:
    """The file that a dotted name, of a file or of something in it, is found in."""
    for end in range(len(parts := name.split(".")), 0, -1):
        for candidate in (".".join(parts[:end]), ".".join((*parts[:end], "__init__"))):
            if candidate in MODULES:
                return candidate
    return FRONT_DOOR


GRAPH = DiGraph({module(path): imports(path) for path in FILES if module(path) != FRONT_DOOR})


def room(name: str) -> str:
    return name.split(".")[0]


def test_every_file_has_a_room() -> None:
    assert {room(name) for name in MODULES} - {FRONT_DOOR} == set(ROOMS)


def test_imports_point_down() -> None:
    floor = {name: ROOMS.index("io" if name in BESIDE else name) for name in ROOMS}
    up = [
        f"{source} -> {target}"
        for source, target in GRAPH.edges
        if room(source) != room(target) and (target == FRONT_DOOR or floor[room(target)] >= floor[room(source)])
    ]
    assert not up


def test_no_circle_of_files() -> None:
    assert not list(itertools.islice(simple_cycles(GRAPH), 5))


def test_no_circle_of_folders() -> None:
    """In each folder, its files and folders import one another in one direction."""
    for folder in {path.parent for path in FILES}:
        prefix = (*folder.relative_to(ROOT).parts,)
        inside = DiGraph()
        for source, target in GRAPH.edges:
            a, b = source.split("."), target.split(".")
            if (*a[: len(prefix)],) == prefix == (*b[: len(prefix)],):
                one, other = a[len(prefix)], b[len(prefix)]
                if one != other:
                    inside.add_edge(one, other)
        assert not list(itertools.islice(simple_cycles(inside), 5)), f"in {folder.name}"


def test_layers_know_layers_only() -> None:
    outside = {(a, b) for a, b in GRAPH.edges if a.startswith("nn.layers.") and not b.startswith("nn.layers.")}
    assert not outside


def test_models_never_import_each_other() -> None:
    between = {(a, b) for a, b in GRAPH.edges if a.startswith("nn.models.") and b.startswith("nn.models.")}
    assert not {(a, b) for a, b in between if not a.endswith("__init__") and b != "nn.models.pose_model"}


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_only_the_command_line_prints_and_files_say_what_they_hold(path: Path) -> None:
    assert path.stem not in {"utils", "common", "helpers", "misc", "base"}
    calls = [node.func for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.Call)]
    prints = [f.lineno for f in calls if isinstance(f, ast.Name) and f.id == "print"]
    assert path.relative_to(ROOT).parts[0] == "cli" or not prints, f"print in lines {prints}"


def test_the_page_about_the_architecture_lists_the_rooms() -> None:
    page = (ROOT.parent / "docs" / "architecture.md").read_text(encoding="utf-8")
    rows = [line.split("|")[2] for line in page.split("\n") if re.match(r"\| \d+ \|", line)]
    listed = [name for row in reversed(rows) for name in sorted(row.replace("`", "").replace(",", " ").split())]
    assert sorted(listed) == sorted(set(ROOMS) - {"__main__"})
    floors = [ROOMS.index("io" if name in BESIDE else name) for name in listed]
    assert floors[2:] == sorted(floors[2:])
