"""Made the run folders beside this file, with the package as it was in commit ef9d633 (see README.md)."""

import json
import os
import shutil
import signal
import sys
from pathlib import Path

import torch
import walk
from lifting import person
from skelgraph.evaluate import evaluate
from skelgraph.keypoints import npz
from skelgraph.lift import lift
from skelgraph.lift_views import lift_recording
from skelgraph.skeletons import HUMAN36M
from skelgraph.train import Interrupted, fit, resume
from skelgraph.world_pose import WorldPose

from skelgraph.poses import Pose3D
from skelgraph.training.progress import Silent

OUT = Path(sys.argv[1])
KEPT = ("config.yaml", "last.safetensors", "log.csv")
SYNTHETIC = {"name": "Synthetic", "num_poses": 50, "num_test_poses": 20, "noise_px": 2.0}
MULTIVIEW = {
    "name": "MultiView",
    "num_clips": 6,
    "num_test_clips": 3,
    "num_frames": 3,
    "recorded": 0.0,
    "noise_px": [6, 6],
}
RUNS = {
    "am_pose": ({"name": "AMPose", "hidden_channels": 16, "num_layers": 1}, SYNTHETIC),
    "sem_gcn": ({"name": "SemGCN", "hidden_channels": 8, "num_layers": 1, "non_local": True}, SYNTHETIC),
    "multi_view_lifter": (
        {"name": "MultiViewLifter", "hidden_channels": 8, "num_layers": 1, "heads": 2, "num_frames": 3},
        MULTIVIEW,
    ),
}


class Stop(Silent):
    """Breaks a run off after its second epoch and one step."""

    def __init__(self, at: int) -> None:
        self.at = at

    def step(self, done: int, *rest: float) -> None:
        if done == self.at:
            os.kill(os.getpid(), signal.SIGTERM)


def settings(model: dict, data: dict) -> dict:
    several = data["name"] == "MultiView"
    return {
        "skeleton": "HUMAN36M",
        "model": model,
        "data": data,
        "loss": {"mpjpe": 1.0},
        "optim": {"name": "AdamW", "lr": 0.003, "clip": 1.0},
        "schedule": {"name": "cosine", "warmup": 2},
        "train": {"epochs": 3, "batch_size": 3 if several else 10, "device": "cpu", "flip_test": not several},
    }


def lifted(run: Path, folder: Path, several: bool) -> list:
    out = run / "lifted"
    if several:
        files = sorted((folder / "views").glob("*.npz"))
        lift_recording(files, folder / "views" / "Calib.json", out, checkpoint=run)
        return WorldPose.load(out / "pose.npz").joints[0].tolist()
    lift(folder / "person.npz", out, checkpoint=run)
    return Pose3D.load(out / "pose.npz").joints[0].tolist()


def main() -> None:
    torch.set_num_threads(1)
    (OUT / "views").mkdir(parents=True, exist_ok=True)
    npz.write(OUT / "person.npz", person(HUMAN36M, frames=3))
    walk.write(OUT / "views", walk.views(*walk.film(walk.dance(frames=5))))
    expected = {}
    for name, (model, data) in RUNS.items():
        several, run, finished = data["name"] == "MultiView", OUT / name, OUT / "finished" / name
        try:
            fit(settings(model, data), run, progress=Stop(5 if several else 11))
        except Interrupted:
            pass
        numbers = {"evaluated": evaluate(run)["mpjpe_mm"], "pose": lifted(run, OUT, several)}
        shutil.copytree(run, finished)
        resume(finished)
        expected[name] = {**numbers, "resumed": evaluate(finished)["mpjpe_mm"]}
        for path in run.iterdir():
            if path.name not in KEPT:
                shutil.rmtree(path) if path.is_dir() else path.unlink()
    shutil.rmtree(OUT / "finished")
    (OUT / "expected.json").write_text(json.dumps(expected) + "\n")


main()
