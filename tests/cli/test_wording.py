"""Python's arguments as options."""

import pytest

from skelgraph.cli.wording import in_options

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
    ],
)
def test_everything_else_stays(text: str) -> None:
    assert in_options(text, OPTIONS) == text
