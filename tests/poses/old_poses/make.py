"""Writes world.npz beside this file with the package as it was before a pose in a world was a Pose3D (ef9d633).

Run with that version on the path. Three frames of a random COCO body in a world with z up, and a camera at any angle.
"""

from pathlib import Path

import numpy as np
import torch
from skelgraph.cameras import Camera
from skelgraph.skeletons import COCO
from skelgraph.world_pose import WorldPose

random = np.random.default_rng(0)
turn, _ = np.linalg.qr(random.normal(size=(3, 3)))
turn *= np.sign(np.linalg.det(turn))
missing = random.random((3, 17)) < 0.2
error = np.where(random.random((2, 3, 17)) < 0.3, np.nan, random.gamma(2, 3, (2, 3, 17))).astype(np.float32)
joints = [1.0, 2.0, 1.0] + random.normal(size=(3, 17, 3))
pose = WorldPose(joints, COCO, "z", 25.0, missing, ("left", "right"), error)
K = {"f": torch.ones(2) * 1000, "c": torch.ones(2) * 500, "k": torch.zeros(3), "p": torch.zeros(2)}
camera = Camera(R=torch.from_numpy(turn), T=torch.zeros(3), **K, width=1000, height=1000, name="left")
pose.save(Path(__file__).with_name("world.npz"), camera)
