"""A real walk before four cameras: the multi-view lifter beside triangulation, without any ground truth.

python benchmarks/recording.py runs/multiview_blazepose/seed0
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

import numpy as np
import torch
from timing import publish, table
from torch import Tensor

from skelgraph.geometry import triangulation
from skelgraph.geometry.axes import level_view
from skelgraph.geometry.cameras import Camera
from skelgraph.lifting.gaps import filled
from skelgraph.lifting.views_lifter import lift_views
from skelgraph.multiview.body_refinement import refine_body
from skelgraph.nn import metrics
from skelgraph.poses.keypoints import Keypoints
from skelgraph.poses.pose3d import Pose3D
from skelgraph.skeleton.builtin import BLAZEPOSE
from skelgraph.training import checkpoint
from skelgraph.viz import page

FILE = "pose2sim_multiview.npz"
FPS = 60.0
VISIBLE = 0.5
THRESHOLD = 15.0  # px
RANSAC = f"RANSAC, {THRESHOLD:.0f} px"
LIMB_BONES = ("shoulder-elbow", "elbow-wrist", "hip-knee", "knee-ankle", "ankle-heel", "ankle-foot_index")


def read() -> tuple[Camera, Tensor, Tensor]:
    """The cameras, keypoints [V, F, J, 2] px and their visibility [V, F, J], 0 where there is none."""
    with np.load(Path(os.environ.get("SKELGRAPH_DATA", "data")) / FILE, allow_pickle=False) as held:
        metres = np.diag([1000.0, 1000.0, 1000.0, 1.0])
        sizes, names = held["image_hw"][:, ::-1].copy(), tuple(map(str, held["cams"]))
        cameras = Camera.from_projection(torch.from_numpy(held["P"] @ metres), torch.from_numpy(sizes), names)
        px, visible = torch.from_numpy(held["body2d_px"]).double(), torch.from_numpy(held["body_vis"]).double()
    found = px.isfinite().all(-1)
    return cameras, torch.where(found[..., None], px, 0), torch.where(found, visible, 0)


def bones() -> list[tuple[int, int]]:
    """The twelve bones of the limbs."""
    pairs = [bone.split("-") for bone in LIMB_BONES]
    return [(BLAZEPOSE.index(f"{s}_{a}"), BLAZEPOSE.index(f"{s}_{b}")) for s in ("left", "right") for a, b in pairs]


def row(name: str, points: Tensor, cameras: Camera, px: Tensor, visible: Tensor) -> tuple[str, ...]:
    error = triangulation.reprojection_error(cameras, points.double(), px)
    counted = error[(visible > VISIBLE) & error.isfinite()]
    found = float((points.isfinite().all(-1)).double().mean())
    return (
        name,
        f"{float(metrics.bone_variation(points, bones())):.4f}",
        f"{float(counted.median()):.2f}",
        f"{float(counted.quantile(0.9)):.1f}",
        f"{100 * found:.1f} %",
    )


def world(points: Tensor, cameras: Camera, error: Tensor) -> Pose3D:
    missing = points.isnan().any(-1).numpy()
    return Pose3D.in_world(
        *(points.double().numpy(), BLAZEPOSE, "z", level_view(cameras.R[0].numpy(), "z")),
        fps=FPS,
        missing=missing,
        cameras=cameras.names,
        error_px=error.float().numpy(),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", help="a run of MultiViewLifter on BLAZEPOSE")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent, help="folder of the table")
    parser.add_argument("--page", type=Path, help="also writes a page of network and RANSAC side by side")
    given = parser.parse_args()
    cameras, px, visible = read()
    model = checkpoint.load_run(given.run)[0]
    ransac = triangulation.ransac(cameras, px, visible, THRESHOLD)
    found = {
        "DLT": triangulation.triangulate(cameras, px, (visible > 0).double()).points,
        "weighted DLT": triangulation.triangulate(cameras, px, visible).points,
        RANSAC: ransac.points,
        "RANSAC + refine": triangulation.refine(cameras, ransac, px, visible).points,
        "MultiViewLifter": lift_views(model, cameras, px, visible),
    }
    for name in (RANSAC, "MultiViewLifter"):
        whole = torch.from_numpy(filled(found[name].double().numpy(), BLAZEPOSE))
        found[f"{name}, as one body"] = refine_body(cameras, whole, px, visible, BLAZEPOSE.bones, THRESHOLD)
    head = ("no smoothing", "sd / mean of 12 bones", "median reprojection, px", "90 %, px", "joints found")
    publish(given, "recording", table(head, [row(name, each, cameras, px, visible) for name, each in found.items()]))
    if given.page:
        poses = {}
        for name in (RANSAC, "MultiViewLifter", "MultiViewLifter, as one body"):
            points = torch.from_numpy(filled(found[name].double().numpy(), BLAZEPOSE))
            error = triangulation.reprojection_error(cameras, points, px)
            poses[name] = world(points, cameras, error).as_seen()
        keypoints = Keypoints(px[0].float().numpy(), visible[0].float().numpy(), BLAZEPOSE.joints)
        network = poses.pop("MultiViewLifter, as one body")
        title = "A walk before four cameras"
        page.write_page(given.page, network, keypoints, title=title, model="MultiViewLifter, as one body", others=poses)


if __name__ == "__main__":
    main()
