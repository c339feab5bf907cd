"""Words and pictures: what they say, and that each is drawn, readable and whole."""

import io
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from clips import example, walk
from matplotlib.image import imread
from matplotlib.text import Text

from skelgraph import Skeleton
from skelgraph.poses.pose3d import Pose3D
from skelgraph.skeleton import builtin
from skelgraph.skeleton.describe import describe
from skelgraph.training.curve import draw_curve
from skelgraph.viz.drawings import figures, skeleton_drawing
from skelgraph.viz.drawings.pose_drawing import draw_pose
from skelgraph.viz.drawings.skeleton_drawing import draw_skeleton


@pytest.fixture
def drawn(monkeypatch):
    """The figures that are saved, to look into."""
    kept = []
    save = figures.save
    monkeypatch.setattr(figures, "save", lambda figure, path: (kept.append(figure), save(figure, path))[1])
    return kept


def hexapod() -> Skeleton:
    legs = [f"{side}_{place}" for side in ("left", "right") for place in ("front", "middle", "back")]
    return Skeleton.from_edges("hexapod", [("body", leg) for leg in legs])


def texts(figure) -> list:
    return [text for ax in figure.axes for text in ax.texts]


def test_describe():
    text = describe(builtin.HUMAN36M)
    assert text.startswith("HUMAN36M: 17 joints, 16 bones, 0 extra edges\n")
    assert "edges   49: 17 center, 16 closer, 16 farther" in text
    assert "center  hip" in text and "pairs   6 left and right" in text
    (row,) = (line for line in text.splitlines() if line.split()[:2] == ["13", "left_wrist"])
    assert row.split() == ["13", "left_wrist", "left_elbow", "5", "left_arm", "right_wrist"]
    assert max(map(len, text.splitlines())) <= 120


@pytest.mark.parametrize("name", builtin.__all__)
def test_every_name_of_a_skeleton_is_readable(name, drawn, tmp_path):
    skeleton = builtin.get(name)
    path = draw_skeleton(skeleton, tmp_path / "a.png")
    assert imread(path).std() > 0.01
    (figure,) = drawn
    written = texts(figure)
    assert len(written) == skeleton.num_joints
    figure.draw_without_rendering()
    boxes = np.array([Text.get_window_extent(text).extents for text in written])  # without leader lines
    page = figure.bbox.extents
    assert (boxes[:, :2] >= page[:2]).all() and (boxes[:, 2:] <= page[2:]).all()
    low, high = np.maximum(boxes[:, None, :2], boxes[None, :, :2]), np.minimum(boxes[:, None, 2:], boxes[None, :, 2:])
    hidden = np.clip(high - low, 0, None).prod(-1) / (boxes[:, 2:] - boxes[:, :2]).prod(-1)
    np.fill_diagonal(hidden, 0)
    assert hidden.max() < 0.15


def test_whole_body_has_a_panel_a_part_and_hand():
    panels = skeleton_drawing.panels_of(builtin.COCO_WHOLEBODY)
    assert [(panel.title, len(panel.joints)) for panel in panels] == [
        ("COCO_WHOLEBODY: body", 23),
        ("face", 68),
        ("hands, right", 21),
        ("hands, left", 21),
    ]


def test_edges_are_coloured_by_type(drawn, tmp_path):
    draw_skeleton(hexapod(), tmp_path / "a.png")
    colours = [tuple(patch.get_edgecolor()[:3]) for ax in drawn[0].axes for patch in ax.patches]
    assert len(colours) == 12 and len(set(colours)) == 2


def test_forests_and_single_joints_are_drawn(tmp_path):
    forest = Skeleton("forest", ["a", "b", "c", "d"], [-1, 0, -1, -1])
    for skeleton in (
        forest,
        Skeleton("one", ["a"], [-1]),
        Skeleton("chain", [f"j{i}" for i in range(60)], range(-1, 59)),
    ):
        assert imread(draw_skeleton(skeleton, tmp_path / f"{skeleton.name}.png")).std() > 0.001


def test_draw_pose_has_input_and_two_views_of_chosen_frames(drawn, tmp_path):
    pose, keypoints = example(100)
    path = draw_pose(keypoints, pose, tmp_path / "a.png", truth=pose.joints)
    assert imread(path).std() > 0.01
    axes = drawn[0].axes
    assert len(axes) == 15
    assert [ax.get_title() for ax in axes[:5]] == [f"frame {f}  {(f - 1) / 25:.2f} s" for f in (6, 28, 51, 73, 95)]
    assert {ax.get_xlabel() for ax in axes[10:]} == {"MPJPE 0.0 mm"}


def test_draw_pose_without_input_and_for_one_frame(drawn, tmp_path):
    skeleton = hexapod()
    draw_pose(None, Pose3D(walk(1, skeleton), skeleton), tmp_path / "a.png")
    assert len(drawn[0].axes) == 2
    with pytest.raises(ValueError, match="no frames"):
        draw_pose(None, Pose3D(np.zeros((0, 7, 3)), skeleton), tmp_path / "b.png")
    with pytest.raises(ValueError, match="keypoints have 3 frames, the pose 4"):
        draw_pose(example(3)[1], example(4)[0], tmp_path / "b.png")


def a_run(folder: Path, metrics: bool = True) -> Path:
    rows = ["epoch,step,lr,loss,train_mpjpe_mm,test_mpjpe_mm,poses_per_s,seconds"]
    rows += [f"{e},{e},0.001,{1 / e},{100 / e},{120 / e if e % 2 else ''},1000,{e}" for e in range(1, 6)]
    (folder / "log.csv").write_text("\n".join(rows) + "\n")
    if metrics:
        (folder / "metrics.json").write_text(json.dumps({"mpjpe_mm": 24.0, "mean_pose": {"mpjpe_mm": 200.0}}))
    return folder


def test_draw_curve(drawn, tmp_path):
    assert draw_curve(a_run(tmp_path)) == tmp_path / "curve.png"
    loss, error = drawn[0].axes
    np.testing.assert_allclose(loss.lines[0].get_xydata(), [[e, 1 / e] for e in range(1, 6)])
    train, test, mean_pose = error.lines
    assert list(test.get_xdata()) == [1, 3, 5]
    assert mean_pose.get_ydata()[0] == 200 and mean_pose.get_linestyle() == "--"
    assert imread(tmp_path / "curve.png").std() > 0.01


def test_draw_curve_without_metrics_log_or_rows(drawn, tmp_path):
    draw_curve(a_run(tmp_path, metrics=False))
    assert len(drawn[0].axes[1].lines) == 2
    (tmp_path / "log.csv").write_text("epoch,step,lr,loss,train_mpjpe_mm,test_mpjpe_mm,poses_per_s,seconds\n")
    with pytest.raises(ValueError, match="no epoch is finished"):
        draw_curve(tmp_path)
    with pytest.raises(FileNotFoundError, match="no log.csv"):
        draw_curve(tmp_path / "none")


def test_matplotlib_is_loaded_late_and_pyplot_never(tmp_path):
    code = (
        "import sys; from skelgraph import Skeleton; "
        "from skelgraph.viz.drawings.skeleton_drawing import draw_skeleton; "
        "assert 'matplotlib' not in sys.modules; "
        f"draw_skeleton(Skeleton('s', ['a', 'b'], [-1, 0]), {str(tmp_path / 'a.png')!r}); "
        "assert 'matplotlib' in sys.modules and 'matplotlib.pyplot' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_same_picture_twice(tmp_path):
    first = draw_skeleton(builtin.COCO, tmp_path / "a.png").read_bytes()
    assert draw_skeleton(builtin.COCO, tmp_path / "b.png").read_bytes() == first
    assert imread(io.BytesIO(first)).shape[2] in (3, 4)
