"""Moving people before cameras of all kinds: phones held upright, wide lenses, cameras that look up or down."""

import numpy as np
import torch

from skelgraph.datasets.mocap import motion_file
from skelgraph.datasets.motion_capture import JOINT_NAMES
from skelgraph.datasets.people.human import Human
from skelgraph.geometry.rotations import about_x, about_y, about_z
from skelgraph.poses.keypoints import Keypoints
from skelgraph.skeleton import builtin
from skelgraph.skeleton.builtin import HUMAN36M

FRAMES = 16
ACTIONS = ("walking", "reaching", "sitting", "kneeling", "lying", "turning")
BODIES = ("HUMAN36M", "COCO", "COCO_WHOLEBODY", "OPENPOSE_BODY25", "OPENPOSE_COCO18", "HALPE26", "BLAZEPOSE")
SIZES = ((1920, 1080), (1080, 1920), (1280, 720), (720, 1280), (640, 480), (1000, 1000))


def performed(i: int, random: np.random.Generator):
    """A skeleton, and joints [F, J, 3] in m, y up, of somebody made up; every skeleton meets every action."""
    skeleton, action = getattr(builtin, BODIES[i % len(BODIES)]), ACTIONS[i % len(ACTIONS)]
    human = Human(skeleton)
    pace = random.uniform(*human.tempo(action))
    phase = torch.tensor(random.uniform(0, 2) + pace / 30 * np.arange(FRAMES))
    shape, style = (torch.tensor(random.random((1, n))) for n in (human.shape_columns, human.style_columns))
    joints = human.joints(action, phase.float(), shape.float().expand(FRAMES, -1), style.float().expand(FRAMES, -1))
    return skeleton, joints.double().numpy()


def recorded(count: int, random: np.random.Generator):
    """``count`` times HUMAN36M and joints [F, J, 3] in m, y up, anywhere in the recordings."""
    motion = motion_file.read(motion_file.locate("cmu_mocap.npz"))
    names = [JOINT_NAMES.get(name, name) for name in motion.joints]
    place = np.concatenate([motion.ground, motion.height[:, None]], axis=1)
    starts = [s for sequence in motion.sequences for s in range(sequence.start, sequence.stop - FRAMES, FRAMES)]
    starts = [s for s in starts if motion.ok[s : s + FRAMES].all()]
    for start in random.choice(starts, count, replace=False):
        part = slice(start, start + FRAMES)
        joints = motion.offsets[part][:, [names.index(joint) for joint in HUMAN36M.joints]] + place[part, None]
        yield HUMAN36M, joints[..., [0, 2, 1]] * [1.0, 1.0, -1.0]


def film(skeleton, joints: np.ndarray, random: np.random.Generator, noise_px=0.0, missing=0.0) -> Keypoints:
    """Joints seen from any side by a camera with f/w of 0.6 to 2 that looks up or down by up to 20 degrees.

    At no time is a joint outside the image or nearer than 0.7 m; the place in the image is any, as after cropping.
    """
    size = np.array(SIZES[random.integers(len(SIZES))], dtype=float)
    focal = size[0] * random.uniform(0.6, 2)
    pitch, yaw, roll = torch.deg2rad(torch.tensor(random.uniform((-20, -180, -3), (20, 180, 3))))
    turn = (about_z(roll) @ about_x(pitch) @ about_y(yaw)).numpy()
    around = (joints - (joints.min((0, 1)) + joints.max((0, 1))) / 2) @ turn.T * [1, -1, -1]
    share, away = random.uniform(0.5, 0.95), 0.7 - around[..., 2].min()
    while (np.ptp(xy := focal * around[..., :2] / (around[..., 2:] + away), (0, 1)) > share * size).any():
        away *= 1.05
    low, high = xy.min((0, 1)), xy.max((0, 1))
    xy = xy - low + (size - (high - low)) * random.random(2) + random.normal(0, 1, xy.shape) * noise_px
    seen = random.random(xy.shape[:2]) >= missing
    return Keypoints.of(xy, skeleton.joints, confidence=seen, image_size=(size[0], size[1]))
