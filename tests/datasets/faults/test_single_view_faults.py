"""A detector without fault changes nothing; noise and missing joints have the rates asked for."""

import torch

from skelgraph.datasets.faults.single_view import detect, detect_roughly
from skelgraph.datasets.randomness import Style, generator
from skelgraph.skeleton.builtin import COCO_WHOLEBODY

KEYPOINTS = torch.full((500, 17, 2), 300.0)


def test_no_fault_leaves_keypoints_alone():
    keypoints, confidence = detect(KEYPOINTS, 0.0, 0.0, generator("a"))
    assert torch.equal(keypoints, KEYPOINTS) and (confidence == 1).all()


def test_noise_and_missing_joints():
    keypoints, confidence = detect(KEYPOINTS, 5.0, 0.25, generator("a"))
    seen = confidence > 0
    assert abs(seen.float().mean() - 0.75) < 0.02
    assert (keypoints[~seen] == 0).all()
    assert abs((keypoints - KEYPOINTS)[seen].std() - 5) < 0.15


def test_a_key_fixes_the_numbers_and_its_order_counts():
    draws = [torch.rand(4, generator=generator(*key)) for key in (("a", 1), ("a", 1), (1, "a"), ("a", 2))]
    assert torch.equal(draws[0], draws[1])
    assert not torch.equal(draws[0], draws[2]) and not torch.equal(draws[0], draws[3])


def test_style_hands_out_new_columns_and_says_when_they_are_used_up():
    style = Style(torch.rand(6, 5))
    first, second = style.between(2, 3), style.degrees(-180, 180, 2)
    assert first.shape == (6,) and second.shape == (6, 2) and ((first >= 2) & (first < 3)).all()
    assert style.happens(1.0).all() and style.used == 4
    try:
        style.between(0, 1, 2)
    except ValueError as error:
        assert "5 columns and 6" in str(error)
    else:
        raise AssertionError("more columns than there are")


def rough(skeleton=COCO_WHOLEBODY, num=4000):
    random = torch.Generator().manual_seed(0)
    keypoints = torch.rand(num, skeleton.num_joints, 2, generator=random) * torch.tensor([300.0, 400.0]) + 200
    keypoints[:50, 0] = torch.tensor([-5.0, 300.0])
    size = torch.tensor([[1000.0, 800.0]]).expand(num, 2)
    return keypoints, *detect_roughly(keypoints, size, skeleton, 0.5, 0.04, random)


def test_rough_detections_miss_joints_singly_and_by_limbs():
    keypoints, found, confidence = rough()
    missing = confidence == 0
    assert missing[:50, 0].all(), "outside the image"
    assert (found[missing] == 0).all() and 0.05 < missing.float().mean() < 0.2
    whole = missing[:, list(COCO_WHOLEBODY.limbs["left_hand"])].all(1).float().mean()
    assert 0.01 < whole < 0.05, "an eighth of the masked limbs, and a sixth has one masked"
    legs = [
        COCO_WHOLEBODY.index(f"{side}_{joint}") for side in ("left", "right") for joint in ("knee", "ankle", "heel")
    ]
    assert 0.1 < missing[:, legs].all(1).float().mean() < 0.15


def test_rough_detections_are_exact_in_half_of_the_poses_and_finer_in_hands():
    keypoints, found, confidence = rough()
    off = torch.where(confidence > 0, (found - keypoints).norm(dim=-1), 0)
    exact = off.amax(1) == 0
    assert 0.45 < exact.float().mean() < 0.55
    body, hands = (list(COCO_WHOLEBODY.parts[part]) for part in ("body", "hands"))
    noisy = off[~exact]
    assert 2.5 < noisy[:, body].mean() / noisy[:, hands].mean() < 3.5
    assert 2 < noisy[:, body].median() < 10 and noisy.max() > 100


def test_rough_confidences_tell_of_the_noise():
    keypoints, found, confidence = rough()
    scored = (confidence != 1).any(1) & ((confidence == 1) | (confidence == 0)).logical_not().any(1)
    assert 0.4 < scored.float().mean() < 0.6
    body = list(COCO_WHOLEBODY.parts["body"])
    off, told = (found - keypoints).norm(dim=-1)[scored][:, body], confidence[scored][:, body]
    low, high = off[(told > 0) & (told < 0.4)].mean(), off[told > 0.8].mean()
    assert 1.2 < low / high < 2
