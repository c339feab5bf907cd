"""Does a GPU compute what the CPU computes, train and go on, without waiting, and how fast? One short prepared run.

python benchmarks/gpu.py                            # at most 8 minutes on one GPU; a table, and runs/gpu.json
python benchmarks/gpu.py --device cpu --quick       # a few cases on the CPU: only to see that it runs

Exit code 1 where something is not as it should be. What is over the time of its part is left out, and said.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple

import torch
from gpu_cases import DATASETS, FAMILIES, TIMED, TIMED_QUICK
from gpu_equal import Verdict, check_bf16, check_dataset, check_loss, check_model, layer_checks
from gpu_training import check_resume, check_waiting, precise, time_steps
from timing import cpu_model

from skelgraph.nn import losses
from skelgraph.skeleton.builtin import HUMAN36M
from skelgraph.training import experiment

QUICK = ("SemGCN", "PartLifter, 133 joints", "MultiViewLifter")
STEPS = 20  # timed


class Row(NamedTuple):
    """What became of one check."""

    part: str
    name: str
    ok: bool | None  # None: left out
    found: str
    seconds: float


class Part(NamedTuple):
    """Checks by name, and the seconds that they may take together."""

    limit: float
    checks: Iterable[tuple[str, Callable[[], Verdict]]]


def all_parts(device: torch.device, quick: bool, folder: Path) -> dict[str, Part]:
    families = {name: made for name, made in FAMILIES.items() if not quick or name in QUICK}
    data = {name: made for name, made in DATASETS.items() if not quick or name in ("Synthetic", "MultiView")}
    terms = [name for name in losses.__all__ if name != "objective"]
    times = {f"{name}, {p}": (case, p) for name, case in TIMED.items() for p in ("float32", "tf32", "bf16")}
    times = {name: (case, "float32") for name, case in TIMED_QUICK.items()} if quick else times
    steps = 2 if quick else STEPS
    equal, run = [(name, made, device) for name, made in families.items()], folder / "run"
    return {
        "layer": Part(50, layer_checks(device, (HUMAN36M,)) if quick else layer_checks(device)),
        "loss": Part(10, [(name, partial(check_loss, name, device)) for name in terms]),
        "dataset": Part(40, [(name, partial(check_dataset, made, device)) for name, made in data.items()]),
        "model": Part(50, [(name, partial(check_model, made, device)) for name, made, device in equal]),
        "bf16": Part(40, [(name, partial(check_bf16, made, device)) for name, made, device in equal]),
        "no wait": Part(40, [(name, partial(check_waiting, made, device, run / name)) for name, made, device in equal]),
        "time": Part(100, [(n, partial(time_steps, c, p, steps, device, run / n)) for n, (c, p) in times.items()]),
        "resume": Part(120, [(name, partial(check_resume, made, device, run / name)) for name, made, device in equal]),
    }


def run_part(name: str, part: Part) -> Iterator[Row]:
    begun = time.monotonic()
    for case, check in part.checks:
        start = time.monotonic()
        if start - begun > part.limit:
            yield Row(name, case, None, f"left out after {part.limit:.0f} s", 0.0)
            continue
        try:
            ok, found = check()
        except Exception as error:  # noqa: BLE001 - one fault must not hide the others
            place = traceback.extract_tb(error.__traceback__)[-1]
            ok, found = False, f"{type(error).__name__} at {Path(place.filename).name}:{place.lineno}: {error}"[:300]
        yield Row(name, case, ok, found, time.monotonic() - start)


def line(row: Row) -> str:
    judged = {True: "ok", False: "NOT OK", None: "-"}[row.ok]
    return f"| {row.part} | {row.name} | {judged} | {row.found} | {row.seconds:.1f} |".replace("\n", " ")


def write(path: Path, device: torch.device, rows: list[Row]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else cpu_model()
    report = {"device": name, "torch": torch.__version__, "rows": [row._asdict() for row in rows]}
    path.write_text(json.dumps(report, indent=1), encoding="utf-8")


def write_mocap(folder: Path) -> None:
    """Motion capture of made-up people, in place of the real file, which the machine may not have."""
    sys.path.append(str(Path(__file__).parents[1] / "tests"))
    import fake_mocap

    fake_mocap.write(folder)
    os.environ["SKELGRAPH_DATA"] = str(folder)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--quick", action="store_true", help="a few cases only")
    parser.add_argument("--part", action="append", help="only this part; may be repeated")
    parser.add_argument("--out", type=Path, default=Path("runs/gpu.json"))
    args = parser.parse_args()
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # read by cuBLAS, before CUDA starts
    rows: list[Row] = []
    print("| part | case | | found | seconds |\n| --- | --- | --- | --- | ---: |")
    with tempfile.TemporaryDirectory() as folder, precise("float32"):
        write_mocap(Path(folder))
        device = experiment.torch_device(args.device)
        for name, part in all_parts(device, args.quick, Path(folder)).items():
            for row in run_part(name, part) if name in (args.part or [name]) else ():
                rows.append(row)
                print(line(row), flush=True)
                write(args.out, device, rows)
    bad = [row for row in rows if row.ok is False]
    print(f"\n{len(rows)} rows, {len(bad)} not ok, {sum(row.ok is None for row in rows)} left out; {args.out}")
    return int(bool(bad))


if __name__ == "__main__":
    raise SystemExit(main())
