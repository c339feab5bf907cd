"""The picture of a skeleton: each is drawn, readable and whole."""

import io

import numpy as np
import pytest
from clips import HEXAPOD
from matplotlib.image import imread
from matplotlib.text import Text

from skelgraph import Skeleton
from skelgraph.skeleton import builtin
from skelgraph.viz.drawings import skeleton_drawing
from skelgraph.viz.drawings.skeleton_drawing import draw_skeleton


def texts(figure) -> list:
    return [text for ax in figure.axes for text in ax.texts]


HARD = ("COCO_WHOLEBODY", "HUMAN36M")  # panels of parts; one panel


@pytest.mark.parametrize(
    "name", [name if name in HARD else pytest.param(name, marks=pytest.mark.slow) for name in builtin.__all__]
)  # a picture takes a second
def test_every_name_of_a_skeleton_is_readable(name, drawn, tmp_path):
    skeleton = builtin.get(name)
    path = draw_skeleton(skeleton, tmp_path / "a.png")
    assert imread(path).std() > 0.01
    (figure,) = drawn
    written = texts(figure)
    assert len(written) == skeleton.num_joints
    for text in written:
        text.update_positions(figure.canvas.get_renderer())
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
    draw_skeleton(HEXAPOD, tmp_path / "a.png")
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


def test_matplotlib_is_loaded_late_and_pyplot_never(another_process):
    assert another_process["before drawing"] == [] and another_process["after drawing"] == ["matplotlib"]


def test_same_picture_twice(tmp_path):
    first = draw_skeleton(builtin.COCO, tmp_path / "a.png").read_bytes()
    assert draw_skeleton(builtin.COCO, tmp_path / "b.png").read_bytes() == first
    assert imread(io.BytesIO(first)).shape[2] in (3, 4)
