"""The benchmarks run and leave a table and a picture."""

from pathlib import Path

import pytest
from benchmark_scripts import Benchmark


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("layers", ["PartitionConv, static / GEMM 3C", "SemAttention, batched", "PyG RGCNConv", "forward, B = 1"]),
        ("models", ["AMPose C256, of PyG's layers", "SemGAN C256, J = 133 | batched", "train step"]),
    ],
)
def test_a_quick_run_leaves_table_and_picture(
    script: str, expected: list[str], tmp_path: Path, benchmark: Benchmark
) -> None:
    old = f"before\n<!-- {script} -->\nold\n<!-- /{script} -->\nafter\n"
    (tmp_path / "README.md").write_text(old, encoding="utf-8")
    benchmark(script, "--quick", "--out", tmp_path)
    page = (tmp_path / "README.md").read_text(encoding="utf-8")
    assert page.startswith("before\n<!-- ") and page.endswith("-->\nafter\n") and "old" not in page
    assert f"python benchmarks/{script}.py" in page and "1 thread" in page
    for words in expected:
        assert words in page
    assert (tmp_path / f"{script}.png").read_bytes().startswith(b"\x89PNG")
