"""How long lifting whole bodies takes, stage by stage, and how much memory, with the weights of the package.

python benchmarks/lift.py
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch

from skelgraph.datasets import Synthetic
from skelgraph.io import keypoints as reading
from skelgraph.io.keypoints.formats import npz
from skelgraph.lifting import lifter
from skelgraph.poses.adapt import adapt
from skelgraph.poses.keypoints import Keypoints
from skelgraph.skeleton.builtin import COCO_WHOLEBODY
from skelgraph.viz import page
from skelgraph.viz.drawings.pose_drawing import draw_pose

T = TypeVar("T")
WEIGHTS = "whole-body"
IMPORTS = "import skelgraph.lifting.lift, skelgraph.viz.page"
# On Linux the peak of a process counts that of the process that starts it: therefore one that is small.
MEASURE = """
import json, resource, subprocess, sys, time
start = time.perf_counter()
status = subprocess.run([sys.executable, *sys.argv[1:]], stdout=subprocess.DEVNULL).returncode
print(json.dumps([status, time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss]))
"""
LONGER = 4  # times as many frames, to see what that does to memory


def timed(what: str, call: Callable[[], T]) -> T:
    start = time.perf_counter()
    result = call()
    print(f"{what:<28}{time.perf_counter() - start:8.2f} s")
    return result


def clip(path: Path, frames: int) -> Path:
    """Writes keypoints of someone who sways, with a detector's noise."""
    poses = Synthetic(COCO_WHOLEBODY, "test", num_test_poses=1).draw(0)
    sway = 20 * np.sin(np.arange(frames) / 30)[:, None, None]
    noise = np.random.default_rng(0).normal(0, 1, (frames, 133, 2))
    xy = poses.keypoints.numpy() + sway + noise
    size = (float(poses.image_size[0, 0]), float(poses.image_size[0, 1]))
    npz.write(path, Keypoints(xy, np.full((frames, 133), 0.9), COCO_WHOLEBODY.joints, size, 30))
    return path


def stages(keypoints: Path, out: Path) -> None:
    """What ``skelgraph lift --no-flip`` does, one after another."""
    timed("import", lambda: subprocess.run([sys.executable, "-c", IMPORTS], check=True))
    read = timed("read", lambda: reading.read(keypoints))
    model = timed("load the weights", lambda: lifter.load(WEIGHTS, flip=False))
    adapted = timed("match and check", lambda: adapt(read, model.skeleton))
    pose = timed("lift", lambda: model.lift(adapted.keypoints))
    timed("write the numbers", lambda: pose.save(out / "pose.npz"))
    timed("draw the picture", lambda: draw_pose(adapted.keypoints, pose, out / "pose.png"))
    timed("write the page", lambda: page.write_page(out / "pose.html", pose, adapted.keypoints))


def command(keypoints: Path, out: Path) -> tuple[float, float]:
    """Seconds and the peak memory in MB of the command."""
    return measured("-m", "skelgraph", "lift", str(keypoints), "--out", str(out), "--no-flip")


def measured(*arguments: str) -> tuple[float, float]:
    """Seconds and the peak memory in MB of Python with these arguments."""
    done = subprocess.run([sys.executable, "-c", MEASURE, *arguments], stdout=subprocess.PIPE, text=True, check=True)
    status, seconds, kilobytes = json.loads(done.stdout)
    if status:
        raise SystemExit(f"{' '.join(arguments)} failed")
    return seconds, kilobytes / 1e3


def one_frame(keypoints: Path, rounds: int) -> None:
    """The median of a call with a single frame, which is matched, checked and lifted."""
    read = reading.read(keypoints)
    frame = Keypoints(read.xy[:1], read.confidence[:1], read.joints, read.image_size)
    torch.set_num_threads(1)
    for flip in (False, True):
        model, times = lifter.load(WEIGHTS, flip=flip), []
        for _ in range(rounds):
            start = time.process_time()
            model(frame)
            times.append(time.process_time() - start)
        what = "one frame, flipped too" if flip else "one frame"
        print(f"{what:<28}{1e3 * statistics.median(times):8.1f} ms of one core")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--frames", type=int, default=10_000)
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    os.environ["OMP_NUM_THREADS"] = str(args.threads)
    print(f"{args.frames} frames of 133 joints, {args.threads} threads, without flip")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        keypoints = clip(folder / "clip.npz", args.frames)
        stages(keypoints, folder)
        one_frame(keypoints, 100)
        for count in (args.frames, LONGER * args.frames):
            seconds, peak = command(clip(folder / f"{count}.npz", count), folder / str(count))
            print(f"the command, {count:>7} frames{seconds:7.1f} s {peak:6.0f} MB")


if __name__ == "__main__":
    main()
