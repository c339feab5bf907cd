"""What a dataset draws is the same on every device, and so are the inputs made of it."""

from pathlib import Path
from typing import Any

import fake_mocap
import pytest
import torch

from skelgraph import datasets
from skelgraph.skeleton.builtin import HUMAN36M

FAULTS = {"noise_px": (0, 8), "missing": (0.0, 0.2)}
DATASETS: dict[str, tuple[dict[str, Any], tuple[int, ...]]] = {  # options, and the channels that inputs may have
    "Synthetic": ({"num_poses": 32, "noise_px": 3.0, "missing": 0.1}, (2, 3, 4)),
    "MixedPeople": ({"num_poses": 32}, (2, 3, 4)),
    "MotionCapture": ({"frame_step": 4, "num_frames": 3, "noise_px": 3.0}, (2, 3, 4)),
    "MultiView": ({"num_clips": 4, "num_frames": 3, "recorded": 0.5, **FAULTS}, (3, 9)),
    "Rendered": ({"num_poses": 2, "frame_step": 4}, (3,)),
}


@pytest.mark.parametrize("name", DATASETS)
def test_an_epoch_is_the_same_on_every_device(
    name: str, device: torch.device, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_mocap.write(tmp_path)
    monkeypatch.setenv("SKELGRAPH_DATA", str(tmp_path))
    options, channels = DATASETS[name]
    data = getattr(datasets, name)(HUMAN36M, "train", **options)
    here, there = data.draw(1), data.draw(1).to(device)
    assert there.target.device.type == device.type
    torch.testing.assert_close(there.target.cpu(), here.target, rtol=0, atol=1e-6)
    for count in channels:
        found = there.inputs(count)
        assert found.device.type == device.type
        torch.testing.assert_close(found.cpu(), here.inputs(count), rtol=0, atol=1e-5)
