"""People of every motion stay within their limits, whole, and look like what they do."""

import pytest
import torch

from skelgraph.datasets.people.body_shape import SHAPE_COLUMNS, BodyShape, body_shapes
from skelgraph.datasets.people.kinematics import LANDMARKS, LIMITS, frames, landmarks
from skelgraph.datasets.people.motions import MOTIONS, STYLE_COLUMNS, perform

NUM = 400
INDEX = {name: i for i, name in enumerate(LANDMARKS)}
RIGID = [("hip", "spine"), ("spine", "thorax"), ("thorax", "neck"), ("neck", "head_top"), ("left_hip", "right_hip")]
SIDED = [("shoulder", "elbow"), ("elbow", "wrist"), ("hip", "knee"), ("knee", "ankle"), ("ankle", "heel")]
SIDED += [(f"hand_{i if i % 4 else 0}", f"hand_{i + 1}") for i in range(20)]


def people(action, seed=0, num=NUM):
    random = torch.Generator().manual_seed(seed)
    shape = torch.rand(num, SHAPE_COLUMNS, generator=random)
    phase, style = 2 * torch.rand(num, generator=random), torch.rand(num, STYLE_COLUMNS, generator=random)
    posture = perform(action, phase, style)
    return body_shapes(shape), posture, standing(body_shapes(shape), posture)


def standing(shape, posture):
    return landmarks(shape, frames(posture), posture)


def at(points, *names):
    return points[:, [INDEX[name] for name in names]]


def length(points, a, b):
    return (points[:, INDEX[a]] - points[:, INDEX[b]]).norm(dim=-1)


@pytest.mark.parametrize("action", MOTIONS)
def test_joint_angles_are_within_limits_and_mostly_not_at_them(action):
    _, posture, points = people(action)
    assert points.isfinite().all()
    for name, bounds in LIMITS.items():
        low, high = torch.deg2rad(torch.tensor(bounds)).unbind(-1)
        angles = getattr(posture, name)
        assert (angles >= low - 1e-6).all() and (angles <= high + 1e-6).all(), name
        stuck = ((angles == low) | (angles == high)).float().mean()
        assert stuck < 0.5, f"{name} is at its limit in {stuck:.0%} of the poses"


@pytest.mark.parametrize("action", MOTIONS)
@pytest.mark.parametrize("side", ["left", "right"])
def test_knees_bend_backward_only(action, side):
    points = people(action)[2]
    hip, knee, ankle, heel, toe = (at(points, f"{side}_{j}")[:, 0] for j in ("hip", "knee", "ankle", "heel", "big_toe"))
    thigh, shank, foot = (torch.nn.functional.normalize(v, dim=-1) for v in (knee - hip, ankle - knee, toe - heel))
    outward = torch.linalg.cross(foot, shank)  # to the person's left
    assert ((torch.linalg.cross(thigh, shank) * outward).sum(-1) > -0.02).all()


@pytest.mark.parametrize("action", MOTIONS)
def test_bones_are_alike_on_both_sides_and_constant_in_a_person(action):
    shape, _, points = people(action)
    for a, b in SIDED:
        torch.testing.assert_close(length(points, f"left_{a}", f"left_{b}"), length(points, f"right_{a}", f"right_{b}"))
    random = torch.Generator().manual_seed(5)
    one = BodyShape(*(field[:1].expand(NUM, *field.shape[1:]) for field in shape))
    phase, style = torch.rand(NUM, generator=random), torch.rand(NUM, STYLE_COLUMNS, generator=random)
    moving = standing(one, perform(action, phase, style))
    for a, b in RIGID + [(f"left_{a}", f"left_{b}") for a, b in SIDED]:
        bone = length(moving, a, b)
        assert bone.max() - bone.min() < 1e-4, (a, b)


@pytest.mark.parametrize("action", MOTIONS)
def test_face_and_hands_are_where_the_body_ends(action):
    points = people(action)[2]
    for side in ("left", "right"):
        assert length(points, f"{side}_wrist", f"{side}_hand_0").max() < 1e-3
        assert length(points, f"{side}_eye", "face_27").max() < 0.06
        assert length(points, f"{side}_ear", "face_16" if side == "left" else "face_0").max() < 0.08
    assert length(points, "neck", "face_30").max() < 0.16


def test_sizes_are_human():
    shape, _, points = people("walking", num=3000)
    assert 1.45 <= shape.stature.min() and shape.stature.max() <= 2.0 and shape.stature.std() > 0.05
    assert 0.16 <= shape.hand.min() and shape.hand.max() <= 0.21
    span = sum(length(points, *bone) for bone in RIGID[:4]) + shape.ankle_height
    height = span + length(points, "left_hip", "left_knee") + length(points, "left_knee", "left_ankle")
    assert ((height / shape.stature - 1).abs() < 0.01).all()


def test_walkers_are_upright_and_swing_both_legs():
    _, posture, points = people("walking")
    head, hip = at(points, "head_top")[:, 0, 1], at(points, "hip")[:, 0, 1]
    feet = at(points, "left_ankle", "right_ankle")[..., 1].amax(1)
    assert (head > hip + 0.5).all() and (hip > feet + 0.1).all()
    assert at(points, "left_heel", "right_heel", "left_big_toe", "right_big_toe")[..., 1].amin(1).abs().max() < 0.05
    assert torch.corrcoef(posture.hip[:, :, 0].T)[0, 1] < -0.5


def test_sitters_thighs_are_level_and_hips_low():
    points = people("sitting")[2]
    thigh = at(points, "left_knee", "right_knee") - at(points, "left_hip", "right_hip")
    assert (thigh[..., 1].abs() / thigh.norm(dim=-1)).mean() < 0.35
    assert at(points, "hip")[:, 0, 1].mean() < 0.55


def test_kneelers_have_a_knee_on_the_floor():
    points = people("kneeling")[2]
    feet = at(points, "left_big_toe", "right_big_toe", "left_heel", "right_heel")[..., 1].amin(1)
    above = at(points, "left_knee", "right_knee")[..., 1].amin(1) - feet
    assert above.mean() < 0.1 and above.max() < 0.25
    assert (at(points, "head_top")[:, 0, 1] > 0.6).all()


def test_liers_are_level():
    trunk = at(people("lying")[2], "thorax")[:, 0] - at(people("lying")[2], "hip")[:, 0]
    assert (trunk[:, 1].abs() / trunk.norm(dim=-1)).max() < 0.6


def test_turners_head_leads():
    random = torch.Generator().manual_seed(0)
    style = torch.rand(NUM, STYLE_COLUMNS, generator=random)
    before, after = (perform("turning", torch.full((NUM,), phase), style) for phase in (0.2, 0.8))
    turned = after.pelvis[:, 0] - before.pelvis[:, 0]
    assert turned.abs().min() > 0.5 and (turned > 0).any() and (turned < 0).any()
    middle = perform("turning", torch.full((NUM,), 0.5), style)
    assert ((middle.neck[:, 2] * turned.sign()) > 0).float().mean() > 0.7


def test_reachers_reach_high_and_low():
    points = people("reaching", num=2000)[2]
    wrist, head = at(points, "left_wrist", "right_wrist")[..., 1], at(points, "head_top")[..., 1]
    assert (wrist > head).any(1).float().mean() > 0.05
    assert (wrist < 0.4).any(1).float().mean() > 0.01


def test_a_bent_elbow_brings_the_hand_forward_and_pronation_turns_the_palm_back():
    shape, posture, _ = people("walking", num=4)
    rest = type(posture)(*(torch.zeros_like(field) for field in posture))
    bent = standing(shape, rest._replace(elbow=rest.elbow + torch.pi / 2))
    for side in ("left", "right"):
        forearm = at(bent, f"{side}_wrist")[:, 0] - at(bent, f"{side}_elbow")[:, 0]
        torch.testing.assert_close(forearm[:, 2], forearm.norm(dim=-1))
    turned = standing(shape, rest._replace(forearm=rest.forearm + torch.pi / 2))
    for side, inward in (("left", -1), ("right", 1)):
        thumb = at(turned, f"{side}_hand_5")[:, 0] - at(turned, f"{side}_hand_17")[:, 0]
        assert (inward * thumb[:, 0] > 0.03).all()
