"""The floors of the package: an import never points up."""

import ast
from pathlib import Path

import pytest

import skelgraph

ROOT = Path(skelgraph.__file__).parent
FLOORS = {
    5: "__main__ command_line",
    4: "skelgraph train training evaluate lifter lift export report drawings page config checkpoint published systems "
    "doctor error_estimate packing weights lift_summary lift_files",
    3: "models refinements view_models",
    2: "blocks data keypoints poses",
    1: "layers skeletons conversions losses metrics cameras triangulation calibrations",
    0: "skeleton skeleton_forms edges geometry atomic npz seeds strict_json strict_text strict_yaml",
}
NAMED = {name: floor for floor, names in FLOORS.items() for name in names.split()}
# what the outside sees of these; inside, they import one another as they like
ONLY = {
    "layers": set(),
    "config": {"section", "strict_yaml"},  # the two halves of reading YAML strictly
    "section": {"strict_yaml"},
    "strict_yaml": set(),
    "data": {
        *("cameras", "calibrations", "triangulation", "conversions", "skeletons", "skeleton", "geometry"),
        *("seeds", "npz", "atomic", "keypoints", "poses"),
    },
    "calibrations": {"cameras", "strict_json", "strict_text", "strict_yaml", "atomic"},
    "keypoints": {"skeleton", "skeletons", "conversions", "strict_json", "strict_text", "npz", "atomic"},
    "poses": {"skeleton", "skeletons", "conversions", "strict_json", "strict_text", "npz", "atomic"},
    "models": {"blocks", "layers", "skeleton", "edges", "geometry"},
}
FILES = sorted(ROOT.rglob("*.py"))
each_file = pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))


def home(path: Path) -> str:
    """The top-level file or folder of a file: what has a floor."""
    first = path.relative_to(ROOT).parts[0].removesuffix(".py")
    return "skelgraph" if first == "__init__" else first


def imports(path: Path) -> set[str]:
    """The modules of skelgraph that a file imports, without the leading ``skelgraph.``."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name}: imports are absolute"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    ours = {name.removeprefix("skelgraph.") for name in found if first_of(name) == "skelgraph"}
    homes = {home(file) for file in FILES}
    return {name if first_of(name) in homes else "skelgraph" for name in ours}


def first_of(name: str) -> str:
    return name.split(".")[0]


def floor(name: str) -> int:
    """A file that is not named above stands on floor 4, where nothing below can lean on it."""
    return NAMED.get(first_of(name), 4)


@each_file
def test_imports_never_point_up(path: Path) -> None:
    up = {name for name in imports(path) if floor(name) > floor(home(path))}
    assert not up, f"{path.name} (floor {floor(home(path))}) imports {up} from above"


@each_file
def test_who_may_import_what(path: Path) -> None:
    allowed = ONLY.get(home(path))
    if allowed is not None:
        others = {first_of(name) for name in imports(path)} - {home(path)} - allowed
        assert not others, f"{home(path)} may import {sorted(allowed)} of skelgraph, not {others}"


def test_models_never_import_each_other() -> None:
    for path in (ROOT / "models").glob("[!_]*.py"):
        assert not [name for name in imports(path) if name.startswith("models")], path.name


def test_every_floor_is_inhabited() -> None:
    assert set(NAMED) - {home(path) for path in FILES} == set(), "a floor names a file that is gone"


@each_file
def test_only_the_command_line_prints_and_files_say_what_they_hold(path: Path) -> None:
    assert path.stem not in {"utils", "common", "helpers", "misc", "base"}
    calls = [node.func for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.Call)]
    prints = [f.lineno for f in calls if isinstance(f, ast.Name) and f.id == "print"]
    assert path.stem == "__main__" or not prints, f"print in lines {prints}"
