"""The code of the README and the pages runs, block after block."""

import re
from pathlib import Path

import pytest

README = Path(__file__).parent.parent / "README.md"
DOCS = README.parent / "docs"


def test_readme_code_runs():
    blocks = re.findall(r"^```python\n(.*?)^```", README.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    assert len(blocks) >= 2
    names: dict[str, object] = {}
    for block in blocks:
        exec(compile(block, str(README), "exec"), names)
    assert names["pose"].joints.shape == (30, 7, 3)  # type: ignore[attr-defined]


@pytest.mark.parametrize("page", sorted(DOCS.glob("*.md")), ids=lambda page: page.name)
def test_the_code_of_a_page_runs(page: Path) -> None:
    names: dict[str, object] = {}
    for block in re.findall(r"^```python\n(.*?)^```", page.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE):
        exec(compile(block, str(page), "exec"), names)


def test_readme_names_only_files_that_are_there():
    text = README.read_text(encoding="utf-8")
    for name in re.findall(r"experiments/[\w.]+\.(?:yaml|npz)", text):
        assert (README.parent / name).exists() or name == "experiments/x.yaml", name
