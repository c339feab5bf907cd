import dataclasses

import numpy as np
import pytest
from upright import SIZE, whole_body

from skelgraph.poses.adapt import adapt
from skelgraph.poses.keypoints import Keypoints
from skelgraph.skeleton.builtin import COCO, COCO_WHOLEBODY, FACE, HUMAN36M

PERSON = Keypoints.of(whole_body(), COCO_WHOLEBODY.joints, image_size=SIZE, source="walk.json", fps=30)


def test_joints_are_found_by_name_and_the_rest_is_kept():
    fitted = adapt(PERSON, COCO).keypoints
    np.testing.assert_array_equal(fitted.xy, PERSON.xy[:, :17])
    assert (fitted.joints, fitted.image_size, fitted.fps) == (COCO.joints, SIZE, 30)


def test_an_image_size_given_goes_before_the_files():
    assert adapt(PERSON, COCO, (1920, 1080)).keypoints.image_size == (1920, 1080)


def test_without_an_image_size_it_is_asked_for():
    with pytest.raises(ValueError, match="walk.json: .*image_size="):
        adapt(dataclasses.replace(PERSON, image_size=None), COCO)


def test_a_plain_array_of_as_many_joints_is_taken_in_their_order():
    plain = Keypoints.of(whole_body()[:, :17], image_size=SIZE)
    np.testing.assert_array_equal(adapt(plain, COCO).keypoints.xy, plain.xy)


def test_a_plain_array_of_another_count_says_what_is_needed():
    plain = Keypoints.of(whole_body()[:, :18], image_size=SIZE, source="walk.npz")
    with pytest.raises(
        ValueError, match=r"walk.npz: has 18 joints.*HUMAN36M needs 17; closest known: OPENPOSE_COCO18 \(18\)"
    ):
        adapt(plain, HUMAN36M)


def test_joints_of_something_else_say_so():
    face = Keypoints.of(np.full((2, 68, 2), 50.0), FACE.joints, image_size=SIZE, source="face.npz")
    with pytest.raises(ValueError, match=r"face.npz: of its 68 joints .*closest known: FACE \(68\)\) only 0"):
        adapt(face, HUMAN36M)
    assert adapt(face, COCO_WHOLEBODY).match.missing == COCO_WHOLEBODY.joints[:23] + COCO_WHOLEBODY.joints[91:]


def test_what_looks_wrong_needs_force():
    upside_down = dataclasses.replace(PERSON, xy=SIZE[1] - PERSON.xy)
    with pytest.raises(ValueError, match="walk.json: the head is below the ankles in 3 of 3 frames.*force=True"):
        adapt(upside_down, COCO)
    insisted = adapt(upside_down, COCO, force=True)
    np.testing.assert_array_equal(insisted.keypoints.xy, upside_down.xy[:, :17])
    assert len(insisted.warnings) == 1
    with pytest.raises(ValueError, match="normalised already"):
        adapt(dataclasses.replace(PERSON, xy=PERSON.xy / 1000), COCO)


def test_an_image_size_that_most_points_are_outside_of_needs_force():
    with pytest.raises(ValueError, match="outside the image of 100x100 px.*force=True"):
        adapt(PERSON, COCO, (100, 100))
    assert "outside the image of 100x100" in adapt(PERSON, COCO, (100, 100), force=True).warnings[0]


def test_what_may_be_right_is_a_warning():
    assert "in its top left corner" in adapt(PERSON, COCO, (4000, 4000)).warnings[0]


def test_plain_arrays_are_judged_in_the_skeletons_order():
    plain = Keypoints.of(whole_body()[:, :17, :2], image_size=SIZE, source="walk.npz")
    assert adapt(plain, COCO).warnings == ()
    with pytest.raises(ValueError, match="walk.npz: .*the joints of COCO.*force=True"):
        adapt(plain, HUMAN36M)
