"""The hand has its length, its handedness, and bends only towards the palm."""

import torch

from skelgraph.datasets.people.hand_model import hand

TIPS = [4, 8, 12, 16, 20]


def make(flexion=0.0, spread=0.0, length=0.18):
    return hand(torch.tensor(length), torch.ones(5), torch.full((5, 3), flexion), torch.full((5,), spread))


def test_length_of_the_straight_hand():
    for length in (0.16, 0.21):
        tip = make(length=length)[12].norm().item()
        assert abs(tip / length - 1) < 0.01


def test_left_hand_hangs_with_its_palm_to_the_body_and_its_thumb_forward():
    joints = make()
    assert (joints[TIPS, 1] < -0.05).all()  # down
    assert joints[4, 2] > joints[8, 2] > joints[12, 2] > joints[16, 2] > joints[20, 2]  # thumb foremost
    assert joints[4, 0] < -0.01  # the thumb stands off to the palm, that is to the body


def test_fingers_curl_to_the_palm_and_keep_their_bones():
    straight, curled = make(), make(flexion=1.0)
    assert (curled[[8, 12, 16, 20], 0] < straight[[8, 12, 16, 20], 0] - 0.02).all()
    assert (curled[TIPS].norm(dim=-1) < straight[TIPS].norm(dim=-1)).all()
    bone = [j for j in range(1, 21) if j % 4 != 1]
    for joints in (straight, curled):
        torch.testing.assert_close(
            (joints[bone] - joints[[j - 1 for j in bone]]).norm(dim=-1),
            (straight[bone] - straight[[j - 1 for j in bone]]).norm(dim=-1),
        )


def test_spread_turns_fingers_to_the_thumb_side_in_the_plane_of_the_palm():
    straight, spread = make(), make(spread=0.3)
    assert (spread[[8, 12, 16, 20], 2] > straight[[8, 12, 16, 20], 2] + 0.01).all()
    torch.testing.assert_close(spread[12, 0], straight[12, 0])


def test_free_leading_dimensions():
    length, fingers = torch.rand(2, 3) + 1, torch.rand(2, 3, 5)
    flexion, spread = torch.rand(2, 3, 5, 3), torch.rand(2, 3, 5)
    whole = hand(length, fingers, flexion, spread)
    assert whole.shape == (2, 3, 21, 3)
    torch.testing.assert_close(whole[1, 2], hand(length[1, 2], fingers[1, 2], flexion[1, 2], spread[1, 2]))
