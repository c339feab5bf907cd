"""Interleaved timing, and the tables and pictures of its results."""

import argparse
import math
import platform
import statistics
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import matplotlib
import torch
import torch_geometric
from matplotlib import pyplot
from torch import Tensor, nn

matplotlib.use("Agg")
Case = Callable[[], object]
Times = dict[str, list[float]]


class Clock(NamedTuple):
    """What is measured: ``read()`` in seconds, after ``settle()`` has waited for the device."""

    name: str
    read: Callable[[], float]
    settle: Callable[[], None]


def clock_for(device: str, threads: int) -> Clock:
    """Process CPU time for one thread, which other programs disturb least; wall clock otherwise."""
    if device == "cuda":
        return Clock("wall clock, CUDA synchronised", time.perf_counter, torch.cuda.synchronize)
    if threads == 1:
        return Clock("process CPU time", time.process_time, lambda: None)
    return Clock("wall clock", time.perf_counter, lambda: None)


def interleave(cases: Mapping[str, Case], rounds: int, clock: Clock, repeats: int = 1) -> Times:
    """Seconds of each case in each round, the mean of ``repeats`` runs; the first round warms up and does not count."""
    times: Times = {name: [] for name in cases}
    for turn in range(rounds + 1):
        for name, case in cases.items():
            clock.settle()
            start = clock.read()
            for _ in range(repeats):
                case()
            clock.settle()
            if turn:
                times[name].append((clock.read() - start) / repeats)
    return times


def milliseconds(times: Times, name: str) -> float:
    return 1e3 * statistics.median(times[name])


def ratio(times: Times, name: str, base: str) -> float:
    """The median over rounds of the ratio within a round."""
    return statistics.median(a / b for a, b in zip(times[name], times[base], strict=True))


def train_step(call: Callable[..., Any], inputs: Sequence[Tensor]) -> Case:
    """Forward, and backward to ``inputs`` (leaves), of a call without arguments; the incoming gradient is random."""
    with torch.no_grad():
        incoming = [torch.randn_like(part) for part in outputs(call())]
    wanted = [leaf for leaf in inputs if leaf.requires_grad]
    return lambda: torch.autograd.grad(outputs(call()), wanted, incoming, allow_unused=True)


def forward_only(call: Callable[[], Any]) -> Case:
    def case() -> None:
        with torch.no_grad():
            call()

    return case


def outputs(output: Tensor | tuple[Tensor | None, ...]) -> tuple[Tensor, ...]:
    return (output,) if isinstance(output, Tensor) else tuple(part for part in output if part is not None)


def number_of_parameters(model: nn.Module) -> int:
    return sum(parameter.numel() for parameter in model.parameters())


def arguments(description: str) -> argparse.Namespace:
    """The command line that every benchmark has; sets the threads and the seed."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--quick", action="store_true", help="tiny sizes, two rounds: only to see that it runs")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent, help="folder of the table and the picture")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    torch.manual_seed(0)
    args.rounds = 2 if args.quick else args.rounds
    args.clock = clock_for(args.device, args.threads)
    return args


def conditions(args: argparse.Namespace) -> str:
    """Machine, versions, precision, clock: one line."""
    blas = "MKL" if torch.backends.mkl.is_available() else "no MKL"
    device = torch.cuda.get_device_name() if args.device == "cuda" else cpu_model()
    scatter = "with and without" if torch_geometric.typing.WITH_TORCH_SCATTER else "not installed"
    return (
        f"{device}, {args.threads} thread{'s' * (args.threads > 1)}; torch {torch.__version__}, PyG "
        f"{torch_geometric.__version__}, torch-scatter: {scatter}; float32 GEMM: {blas}, precision "
        f"'{torch.get_float32_matmul_precision()}'; {args.clock.name}, {args.rounds} interleaved rounds, medians."
    )


def cpu_model() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.exists() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    family = [line.split(":", 1)[1].strip() for line in lines if line.startswith(("cpu family", "model\t"))][:2]
    return f"{names[0]} (family {', model '.join(family)})" if names else platform.processor() or platform.machine()


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A markdown table, the first column left, the others right."""
    marks = ["---", *["---:"] * (len(header) - 1)]
    return "\n".join("| " + " | ".join(row) + " |" for row in (header, marks, *rows))


def publish(args: argparse.Namespace, name: str, text: str) -> None:
    """Puts ``text`` between ``<!-- name -->`` and ``<!-- /name -->`` of the folder's README.md, else into name.md."""
    args.out.mkdir(parents=True, exist_ok=True)
    page = args.out / "README.md"
    before, begin, rest = (page.read_text(encoding="utf-8") if page.exists() else "").partition(f"<!-- {name} -->\n")
    _, end, after = rest.partition(f"<!-- /{name} -->")
    if end:
        page.write_text(f"{before}{begin}{text}\n{end}{after}", encoding="utf-8")
    else:
        (args.out / f"{name}.md").write_text(text + "\n", encoding="utf-8")
    print(text)


def draw_bars(
    panels: Mapping[str, Mapping[str, float]],
    label: str,
    path: Path,
    line: float | None = None,
    most: float = math.inf,
) -> None:
    """Horizontal bars, one panel beside another; ``line`` is drawn through all, bars beyond ``most`` are cut."""
    count, longest = len(panels), max(map(len, panels.values()))
    size = (2 + 2.6 * count, 1.2 + 0.24 * longest)
    figure, axes = pyplot.subplots(1, count, figsize=size, squeeze=False, sharey=True)
    for axis, (title, bars) in zip(axes[0], panels.items(), strict=True):
        colours = ["#888888" if name.startswith(("PyG", "masked", "GEMM")) else "#2a6fbb" for name in bars]
        drawn = axis.barh(list(bars), [min(value, most) for value in bars.values()], color=colours)
        labels = [f"{value:.3g}" if value < 1e3 else f"{value:,.0f}" for value in bars.values()]
        axis.bar_label(drawn, labels, fontsize=7, padding=2)
        axis.margins(x=0.2)
        axis.set_title(title, fontsize=9)
        axis.tick_params(labelsize=7)
        if line is not None:
            axis.axvline(line, color="#cc3333", linewidth=0.8)
    axes[0][0].invert_yaxis()
    figure.supxlabel(label, fontsize=9)
    figure.tight_layout()
    figure.savefig(path, dpi=110)
    pyplot.close(figure)
