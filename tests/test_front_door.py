"""``import skelgraph``: light, complete, and seen by type checkers as what it is."""

import ast
import importlib
import json
import subprocess
import sys
from pathlib import Path

import pytest
from mypy import api

import skelgraph

HEAVY = {"torch", "torch_geometric", "numpy", "networkx", "matplotlib"}
ROOT = Path(skelgraph.__file__).parents[1]
COMMAND = "from skelgraph.cli.app import main\ntry: main({})\nexcept SystemExit: pass"
MEASURE = """
import json, pathlib, sys, time
status = pathlib.Path("/proc/self/status")
size = [line.split()[1] for line in status.read_text().splitlines() if "VmHWM" in line] if status.exists() else [0]
print(json.dumps([list(sys.modules), time.process_time(), int(size[0])]))
"""
SNIPPET = """
import skelgraph
from skelgraph import skeletons
reveal_type(skelgraph.load)
reveal_type(skeletons.get)
skelgraph.no_such_name
"""
CONFIG = """
[mypy]
follow_imports = skip
ignore_missing_imports = True
[mypy-skelgraph,skelgraph.lifting.lifter,skelgraph.skeleton,skelgraph.skeleton.skeleton,skelgraph.skeleton.builtin]
follow_imports = silent
"""


@pytest.mark.parametrize(
    "program",
    ["import skelgraph; dir(skelgraph)", COMMAND.format(["--help"]), COMMAND.format(["lift", "-h"])],
    ids=["import", "help", "help of a command"],
)
def test_nothing_heavy_is_loaded(program: str) -> None:
    fresh = [sys.executable, "-c", program + MEASURE]
    said = subprocess.run(fresh, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    modules, seconds, size_kb = json.loads(said.splitlines()[-1])
    assert "skelgraph" in modules and not HEAVY & set(modules)
    assert size_kb < 60_000 and seconds < 1  # 0.35 s where nothing else runs


def test_every_name_is_there() -> None:
    for name in skelgraph.__all__:
        assert getattr(skelgraph, name) is not None
    assert set(skelgraph.__all__) <= set(dir(skelgraph))
    assert skelgraph.skeletons.HUMAN36M.num_joints == 17 and skelgraph.nn.models.GCN is not None
    with pytest.raises(AttributeError, match="no_such_name"):
        skelgraph.no_such_name  # noqa: B018


def test_type_checkers_are_told_the_same_names() -> None:
    """Those of the block that only they read come from where ``__getattr__`` takes them; no other import is made."""
    tree = ast.parse(Path(skelgraph.__file__).read_text(encoding="utf-8"))
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module != "__future__"]
    block = next(node for node in tree.body if isinstance(node, ast.If))
    assert [node.module for node in imports if node not in block.body] == ["typing", "skelgraph.version"]
    names = set()
    for node in block.body:
        assert isinstance(node, ast.ImportFrom) and node.module
        for each in node.names:
            names.add(each.asname or each.name)
            parent = importlib.import_module(node.module)
            value = getattr(parent, each.name, None) or importlib.import_module(f"{node.module}.{each.name}")
            assert getattr(skelgraph, each.asname or each.name) is value
    assert names == set(skelgraph.__all__) - {"__version__"} == set(skelgraph._HOMES)


@pytest.mark.slow  # seconds of mypy; the names are compared above, and the whole tree is checked with every change
def test_a_type_checker_sees_functions_and_values(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "snippet.py").write_text(SNIPPET)
    (tmp_path / "mypy.ini").write_text(CONFIG)
    monkeypatch.setenv("MYPYPATH", str(ROOT))
    options = ["--config-file", str(tmp_path / "mypy.ini"), "--cache-dir", str(tmp_path / "cache")]
    said, errors, _ = api.run([*options, str(tmp_path / "snippet.py")])
    load, get, wrong, *_ = said.splitlines()
    assert not errors and "-> skelgraph.lifting.lifter.Lifter" in load
    assert all(f"{name}:" in load for name in ("flip", "device", "plugins"))
    assert "-> skelgraph.skeleton.skeleton.Skeleton" in get
    assert 'error: Module has no attribute "no_such_name"' in wrong
