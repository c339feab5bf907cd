"""A small motion capture file in the layout that ``MotionCapture`` reads, with made-up people."""

from pathlib import Path

import numpy as np

NAMES = (
    *("pelvis", "r_hip", "r_knee", "r_ankle", "l_hip", "l_knee", "l_ankle", "spine", "thorax", "neck", "head"),
    *("l_shoulder", "l_elbow", "l_wrist", "r_shoulder", "r_elbow", "r_wrist", "l_toe", "r_toe"),
)
PARENTS = (-1, 0, 1, 2, 0, 4, 5, 0, 7, 8, 9, 8, 11, 12, 8, 14, 15, 6, 3)
# Bones of somebody who stands with arms hanging and faces -y, mm, z up; x to the person's left.
_LEG, _ARM = ((90, 0, 0), (0, 0, -430), (0, 0, -410)), ((190, 0, -20), (0, 0, -280), (0, 0, -250))
_RIGHT = np.array([-1, 1, 1])
_BONES = np.array(
    [
        (0, 0, 0),
        *(np.array(_LEG) * _RIGHT),
        *_LEG,
        *((0, 0, 220), (0, 0, 240), (0, -20, 150), (0, 10, 110)),
        *_ARM,
        *(np.array(_ARM) * _RIGHT),
        *((0, -130, -30), (0, -130, -30)),
    ],
    dtype=float,
)


def arrays(frames: int = 24, seed: int = 0) -> dict[str, np.ndarray]:
    """Three sequences of ``frames`` frames: walking_1 and 07_02 to train (subjects a and b), walking_2 to test (c)."""
    random = np.random.default_rng(seed)
    count = 3 * frames
    bones = _BONES * np.repeat([1.0, 1.1, 0.9], frames)[:, None, None]
    joints = np.zeros((count, len(NAMES), 3))
    turns = np.zeros((count, len(NAMES), 3, 3))
    turns[:, 0] = _rotation(random.normal(0, [0.05, 0.05, 2], (count, 3)))
    for joint in range(1, len(NAMES)):
        parent = PARENTS[joint]
        joints[:, joint] = joints[:, parent] + (turns[:, parent] @ bones[:, joint, :, None])[..., 0]
        turns[:, joint] = turns[:, parent] @ _rotation(random.normal(0, 0.25, (count, 3)))
    root = np.column_stack([random.normal(0, 1000, (count, 2)), -joints[..., 2].min(1) + 50])
    return {
        "root": root.astype(np.float32),
        "joints_dmm": np.rint(joints * 10).astype(np.int16),
        "frame_ok": np.arange(count) != 3,
        "seq_start": np.arange(0, count, frames, dtype=np.int32),
        "seq_len": np.full(3, frames, np.int32),
        "seq_subject": np.array(["a", "b", "c"]),
        "seq_name": np.array(["train/walking_1", "07_02", "walking_2"]),
        "seq_split": np.array(["train", "train", "test"]),
        "joint_names": np.array(NAMES),
        "parents": np.array(PARENTS, np.int8),
        "fps": np.array(30, np.float32),
    }


def write(folder: Path, name: str = "cmu_mocap.npz", frames: int = 24, **changes: np.ndarray | None) -> Path:
    """Writes ``folder/name``; ``changes`` replace arrays, None leaves one out."""
    content = {key: value for key, value in {**arrays(frames), **changes}.items() if value is not None}
    np.savez_compressed(folder / name, **content)
    return folder / name


def _rotation(vector: np.ndarray) -> np.ndarray:
    """Rodrigues' formula: rotations [N, 3, 3] about vectors [N, 3], rad."""
    angle = np.linalg.norm(vector, axis=1)[:, None, None]
    x, y, z = (vector / angle[:, 0]).T
    zero = np.zeros_like(x)
    cross = np.stack([zero, -z, y, z, zero, -x, -y, x, zero], 1).reshape(-1, 3, 3)
    return np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross
