"""How a lifter does on somebody that no part of its data knows: a walk before four calibrated cameras.

    python benchmarks/carry_over.py [CHECKPOINT]

The keypoints are MediaPipe's (BlazePose, 33), converted to the lifter's joints by name. The truth is triangulated from
the cameras that agree to 20 px, at least three; a joint of the lifter counts where all that it is made of is known.
"""

from __future__ import annotations

import argparse
import itertools
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from timing import publish, table

from skelgraph import checkpoint, metrics, npz
from skelgraph.conversions import Match, match
from skelgraph.data.motion_file import locate
from skelgraph.data.transforms import model_input
from skelgraph.evaluate import predict
from skelgraph.skeletons import BLAZEPOSE

Array = NDArray[np.float64]
AGREE_PX, SEEN = 20.0, 0.5
WEIGHTS = Path(checkpoint.__file__).parent / "weights"


def triangulate(P: Array, xy: Array) -> Array:
    """The point [3] whose projections by P [V, 3, 4] are nearest to xy [V, 2] in the algebraic sense (DLT)."""
    rows = np.concatenate([xy[:, :1] * P[:, 2] - P[:, 0], xy[:, 1:] * P[:, 2] - P[:, 1]])
    point = np.linalg.svd(rows)[2][-1]
    return point[:3] / point[3]


def agreed(P: Array, xy: Array, seen: NDArray[np.bool_]) -> Array:
    """The point [3] that most cameras agree on, from all of those; NaN where they are fewer than three."""
    best = np.zeros(len(P), dtype=bool)
    for pair in itertools.combinations(np.flatnonzero(seen), 2):
        projected = P @ np.append(triangulate(P[list(pair)], xy[list(pair)]), 1)
        close = seen & (np.linalg.norm(projected[:, :2] / projected[:, 2:] - xy, axis=1) < AGREE_PX)
        best = close if close.sum() > best.sum() else best
    return triangulate(P[best], xy[best]) if best.sum() >= 3 else np.full(3, np.nan)


def truth(P: Array, xy: Array, visibility: Array, made: Match) -> Array:
    """Joints of the lifter [F, J, 3] in m, world."""
    seen = (visibility > SEEN) & np.isfinite(xy).all(-1)
    frames, joints = xy.shape[1:3]
    points = np.array([[agreed(P, xy[:, f, j], seen[:, f, j]) for j in range(joints)] for f in range(frames)])
    return np.stack([sum(w * points[:, s] for s, w in parts) for parts in made.weights], 1) / 1000


def rotation(P: Array, K: Array) -> Array:
    """World to camera."""
    turned = np.linalg.inv(K) @ P[:, :3]
    u, _, v = np.linalg.svd(turned / np.cbrt(np.linalg.det(turned)))
    return u @ v


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoint", nargs="?", default=WEIGHTS / "human36m.safetensors")
    parser.add_argument("--out", type=Path, default=WEIGHTS, help="folder of the model card")
    given = parser.parse_args()
    model, skeleton, meta = checkpoint.load_run(given.checkpoint)
    recording = npz.read(locate("pose2sim_multiview.npz"))
    P, K, xy, visibility = (recording[name].astype(float) for name in ("P", "K", "body2d_px", "body_vis"))
    made = match(BLAZEPOSE.joints, skeleton)
    world = truth(P, xy, visibility, made)
    rows = []
    for camera in range(len(P)):
        target = world @ rotation(P[camera], K[camera]).T
        target = target - target[:, list(skeleton.origin)].mean(1, keepdims=True)
        known = np.isfinite(target).all(-1)
        points, confidence = made(
            np.nan_to_num(xy[camera]), np.where(np.isfinite(xy[camera]).all(-1), visibility[camera], 0)
        )
        height, width = recording["image_hw"][camera]
        size = torch.tensor([[width, height]], dtype=torch.float32).expand(len(points), 2)
        for told in (0.0, K[camera, 0, 0]):
            focal = torch.full((len(points),), told)
            x = model_input(torch.tensor(points), torch.tensor(confidence), size, meta["in_channels"], focal)
            pose = predict(model, x, skeleton)
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
