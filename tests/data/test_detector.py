"""A detector without fault changes nothing; noise and missing joints have the rates asked for."""

import torch

from skelgraph.data.chance import Style, generator
from skelgraph.data.detector import detect

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
