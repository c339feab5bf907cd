"""Benchmarks run in the tests' process, since an interpreter of its own takes seconds to start."""

import importlib.util
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest
import torch

FOLDER = Path(__file__).parents[1] / "benchmarks"
Benchmark = Callable[..., str]


def load(script: str) -> ModuleType:
    """The module ``benchmarks/script.py``; its folder must be on ``sys.path``."""
    spec = importlib.util.spec_from_file_location(f"benchmark_{script}", FOLDER / f"{script}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def benchmark(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Benchmark]:
    """Runs a script with arguments and returns what it prints; keywords replace names of its module by others.

    A replacement that is a function of one argument ``real`` is made from what it replaces.
    """
    monkeypatch.syspath_prepend(str(FOLDER))
    threads = torch.get_num_threads()

    def run(script: str, *arguments: object, **replaced: Callable[..., object]) -> str:
        monkeypatch.setattr(sys, "argv", [script, *map(str, arguments)])
        module = load(script)
        for name, made_from in replaced.items():
            monkeypatch.setattr(module, name, made_from(getattr(module, name)))
        with torch.random.fork_rng(), torch.enable_grad():
            module.main()
        return capsys.readouterr().out

    yield run
    torch.set_num_threads(threads)
    torch.set_grad_enabled(True)
