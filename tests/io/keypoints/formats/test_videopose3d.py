import re

import numpy as np
import pytest
from keypoint_files import pick, videopose3d
from upright import SIZE, whole_body

from skelgraph.io import keypoints
from skelgraph.skeleton.builtin import COCO


def people(points: np.ndarray, *shifts: int) -> np.ndarray:
    """[P, 4, 17] of one frame, as Detectron has it."""
    xyc = pick(points[None], COCO.joints)[0]
    return np.stack([np.stack([xyc[:, 0] + s, xyc[:, 1], np.zeros(17), xyc[:, 2]]) for s in shifts])


def infer_video_d2(path, points):
    """What ``infer_video_d2.py`` saves: objects; nobody in the last frame, two people in the first."""
    frames = [people(frame, *((0, 9) if f == 0 else (0,))) for f, frame in enumerate(points[:-1])]
    found = np.empty((len(points), 2), dtype=object)
    boxes = np.empty((len(points), 2), dtype=object)
    for f in range(len(points)):
        found[f] = [[], frames[f] if f < len(frames) else []]
        boxes[f] = [[], np.ones((len(found[f][1]), 5))]
    np.savez_compressed(path, boxes=boxes, segments=[None] * len(points), keypoints=found,
                        metadata={"w": int(SIZE[0]), "h": int(SIZE[1])})  # fmt: skip
    return path


def custom(path, points):
    """What ``prepare_data_2d_custom.py`` saves."""
    output = {"clip.mp4": {"custom": [pick(points, COCO.joints)[..., :2].astype("float32")]}}
    metadata = {"layout_name": "coco", "num_joints": 17, "video_metadata": {"clip.mp4": {"w": 1000, "h": 800}}}
    np.savez_compressed(path, positions_2d=output, metadata=metadata)
    return path


@pytest.mark.parametrize(("write", "person", "frames"), [(infer_video_d2, 0, 3), (custom, None, 4)])
def test_objects_are_refused_and_the_snippet_makes_a_plain_file(tmp_path, monkeypatch, write, person, frames):
    points = whole_body(4)
    path = write(tmp_path / "data.npz", points)
    with pytest.raises(ValueError, match=r"data.npz: holds Python objects \(pickle\).*If you trust") as error:
        keypoints.read(path)
    monkeypatch.chdir(tmp_path)
    exec(re.search(r"\n\n(.*)", str(error.value), re.DOTALL)[1])
    (plain,) = tmp_path.glob("plain*.npz")
    read = keypoints.read(plain, person=person)
    assert (read.format, read.joints, read.image_size) == ("videopose3d", COCO.joints, SIZE)
    np.testing.assert_allclose(read.xy[:frames], pick(points, COCO.joints)[:frames, :, :2], atol=0.01)
    assert read.num_frames == 4 and read.missing[frames:].all() and not read.missing[:frames].any()


@pytest.mark.parametrize("width", [2, 3])
@pytest.mark.parametrize("several", [True, False])
def test_plain_positions(tmp_path, width, several):
    values = pick(whole_body(3), COCO.joints)[..., :width]
    values[1, 2] = np.nan
    saved = np.stack([values + 5, values], axis=1) if several else values
    np.savez(tmp_path / "a.npz", positions_2d=saved.astype(np.float32), fps=25)
    read = keypoints.read(tmp_path / "a.npz", person=1 if several else None)
    assert read.fps == 25 and np.argwhere(read.missing).tolist() == [[1, 2]]
    np.testing.assert_allclose(read.xy[0], values[0, :, :2], atol=0.01)


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"positions_2d": np.ones((2, 16, 2))}, r"positions_2d is float64 \[2, 16, 2\]; expected numbers \[F, 17, 2\]"),
        ({"positions_2d": np.array("x")}, "positions_2d is <U1"),
        ({"keypoints": np.ones((2, 1, 17, 4)), "boxes": np.ones(2)}, r"expected numbers \[F, 4, 17\]"),
        ({"positions_2d": np.ones((2, 17, 2)), "image_size": [1]}, "image_size"),
    ],
)
def test_what_does_not_fit_is_named(tmp_path, arrays, message):
    np.savez(tmp_path / "walk.npz", **arrays)
    with pytest.raises(ValueError, match=message) as error:
        keypoints.read(tmp_path / "walk.npz")
    assert "walk.npz" in str(error.value)


def test_no_positions_at_all(tmp_path):
    path = videopose3d(tmp_path, whole_body(2))
    np.savez(path, other=np.ones(3))
    with pytest.raises(ValueError, match=r"expected an array 'positions_2d'.*other \[3\]"):
        keypoints.read(path, "videopose3d")
