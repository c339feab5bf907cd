"""Every experiment builds from its file and takes one training step."""

import re
from functools import cache
from pathlib import Path

import fake_mocap
import pytest
import torch

from skelgraph.nn import losses
from skelgraph.nn.prediction import answered, gives_frames
from skelgraph.training import config, experiment, variants

FOLDER = Path(__file__).parent.parent / "experiments"
read = cache(config.read)
ROWS = [
    # the further rows of a file differ in a few settings, which the models' own tests cover
    pytest.param(path, row.variant, id=f"{path.stem}-{row.variant or 'only'}", marks=[pytest.mark.slow] if i else [])
    for path in sorted(FOLDER.glob("*.yaml"))
    for i, row in enumerate(row for row in variants.rows(read(path)) if row.seed == 0)
]


@pytest.fixture(scope="module")
def mocap(tmp_path_factory):
    folder = tmp_path_factory.mktemp("mocap")
    fake_mocap.write(folder)
    return folder


@pytest.mark.parametrize(("path", "variant"), ROWS)
def test_takes_a_step(path, variant, mocap, monkeypatch):
    settings = read(path)
    monkeypatch.setenv("SKELGRAPH_DATA", str(mocap))
    changes = {
        "MotionCapture": [],
        "MixedPeople": ["data.num_poses=40", "data.num_test_poses=20", "data.exclude=[]"],
        "MultiView": ["data.num_clips=4", "data.num_test_clips=2"],
        "Synthetic": ["data.num_poses=4", "data.num_test_poses=2"],
        "Rendered": ["data.num_poses=2", "data.num_test_poses=1"],
    }
    for change in changes.get(settings["data"]["name"], []):
        settings = config.apply(settings, change)
    made = experiment.build(variants.rows(settings, variant)[0].settings)
    assert len(made.test_data)
    poses = made.train_data.draw(0)
    x = poses.inputs(made.model.in_channels)[:2]
    before = [p.detach().clone() for p in made.model.parameters()]
    optimizer = made.optim.make(made.model.parameters())
    output = made.model(x)
    target, frames = answered(poses.target[:2], made.model), gives_frames(made.model)
    loss, _ = losses.objective(output, target, made.skeleton, made.loss, frames=frames)
    loss.backward()
    optimizer.step()
    assert torch.isfinite(loss)
    assert any(not torch.equal(a, b) for a, b in zip(before, made.model.parameters(), strict=True))


def test_the_readme_names_experiments_that_there_are():
    named = re.findall(r"`(\w+\.yaml)`", (FOLDER / "README.md").read_text(encoding="utf-8"))
    assert named and set(named) <= {path.name for path in FOLDER.glob("*.yaml")}
