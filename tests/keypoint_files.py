"""A small writer for each 2D format, after its documentation: a person [F, 133, 3] in px goes into a folder.

Joints stand in the order of the documentation, written down here once more, so that a wrong order in the package shows.
They are those of COCO-WholeBody; ``points`` may hold the columns of MORE behind them, else these are means of others.
"""

import csv
import json
from pathlib import Path

import numpy as np
from upright import SIZE


def sided(*words: str) -> tuple[str, ...]:
    """Words that begin with L or R for a side, or both for one after the other: ``LR_hip``."""
    sides = {"L": ("left",), "R": ("right",), "LR": ("left", "right")}
    found: list[str] = []
    for word in words:
        side, _, joint = word.partition("_")
        found += [f"{each}_{joint}" for each in sides[side]] if side in sides else [word]
    return tuple(found)


FACE = tuple(f"face_{i}" for i in range(68))
HANDS = tuple(f"{side}_hand_{i}" for side in ("left", "right") for i in range(21))
COCO = sided("nose", *(f"LR_{j}" for j in "eye ear shoulder elbow wrist hip knee ankle".split()))
FEET = sided(*(f"{side}_{joint}" for side in "LR" for joint in ("big_toe", "small_toe", "heel")))
WHOLE_BODY = (*COCO, *FEET, *FACE, *HANDS)
HALPE_26 = (*COCO, "head", "neck", "hip", *sided("LR_big_toe", "LR_small_toe", "LR_heel"))
HALPE_136 = (*HALPE_26, *FACE, *HANDS)
COCO_18 = sided(
    *"nose neck R_shoulder R_elbow R_wrist L_shoulder L_elbow L_wrist".split(),
    *"R_hip R_knee R_ankle L_hip L_knee L_ankle R_eye L_eye R_ear L_ear".split(),
)
BODY_25 = (*COCO_18[:8], "hip", *COCO_18[8:], *FEET)
BLAZEPOSE_33 = sided(
    *"nose L_eye_inner L_eye L_eye_outer R_eye_inner R_eye R_eye_outer LR_ear LR_mouth".split(),
    *"LR_shoulder LR_elbow LR_wrist LR_pinky LR_index LR_thumb LR_hip LR_knee LR_ankle LR_heel LR_foot_index".split(),
)

MORE = {"neck": 133, "hip": 134, "head": 135}
PLACE = {joint: i for i, joint in enumerate(WHOLE_BODY)}
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
    """[F, J, 3] of named joints."""
    place = {**PLACE, **(MORE if points.shape[1] > len(WHOLE_BODY) else {})}
    columns = [[place[name]] if name in place else [place[each] for each in MEANS[name]] for name in names]
    return np.stack([points[:, each].mean(axis=1) for each in columns], axis=1)


def shares(points: np.ndarray) -> np.ndarray:
    return points / [*SIZE, 1]


def flat(frame: np.ndarray) -> list[float]:
    return [float(value) for value in frame.flatten()]


def dump(path: Path, value) -> Path:
    path.write_text(json.dumps(value))
    return path


def alphapose(folder: Path, points: np.ndarray, names=HALPE_26, **fields) -> Path:
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


def alphapose_17(folder: Path, points: np.ndarray) -> Path:
    return alphapose(folder, points, COCO)


def alphapose_133(folder: Path, points: np.ndarray) -> Path:
    return alphapose(folder, points, WHOLE_BODY)


def alphapose_136(folder: Path, points: np.ndarray) -> Path:
    return alphapose(folder, points, HALPE_136)


def coco(folder: Path, points: np.ndarray) -> Path:
    """Results; :func:`coco_annotations` are the other kind."""
    entries = [
        {"image_id": f, "category_id": 1, "keypoints": flat(frame), "score": 0.9}
        for f, frame in enumerate(pick(points, COCO))
    ]
    return dump(folder / "coco_results.json", entries)


def coco_annotations(folder: Path, points: np.ndarray) -> Path:
    marked = np.concatenate([points[..., :2], np.full((*points.shape[:2], 1), 2)], axis=-1)
    value = {
        "images": [{"id": f, "width": SIZE[0], "height": SIZE[1]} for f in range(len(points))],
        "annotations": [
            {"id": f, "image_id": f, "category_id": 1, "num_keypoints": 17, "keypoints": flat(frame)}
            for f, frame in enumerate(pick(marked, COCO))
        ],
    }
    return dump(folder / "person_keypoints.json", value)


def coco_wholebody(folder: Path, points: np.ndarray) -> Path:
    parts = {"keypoints": (0, 17), "foot_kpts": (17, 23), "face_kpts": (23, 91)}
    parts |= {"lefthand_kpts": (91, 112), "righthand_kpts": (112, 133)}
    entries = [
        {"image_id": f, "category_id": 1, "score": 1.0, **{part: flat(frame[a:b]) for part, (a, b) in parts.items()}}
        for f, frame in enumerate(pick(points, WHOLE_BODY))
    ]
    return dump(folder / "wholebody.json", entries)


def h3wb(folder: Path, points: np.ndarray, field: str = "keypoints_2d") -> Path:
    samples = {
        str(f): {
            "image_path": f"S1/{f}.jpg",
            field: {str(j): {"x": x, "y": y} for j, (x, y) in enumerate(frame[:, :2].tolist())},
            "keypoints_3d": {str(j): {"x": 1.0, "y": 2.0, "z": 3.0} for j in range(133)},
        }
        for f, frame in enumerate(pick(points, WHOLE_BODY))
    }
    return dump(folder / "2Dto3D_train.json", samples)


def mediapipe(folder: Path, points: np.ndarray) -> Path:
    frames = [
        [{"x": x, "y": y, "z": -0.1, "visibility": c} for x, y, c in frame.tolist()]
        for frame in shares(pick(points, BLAZEPOSE_33))
    ]
    return dump(folder / "landmarks.json", frames)


def mmpose(folder: Path, points: np.ndarray, names=WHOLE_BODY) -> Path:
    """As the Inferencer writes it: frames without a word on what the joints are."""
    frames = [
        {
            "frame_id": f,
            "instances": [{"keypoints": frame[:, :2].tolist(), "keypoint_scores": frame[:, 2].tolist()}],
        }
        for f, frame in enumerate(pick(points, names))
    ]
    return dump(folder / "results_mmpose.json", frames)


def mmpose_17(folder: Path, points: np.ndarray) -> Path:
    return mmpose(folder, points, COCO)


def mmpose_named(folder: Path, points: np.ndarray) -> Path:
    """As the demos write it, with the names of ``configs/_base_/datasets/halpe26.py``."""
    frames = json.loads(mmpose(folder, points, HALPE_26).read_text())
    names = {str(i): name for i, name in enumerate(HALPE_26)}
    meta = {"dataset_name": "halpe26", "num_keypoints": 26, "keypoint_id2name": names}
    return dump(folder / "results_mmpose.json", {"meta_info": meta, "instance_info": frames})


def openpose(folder: Path, points: np.ndarray, body=COCO_18, only_body: bool = False) -> Path:
    clip = folder / "openpose"
    clip.mkdir()
    for f, frame in enumerate(points):
        pose = {"person_id": [-1], "pose_keypoints_2d": flat(pick(frame[None], body))}
        rest = {
            "face_keypoints_2d": [*flat(frame[23:91]), *[5.0] * 6],
            "hand_left_keypoints_2d": flat(frame[91:112]),
            "hand_right_keypoints_2d": flat(frame[112:133]),
        }
        rest = dict.fromkeys(rest, []) if only_body else rest
        dump(clip / f"walk_{f:012d}_keypoints.json", {"version": 1.3, "people": [{**pose, **rest}]})
    return clip


def openpose_body_25(folder: Path, points: np.ndarray) -> Path:
    return openpose(folder, points, BODY_25)


def openpose_only_body(folder: Path, points: np.ndarray) -> Path:
    return openpose(folder, points, BODY_25, only_body=True)


def npz(folder: Path, points: np.ndarray) -> Path:
    np.savez(folder / "ours.npz", keypoints=pick(points, WHOLE_BODY), skeleton="COCO_WHOLEBODY", image_size=SIZE)
    return folder / "ours.npz"


def npz_17(folder: Path, points: np.ndarray) -> Path:
    np.savez(folder / "ours.npz", keypoints=pick(points, COCO), joints=np.array(COCO), image_size=SIZE)
    return folder / "ours.npz"


def videopose3d(folder: Path, points: np.ndarray) -> Path:
    """As ``infer_video_d2.py``, one person a frame, as plain arrays."""
    xyc = pick(points, COCO)
    rows = np.stack([xyc[..., 0], xyc[..., 1], np.zeros(xyc.shape[:2]), xyc[..., 2]], axis=1)[:, None]
    np.savez(folder / "clip.mp4.npz", keypoints=rows, boxes=np.ones((len(points), 1, 5)), image_size=SIZE)
    return folder / "clip.mp4.npz"


def videopose3d_custom(folder: Path, points: np.ndarray) -> Path:
    """An entry of ``data_2d_custom_*.npz``, as plain arrays."""
    np.savez(folder / "custom.npz", positions_2d=pick(points, COCO), image_size=SIZE)
    return folder / "custom.npz"


def yolo(folder: Path, points: np.ndarray, more: str = "", start: int = 1) -> Path:
    clip = folder / "labels"
    clip.mkdir(exist_ok=True)
    for f, frame in enumerate(shares(pick(points, COCO)), start=start):
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
    coords, crowd = ("x", "y", "likelihood"), individuals or ("",)
    columns = [(one, name, coord) for one in crowd for name in COCO for coord in coords]
    table = [["scorer", *["DLC_resnet50"] * len(columns)]]
    table += [["individuals", *[one for one, _, _ in columns]]] if individuals else []
    table += [["bodyparts", *[name for _, name, _ in columns]], ["coords", *[coord for *_, coord in columns]]]
    for f, frame in enumerate(pick(points, COCO)):
        table.append([f, *[value for i in range(len(crowd)) for value in flat(frame + [9 * i, 0, 0])]])
    return rows(folder / "clipDLC_resnet50.csv", table)


def csv_long(folder: Path, points: np.ndarray, delimiter: str = ",") -> Path:
    table = [["frame", "joint", "x", "y", "confidence"]]
    for f, frame in enumerate(pick(points, WHOLE_BODY)):
        table += [[f, name, *point] for name, point in zip(WHOLE_BODY, frame.tolist(), strict=True)]
    return rows(folder / "long.csv", table, delimiter)


def csv_wide(folder: Path, points: np.ndarray, delimiter: str = ",") -> Path:
    table = [["frame", *[f"{name}_{last}" for name in COCO for last in ("x", "y", "confidence")]]]
    table += [[f, *flat(frame)] for f, frame in enumerate(pick(points, COCO))]
    return rows(folder / "wide.csv", table, delimiter)


WRITERS = {
    "alphapose": (alphapose, alphapose_17, alphapose_133, alphapose_136),
    "coco": (coco, coco_annotations),
    "coco-wholebody": (coco_wholebody,),
    "csv": (csv_long, csv_wide),
    "deeplabcut": (deeplabcut,),
    "h3wb": (h3wb,),
    "mediapipe": (mediapipe,),
    "mmpose": (mmpose, mmpose_17, mmpose_named),
    "npz": (npz, npz_17),
    "openpose": (openpose, openpose_body_25, openpose_only_body),
    "videopose3d": (videopose3d, videopose3d_custom),
    "yolo": (yolo,),
}
EVERY = [(name, writer) for name, writers in WRITERS.items() for writer in writers]
