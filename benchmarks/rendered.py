"""How fast pictures of people are rendered, clips of two frames by four cameras.

python benchmarks/rendered.py [--threads 2] [--size 64]
"""

from __future__ import annotations

import argparse
import time

import torch

from skelgraph.datasets import Rendered
from skelgraph.skeleton.builtin import HUMAN36M

ROUNDS = 5


def main() -> None:
    """Prints the median over epochs, each drawn anew, after one that does not count: by the process's CPU time with one
    thread, which other programs disturb least, by the wall clock with more."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--size", type=int, default=64, help="px")
    parser.add_argument("--clips", type=int, default=250, help="an epoch")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    clock = time.process_time if options.threads == 1 else time.perf_counter
    dataset = Rendered(HUMAN36M, num_poses=options.clips, size=options.size)
    rates = []
    for epoch in range(ROUNDS + 1):
        started = clock()
        images = dataset.draw(epoch).images
        rates.append(images.shape[:3].numel() / (clock() - started))
    rate = sorted(rates[1:])[ROUNDS // 2]
    print(f"{rate:.0f} pictures/s of {options.size} px, threads: {options.threads}")


if __name__ == "__main__":
    main()
