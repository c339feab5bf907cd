"""A person in a video, found by MediaPipe Holistic (the extra ``detect``).

MP4, MOV, AVI, Matroska (MKV) and WebM, known by their first bytes and decoded by OpenCV, a frame at a time. The joints
are BlazePose's 33 in px, with their visibility as confidence, and 21 of each hand, named as in COCO-WholeBody, whose
order MediaPipe's is. MediaPipe gives hands no confidence: it is 1 where a hand is found; where none is, its wrist and
three knuckles are the pose's. Joints beyond the image's border, which MediaPipe guesses, are missing. It follows one
person, whom it finds first, and filters landmarks over time as if there were 30 frames a second. The weights are in its
package; nothing is downloaded.
Source: MediaPipe 0.10.14, ``python/solutions/holistic.py``.
"""

from __future__ import annotations

import importlib
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skelgraph.errors import FormatError, MissingExtraError
from skelgraph.poses import frames
from skelgraph.poses.people import People
from skelgraph.skeleton.builtin import BLAZEPOSE

NAME = "video"
KIND = "video file"
TAKES = frozenset({KIND})
JOINTS = (*BLAZEPOSE.joints, *(f"{side}_hand_{i}" for side in ("left", "right") for i in range(21)))
_BOXES = (b"ftyp", b"moov", b"mdat", b"wide")  # the last three begin old MOVs
_OTHERS = {
    b"\xff\xd8\xff": "a JPEG picture",
    b"\x89PNG\r\n": "a PNG picture",
    b"GIF87a": "a GIF picture",
    b"GIF89a": "a GIF picture",
    b"0&\xb2u\x8ef\xcf\x11": "a WMV video",
    b"FLV\1": "an FLV video",
    b"\0\0\1\xba": "an MPEG video",
}
_WHOLE = 0.9  # the number of frames that a file tells is an estimate
# where the hand's own wrist, thumb, index and pinky knuckles are, see conversions.RULES
_KNUCKLES = np.array([0, 2, 5, 17])
_IN_POSE = {
    side: [BLAZEPOSE.index(f"{side}_{joint}") for joint in ("wrist", "thumb", "index", "pinky")]
    for side in ("left", "right")
}


def is_video(path: Path) -> bool:
    """Whether a path is a video that can be read, by its first bytes.

    Raises:
        FormatError: naming the file, for a picture or another kind of video.
    """
    if not path.is_file():
        return False
    with path.open("rb") as file:
        start = file.read(12)
    other = next((what for mark, what in _OTHERS.items() if start.startswith(mark)), None)
    if other is not None:
        raise FormatError(f"{path}: is {other}; videos that are read are MP4, MOV, AVI, MKV and WebM")
    is_mp4 = start[:1] == b"\0" and start[4:8] in _BOXES
    return is_mp4 or (start[:4] == b"RIFF" and start[8:] == b"AVI ") or start[:4] == b"\x1aE\xdf\xa3"


def matches(path: Path, content: Any) -> bool:
    return True


def read(path: Path, content: Any, progress: Callable[[int, int], None] | None = None) -> People:
    """Finds a person's joints, :data:`JOINTS`, in every frame.

    Warns where decoding ends long before the frames that the file tells of.

    Args:
        progress: called for every frame with the frames done and the frames in all, as far as the file tells.

    Raises:
        FormatError: naming the file, if the extra is not installed, nothing can be decoded, or nobody is found.
    """
    cv2, holistic = _libraries(path)
    found: list[NDArray[np.float32]] = []
    width = height = 0
    with _opened(path, cv2) as video, holistic.Holistic() as detector, warnings.catch_warnings():
        warnings.filterwarnings("ignore", "SymbolDatabase.GetPrototype")  # between MediaPipe and protobuf
        expected, fps = int(video.get(cv2.CAP_PROP_FRAME_COUNT)), video.get(cv2.CAP_PROP_FPS)
        frames.check_points(max(0, expected), len(JOINTS), 1, str(path))
        while (image := video.read()[1]) is not None:
            height, width = image.shape[:2]
            found.append(_joints(detector.process(cv2.cvtColor(image, cv2.COLOR_BGR2RGB))))
            if progress is not None:
                progress(len(found), max(expected, len(found)))
    if not found:
        raise FormatError(f"{path}: no frame of the video can be decoded: is it damaged, or of an unusual codec?")
    if len(found) < _WHOLE * expected:
        warnings.warn(f"{path}: breaks off after {len(found)} of about {expected} frames: is it damaged?", stacklevel=2)
    joints = np.stack(found)
    if not joints.any():
        raise FormatError(f"{path}: no person in any of the {len(found)} frames")
    joints[..., :2] *= np.array([width, height], dtype=np.float32)
    return People.by_place(
        joints[:, None].astype(np.float64),
        JOINTS,
        image_size=(width, height),
        fps=fps if 0 < fps < 1e6 else None,
        source=str(path),
    )


def _libraries(path: Path) -> tuple[Any, Any]:
    """OpenCV and MediaPipe's Holistic."""
    try:
        holistic = importlib.import_module("mediapipe").solutions.holistic  # gone from newer versions
        # MediaPipe calls it, and newer protobufs, which onnx brings, lack it
        _ = importlib.import_module("google.protobuf.symbol_database").Default().GetPrototype
        return importlib.import_module("cv2"), holistic
    except (ImportError, AttributeError) as error:
        raise MissingExtraError(
            f"{path}: is a video; finding people in it needs mediapipe: pip install 'skelgraph[detect]' ({error})"
        ) from None


@contextmanager
def _opened(path: Path, cv2: Any) -> Iterator[Any]:
    # FFmpeg alone, and an absolute path: OpenCV also takes addresses and patterns of pictures' names
    video = cv2.VideoCapture(str(path.resolve()), cv2.CAP_FFMPEG)
    try:
        yield video
    finally:
        video.release()


def _joints(found: Any) -> NDArray[np.float32]:
    """[75, 3] shares of the image's width and height, and confidence; zeros where nobody is."""
    joints = np.zeros((len(JOINTS), 3), dtype=np.float32)
    if found.pose_landmarks is None:
        return joints
    pose, hands = joints[: BLAZEPOSE.num_joints], joints[BLAZEPOSE.num_joints :].reshape(2, 21, 3)
    pose[:] = [(point.x, point.y, point.visibility) for point in found.pose_landmarks.landmark]
    for side, hand in zip(("left", "right"), hands, strict=True):
        landmarks = getattr(found, f"{side}_hand_landmarks")
        if landmarks is None:
            hand[_KNUCKLES] = pose[_IN_POSE[side]]
        else:
            hand[:] = [(point.x, point.y, 1) for point in landmarks.landmark]
    beyond = (joints[:, :2] < 0) | (joints[:, :2] > 1)
    joints[beyond.any(axis=1)] = 0
    return joints
