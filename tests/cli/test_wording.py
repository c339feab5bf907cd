"""Python's arguments as options."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import tiny
from lifting import SIZE, person, save_run

from skelgraph.cli.app import main
from skelgraph.cli.wording import in_options
from skelgraph.io.keypoints.formats import npz
from skelgraph.skeleton.builtin import COCO, HUMAN36M
from skelgraph.training import config

OPTIONS = {
    name: "--" + name.replace("_", "-")
    for name in (
        "force",
        "no_flip",
        "image_size",
        "person",
        "focal",
        "fov",
        "fps",
        "write",
        "plugin",
        "checkpoint",
        "up",
    )
}


@pytest.mark.parametrize(
    ("python", "typed"),
    [
        ("overwrite with force=True.", "overwrite with --force."),
        ("flip=False is faster", "--no-flip is faster"),
        ("give image_size=(1920, 1080)", "give --image-size 1920x1080"),
        ("give image_size=(W, H)", "give --image-size WxH"),
        ("image_size=(640.0, 480.5) is odd", "--image-size 640x480.5 is odd"),
        ("person=2 or person='all'", "--person 2 or --person all"),
        ("(person=N)", "(--person N)"),
        ("focal=-1.5: expected px", "--focal -1.5: expected px"),
        ("needs focal= or fov=; give one", "needs --focal or --fov; give one"),
        ("write=['csv', 'bvh']", "--write csv,bvh"),
        ('plugins=["first", "second"]', "--plugin first --plugin second"),
        ('checkpoint="my run"', "--checkpoint 'my run'"),
        ('up="-y": no', "--up -y: no"),
        ("go on with: skelgraph.resume('runs/my run')", "go on with: skelgraph train --resume 'runs/my run'"),
    ],
)
def test_arguments_become_options(python: str, typed: str) -> None:
    assert in_options(python, OPTIONS) == typed


@pytest.mark.parametrize(
    "text",
    [
        "num_frames=9: no option of this command",
        "/tmp/force=True/person=2.npz: no such file",
        "force=True.npz: no such file",
        "walk_force=True and Person=2",
        "train.fps=30: unknown key",
        "data={name: Synthetic, fps: 30}",
        "person==2 and fps=f(3)",
        "force=False, checkpoint=None",
        "focal=(a lens) and fps=[30 Hz]",
    ],
)
def test_everything_else_stays(text: str) -> None:
    assert in_options(text, OPTIONS) == text


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Keypoints that something is wrong with, a run, an experiment, and files that are there already."""
    folder = tmp_path_factory.mktemp("files")
    save_run(folder / "run" / "last.safetensors", HUMAN36M, "SimpleBaseline", hidden_channels=8)
    npz.write(folder / "clip.npz", person())
    npz.write(folder / "bare.npz", dataclasses.replace(person(), image_size=None, fps=None))
    npz.write(folder / "down.npz", dataclasses.replace(person(), xy=[0, SIZE[1]] + person().xy * [1, -1]))
    both = np.stack([person(seed=seed).xy for seed in (0, 1)], axis=1)
    np.savez(folder / "two.npz", keypoints=both, joints=np.array(COCO.joints), image_size=np.array(SIZE))
    (folder / "tiny.yaml").write_text(config.dump(tiny.settings()))
    for name in ("there.html", "there.npz", "there.safetensors"):
        (folder / name).write_text("mine")
    return folder


LIFT = "lift --checkpoint run --out out"


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (f"{LIFT} bare.npz", "--image-size WIDTHxHEIGHT"),
        (f"{LIFT} bare.npz --image-size 1000x800 --smooth", "give --fps"),
        (f"{LIFT} down.npz", "--force"),
        (f"{LIFT} clip.npz --format nope", "--format nope"),
        (f"{LIFT} clip.npz --plugin nope", "--plugin nope"),
        ("lift clip.npz --checkpoint run --out clip.npz", "--out"),
        ("page there.npz --out there.html", "--force"),
        ("pack run there.safetensors", "--force"),
        ("convert sem_gcn run/last.safetensors there.safetensors", "--force"),
        ("data mocap . there.npz", "--force"),
        ("train tiny.yaml", "--plugin PACKAGE"),
    ],
)
def test_errors_of_commands(
    command: str, said: str, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(folder)
    with pytest.raises(SystemExit) as stopped:
        main(command.split())
    (line,) = capsys.readouterr().err.splitlines()
    assert stopped.value.code == 1 and line.startswith("error: ") and said in line
    assert "=" not in line.replace("(y = height - y)", "") and not (folder / "out").exists()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ("--trajectory --fov 60", "--trajectory needs a file that holds it: --write csv or --write bvh"),
        ("--trajectory --write csv", "give --focal or --fov"),
        ("--fov 180", "--fov 180: expected"),
        ("--focal -5", "--focal -5: expected"),
        ("--person all --truth pose.npz", "--truth is of one person: choose who it is with --person N"),
        ("--height 1.8", "--height is for --trajectory"),
        ("--refine --up z", "--up, --refine: is for several cameras, with --calibration FILE"),
    ],
)
def test_wrong_usage(options: str, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["lift", "none.npz", "--out", "out", *options.split()])
    assert stopped.value.code == 2
    assert said in " ".join(capsys.readouterr().err.replace("│", " ").split())


def test_what_is_printed_names_options_too(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(folder)
    with pytest.raises(SystemExit) as stopped:
        main(["lift", "two.npz", "--checkpoint", "run", "--out", str(tmp_path)])
    assert stopped.value.code == 0
    assert "choose with --person N or --person all" in " ".join(capsys.readouterr().out.split())
