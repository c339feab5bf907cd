"""How often the checks are wrong: false alarms on clean clips, and what they miss of spoiled ones."""

import numpy as np
import pytest
from films import film, performed, recorded

from skelgraph.datasets.motion_capture import MotionCapture
from skelgraph.datasets.synthetic import clip
from skelgraph.poses.checks import body, checks, motion
from skelgraph.poses.keypoints import Keypoints
from skelgraph.skeleton.builtin import COCO, COCO_WHOLEBODY, HUMAN36M

FRAMES = 16
ACTIONS = ("walking", "reaching", "sitting", "kneeling", "lying", "turning")
LEAST_FOUND = {36: 0.85, 200: 0.94}  # share of the spoiled clips, by their number


def most_alarms(count: int) -> int:
    """1 % of the clips, and one of few."""
    return max(1, count // 100)


def made(i: int) -> tuple[Keypoints, np.ndarray, str]:
    """A clip, its 3D joints and its action."""
    skeleton, action = (HUMAN36M, COCO, COCO_WHOLEBODY)[i % 3], ACTIONS[i // 3 % 6]
    poses = clip(skeleton, 1000 + i, FRAMES, action=action)
    size = tuple(poses.image_size[0].tolist())
    return Keypoints.of(poses.keypoints.numpy(), skeleton.joints, image_size=size), poses.target.numpy(), action


@pytest.fixture(scope="module", params=[36, pytest.param(200, marks=pytest.mark.slow)])
def count(request) -> int:
    """How many clips: fewer find a gross mistake, more measure the rates."""
    return request.param


@pytest.fixture(scope="module")
def synthetic(count) -> list:
    return [made(i) for i in range(count)]


@pytest.fixture(scope="module")
def real(data_dir, count) -> list:
    poses = MotionCapture(HUMAN36M, "test", held_out=None, num_frames=FRAMES).draw(0)
    return [
        (
            Keypoints.of(poses.keypoints[i].numpy(), HUMAN36M.joints, image_size=tuple(poses.image_size[i].tolist())),
            poses.target[i].numpy(),
            "recorded",
        )
        for i in np.linspace(0, len(poses.action) - 1, count).astype(int)
    ]


@pytest.fixture(scope="module")
def performed_people(count) -> list:
    random = np.random.default_rng(0)
    return [performed(i, random) for i in range(count)]


@pytest.fixture(scope="module")
def recorded_people(data_dir, count) -> list:
    return list(recorded(count, np.random.default_rng(0)))


@pytest.mark.parametrize("kind", ["synthetic", "real"])
def test_clean_clips_are_hardly_ever_suspected(kind, count, request):
    alarms = [found for keypoints, *_ in request.getfixturevalue(kind) if (found := checks.suspicions(keypoints))]
    assert len(alarms) <= most_alarms(count), alarms


@pytest.mark.parametrize(("noise_px", "missing"), [(0, 0), (5, 0.1)])
@pytest.mark.parametrize("kind", ["performed_people", "recorded_people"])
def test_people_before_cameras_of_all_kinds_are_hardly_ever_suspected(kind, noise_px, missing, count, request):
    """Upright and wide images, f/w 0.6 to 2, pitch up to 20 degrees, sitting, kneeling and lying too."""
    random = np.random.default_rng(0)
    clips = [film(*person, random, noise_px, missing) for person in request.getfixturevalue(kind)]
    alarms = [found for keypoints in clips if (found := checks.suspicions(keypoints))]
    assert len(alarms) <= most_alarms(count), alarms


def test_single_frames_of_many_people_in_one_file_are_hardly_ever_suspected(real, count):
    random, alarms = np.random.default_rng(0), []
    for _ in range(count):
        xy = np.stack([real[i][0].xy[0] for i in random.integers(0, len(real), FRAMES)])
        alarms += checks.suspicions(Keypoints.of(xy, HUMAN36M.joints, image_size=(1000, 1002)))[:1]
    assert len(alarms) <= most_alarms(count), alarms


# ---- spoilers: keypoints, 3D joints, chance -> keypoints, or None where there is nothing to see


def again(keypoints: Keypoints, xy=None, **fields) -> Keypoints:
    given = {"joints": keypoints.joints, "image_size": keypoints.image_size, **fields}
    return Keypoints.of(keypoints.xy if xy is None else xy, **given)


def twins(joints, only=None) -> list[int]:
    trade = {"left": "right", "right": "left"}
    other = {j: trade[j.split("_")[0]] + "_" + j.split("_", 1)[1] for j in joints if j.split("_")[0] in trade}
    return [joints.index(other[j]) if j in other and (only is None or only(j)) else i for i, j in enumerate(joints)]


def y_up(keypoints, pose, random):
    return again(keypoints, np.stack([keypoints.xy[..., 0], keypoints.image_size[1] - keypoints.xy[..., 1]], -1))


def shuffled(keypoints, pose, random):
    return again(keypoints, keypoints.xy[:, random.permutation(keypoints.num_joints)])


def taken_for_the_other(keypoints, pose, random):
    if keypoints.num_joints != 17:
        return None
    return again(keypoints, joints=(COCO if keypoints.joints == HUMAN36M.joints else HUMAN36M).joints)


def legs_traded(keypoints, pose, random):
    """Where the body is ever seen 30 degrees or more from the side."""
    place = keypoints.joints.index
    wide = [
        np.abs(pose[:, place(f"left_{j}"), 0] - pose[:, place(f"right_{j}"), 0]) > m
        for j, m in (("shoulder", 0.19), ("hip", 0.13))
    ]
    if not np.logical_and(*wide).any():
        return None
    legs = twins(keypoints.joints, lambda joint: any(part in joint for part in ("hip", "knee", "ankle")))
    return again(keypoints, keypoints.xy[:, legs])


def sides_jump(keypoints, pose, random):
    xy = keypoints.xy.copy()
    xy[5:10] = xy[5:10][:, twins(keypoints.joints)]
    return again(keypoints, xy)


def standstill(keypoints, pose, random):
    return again(keypoints, np.repeat(keypoints.xy[:1], FRAMES, axis=0))


def somebody_else(keypoints, pose, random):
    xy = keypoints.xy.copy()
    xy[6:11, :, 0] += 300 if xy[..., 0].mean() < 500 else -300
    return again(keypoints, xy)


def stray_points(keypoints, pose, random):
    xy = keypoints.xy.copy()
    stray = random.random(xy.shape[:2]) < 0.05
    xy[stray] = random.uniform(0, 1000, (stray.sum(), 2))
    return again(keypoints, xy)


def shares(keypoints, pose, random):
    return again(keypoints, keypoints.xy / keypoints.image_size)


def minus_one_to_one(keypoints, pose, random):
    return again(keypoints, 2 * keypoints.xy / keypoints.image_size - 1)


def zeros_seen(keypoints, pose, random):
    xy = np.where(random.random(keypoints.xy.shape[:2])[..., None] < 0.1, 0, keypoints.xy)
    return again(keypoints, xy, confidence=np.ones(xy.shape[:2]))


def size_too_small(keypoints, pose, random):
    return again(keypoints, image_size=tuple(side / 4 for side in keypoints.image_size))


def size_too_large(keypoints, pose, random):
    return again(keypoints, image_size=tuple(side * 4 for side in keypoints.image_size))


def size_traded(keypoints, pose, random):
    """Of a person in the lower half of an upright video."""
    return again(keypoints, keypoints.xy + [0, 830], image_size=(1920, 1080))


def from_the_middle(keypoints, pose, random):
    return again(keypoints, keypoints.xy - np.array(keypoints.image_size) / 2)


def no_confidence(keypoints, pose, random):
    return again(keypoints, confidence=np.zeros(keypoints.xy.shape[:2]))


def percent(keypoints, pose, random):
    return again(keypoints, confidence=random.uniform(5, 100, keypoints.xy.shape[:2]))


SPOILED = [
    (y_up, body.upside_down),
    (shuffled, body.order),
    (taken_for_the_other, body.order),
    (legs_traded, body.sides),
    (sides_jump, motion.swaps),
    (standstill, motion.frozen),
    (somebody_else, motion.jumps),
    (stray_points, motion.jumps),
    (shares, checks.normalised),
    (minus_one_to_one, checks.normalised),
    (zeros_seen, checks.placeholders),
    (size_too_small, checks.image_size),
    (size_too_large, checks.image_size),
    (size_traded, checks.image_size),
    (from_the_middle, checks.image_size),
    (no_confidence, checks.no_points),
    (percent, checks.confidence),
]


@pytest.mark.parametrize("kind", ["synthetic", "real"])
@pytest.mark.parametrize(("spoil", "check"), SPOILED, ids=lambda value: value.__name__)
def test_spoiled_clips_are_found(spoil, check, kind, count, request):
    random, found = np.random.default_rng(0), []
    for keypoints, pose, action in request.getfixturevalue(kind):
        if action == "lying" and spoil is y_up:
            continue  # who lies is not told from who lies turned over
        spoiled = spoil(keypoints, pose, random)
        if spoiled is not None:
            found.append(check(spoiled) is not None)
    assert len(found) > 0.15 * count and np.mean(found) >= LEAST_FOUND[count], f"{np.sum(found)} of {len(found)}"


def as_detected(keypoints: Keypoints, pose: np.ndarray, random) -> np.ndarray:
    """Confidences [F, J] of a detector that is unsure of what the head hides."""
    nose, left, right = (pose[:, keypoints.joints.index(name)] for name in ("nose", "left_ear", "right_ear"))
    ahead, aside = nose - (left + right) / 2, left - right
    towards = -ahead[:, 2] / np.linalg.norm(ahead, axis=1)
    leftward = -aside[:, 2] / np.linalg.norm(aside, axis=1)  # the left ear is the nearer one
    seen = {"nose": towards > -0.2, "left_ear": leftward > -0.3, "right_ear": leftward < 0.3}
    seen |= {"left_eye": towards + leftward / 2 > 0, "right_eye": towards - leftward / 2 > 0}
    confidence = random.uniform(0.7, 1, keypoints.xy.shape[:2])
    for name, clear in seen.items():
        confidence[:, keypoints.joints.index(name)] *= np.where(clear, 1, 0.25)
    return confidence


def test_mirrored_videos_and_traded_sides_are_found_by_the_confidences_of_the_face(synthetic):
    random, alarms, found = np.random.default_rng(0), [], []
    for keypoints, pose, action in synthetic:
        if "nose" not in keypoints.joints or action == "lying":
            continue
        seen = as_detected(keypoints, pose, random)
        alarms.append(body.mirrored(again(keypoints, confidence=seen)) is not None)
        selfie = keypoints.xy * [-1, 1] + [keypoints.image_size[0], 0]
        found.append(body.mirrored(again(keypoints, selfie, confidence=seen)) is not None)
        traded = keypoints.xy[:, twins(keypoints.joints)], seen[:, twins(keypoints.joints)]
        found.append(body.mirrored(again(keypoints, traded[0], confidence=traded[1])) is not None)
    assert np.mean(alarms) <= 0.01 and np.mean(found) >= 0.8  # bent bodies and side views of the chest say nothing
