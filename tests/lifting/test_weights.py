"""The weights that come with the package."""

from pathlib import Path

import numpy as np
import pytest
from lifting import SIZE, person

import skelgraph
from skelgraph import Skeleton
from skelgraph.io.keypoints.formats import npz as keypoints_npz
from skelgraph.io.keypoints.formats import video
from skelgraph.lifting import weights
from skelgraph.poses.keypoints import Keypoints
from skelgraph.poses.pose3d import Pose3D
from skelgraph.skeleton import builtin
from skelgraph.skeleton.builtin import COCO, COCO_WHOLEBODY, HUMAN36M

HANDS = tuple(joint for joint in COCO_WHOLEBODY.joints if "hand" in joint)


@pytest.mark.parametrize(
    ("joints", "expected"),
    [
        (COCO.joints, "body"),
        (HUMAN36M.joints, "body"),
        (builtin.OPENPOSE_BODY25.joints, "body"),
        (builtin.HALPE26.joints, "body"),
        (builtin.BLAZEPOSE.joints, "body"),  # three knuckles are no hand
        (COCO_WHOLEBODY.joints, "whole-body"),
        (COCO_WHOLEBODY.joints[::-1], "whole-body"),
        (video.JOINTS, "whole-body"),
        ((*COCO.joints, *HANDS[:21]), "whole-body"),
        ((*COCO.joints, *HANDS[:5]), "body"),
        ((*COCO.joints, *(f"face_{i}" for i in range(68))), "whole-body"),
    ],
)
def test_hands_or_a_face_make_a_whole_body(joints, expected):
    xy = np.full((3, len(joints), 2), 100.0)
    assert weights.choose(Keypoints.of(xy, joints)).name == expected


def test_joints_without_names_are_counted():
    chosen = [weights.choose(Keypoints.of(np.full((1, count, 2), 9.0))).name for count in (17, 16, 133)]
    assert chosen == ["body", "body", "whole-body"]


def test_hands_that_were_hardly_ever_found_are_none():
    xy, confidence = np.full((10, len(video.JOINTS), 2), 100.0), np.ones((10, len(video.JOINTS)))
    hands = [i for i, joint in enumerate(video.JOINTS) if "hand" in joint]
    confidence[2:, hands] = 0
    rare = Keypoints.of(np.concatenate([xy, confidence[..., None]], -1), video.JOINTS)
    assert weights.choose(rare).name == "body"


@pytest.mark.parametrize(("name", "skeleton"), [("body", HUMAN36M), ("whole-body", COCO_WHOLEBODY)])
def test_they_are_loaded_by_name(name: str, skeleton: Skeleton):
    lifter = skelgraph.load(name)
    assert (lifter.skeleton, lifter.in_channels) == (skeleton, 4)
    pose = lifter(person(COCO_WHOLEBODY), focal=1000)
    assert pose.joints.shape == (7, skeleton.num_joints, 3) and (pose.error_mm > 0).all()


@pytest.mark.parametrize(
    ("given", "name", "why", "count"),
    [
        (COCO, "body", "no hands and no face, or too little of them", 17),
        (COCO_WHOLEBODY, "whole-body", "the left hand, the right hand, the face", 133),
    ],
)
def test_a_file_is_lifted_without_a_checkpoint(tmp_path, given, name, why, count):
    keypoints_npz.write(tmp_path / "clip.npz", person(given))
    summary = skelgraph.lift(tmp_path / "clip.npz", tmp_path / "out")
    assert f"weights: {name} of the package: the keypoints have {why}" in str(summary)
    pose = Pose3D.load(tmp_path / "out" / "pose.npz")
    assert pose.joints.shape == (7, count, 3) and pose.error_mm.shape == (7, count)
    assert "expected error, mm (an estimate): all " in str(summary)


def test_the_body_of_a_whole_body_can_be_asked_for(tmp_path):
    keypoints_npz.write(tmp_path / "clip.npz", person(COCO_WHOLEBODY))
    summary = skelgraph.lift(tmp_path / "clip.npz", tmp_path / "out", checkpoint="body")
    assert summary.people[0].pose.skeleton == HUMAN36M and "weights:" not in str(summary)


def test_an_array_without_names(tmp_path):
    np.savez(tmp_path / "clip.npz", keypoints=person(HUMAN36M).xy, image_size=np.array(SIZE))
    assert skelgraph.lift(tmp_path / "clip.npz", tmp_path / "out").weights.name == "body"


def test_an_installation_without_them_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr(weights, "FOLDER", tmp_path)
    with pytest.raises(FileNotFoundError, match="weights 'body'"):
        skelgraph.load("body")
    keypoints_npz.write(tmp_path / "clip.npz", person(COCO))
    with pytest.raises(FileNotFoundError, match="checkpoint=RUN"):
        skelgraph.lift(tmp_path / "clip.npz", tmp_path / "out")


def test_a_name_that_there_is_not_brings_up_those_that_there_are(tmp_path):
    for wrong in ("body-lifter", tmp_path / "none"):
        with pytest.raises(FileNotFoundError, match="(body-lifter|none): .*'body' and 'whole-body'"):
            skelgraph.load(wrong)


def test_a_path_is_never_one_of_their_names(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for own in (Path("body"), "./body"):
        with pytest.raises(FileNotFoundError, match="body: no such"):
            skelgraph.load(own)
