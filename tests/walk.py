"""Somebody before calibrated cameras, written to keypoint files and a calibration."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch

from skelgraph import Skeleton
from skelgraph.geometry.cameras import Camera
from skelgraph.geometry.human36m import SERIALS, human36m_cameras
from skelgraph.io import calibrations
from skelgraph.io.keypoints.formats import npz
from skelgraph.poses.keypoints import Keypoints
from skelgraph.skeleton.builtin import BLAZEPOSE, COCO

RIG = {camera.name: camera for camera in human36m_cameras(["S1"])[0].replace(names=SERIALS)}
_HEIGHT = {"ankle": 0.1, "knee": 0.5, "hip": 0.9, "wrist": 0.9, "elbow": 1.1, "shoulder": 1.4, "nose": 1.6, "e": 1.65}


def dance(skeleton: Skeleton = COCO, frames: int = 90, seed: int = 0) -> torch.Tensor:
    """World joints [F, J, 3] m, z up: somebody who stands in Human3.6M's room and swings every joint by 10 to 25 cm."""
    random = np.random.default_rng(seed)
    joints = skeleton.joints
    z = [next(height for part, height in _HEIGHT.items() if part in joint) for joint in joints]
    x = [0.2 if joint.startswith("left") else -0.2 if joint.startswith("right") else 0.0 for joint in joints]
    rest = np.stack([np.array(x), np.zeros(len(x)), np.array(z)], -1)
    t = np.arange(frames)[:, None, None] / 30
    rate, phase = random.uniform(0.5, 1.5, (2, len(x), 3)) * [[[1]], [[2 * np.pi]]]
    swing = random.uniform(0.1, 0.25, (len(x), 3)) * np.sin(2 * np.pi * rate * t + phase)
    path = np.concatenate([0.3 * t - 0.5, 0.1 * np.sin(t), 0 * t], -1)
    return torch.from_numpy(rest + swing + path)


def film(
    joints: torch.Tensor, cameras: Mapping[str, Camera] = RIG, noise: float = 0.0, hidden: float = 0.0, seed: int = 0
) -> tuple[torch.Tensor, torch.Tensor]:
    """Keypoints [V, F, J, 2] px and confidence [V, F, J]."""
    random = torch.Generator().manual_seed(seed)
    px = torch.stack([camera.project(camera.to_camera(joints)) for camera in cameras.values()])
    px = px + noise * torch.randn(px.shape, generator=random, dtype=px.dtype)
    return px, (torch.rand(px.shape[:-1], generator=random) >= hidden).to(px)


def views(
    px: torch.Tensor,
    confidence: torch.Tensor,
    cameras: Mapping[str, Camera] = RIG,
    joints: Sequence[str] = COCO.joints,
    fps: float | None = 30,
) -> dict[str, Keypoints]:
    """The keypoints by camera; their sources are called NAME.npz."""
    sizes = {name: tuple(camera.image_size.tolist()) for name, camera in cameras.items()}
    return {
        name: Keypoints.of(xy, joints, confidence=seen, image_size=sizes[name], fps=fps, source=f"{name}.npz")
        for name, xy, seen in zip(cameras, px.numpy(), confidence.numpy(), strict=True)
    }


def write(folder: Path, filmed: Mapping[str, Keypoints], cameras: Mapping[str, Camera] = RIG) -> list[Path]:
    """Writes dance_NAME.npz of each camera, which are returned, and Calib.json."""
    calibrations.write(folder / "Calib.json", cameras.values())
    paths = [folder / f"dance_{name}.npz" for name in filmed]
    for path, view in zip(paths, filmed.values(), strict=True):
        npz.write(path, view)
    return paths


def pose2sim(data_dir: Path) -> tuple[dict[str, Camera], dict[str, Keypoints]]:
    """The real walk: cameras and BlazePose's keypoints, 100 frames."""
    with np.load(data_dir / "pose2sim_multiview.npz", allow_pickle=False) as file:
        names = [f"cam{name}" for name in file["cams"]]
        per_metre = torch.from_numpy(file["P"]) * torch.tensor([1000, 1000, 1000, 1.0], dtype=torch.float64)
        sizes = [(int(width), int(height)) for height, width in file["image_hw"]]
        rig = {camera.name: camera for camera in Camera.from_projection(per_metre, sizes, names)}
        px, seen = (torch.from_numpy(file[name]) for name in ("body2d_px", "body_vis"))
        return rig, views(px, seen, rig, BLAZEPOSE.joints, float(file["fps"]))
