"""How a lifter does on somebody that no part of its data knows: a walk before four calibrated cameras.

    python benchmarks/carry_over.py [CHECKPOINT]

The keypoints are MediaPipe's (BlazePose, 33), converted to the lifter's joints by name. The truth is triangulated from
the cameras that agree to 20 px, at least three; a joint of the lifter counts where all that it is made of is known.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from timing import publish, table

from skelgraph.datasets.mocap.motion_file import locate
from skelgraph.files import npz
from skelgraph.geometry.cameras import Camera
from skelgraph.geometry.triangulation import ransac
from skelgraph.lifting import weights
from skelgraph.nn import metrics
from skelgraph.nn.inputs import model_input
from skelgraph.nn.prediction import predict
from skelgraph.poses.joint_matching import Match, match
from skelgraph.skeleton.builtin import BLAZEPOSE
from skelgraph.training import checkpoint

Array = NDArray[np.float64]
AGREE_PX, SEEN = 20.0, 0.5


def rig(P: Array, image_hw: NDArray[np.int64]) -> Camera:
    """The cameras of matrices [V, 3, 4] in px per mm."""
    per_metre = torch.tensor(P) * torch.tensor([1000.0, 1000.0, 1000.0, 1.0])
    return Camera.from_projection(per_metre, torch.tensor(image_hw[:, ::-1].copy()))


def truth(cameras: Camera, xy: Array, visibility: Array, made: Match) -> Array:
    """Joints of the lifter [F, J, 3] in m, world."""
    seen = torch.tensor(visibility > SEEN, dtype=torch.float64)
    points = ransac(cameras, torch.tensor(xy), seen, AGREE_PX, min_views=3).points.numpy()
    return np.stack([sum(w * points[:, s] for s, w in parts) for parts in made.weights], 1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoint", nargs="?", default=weights.FOLDER / weights.FILES["body"])
    parser.add_argument("--out", type=Path, default=weights.FOLDER, help="folder of the model card")
    given = parser.parse_args()
    model, skeleton, _ = checkpoint.load_run(given.checkpoint)
    recording = npz.read(locate("pose2sim_multiview.npz"))
    P, K, xy, visibility = (recording[name].astype(float) for name in ("P", "K", "body2d_px", "body_vis"))
    made = match(BLAZEPOSE.joints, skeleton)
    cameras = rig(P, recording["image_hw"])
    world = truth(cameras, xy, visibility, made)
    rows = []
    for camera in range(len(P)):
        target = world @ cameras[camera].R.numpy().T
        target = target - target[:, list(skeleton.origin)].mean(1, keepdims=True)
        known = np.isfinite(target).all(-1)
        points, confidence = made(
            np.nan_to_num(xy[camera]), np.where(np.isfinite(xy[camera]).all(-1), visibility[camera], 0)
        )
        height, width = recording["image_hw"][camera]
        size = torch.tensor([[width, height]], dtype=torch.float32).expand(len(points), 2)
        for told in (0.0, K[camera, 0, 0]):
            focal = torch.full((len(points),), told)
            x = model_input(torch.tensor(points), torch.tensor(confidence), size, model.in_channels, focal)
            pose = predict(model, x, skeleton).pose
            pose = pose - pose[:, list(skeleton.origin)].mean(1, keepdim=True)
            off = 1000 * metrics.per_joint(pose, torch.tensor(target).float()).numpy()
            row = (
                f"camera {camera + 1}",
                "told" if told else "not told",
                f"{off[known].mean():.1f}",
                f"{known.mean():.0%}",
            )
            rows.append(row)
    publish(
        given, "carry_over", table(("a walk, MediaPipe's keypoints", "focal length", "MPJPE mm", "joints judged"), rows)
    )


if __name__ == "__main__":
    main()
