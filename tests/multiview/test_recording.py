"""Recordings by several cameras: whose file is whose, and whether they belong together."""

import dataclasses
import re

import numpy as np
import pytest
import torch
import walk

from skelgraph.geometry.triangulation import triangulate
from skelgraph.multiview.recording import Recording, skeleton_of
from skelgraph.poses.keypoints import Keypoints
from skelgraph.skeleton.builtin import BLAZEPOSE, COCO, COCO_WHOLEBODY, OPENPOSE_BODY25

NAMES = list(walk.RIG)


@pytest.fixture(scope="module")
def filmed() -> dict[str, Keypoints]:
    return walk.views(*walk.film(walk.dance(), noise=3))


def late(view: Keypoints, frames: int) -> Keypoints:
    """The view with its first frame held: it lags by ``frames``."""
    kept = np.clip(np.arange(view.num_frames) - frames, 0, None)
    return dataclasses.replace(view, xy=view.xy[kept], confidence=view.confidence[kept])


def test_files_and_a_calibration_become_one_recording(tmp_path, filmed):
    files = walk.write(tmp_path, filmed)
    found = Recording.read(files[::-1], tmp_path / "Calib.json")
    assert list(found.cameras.names) == NAMES and found.skeleton == COCO
    assert found.fps == 30 and found.num_frames == 90 and not found.warnings
    px, _ = walk.film(walk.dance(), noise=3)
    torch.testing.assert_close(found.keypoints, px.float(), rtol=0, atol=1e-3)
    points = triangulate(found.cameras, found.keypoints, found.confidence).points
    assert (points - walk.dance()).norm(dim=-1).median() < 0.02
    some = Recording.read({NAMES[2]: files[2], NAMES[0]: files[0]}, tmp_path / "Calib.json")
    assert some.cameras.names == (NAMES[0], NAMES[2])


def test_keypoints_become_those_of_another_skeleton(filmed):
    found = Recording.of(filmed, walk.RIG, BLAZEPOSE)
    assert found.keypoints.shape == (4, 90, 33, 2) and "left_heel" in found.match.missing
    assert (found.confidence[:, :, BLAZEPOSE.index("left_heel")] == 0).all()


def test_files_that_differ_are_named(filmed):
    a, b = NAMES[:2]
    first, second = filmed[a], filmed[b]
    both = f"{a}.npz and {b}.npz"
    short = dataclasses.replace(second, xy=second.xy[:80], confidence=second.confidence[:80])
    fewer = dataclasses.replace(
        second, xy=second.xy[:, 1:], confidence=second.confidence[:, 1:], joints=COCO.joints[1:]
    )
    turned = dataclasses.replace(second, joints=COCO.joints[::-1])
    same = dataclasses.replace(first, source=second.source)
    for other, said in (
        (short, f"{both}: 90 and 80 frames"),
        (dataclasses.replace(second, fps=25), f"{both}: 30 and 25 frames per second"),
        (fewer, f"{both}: other joints, 17 and 16, not in both: nose"),
        (turned, f"{both}: other joints, 17 and 17, in another order"),
        (same, f"{both}: hold the same keypoints"),
        (
            dataclasses.replace(second, image_size=(640, 480)),
            f"{b}.npz: its image is 640x480 px, .* {b!r} in",
        ),
    ):
        with pytest.raises(ValueError, match=said):
            Recording.of({a: first, b: other}, walk.RIG)
    none = {
        name: dataclasses.replace(filmed[name], xy=first.xy[:0], confidence=first.confidence[:0]) for name in (a, b)
    }
    with pytest.raises(ValueError, match=f"{a}.npz: has no frames"):
        Recording.of(none, walk.RIG)
    with pytest.raises(ValueError, match=f"at least two cameras' keypoints, found {a}.npz"):
        Recording.of({a: first}, walk.RIG)
    assert Recording.of({a: first, b: dataclasses.replace(second, fps=None)}, walk.RIG).fps == 30


@pytest.mark.parametrize("frames", [pytest.param(4, marks=pytest.mark.slow), 10, -7])
def test_an_unsynchronised_file_is_named_with_the_frames_it_is_late(filmed, frames):
    third = NAMES[2]
    if frames > 0:
        shifted = {**filmed, third: late(filmed[third], frames)}
    else:
        shifted = {name: view if name == third else late(view, -frames) for name, view in filmed.items()}
    with pytest.raises(ValueError, match="look unsynchronised: the first is") as raised:
        Recording.of(shifted, walk.RIG)
    told = re.match(r"(\d+).npz .* and (\d+).npz .*the first is (\d+) frames late", str(raised.value))
    assert told is not None and abs(int(told[3]) - abs(frames)) <= 1
    assert (told[1] if frames > 0 else told[2]) == third
    insisted = Recording.of(shifted, walk.RIG, force=True)
    assert "unsynchronised" in insisted.warnings[-1]


def test_of_two_files_one_is_late(filmed):
    a, b = NAMES[:2]
    with pytest.raises(ValueError, match=rf"{b}.npz .* and {a}.npz .* look unsynchronised: the first is [789] fr"):
        Recording.of({a: filmed[a], b: late(filmed[b], 8)}, walk.RIG)


def test_files_of_each_others_cameras_are_named(filmed):
    a, b, c, d = NAMES
    swapped = {a: filmed[a], b: filmed[d], c: filmed[c], d: filmed[b]}
    same_size = {name: dataclasses.replace(view, image_size=None) for name, view in swapped.items()}
    with pytest.raises(ValueError, match=rf"{d}.npz \({b}\) and {b}.npz \({d}\) look exchanged"):
        Recording.of(same_size, walk.RIG)


def test_files_of_different_scenes_are_named(filmed):
    a, b = NAMES[:2]
    moved = walk.views(*walk.film(walk.dance() + torch.tensor([1.0, 1.0, 0.0])))
    with pytest.raises(ValueError, match=rf"{a}.npz \({a}\) and {b}.npz \({b}\) do not show the same scene"):
        Recording.of({a: filmed[a], b: moved[b]}, walk.RIG)


@pytest.mark.parametrize("count", [2, 4])
@pytest.mark.parametrize("still", [True, False])
@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in (1, 2))])
def test_noise_gaps_and_people_who_stand_are_no_alarm(count, still, seed):
    joints = walk.dance()
    joints = joints[:1].expand_as(joints) if still else joints
    given = walk.views(*walk.film(joints, noise=8, hidden=0.2, seed=seed))
    found = Recording.of({name: given[name] for name in NAMES[:count]}, walk.RIG, force=True)
    assert not [warning for warning in found.warnings if "look" in warning or "scene" in warning]


def test_the_real_walk_is_no_alarm_but_shifted_or_exchanged_it_is(data_dir):
    rig, given = walk.pose2sim(data_dir)
    Recording.of(given, rig)
    for a, b in (("cam01", "cam02"), ("cam03", "cam04"), ("cam01", "cam04")):
        Recording.of({a: given[a], b: given[b]}, rig)
    with pytest.raises(ValueError, match=r"cam03.npz .* and cam\d+.npz .* look unsynchronised: the first is 1[0-4] "):
        Recording.of({**given, "cam03": late(given["cam03"], 10)}, rig)
    exchanged = {**given, "cam01": given["cam02"], "cam02": given["cam01"]}
    with pytest.raises(ValueError, match=r"cam02.npz \(cam01\) and cam01.npz \(cam02\) look exchanged"):
        Recording.of(exchanged, rig)


def test_the_skeleton_of_keypoints_is_the_built_in_one_or_has_its_bones():
    def named(joints):
        return Keypoints.of(np.ones((1, len(joints), 2)), joints)

    assert skeleton_of(named(BLAZEPOSE.joints)) == BLAZEPOSE
    hands = [joint for joint in COCO_WHOLEBODY.joints if "_hand_" in joint]
    both = skeleton_of(named([*OPENPOSE_BODY25.joints, *hands]))
    assert both.num_joints == 67 and len(both.roots) == 1
    assert both.joints[both.parents[both.index("left_hand_5")]] == "left_hand_0"
    ape = skeleton_of(named(["tail", "left_paw"]))
    assert ape.parents == (-1, -1)
    with pytest.raises(ValueError, match="does not name its 3 joints"):
        skeleton_of(Keypoints.of(np.ones((1, 3, 2))))
