"""Videos: real ones with the real MediaPipe (``-m detect``), all else with a stand-in for the libraries."""

import sys
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest
from keypoint_files import pick
from upright import SIZE, whole_body

from skelgraph.io import keypoints
from skelgraph.io.keypoints import FORMATS
from skelgraph.io.keypoints.formats.video import JOINTS
from skelgraph.poses.adapt import adapt
from skelgraph.poses.joint_matching import match
from skelgraph.skeleton.builtin import BLAZEPOSE, COCO_WHOLEBODY, HUMAN36M

MP4, MOV = b"\0\0\0\x1cftypisom", b"\0\0\0\x08wide\0\0\0\0"
AVI, MKV = b"RIFF\x10\0\0\0AVI LIST", b"\x1aE\xdf\xa3\xa3B\x86\x81\1B\xf7\x81"
HANDS = [f"{side}_hand_{i}" for side in ("left", "right") for i in range(21)]


def landmarks(points):
    """Of shares [J, 3], as MediaPipe gives them; None of none."""
    points = [SimpleNamespace(x=x, y=y, visibility=c) for x, y, c in points.tolist()]
    return SimpleNamespace(landmark=points) if points else None


def seen(points, hands=(True, True)):
    """What Holistic finds of a person [133, 3] in px; nobody of None."""
    nobody = np.zeros((0, 3))
    pose = nobody if points is None else pick(points[None], BLAZEPOSE.joints)[0] / [*SIZE, 1]
    both = [points[91 + 21 * i : 112 + 21 * i] / [*SIZE, np.inf] if there else nobody for i, there in enumerate(hands)]
    return SimpleNamespace(
        pose_landmarks=landmarks(pose), left_hand_landmarks=landmarks(both[0]), right_hand_landmarks=landmarks(both[1])
    )


class Libraries:
    """OpenCV, MediaPipe and protobuf: a video of ``results``, of which each frame is the number of its result."""

    CAP_FFMPEG, CAP_PROP_FPS, CAP_PROP_FRAME_COUNT, COLOR_BGR2RGB = 1900, 5, 7, 4

    def __init__(self, monkeypatch, results, fps=25.0, told=None):
        self.results, self.opened, self.closed, self.decoded, self.done = results, [], 0, 0, []
        self.told = {self.CAP_PROP_FPS: fps, self.CAP_PROP_FRAME_COUNT: float(len(results) if told is None else told)}
        mediapipe, protobuf = ModuleType("mediapipe"), ModuleType("google.protobuf.symbol_database")
        mediapipe.solutions = SimpleNamespace(holistic=SimpleNamespace(Holistic=lambda: self))
        protobuf.Default = lambda: SimpleNamespace(GetPrototype=None)
        for name, module in {"cv2": self, "mediapipe": mediapipe, protobuf.__name__: protobuf}.items():
            monkeypatch.setitem(sys.modules, name, module)

    def VideoCapture(self, path, backend):
        self.opened.append((path, backend))
        frames = (np.full((int(SIZE[1]), int(SIZE[0]), 3), f, dtype=np.uint8) for f in range(len(self.results)))
        return SimpleNamespace(get=self.told.get, read=lambda: self.decode(frames), release=self.close)

    def decode(self, frames):
        image = next(frames, None)
        self.decoded += image is not None
        return image is not None, image

    def cvtColor(self, image, code):
        assert code == self.COLOR_BGR2RGB
        return image

    def process(self, image):
        self.done.append(self.decoded)
        return self.results[image[0, 0, 0]]

    def close(self):
        self.closed += 1

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.close()


@pytest.fixture
def clip(tmp_path):
    path = tmp_path / "clip.mp4"
    path.write_bytes(MP4)
    return path


def test_the_joints_are_in_px_by_name(clip, monkeypatch):
    points = whole_body(3)
    libraries = Libraries(monkeypatch, [seen(frame) for frame in points])
    read = keypoints.read(clip)
    assert (read.joints, read.format, read.fps, read.image_size) == (JOINTS, "video", 25.0, SIZE)
    assert (read.source, read.normalised, read.person) == (str(clip), False, None)
    np.testing.assert_allclose(read.xy, pick(points, JOINTS)[..., :2], atol=0.01)
    np.testing.assert_allclose(read.confidence[:, :33], pick(points, BLAZEPOSE.joints)[..., 2], atol=1e-6)
    assert (read.confidence[:, 33:] == 1).all()
    assert libraries.opened == [(str(clip.resolve()), libraries.CAP_FFMPEG)] and libraries.closed == 2


def test_it_becomes_human36m_and_a_whole_body(clip, monkeypatch):
    Libraries(monkeypatch, [seen(frame) for frame in whole_body(3)])
    read = keypoints.read(clip)
    assert adapt(read, HUMAN36M).match.missing == ()
    copied = set(match(read.joints, COCO_WHOLEBODY).copied)
    assert copied >= {*COCO_WHOLEBODY.joints[:17], *HANDS} and adapt(read, COCO_WHOLEBODY).warnings == ()


def test_a_hand_that_is_not_found_has_what_the_pose_tells_of_it(clip, monkeypatch):
    points = whole_body(2)
    Libraries(monkeypatch, [seen(points[0], (False, True)), seen(points[1], (True, False))])
    read = keypoints.read(clip)
    missing = {(f, read.joints[j]) for f, j in np.argwhere(read.missing)}
    rest = set(range(21)) - {0, 2, 5, 17}
    assert missing == {(f, f"{side}_hand_{i}") for f, side in enumerate(("left", "right")) for i in rest}
    place = read.joints.index
    for f, side in enumerate(("left", "right")):
        for i, joint in {0: "wrist", 2: "thumb", 5: "index", 17: "pinky"}.items():
            hand, pose = place(f"{side}_hand_{i}"), place(f"{side}_{joint}")
            assert (read.xy[f, hand] == read.xy[f, pose]).all()
            assert read.confidence[f, hand] == read.confidence[f, pose] < 1


def test_frames_without_anybody_and_joints_beyond_the_border_are_missing(clip, monkeypatch):
    points = whole_body(3)
    low = COCO_WHOLEBODY.index("left_ankle")
    points[2, low, 1] = SIZE[1] + 5
    Libraries(monkeypatch, [seen(points[0]), seen(None, (False, False)), seen(points[2])])
    read = keypoints.read(clip)
    assert read.missing[1].all() and read.num_frames == 3
    assert [(f, read.joints[j]) for f, j in np.argwhere(read.missing) if f != 1] == [(2, "left_ankle")]


def test_frames_are_decoded_one_at_a_time_and_reported(clip, monkeypatch):
    libraries = Libraries(monkeypatch, [seen(whole_body(1)[0])] * 4)
    calls = []
    keypoints.read(clip, progress=lambda *call: calls.append(call))
    assert calls == [(1, 4), (2, 4), (3, 4), (4, 4)] and libraries.done == [1, 2, 3, 4]


@pytest.mark.parametrize(("fps", "told"), [(0.0, 0), (float("nan"), -9.2e18)])
def test_a_file_that_does_not_tell_its_rate_and_length(clip, monkeypatch, fps, told):
    Libraries(monkeypatch, [seen(whole_body(1)[0])] * 2, fps, told)
    calls = []
    read = keypoints.read(clip, progress=lambda *call: calls.append(call))
    assert read.fps is None and calls == [(1, 1), (2, 2)]


def test_one_person_is_followed(clip, monkeypatch):
    Libraries(monkeypatch, [seen(whole_body(1)[0])])
    assert keypoints.read(clip, person=0).person == 0
    assert [one.person for one in keypoints.read_all(clip)] == [0]
    with pytest.raises(ValueError, match=r"clip\.mp4: there is no person 1"):
        keypoints.read(clip, person=1)


def test_a_video_that_breaks_off_is_told_of(clip, monkeypatch):
    Libraries(monkeypatch, [seen(whole_body(1)[0])] * 4, told=9)
    with pytest.warns(UserWarning, match=r"clip\.mp4: breaks off after 4 of about 9 frames"):
        assert keypoints.read(clip).num_frames == 4


@pytest.mark.parametrize(
    ("results", "told", "message"),
    [
        ([], 9, "no frame of the video can be decoded"),
        ([seen(None, (False, False))] * 3, None, "no person in any of the 3 frames"),
        ([seen(whole_body(1)[0])], 2e6, "2000000 frames; at most 1000000"),
    ],
)
def test_what_cannot_be_read_is_named(clip, monkeypatch, results, told, message):
    libraries = Libraries(monkeypatch, results, told=told)
    with pytest.raises(ValueError, match=rf"clip\.mp4: .*{message}"):
        keypoints.read(clip)
    assert libraries.closed == 2


def old_protobuf_is_needed(modules):
    modules["google.protobuf.symbol_database"].Default = lambda: SimpleNamespace()


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda modules: modules.update(mediapipe=None), "import of mediapipe halted"),
        (lambda modules: modules.update(mediapipe=ModuleType("mediapipe")), "no attribute 'solutions'"),
        (old_protobuf_is_needed, "no attribute 'GetPrototype'"),
        (lambda modules: modules.update(cv2=None), "import of cv2 halted"),
    ],
)
def test_without_the_extra_it_is_named(clip, monkeypatch, spoil, reason):
    Libraries(monkeypatch, [seen(whole_body(1)[0])])
    spoil(sys.modules)
    with pytest.raises(ValueError, match=rf"clip\.mp4: is a video; .* pip install 'skelgraph\[detect\]' .*{reason}"):
        keypoints.read(clip)


@pytest.mark.parametrize("start", [MP4, MOV, AVI, MKV])
def test_videos_are_known_by_their_first_bytes(tmp_path, monkeypatch, start):
    path = tmp_path / "keypoints.json"
    path.write_bytes(start)
    Libraries(monkeypatch, [seen(whole_body(1)[0])])
    assert keypoints.read(path).format == keypoints.read(path, "video").format == "video"
    for other in {each.NAME for each in FORMATS} - {"video"}:
        with pytest.raises(ValueError, match=f"is a video file, which the format {other} is not"):
            keypoints.read(path, other)


@pytest.mark.parametrize(
    ("start", "what"),
    [
        (b"\xff\xd8\xff\xe0", "a JPEG picture"),
        (b"\x89PNG\r\n\x1a\n", "a PNG picture"),
        (b"GIF89a", "a GIF picture"),
        (b"0&\xb2u\x8ef\xcf\x11", "a WMV video"),
        (b"FLV\1", "an FLV video"),
        (b"\0\0\1\xba", "an MPEG video"),
    ],
)
def test_pictures_and_other_videos_are_named(tmp_path, start, what):
    path = tmp_path / "clip.mp4"
    path.write_bytes(start + bytes(50))
    with pytest.raises(ValueError, match=rf"clip\.mp4: is {what}; videos that are read are MP4, MOV, AVI, MKV and"):
        keypoints.read(path)


def test_what_only_is_called_a_video_is_none(tmp_path):
    (tmp_path / "a.mp4").write_bytes(b"RIFF\x10\0\0\0WAVEfmt ")
    with pytest.raises(ValueError, match=r"a\.mp4: not npz, JSON or text"):
        keypoints.read(tmp_path / "a.mp4")
    (tmp_path / "b.mp4").write_text("x,y,wide\n1,2,3\n")
    with pytest.raises(ValueError, match="nor CSV with the columns"):
        keypoints.read(tmp_path / "b.mp4")
    (tmp_path / "c.json").write_text("{}")
    with pytest.raises(ValueError, match="is a JSON file, which the format video is not; expected a video file"):
        keypoints.read(tmp_path / "c.json", "video")


# ---- with the extra


@pytest.mark.detect
@pytest.mark.parametrize(
    ("name", "codec"), [("a.mp4", "mp4v"), ("a.avi", "MJPG"), ("a.mkv", "mp4v"), ("a.mov", "mp4v")]
)
def test_a_portrait_that_moves_is_found_and_followed(tmp_path, name, codec):
    """Grace Hopper, a picture that comes with Matplotlib, face and shoulders, goes to the right."""
    import cv2
    from matplotlib import cbook

    picture = cv2.imread(str(cbook.get_sample_data("grace_hopper.jpg", asfileobj=False)))
    out = cv2.VideoWriter(str(tmp_path / name), cv2.VideoWriter_fourcc(*codec), 25, (640, 360))
    rights = np.arange(0, 160, 8)
    for right in rights:
        place = np.array([[0.6, 0, 90 + right], [0, 0.6, 0]])
        out.write(cv2.warpAffine(picture, place, (640, 360), borderMode=cv2.BORDER_REPLICATE))
    out.release()
    read = keypoints.read(tmp_path / name)
    assert (read.num_frames, read.image_size, read.fps) == (len(rights), (640, 360), 25)
    face = [read.joints.index(joint) for joint in ("nose", "left_eye", "right_eye", "left_mouth", "right_mouth")]
    assert (read.confidence[:, face] > 0.9).all()
    assert read.missing[:, read.joints.index("left_ankle")].all()  # below the border
    xy = read.xy[:, face] - np.stack([rights, 0 * rights], axis=1)[:, None]
    assert np.abs(xy - xy.mean(axis=0)).max() < 25  # px, of the 152 that she goes
    x, y = np.moveaxis(xy, -1, 0)
    assert (y[:, 1:3] < y[:, :1]).all() and (y[:, 3:] > y[:, :1]).all()  # eyes above the nose above the mouth
    assert (x[:, 1] > x[:, 2]).all() and (x[:, 3] > x[:, 4]).all()  # her right is at the left
    adapt(read, COCO_WHOLEBODY)
