"""A small writer for each 2D format, after its documentation: a person [F, 133, 3] in px goes into a folder."""

import csv
import json
from pathlib import Path

import numpy as np
from upright import SIZE

from skelgraph.skeletons import BLAZEPOSE, COCO, COCO_WHOLEBODY, HALPE26, OPENPOSE_COCO18

PLACE = {joint: i for i, joint in enumerate(COCO_WHOLEBODY.joints)}
MEANS = {
    "neck": ("left_shoulder", "right_shoulder"),
    "hip": ("left_hip", "right_hip"),
    "head": ("left_ear", "right_ear"),
    **{f"{side}_foot_index": (f"{side}_big_toe",) for side in ("left", "right")},
    **{f"{side}_{name}": (f"{side}_hand_{i}",) for side in ("left", "right") for name, i in
       {"thumb": 2, "index": 5, "pinky": 17}.items()},
    **{"right_eye_outer": ("face_36",), "right_eye_inner": ("face_39",), "right_mouth": ("face_48",)},
    **{"left_eye_outer": ("face_45",), "left_eye_inner": ("face_42",), "left_mouth": ("face_54",)},
}  # fmt: skip


def pick(points: np.ndarray, names) -> np.ndarray:
    """[F, J, 3] of named joints; those that COCO-WholeBody lacks are means of others."""
    return np.stack([points[:, [PLACE[n] for n in MEANS.get(name, (name,))]].mean(axis=1) for name in names], axis=1)


def shares(points: np.ndarray) -> np.ndarray:
    return points / [*SIZE, 1]


def flat(frame: np.ndarray) -> list[float]:
    return [float(value) for value in frame.flatten()]


def dump(path: Path, value) -> Path:
    path.write_text(json.dumps(value))
    return path


def alphapose(folder: Path, points: np.ndarray, names=HALPE26.joints, **fields) -> Path:
    entries = [
        {
            "image_id": f"{f}.jpg",
            "category_id": 1,
            "keypoints": flat(frame),
            "score": 2.9,
            "box": [1, 2, 3, 4],
            **fields,
        }
        for f, frame in enumerate(pick(points, names))
    ]
    return dump(folder / "alphapose-results.json", entries)


def coco(folder: Path, points: np.ndarray) -> Path:
    """Results; :func:`coco_annotations` are the other kind."""
    entries = [
        {"image_id": f, "category_id": 1, "keypoints": flat(frame), "score": 0.9}
        for f, frame in enumerate(pick(points, COCO.joints))
    ]
    return dump(folder / "coco_results.json", entries)


def coco_annotations(folder: Path, points: np.ndarray) -> Path:
    marked = np.concatenate([points[..., :2], np.full((*points.shape[:2], 1), 2)], axis=-1)
    value = {
        "images": [{"id": f, "width": SIZE[0], "height": SIZE[1]} for f in range(len(points))],
        "annotations": [
            {"id": f, "image_id": f, "category_id": 1, "num_keypoints": 17, "keypoints": flat(frame)}
            for f, frame in enumerate(pick(marked, COCO.joints))
        ],
    }
    return dump(folder / "person_keypoints.json", value)


def coco_wholebody(folder: Path, points: np.ndarray) -> Path:
    parts = {"keypoints": (0, 17), "foot_kpts": (17, 23), "face_kpts": (23, 91)}
    parts |= {"lefthand_kpts": (91, 112), "righthand_kpts": (112, 133)}
    entries = [
        {"image_id": f, "category_id": 1, "score": 1.0, **{part: flat(frame[a:b]) for part, (a, b) in parts.items()}}
        for f, frame in enumerate(points)
    ]
    return dump(folder / "wholebody.json", entries)


def h3wb(folder: Path, points: np.ndarray, field: str = "keypoints_2d") -> Path:
    samples = {
        str(f): {
            "image_path": f"S1/{f}.jpg",
            field: {str(j): {"x": x, "y": y} for j, (x, y) in enumerate(frame[:, :2].tolist())},
            "keypoints_3d": {str(j): {"x": 1.0, "y": 2.0, "z": 3.0} for j in range(133)},
        }
        for f, frame in enumerate(points)
    }
    return dump(folder / "2Dto3D_train.json", samples)


def mediapipe(folder: Path, points: np.ndarray) -> Path:
    frames = [
        [{"x": x, "y": y, "z": -0.1, "visibility": c} for x, y, c in frame.tolist()]
        for frame in shares(pick(points, BLAZEPOSE.joints))
    ]
    return dump(folder / "landmarks.json", frames)


def mmpose(folder: Path, points: np.ndarray) -> Path:
    frames = [
        {
            "frame_id": f,
            "instances": [{"keypoints": frame[:, :2].tolist(), "keypoint_scores": frame[:, 2].tolist()}],
        }
        for f, frame in enumerate(points)
    ]
    return dump(folder / "results_mmpose.json", frames)


def openpose(folder: Path, points: np.ndarray) -> Path:
    clip = folder / "openpose"
    clip.mkdir()
    for f, frame in enumerate(points):
        person = {
            "person_id": [-1],
            "pose_keypoints_2d": flat(pick(frame[None], OPENPOSE_COCO18.joints)),
            "face_keypoints_2d": [*flat(frame[23:91]), *[5.0] * 6],
            "hand_left_keypoints_2d": flat(frame[91:112]),
            "hand_right_keypoints_2d": flat(frame[112:]),
        }
        dump(clip / f"walk_{f:012d}_keypoints.json", {"version": 1.3, "people": [person]})
    return clip


def npz(folder: Path, points: np.ndarray) -> Path:
    np.savez(folder / "ours.npz", keypoints=points, skeleton="COCO_WHOLEBODY", image_size=SIZE)
    return folder / "ours.npz"


def videopose3d(folder: Path, points: np.ndarray) -> Path:
    """As ``infer_video_d2.py``, one person a frame, as plain arrays."""
    xyc = pick(points, COCO.joints)
    rows = np.stack([xyc[..., 0], xyc[..., 1], np.zeros(xyc.shape[:2]), xyc[..., 2]], axis=1)[:, None]
    np.savez(folder / "clip.mp4.npz", keypoints=rows, boxes=np.ones((len(points), 1, 5)), image_size=SIZE)
    return folder / "clip.mp4.npz"


def yolo(folder: Path, points: np.ndarray, more: str = "", start: int = 1) -> Path:
    clip = folder / "labels"
    clip.mkdir(exist_ok=True)
    for f, frame in enumerate(shares(pick(points, COCO.joints)), start=start):
        words = " ".join(f"{value:.6f}" for value in flat(frame))
        with (clip / f"clip_{f}.txt").open("a") as file:
            file.write(f"0 0.5 0.5 0.2 0.8 {words}{more}\n")
    return clip


def rows(path: Path, table: list[list], delimiter: str = ",") -> Path:
    with path.open("w", newline="") as file:
        csv.writer(file, delimiter=delimiter).writerows(table)
    return path


def deeplabcut(folder: Path, points: np.ndarray, individuals: tuple[str, ...] = ()) -> Path:
    """Every individual beyond the first stands 9 px to the right of the one before."""
    names, coords = COCO.joints, ("x", "y", "likelihood")
    crowd = individuals or ("",)
    columns = [(one, name, coord) for one in crowd for name in names for coord in coords]
    table = [["scorer", *["DLC_resnet50"] * len(columns)]]
    table += [["individuals", *[one for one, _, _ in columns]]] if individuals else []
    table += [["bodyparts", *[name for _, name, _ in columns]], ["coords", *[coord for *_, coord in columns]]]
    for f, frame in enumerate(pick(points, names)):
        table.append([f, *[value for i in range(len(crowd)) for value in flat(frame + [9 * i, 0, 0])]])
    return rows(folder / "clipDLC_resnet50.csv", table)


def csv_long(folder: Path, points: np.ndarray, delimiter: str = ",") -> Path:
    table = [["frame", "joint", "x", "y", "confidence"]]
    for f, frame in enumerate(points):
        table += [[f, name, *point] for name, point in zip(COCO_WHOLEBODY.joints, frame.tolist(), strict=True)]
    return rows(folder / "long.csv", table, delimiter)


def csv_wide(folder: Path, points: np.ndarray, delimiter: str = ",") -> Path:
    table = [["frame", *[f"{name}_{last}" for name in COCO.joints for last in ("x", "y", "confidence")]]]
    table += [[f, *flat(frame)] for f, frame in enumerate(pick(points, COCO.joints))]
    return rows(folder / "wide.csv", table, delimiter)


WRITERS = {
    "alphapose": (alphapose,),
    "coco": (coco, coco_annotations),
    "coco-wholebody": (coco_wholebody,),
    "csv": (csv_long, csv_wide),
    "deeplabcut": (deeplabcut,),
    "h3wb": (h3wb,),
    "mediapipe": (mediapipe,),
    "mmpose": (mmpose,),
    "npz": (npz,),
    "openpose": (openpose,),
    "videopose3d": (videopose3d,),
    "yolo": (yolo,),
}
EVERY = [(name, writer) for name, writers in WRITERS.items() for writer in writers]
