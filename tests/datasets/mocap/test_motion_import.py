"""BVH and C3D of any rig, unit and axes as one motion capture file."""

import dataclasses
import os
from pathlib import Path

import fake_mocap
import numpy as np
import pytest

from skelgraph.cli.app import main
from skelgraph.datasets import MotionCapture
from skelgraph.datasets.mocap import motion_file, rig_names
from skelgraph.datasets.mocap.motion_import import Summary, convert
from skelgraph.datasets.motion_capture import JOINT_NAMES
from skelgraph.errors import OutputExistsError
from skelgraph.geometry import axes
from skelgraph.io.motions import read_motion
from skelgraph.io.poses.formats import bvh, c3d
from skelgraph.poses.pose3d import Pose3D
from skelgraph.skeleton import Skeleton
from skelgraph.skeleton.builtin import COCO, HUMAN36M

NAMES, PARENTS = fake_mocap.NAMES, fake_mocap.PARENTS
SIDED = ("hip", "knee", "ankle", "toe", "shoulder", "elbow", "wrist")
RIGS = {  # hip, knee, ankle, toe, shoulder, elbow, wrist of the left side, spine, thorax, neck, head
    "skelgraph": "left_hip left_knee left_ankle left_toe left_shoulder left_elbow left_wrist spine thorax neck head",
    "MotionBuilder": "mixamorig:LeftUpLeg mixamorig:LeftLeg mixamorig:LeftFoot mixamorig:LeftToeBase mixamorig:LeftArm "
    "mixamorig:LeftForeArm mixamorig:LeftHand mixamorig:Spine1 mixamorig:Neck mixamorig:Head mixamorig:HeadTop_End",
    "CMU": "LeftUpLeg LeftLeg LeftFoot LeftToeBase LeftArm LeftForeArm LeftHand Spine Neck Head Head_End LowerBack",
    "Rokoko": "LeftThigh LeftShin LeftFoot LeftToe LeftArm LeftForeArm LeftHand Spine2 Neck Head Head_End",
    "Xsens": "LeftHip LeftKnee LeftAnkle LeftToe LeftShoulder LeftElbow LeftWrist Chest2 Neck Head HeadEnd",
    "Xsens segments": "LeftUpperLeg LeftLowerLeg LeftFoot LeftToe LeftUpperArm LeftForeArm LeftHand L3 Neck Head "
    "Head_end",
    "Unity": "leftUpperLeg leftLowerLeg leftFoot leftToes leftUpperArm leftLowerArm leftHand chest neck head head_end",
    "SMPL": "L_Hip L_Knee L_Ankle L_Foot L_Shoulder L_Elbow L_Wrist Spine1 Neck Head Head_end",
    "Biped": "Bip01_L_Thigh Bip01_L_Calf Bip01_L_Foot Bip01_L_Toe0 Bip01_L_UpperArm Bip01_L_Forearm Bip01_L_Hand "
    "Bip01_Spine1 Bip01_Neck Bip01_Head Bip01_HeadNub",
    "Character Creator": "CC_Base_L_Thigh CC_Base_L_Calf CC_Base_L_Foot CC_Base_L_ToeBase CC_Base_L_Upperarm "
    "CC_Base_L_Forearm CC_Base_L_Hand CC_Base_Spine01 CC_Base_NeckTwist01 CC_Base_Head CC_Base_HeadEnd",
    "Unreal": "thigh_l calf_l foot_l ball_l upperarm_l lowerarm_l hand_l spine_02 neck_01 head head_end",
    "Poser": "lThigh lShin lFoot lToe lShldr lForeArm lHand abdomen neck head headEnd",
}
REAL = ("cmu_02_03", "cmu_60_salsa_10", "cmu_standard")


def right(name: str) -> str:
    swaps = [("left", "right"), ("Left", "Right"), ("L_", "R_"), ("_l", "_r"), ("l", "r")]
    side = next(pair for pair in swaps if name.startswith(pair[0]) or pair[0] in name[1:])
    return name.replace(*side, 1)


def named(rig: str) -> dict[str, str]:
    """The name of each of our joints but the pelvis in a rig."""
    left, trunk = RIGS[rig].split()[:7], RIGS[rig].split()[7:]
    names = {f"l_{part}": name for part, name in zip(SIDED, left, strict=True)}
    names |= {f"r_{part}": right(name) for part, name in zip(SIDED, left, strict=True)}
    return names | dict(zip(("spine", "thorax", "neck", "head", "else"), trunk, strict=False))


def person(frames: int = 2) -> dict[str, np.ndarray]:
    """[F, 3] m of each joint of somebody who stands and faces -y, z up."""
    places = np.zeros((len(NAMES), 3))
    for joint in range(1, len(NAMES)):
        places[joint] = places[PARENTS[joint]] + fake_mocap._BONES[joint] / 1000
    return {name: np.tile(place + [0.3, 0.2, 0.9], (frames, 1)) for name, place in zip(NAMES, places, strict=True)}


def write(path: Path, places: dict[str, np.ndarray], fps: float = 30) -> Path:
    """A BVH in which every joint is a root that goes where it is told."""
    joint = "ROOT {}\n{{\nOFFSET 0 0 0\nCHANNELS 3 Xposition Yposition Zposition\n}}\n"
    rows = np.concatenate([*places.values()], axis=1)
    text = "HIERARCHY\n" + "".join(map(joint.format, places)) + f"MOTION\nFrames: {len(rows)}\nFrame Time: {1 / fps}\n"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text + "\n".join(" ".join(f"{x:.9g}" for x in row) for row in rows) + "\n")
    return path


def rigged(rig: str, places: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {name: places.get(joint, places["spine"]) for joint, name in named(rig).items()}


def make(folder: Path, **options: object) -> tuple[Summary, motion_file.MotionFile]:
    summary = convert(folder, folder / "out.npz", force=True, **options)  # type: ignore[arg-type]
    return summary, motion_file.read(folder / "out.npz")


def joints(motion: motion_file.MotionFile) -> np.ndarray:
    return motion.offsets + np.column_stack([motion.ground, motion.height])[:, None]


def length(motion: motion_file.MotionFile, a: str, b: str) -> np.ndarray:
    return np.linalg.norm(motion.offsets[:, NAMES.index(a)] - motion.offsets[:, NAMES.index(b)], axis=-1)


# ---- rigs, units, axes


@pytest.mark.parametrize("rig", RIGS)
def test_every_rig_is_known_by_its_names(tmp_path: Path, rig: str) -> None:
    write(tmp_path / "a.bvh", rigged(rig, person()))
    write(tmp_path / "b.bvh", {name.upper(): place for name, place in rigged(rig, person()).items()})
    summary, motion = make(tmp_path)
    assert [recording.rig for recording in summary.recordings] == [rig, rig]
    expected = np.stack(list(person().values()), 1)
    np.testing.assert_allclose(joints(motion), np.tile(expected, (2, 1, 1)), atol=1e-4)
    assert motion.joints == NAMES and motion.parents == PARENTS and motion.ok.all()
    assert len(rig_names.RIGS) == len(RIGS)


@pytest.mark.parametrize(
    ("unit", "per_m"),
    [("m", 1), ("cm", 100), ("mm", 1000), ("inch", 1 / 0.0254), ("CMU (0.45 inch)^-1", 0.45 / 0.0254)],
)
@pytest.mark.parametrize("size", [0.75, 1.15])
def test_units_by_the_legs(tmp_path: Path, unit: str, per_m: float, size: float) -> None:
    places = {name: place * size * per_m for name, place in person().items()}
    write(tmp_path / "a.bvh", rigged("CMU", places))
    summary, motion = make(tmp_path)
    assert summary.recordings[0].unit == unit
    np.testing.assert_allclose(length(motion, "l_hip", "l_knee"), 0.43 * size, atol=2e-4)


TURNS = {
    "+y": lambda p: p[:, [0, 2, 1]] * [1, 1, -1],
    "-y": lambda p: p[:, [0, 2, 1]] * [1, -1, 1],
    "+x": lambda p: p[:, [2, 0, 1]],
    "-z": lambda p: p * [1, -1, -1],
    "-x": lambda p: p[:, [2, 0, 1]] * [-1, -1, 1],
}


@pytest.mark.parametrize("up", TURNS)
def test_any_axis_may_be_up(tmp_path: Path, up: str) -> None:
    write(tmp_path / "a.bvh", rigged("Poser", {name: TURNS[up](place) for name, place in person().items()}))
    summary, motion = make(tmp_path)
    assert summary.recordings[0].up == up
    np.testing.assert_allclose(joints(motion), np.stack(list(person().values()), 1), atol=1e-4)


def test_people_who_lie_need_the_axis(tmp_path: Path) -> None:
    c, s = np.cos(np.radians(80)), np.sin(np.radians(80))
    back = np.array([[1, 0, 0], [0, c, s], [0, -s, c]])
    lying = {name: place @ back.T for name, place in person().items()}  # z up, on the back, the head a bit higher
    write(tmp_path / "a.bvh", rigged("Poser", lying))
    summary, motion = make(tmp_path, up="z")
    assert summary.recordings[0].up == "+z"
    np.testing.assert_allclose(joints(motion), np.stack(list(lying.values()), 1), atol=1e-4)


def test_the_eyes_tell_where_the_top_of_the_head_is(tmp_path: Path) -> None:
    places = person()
    rest = rigged("Poser", places)
    skull = places["neck"]
    eyes = {"leftEye": skull + [0.03, -0.08, 0.08], "rightEye": skull + [-0.03, -0.08, 0.08]}
    write(tmp_path / "a.bvh", {name: place for name, place in rest.items() if name != "headEnd"} | eyes)
    summary, motion = make(tmp_path)
    top = joints(motion)[:, NAMES.index("head")]
    np.testing.assert_allclose(top - skull, np.tile([0, 0, 0.08 * np.sqrt(2) * 5 / 3], (2, 1)), atol=1e-4)
    assert "head lies above leftEye and rightEye" in str(summary)


# ---- time, glitches, subjects


@pytest.mark.parametrize(("fps", "expected"), [(120, [0, 4, 8, 12]), (45, [0, 2, 3, 5]), (30, [0, 1, 2, 3])])
def test_the_nearest_frames(tmp_path: Path, fps: float, expected: list[int]) -> None:
    walk = np.arange(expected[-1] + 1)[:, None] * [0.01, 0, 0]
    write(tmp_path / "a.bvh", {n: p + walk for n, p in rigged("CMU", person(len(walk))).items()}, fps)
    summary, motion = make(tmp_path)
    np.testing.assert_allclose(motion.ground[:, 0] - motion.ground[0, 0], np.array(expected) * 0.01, atol=1e-4)
    assert summary.recordings[0].frames == 4 and summary.recordings[0].fps == pytest.approx(fps)


def test_slower_recordings_repeat_frames(tmp_path: Path) -> None:
    walk = np.arange(3)[:, None] * [0.01, 0, 0]
    write(tmp_path / "a.bvh", {n: p + walk for n, p in rigged("CMU", person(3)).items()}, 15)
    motion = make(tmp_path)[1]
    steps = np.rint((motion.ground[:, 0] - motion.ground[0, 0]) * 100)
    assert steps.tolist() == [0, 1, 1, 2, 2]


def test_glitches_are_marked(tmp_path: Path) -> None:
    places = person(8)
    places["l_wrist"][2, 2] -= 0.06  # the forearm is 0.25 m
    places["l_wrist"][3, 2] -= 0.03
    places["head"][5] += 9
    write(tmp_path / "a.bvh", rigged("CMU", places))
    summary, motion = make(tmp_path)
    assert np.flatnonzero(~motion.ok).tolist() == [2, 5] and summary.recordings[0].glitches == 2
    expected = np.stack(list(places.values()), 1)
    np.testing.assert_allclose(joints(motion)[motion.ok], expected[motion.ok], atol=1e-4)


def test_subjects_and_splits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    places = rigged("CMU", person(3))
    for name in (
        "anna/walk_1.bvh",
        "anna/day 2/run.bvh",
        "bob/07_01.bvh",
        "07_02.bvh",
        "dance_subject3.BVH",
        "idle.bvh",
    ):
        write(tmp_path / name, places)
    summary, motion = make(tmp_path, test=["07", "bob"])
    found = {s.name: (s.subject, s.split) for s in motion.sequences}
    assert found == {
        **{"07_02": ("07", "test"), "anna/day 2/run": ("anna", "train"), "anna/walk_1": ("anna", "train")},
        **{"bob/07_01": ("bob", "test"), "dance_subject3": ("subject3", "train")},
        "idle": (tmp_path.name, "train"),
    }
    assert "test subjects: 07, bob" in str(summary)
    with pytest.raises(ValueError, match="no subject 'carl'; there are 07, anna, bob"):
        make(tmp_path, test=["carl"])
    monkeypatch.setenv("SKELGRAPH_DATA", str(tmp_path))
    assert len(MotionCapture(HUMAN36M, "test", file="out.npz")) == 6
    assert MotionCapture(HUMAN36M, file="out.npz", num_frames=3)[0].keypoints.shape == (3, 17, 2)


# ---- round trips through our own writers


def moving(row: int) -> Pose3D:
    """A sequence of the made-up recordings, in the camera's axes, with toes."""
    arrays = fake_mocap.arrays()
    kept = slice(arrays["seq_start"][row], arrays["seq_start"][row] + arrays["seq_len"][row])
    skeleton = Skeleton("fake", [JOINT_NAMES[name] for name in NAMES], PARENTS)
    return Pose3D(axes.to_camera(arrays["joints_dmm"][kept] / 1e4, "blender"), skeleton, 30)


@pytest.mark.parametrize("unit", ["m", "cm"])
def test_round_trip_through_bvh(tmp_path: Path, unit: str) -> None:
    poses = [moving(row) for row in range(3)]
    root = np.linspace([0, 0, 2], [1, 0, 3], poses[0].num_frames)
    for row, pose in enumerate(poses):
        bvh.write(dataclasses.replace(pose, root=root), tmp_path / f"0{row}_01.bvh", unit=unit)
    summary, motion = make(tmp_path, test=["02"])
    expected = np.concatenate([axes.from_camera(pose.joints + root[:, None], "blender") for pose in poses])
    assert np.abs(joints(motion) - expected).max() < 1e-3
    assert {(recording.rig, recording.unit) for recording in summary.recordings} == {("skelgraph", unit)}


def test_c3d(tmp_path: Path) -> None:
    pytest.importorskip("ezc3d")
    pose = moving(0)
    c3d.write(pose, tmp_path / "01.c3d")
    summary, motion = make(tmp_path)
    recording = summary.recordings[0]
    assert (recording.rig, recording.unit, recording.up, recording.glitches) == ("skelgraph", "m", "+y", 0)
    back = axes.convert(joints(motion), "blender", "opensim")
    turned = axes.from_camera(pose.joints, "opensim")
    for a, b in (("head", "l_ankle"), ("r_wrist", "l_toe")):  # C3D's x is ahead: turned about the vertical
        i, j = NAMES.index(a), NAMES.index(b)
        np.testing.assert_allclose(
            np.linalg.norm(back[:, i] - back[:, j], axis=1),
            np.linalg.norm(turned[:, i] - turned[:, j], axis=1),
            atol=2e-4,
        )
    np.testing.assert_allclose(joints(motion)[..., 2], turned[..., 1], atol=2e-4)


def test_marker_sets_are_not_joints(tmp_path: Path) -> None:
    pytest.importorskip("ezc3d")
    places = np.random.default_rng(0).random((2, COCO.num_joints, 3))
    c3d.write(Pose3D(places, COCO, 100), tmp_path / "01.c3d")
    with pytest.raises(ValueError, match=r"01\.c3d: no known rig.*left_hip.*marker sets are not joints"):
        make(tmp_path)


# ---- what cannot be used


def swapped(places: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {name: place * [-1, 1, 1] for name, place in places.items()}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda p: {n: x for n, x in p.items() if n != "LeftLeg"},
            r"nearest, CMU, .*: l_knee \(leftleg\); here are: .*H",
        ),
        (lambda p: {n: x for n, x in p.items() if n != "Head_End"}, r"head \(headtopend\|headend\|headnub\|eyes\)"),
        (lambda p: {f"j{i}": x for i, x in enumerate(p.values())}, "no known rig; .* and 10 more; here are: j0, j1"),
        (lambda p: p | {"B:Spine": p["Spine"]}, "2 joints may be 'spine': Spine, B:Spine; each person needs a file"),
        (
            lambda p: {n: x * 5 for n, x in p.items()},
            "thigh and shin are 4.2 long, which is human in none of m, cm, mm",
        ),
        (lambda p: p | {"Head_End": p["Head"]}, "head is 0 m from the joint before it"),
        (swapped, "the left hip is on the right"),
        (lambda p: {n: x[:0] for n, x in p.items()}, "has no frames"),
    ],
)
def test_files_that_cannot_be_used(tmp_path: Path, change, message: str) -> None:
    write(tmp_path / "bad.bvh", change(rigged("CMU", person())))
    with pytest.raises(ValueError, match="none of 1 files can be used") as error:
        make(tmp_path)
    assert "bad.bvh: " in str(error.value)
    with pytest.raises(ValueError, match=message):
        make(tmp_path)
    assert not (tmp_path / "out.npz").exists()
    write(tmp_path / "good.bvh", rigged("CMU", person()))
    with pytest.warns(UserWarning, match=message):
        summary, motion = make(tmp_path)
    assert list(summary.failed) == [str(tmp_path / "bad.bvh")] and len(motion.sequences) == 1


def test_options_and_places(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no such folder"):
        convert(tmp_path / "none", tmp_path / "out.npz")
    with pytest.raises(FileNotFoundError, match=r"no \.bvh or \.c3d"):
        convert(tmp_path, tmp_path / "out.npz")
    write(tmp_path / "a.bvh", rigged("CMU", person()))
    for options in ({"fps": 0}, {"fps": float("nan")}, {"up": "x"}):
        with pytest.raises(ValueError, match="expected a number above 0, and auto, y or z"):
            convert(tmp_path, tmp_path / "out.npz", **options)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"ends in \.npz"):
        convert(tmp_path, tmp_path / "out.npy")
    convert(tmp_path, tmp_path / "deep" / "out.npz")
    with pytest.raises(OutputExistsError, match="out.npz"):
        convert(tmp_path, tmp_path / "deep" / "out.npz")
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["out.npz"]


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(tmp_path / "in" / "01_01.bvh", rigged("CMU", person(3)))
    write(tmp_path / "in" / "02_01.bvh", rigged("Poser", person(3)))
    (tmp_path / "in" / "03.bvh").write_text("nothing")
    command = ["data", "mocap", str(tmp_path / "in"), str(tmp_path / "out.npz"), "--test", "02", "--fps", "15"]
    for status, more in ((0, []), (1, []), (0, ["--force"])):
        with pytest.raises(SystemExit) as stopped:
            main([*command, *more])
        assert stopped.value.code == status
        said = capsys.readouterr()
        if not status:
            assert "02_01: subject 02, test, 2 frames (0 glitches)" in " ".join(said.out.split())
            assert more or "03.bvh, line 1: expected HIERARCHY" in said.err  # a warning is told once
        else:
            assert "out.npz: already there" in said.err
    assert {s.split for s in motion_file.read(tmp_path / "out.npz").sequences} == {"train", "test"}


# ---- real recordings


@pytest.fixture(scope="module")
def real(data_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Summary, motion_file.MotionFile]:
    folder = data_dir / "bvh"
    if not all((folder / f"{name}.bvh").is_file() for name in REAL):
        pytest.skip("no bvh/ under $SKELGRAPH_DATA")
    out = tmp_path_factory.mktemp("real") / "out.npz"
    copy = out.parent / "bvh"
    copy.mkdir()
    for name in REAL:
        os.symlink((folder / f"{name}.bvh").absolute(), copy / f"{name}.bvh")
    return copy, convert(copy, out), motion_file.read(out)


def test_real_people_are_people(real: tuple[Path, Summary, motion_file.MotionFile]) -> None:
    _, summary, motion = real
    assert [(r.name, r.frames, r.unit, r.up) for r in summary.recordings] == [
        *((REAL[0], 44, "cm", "+y"), (REAL[1], 300, "cm", "+y"), (REAL[2], 3, "cm", "+y")),
    ]
    assert motion.ok.all()
    place = {name: motion.offsets[:, i] for i, name in enumerate(motion.joints)}
    for sequence in motion.sequences:
        heights = np.ptp(motion.offsets[sequence.start : sequence.stop, :, 2], axis=1)
        assert 1.5 < heights.max() < 2.0, sequence.name
    assert (np.minimum(place["l_ankle"][:, 2], place["r_ankle"][:, 2]) < place["head"][:, 2] - 1).all()
    for side in "lr":
        assert (0.35 < length(motion, f"{side}_hip", f"{side}_knee")).all()
        assert (length(motion, f"{side}_knee", f"{side}_ankle") < 0.52).all()
    ahead = sum(place[f"{side}_toe"] - place[f"{side}_ankle"] for side in "lr")
    on_left = (np.cross([0, 0, 1], ahead) * (place["l_hip"] - place["r_hip"])).sum(1) > 0
    assert on_left.mean() > 0.95


def test_real_places_are_those_of_the_reader(real: tuple[Path, Summary, motion_file.MotionFile]) -> None:
    folder, _, motion = real
    same = {REAL[0]: "CC_Base_L_Calf CC_Base_R_Hand CC_Base_NeckTwist01 CC_Base_L_ToeBase"}
    for sequence in motion.sequences:
        read = read_motion(folder / f"{sequence.name}.bvh", end_sites=True)
        names = same.get(sequence.name, "lShin rHand neck lFoot_end").split()
        count = sequence.stop - sequence.start
        frames = np.minimum((np.arange(count) * read.fps / 30 + 0.5).astype(int), len(read.positions) - 1)
        for ours, theirs in zip(("l_knee", "r_wrist", "thorax", "l_toe"), names, strict=True):
            x, y, z = read.positions[frames, read.names.index(theirs)].T / 100
            found = joints(motion)[sequence.start : sequence.stop, NAMES.index(ours)]
            assert np.abs(found - np.stack([x, -z, y], 1)).max() < 1e-4, (sequence.name, theirs)
