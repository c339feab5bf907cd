"""Schematic places of joints: people by name, everything else as a tree."""

import numpy as np
import pytest

from skelgraph import Skeleton
from skelgraph.skeleton import builtin
from skelgraph.viz.drawings import label_places
from skelgraph.viz.drawings.layouts import layout


@pytest.mark.parametrize("name", builtin.__all__)
def test_people_are_mirror_images_and_joints_apart(name):
    skeleton = builtin.get(name)
    places = layout(skeleton)
    apart = np.linalg.norm(places[:, None] - places[None], axis=-1) + np.eye(len(places))
    assert apart.min() > 0.002
    mirrored = places[skeleton.flip_index.numpy()] * (-1, 1)
    if skeleton.pairs:
        np.testing.assert_allclose(places, mirrored, atol=1e-9)
        left, right = np.array(skeleton.pairs).T
        assert (places[left, 0] > places[right, 0]).all()


def test_custom_skeletons_are_trees_around_their_root():
    legs = [f"{side}_{i}" for side in ("left", "right") for i in range(3)]
    places = layout(Skeleton.from_edges("hexapod", [("body", leg) for leg in legs]))
    np.testing.assert_allclose(np.linalg.norm(places[1:] - places[0], axis=1), 1)
    np.testing.assert_allclose(places[1:4, 0] - places[0, 0], places[0, 0] - places[4:, 0])
    assert (places[1:4, 0] > places[0, 0]).all()


def test_trees_of_a_forest_stand_apart():
    places = layout(Skeleton("forest", ["a", "b", "c", "d"], [-1, 0, -1, 2]))
    assert np.linalg.norm(places[:2].mean(0) - places[2:].mean(0)) > 1.5


def test_unknown_joints_of_a_person_go_on_from_their_parents():
    skeleton = Skeleton("tailed", [*builtin.COCO.joints, "tail_1", "tail_2"], [*builtin.COCO.parents, 11, 17])
    places = layout(skeleton)
    np.testing.assert_allclose(places[:17], layout(builtin.COCO))
    assert np.isfinite(places).all() and np.linalg.norm(places[18] - places[17]) > 0.05


def test_labels_stay_clear_of_each_other():
    points = np.array([[100.0, 100.0], [104.0, 100.0], [100.0, 104.0], [300.0, 100.0]])
    centres = label_places.place(points, ["left_shoulder"] * 4, 10.0, points)
    half = np.array([0.31 * 10 * 13, 6.2])
    for i in range(4):
        for k in range(i):
            assert (np.abs(centres[i] - centres[k]) >= 2 * half - 1e-6).any()
    assert label_places.place(np.zeros((0, 2)), [], 10.0, np.zeros((0, 2))).shape == (0, 2)
