"""What each check says, on small people; how often they are wrong is in test_alarms.py."""

import dataclasses

import numpy as np
import pytest
from upright import SIZE, whole_body

from skelgraph.datasets.synthetic import clip
from skelgraph.poses.checks import body, checks, motion
from skelgraph.poses.keypoints import Keypoints
from skelgraph.skeleton.builtin import COCO, COCO_WHOLEBODY, FACE, HAND, HUMAN36M


def person(frames: int = 20, skeleton=COCO_WHOLEBODY) -> Keypoints:
    poses = clip(skeleton, 3, frames, action="turning")
    return Keypoints.of(poses.keypoints.numpy(), skeleton.joints, image_size=tuple(poses.image_size[0].tolist()))


def changed(keypoints: Keypoints, **fields) -> Keypoints:
    return dataclasses.replace(keypoints, **fields)


def kinds(keypoints: Keypoints) -> list[tuple[str, bool]]:
    return [(found.kind, found.sure) for found in checks.suspicions(keypoints)]


@pytest.mark.parametrize("keypoints", [person(), person(skeleton=HUMAN36M), person(1)])
def test_a_person_is_not_suspected(keypoints):
    assert kinds(keypoints) == []


def test_normalised_values_are_suspected_even_with_a_stray_point():
    size = np.array(SIZE, dtype=np.float32)
    scaled = changed(person(), xy=2 * person().xy / size - 1)
    scaled.xy[0, 0] = 700
    assert "in 20 frames the largest coordinate is 700" in checks.normalised(scaled).message
    assert kinds(scaled) == [("normalised", True)]


def test_no_points_at_all():
    none = changed(person(), confidence=np.zeros((20, 133)))
    assert kinds(none) == [("no points", True)]
    assert "in all 20 frames" in checks.no_points(none).message


@pytest.mark.parametrize(("mark", "share", "sure"), [(0, 0.1, True), (-1, 0.1, True), (0, 0.005, False)])
def test_points_at_the_corner_with_a_confidence(mark, share, sure):
    xy = person().xy.copy()
    xy[np.random.default_rng(0).random(xy.shape[:2]) < share] = mark
    found = checks.placeholders(changed(person(), xy=xy))
    assert found.sure == sure and "frames, lie at exactly (0, 0)" in found.message


@pytest.mark.parametrize(("factor", "said"), [(100.0, True), (-1.0, True), (2.0, False), (1.1, False)])
def test_confidences_far_outside_0_to_1_are_told(factor, said):
    given = Keypoints.of(person().xy, COCO_WHOLEBODY.joints, confidence=np.full((20, 133), factor), image_size=SIZE)
    assert (checks.confidence(dataclasses.replace(given, fps=30)) is not None) == said


@pytest.mark.parametrize(
    ("size", "message", "sure"),
    [
        ((320, 240), "lie outside the image of 320x240 px", True),
        ((4000, 4000), "in its top left corner", False),
        ((1010, 990), None, False),
    ],
)
def test_an_image_size_that_does_not_fit(size, message, sure):
    found = checks.image_size(changed(person(), image_size=size))
    assert found is None if message is None else (message in found.message and found.sure == sure)


def test_width_and_height_swapped():
    upright = changed(person(), xy=person().xy + [0, 800], image_size=(1080.0, 1920.0))
    assert checks.image_size(upright) is None
    assert "width and height swapped" in checks.image_size(changed(upright, image_size=(1920.0, 1080.0))).message


def test_points_counted_from_the_middle():
    assert "not from the middle" in checks.image_size(changed(person(), xy=person().xy - 500)).message


@pytest.mark.parametrize(("down", "suspected"), [(15, False), (16, True), (20, True)])
def test_a_person_upside_down_all_the_time_is_suspected_but_no_cartwheel(down, suspected):
    xy = person().xy.copy()
    xy[:down, :, 1] = 1000 - xy[:down, :, 1]
    assert (body.upside_down(changed(person(), xy=xy)) is not None) == suspected


def test_a_lying_person_and_a_sheared_one_are_not_judged():
    assert body.upside_down(changed(person(), xy=person().xy[..., ::-1])) is None
    feet = changed(person(), confidence=np.where(np.isin(np.arange(133), [15, 16]), 0, np.ones((20, 133))))
    assert body.upside_down(changed(feet, xy=-feet.xy)) is None


@pytest.mark.parametrize(("true", "taken"), [(COCO, HUMAN36M), (HUMAN36M, COCO)])
def test_another_order_is_named(true, taken):
    found = body.order(changed(person(skeleton=true), joints=taken.joints))
    assert found.sure and f"these are the joints of {true.name}" in found.message


def test_joints_in_no_order_at_all():
    mixed = person(skeleton=COCO).xy[:, np.random.default_rng(0).permutation(17)]
    assert ("joint order", True) in kinds(changed(person(skeleton=COCO), xy=mixed))


def test_nothing_moves():
    still = changed(person(), xy=np.repeat(person().xy[:1], 20, axis=0))
    assert "in 19 of 19" in motion.frozen(still).message
    assert motion.frozen(changed(still, xy=still.xy[:4], confidence=still.confidence[:4])) is None


def test_single_images_do_not_jump():
    xy = np.concatenate([clip(COCO, seed, 1, action="sitting").keypoints.numpy() for seed in range(20)])
    images = Keypoints(xy, np.ones((20, 17)), COCO.joints, (1000, 1000))
    assert motion.jumps(images) is None and motion.swaps(images) is None


def test_the_jump_is_located():
    xy = person().xy.copy()
    xy[7:] += 400
    assert "1 times in 20 frames, first to frame 7" in motion.jumps(changed(person(), xy=xy)).message


def test_what_explains_the_rest_comes_alone():
    assert kinds(changed(person(), xy=person().xy / 1000)) == [("normalised", True)]


@pytest.mark.parametrize("skeleton", [FACE, HAND, COCO_WHOLEBODY])
def test_joints_without_names_that_are_known_or_too_few_frames_pass(skeleton):
    assert kinds(Keypoints(np.zeros((0, skeleton.num_joints, 2)), np.zeros((0, skeleton.num_joints)))) == []
    xy = np.random.default_rng(0).uniform(100, 900, (9, skeleton.num_joints, 2))
    assert kinds(Keypoints(xy, np.ones(xy.shape[:2]), (), (1000, 1000))) == []


def test_the_stick_figure_of_other_tests_passes():
    assert kinds(Keypoints.of(whole_body(20)[..., :2], COCO_WHOLEBODY.joints, image_size=SIZE)) == []


def test_noise_is_of_no_person_in_any_order():
    for skeleton in (HUMAN36M, COCO, COCO_WHOLEBODY):
        xy = np.random.default_rng(0).uniform(0, 600, (30, skeleton.num_joints, 2))
        found = checks.suspicions(Keypoints.of(xy, skeleton.joints, image_size=(640, 640)))
        assert not [each for each in found if each.sure], found
        assert "joint order" in {each.kind for each in found}
