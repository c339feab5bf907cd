"""What benchmarks/gpu.py trains: every family of models small, and the sizes that are timed."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from skelgraph.training import experiment
from skelgraph.training.loop import Loop
from skelgraph.training.progress import Silent
from skelgraph.training.run_folder import RunFolder
from skelgraph.training.signals import StopRequest

Settings = dict[str, Any]
LOSS = {"mpjpe": 1.0, "bone": 0.1, "normal": 0.1}
WITH_ERROR = LOSS | {"error": 0.25}
POSES = {"name": "Synthetic", "num_poses": 64, "num_test_poses": 16, "noise_px": 3.0, "missing": 0.1}
PEOPLE = {"name": "MixedPeople", "num_poses": 64, "num_test_poses": 16}
MOCAP = {"name": "MotionCapture", "frame_step": 1, "noise_px": 3.0}
FAULTS = {"noise_px": [0, 8], "missing": [0, 0.2], "missing_views": [0, 1]}
VIEWS = {"name": "MultiView", "num_clips": 16, "num_test_clips": 4, "num_frames": 5, "recorded": 0.5, **FAULTS}
PICTURES = {"name": "Rendered", "num_poses": 16, "num_test_poses": 4, "frame_step": 1}
PICTURES |= {"cameras": ["54138969", "55011271"]}
HANDS_AND_FACE = ["left_hand", "right_hand", "face"]
WINDOWS = {"patch_size": 4, "hidden_channels": 16, "depths": [1, 1], "heads": [1, 2], "window_size": 4}
ATTENTION = {"heads": 4, "head_channels": 8, "ffn_channels": 64}


def settings(model: Mapping[str, Any], data: Mapping[str, Any] = POSES, **sections: Any) -> Settings:
    """An experiment of two short epochs."""
    train = {"epochs": 2, "batch_size": 8, "flip_test": data["name"] in ("Synthetic", "MotionCapture")}
    made = {"skeleton": "HUMAN36M", "model": dict(model), "data": dict(data), "loss": LOSS}
    optim = {"name": "AdamW", "lr": 1e-3, "clip": 1.0}
    return copy.deepcopy({**made, "optim": optim, **sections, "train": train | sections.get("train", {})})


def small(
    name: str, data: Mapping[str, Any] = POSES, loss: Any = LOSS, skeleton: str = "HUMAN36M", **model: Any
) -> Settings:
    return settings({"name": name, **model}, data, loss=loss, skeleton=skeleton)


FAMILIES: dict[str, Settings] = {
    "SimpleBaseline": small("SimpleBaseline", hidden_channels=64),
    "SemGCN": small("SemGCN", hidden_channels=32, num_layers=2, non_local=True),
    "AMPose": small("AMPose", hidden_channels=32, num_layers=2),
    "GCN": small("GCN", hidden_channels=32, num_layers=2),
    "GraFormer": small("GraFormer", hidden_channels=32, num_layers=2),
    "JointFormer": small("JointFormer", loss=WITH_ERROR, hidden_channels=32, num_layers=2, **ATTENTION),
    "LargeSimpleBaseline": small("LargeSimpleBaseline", hidden_channels=64, num_layers=1),
    "ModulatedGCN": small("ModulatedGCN", hidden_channels=32, num_layers=2),
    "STGCN": small("STGCN", hidden_channels=16),
    "SemGAN": small("SemGAN", loss=WITH_ERROR, hidden_channels=32, num_layers=2),
    "SemGAN, 133 joints": small("SemGAN", loss=WITH_ERROR, skeleton="COCO_WHOLEBODY", hidden_channels=32, num_layers=2),
    "PartLifter, 133 joints": small(
        "PartLifter",
        loss=WITH_ERROR,
        skeleton="COCO_WHOLEBODY",
        in_channels=4,
        hidden_channels=64,
        num_layers=1,
        small_parts=HANDS_AND_FACE,
        small_channels=32,
    ),
    "AMPose, clips": small("AMPose", MOCAP | {"num_frames": 3}, hidden_channels=32, num_layers=2, num_frames=3),
    "STGCN, clips": small(
        "STGCN", MOCAP | {"num_frames": 3}, loss=LOSS | {"velocity": 1.0}, hidden_channels=16, num_frames=3
    ),
    "MultiViewLifter": small(
        "MultiViewLifter", VIEWS, loss={"mpjpe": 1.0}, num_frames=5, hidden_channels=32, num_layers=1
    ),
    "MultiViewLifter, no rays": small(
        "MultiViewLifter",
        VIEWS | {"calibrated": False},
        loss={"mpjpe": 1.0},
        num_frames=5,
        in_channels=3,
        hidden_channels=32,
        num_layers=1,
    ),
    "MSTR": small("MSTR", PICTURES, loss={"mpjpe": 1.0}, relation_heads=2, num_layers=1, position=[2, 2], **WINDOWS),
}
DATASETS: dict[str, Settings] = {
    "Synthetic": POSES,
    "MixedPeople": PEOPLE,
    "MotionCapture": MOCAP,
    "MotionCapture, clips": MOCAP | {"num_frames": 5},
    "MultiView": VIEWS,
    "Rendered": PICTURES,
}


class Timed(NamedTuple):
    """What is timed: settings, the batch size, and the shape of a sample; () takes the dataset's."""

    settings: Settings
    batch: int
    shape: tuple[int, ...]


def whole_body(name: str, **model: Any) -> Settings:
    return small(name, loss=WITH_ERROR, skeleton="COCO_WHOLEBODY", **model)


TIMED_QUICK = {"AMPose C32 L2": Timed(FAMILIES["AMPose"], 8, (17, 2))}
TIMED: dict[str, Timed] = {
    "AMPose C512 L5": Timed(small("AMPose", hidden_channels=512, num_layers=5), 1024, (17, 2)),
    "AMPose C512 L5, small batch": Timed(small("AMPose", hidden_channels=512, num_layers=5), 128, (17, 2)),
    "AMPose C128 L4": Timed(small("AMPose", hidden_channels=128, num_layers=4), 128, (17, 2)),
    "SemGAN C256, 133 joints": Timed(whole_body("SemGAN", hidden_channels=256), 256, (133, 2)),
    "SemGCN": Timed(small("SemGCN"), 1024, (17, 2)),
    "PartLifter, 133 joints": Timed(whole_body("PartLifter", in_channels=4, small_parts=HANDS_AND_FACE), 256, (133, 4)),
    "MultiViewLifter": Timed(
        small("MultiViewLifter", VIEWS | {"num_frames": 9, "num_clips": 64}, loss={"mpjpe": 1.0}), 64, ()
    ),
    "MSTR Swin-T 224 px": Timed(
        small("MSTR", PICTURES | {"num_frames": 1}, loss={"mpjpe": 1.0}), 4, (4, 1, 3, 224, 224)
    ),
}


@contextmanager
def looped(made: Settings, folder: Path, **train: Any) -> Iterator[Loop]:
    """The loop of an experiment, with some of its ``train`` settings changed."""
    made = {**made, "train": made["train"] | train}
    with RunFolder(folder) as run, StopRequest() as stop:
        yield Loop(experiment.build(made), run, Silent(), stop)
