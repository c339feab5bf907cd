import pytest
import torch
from tf32 import Tf32

from skelgraph import Skeleton
from skelgraph.nn.inputs import flip_input, flip_pose
from skelgraph.nn.models import PartLifter
from skelgraph.skeleton.builtin import COCO_WHOLEBODY, HUMAN36M

SMALL = {"hidden_channels": 32, "num_layers": 1, "small_channels": 16, "small_layers": 1}
PARTS = ("left_hand", "right_hand", "face")


def whole_body(device=None, **options):
    torch.manual_seed(0)
    return PartLifter(COCO_WHOLEBODY, 4, small_parts=PARTS, **{**SMALL, **options}).to(device)


def keypoints(num=3, device=None):
    x = torch.rand(num, 133, 4, generator=torch.Generator().manual_seed(1)) - 0.5
    return torch.cat([x[..., :2], torch.ones_like(x[..., :1]), torch.full_like(x[..., :1], 1.2)], -1).to(device)


def test_every_joint_comes_out_once_with_an_error_above_zero(device):
    out = whole_body(device)(keypoints(device=device))
    assert out.pose.shape == out.error.shape == (3, 133, 3)
    assert (out.error > 0).all() and out.pose.flatten(1).unique(dim=1).size(1) == 399


def test_parts_hang_on_the_rest():
    """A hand follows its wrist: with a trunk that says nothing the hand lies on it, and the face on the nose."""
    model = whole_body()
    for trunk in model.small.values():
        torch.nn.init.zeros_(trunk[-1].weight)
        torch.nn.init.zeros_(trunk[-1].bias)
    pose = model(keypoints()).pose
    for part, joint in (("left_hand", "left_wrist"), ("right_hand", "right_wrist"), ("face", "nose")):
        expected = pose[:, [COCO_WHOLEBODY.index(joint)]].expand(-1, len(COCO_WHOLEBODY.limbs[part]), -1)
        torch.testing.assert_close(pose[:, list(COCO_WHOLEBODY.limbs[part])], expected)


def test_the_hands_share_a_trunk_and_mirror_each_other(device):
    model = whole_body(device)
    assert set(model.small) == {"0", "2"}
    with torch.no_grad():  # a body without sides: what is left of the difference would be the hands' own
        for parameter in model.body[-1].parameters():
            parameter.zero_()
    x, index = keypoints(device=device), COCO_WHOLEBODY.flip_index.to(device)
    hands = [*COCO_WHOLEBODY.limbs["left_hand"], *COCO_WHOLEBODY.limbs["right_hand"]]
    mirrored = flip_pose(model(flip_input(x, index)).pose, index)
    torch.testing.assert_close(mirrored[:, hands], model(x).pose[:, hands], atol=1e-5, rtol=1e-4)


def test_a_hand_does_not_move_the_body():
    model, x = whole_body(), keypoints()
    changed = x.clone()
    hand = list(COCO_WHOLEBODY.limbs["left_hand"])
    changed[:, hand[5:], :2] += 1e-4 * torch.randn(3, 16, 2)
    body = list(COCO_WHOLEBODY.parts["body"])
    torch.testing.assert_close(model(changed).pose[:, body], model(x).pose[:, body], atol=1e-3, rtol=0)


def test_a_lopsided_choice_of_parts_has_a_trunk_each():
    model = PartLifter(COCO_WHOLEBODY, 4, small_parts=("left_hand", "right_hand", "left_leg"), **SMALL)
    assert set(model.small) == {"0", "1", "2"} and model(keypoints()).pose.isfinite().all()


def test_parts_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="no limbs tail in HUMAN36M; it has left_arm"):
        PartLifter(HUMAN36M, small_parts=("tail",))
    forked = Skeleton(
        name="forked",
        joints=("a", "b", "c", "d"),
        parents=(-1, 0, 0, 1),
        limbs={"rest": ("a", "b"), "fork": ("c", "d")},
    )
    with pytest.raises(ValueError, match=r"forked: the part c, d, \.\.\. hangs on no single joint"):
        PartLifter(forked, small_parts=("fork",))
    with pytest.raises(ValueError, match="out_channels must be 3, found 2"):
        PartLifter(HUMAN36M, 2, 2)


def test_indices_are_no_weights():
    names = {name for name, _ in whole_body().named_parameters()}
    assert set(whole_body().state_dict()) == names


def test_neither_bfloat16_nor_tf32_turns_the_answer(device):
    """What the trunk says is turned back in full precision: lengths stay, to the rounding of the trunk's own output."""
    model, x = whole_body(device).eval(), keypoints(device=device)
    with torch.no_grad():
        for trunk in (model.body, *model.small.values()):
            trunk[-1].weight.zero_()  # the answer is the bias, which bfloat16 holds
            trunk[-1].bias.copy_(trunk[-1].bias.bfloat16())
        expected = model(x).pose
        with torch.autocast(device.type, torch.bfloat16):
            rounded = model(x).pose
        with Tf32():
            coarse = model(x).pose
    assert rounded.dtype == torch.float32
    body = model.rest
    torch.testing.assert_close(rounded[:, body], expected[:, body], atol=1e-6, rtol=0)
    torch.testing.assert_close(coarse, expected, atol=1e-6, rtol=0)
