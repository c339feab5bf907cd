import dataclasses

import numpy as np
import pytest
from upright import SIZE, whole_body

from skelgraph.keypoints import Keypoints, checks
from skelgraph.skeletons import COCO, COCO_WHOLEBODY, HUMAN36M


def person(frames: int = 20) -> Keypoints:
    return Keypoints.of(whole_body(frames), COCO_WHOLEBODY.joints, image_size=SIZE)


def test_an_upright_person_in_the_image_is_not_suspected():
    assert [check(person()) for check in (checks.normalised, checks.order, checks.outside)] == [None] * 3


def test_normalised_values_are_suspected():
    scaled = dataclasses.replace(person(), xy=person().xy / 500 - 1)
    assert "largest coordinate is" in checks.normalised(scaled)
    scaled.confidence[:] = 0
    assert checks.normalised(scaled) is None


@pytest.mark.parametrize(("down", "suspected"), [(3, False), (4, True), (20, True)])
def test_a_person_upside_down_in_a_fifth_of_the_frames_is_suspected(down, suspected):
    xy = person().xy.copy()
    xy[:down, :, 1] = SIZE[1] - xy[:down, :, 1]
    message = checks.order(dataclasses.replace(person(), xy=xy))
    assert (message is not None) == suspected


def test_a_lying_person_is_not_judged():
    assert checks.order(dataclasses.replace(person(), xy=person().xy[..., ::-1])) is None


def test_frames_without_head_or_feet_are_not_judged():
    keypoints = dataclasses.replace(person(), xy=-person().xy)
    keypoints.confidence[:, [15, 16]] = 0
    assert checks.order(keypoints) is None


def test_coco_taken_for_human36m_is_suspected():
    coco = Keypoints.of(whole_body()[:, :17], COCO.joints)
    xy = coco.xy.copy()
    xy[:, [9, 10], 1] = 400  # hands hang at the hips
    assert "another order" in checks.order(dataclasses.replace(coco, xy=xy, joints=HUMAN36M.joints))


def test_points_outside_the_image_are_suspected():
    assert "image size" in checks.outside(dataclasses.replace(person(), image_size=(320, 240)))
    assert checks.outside(dataclasses.replace(person(), image_size=None)) is None


def test_an_empty_clip_passes():
    empty = Keypoints(np.zeros((0, 17, 2)), np.zeros((0, 17)), COCO.joints, SIZE)
    assert [check(empty) for check in (checks.normalised, checks.order, checks.outside)] == [None] * 3
