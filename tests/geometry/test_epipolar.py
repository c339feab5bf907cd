"""Epipolar geometry of two of Human3.6M's cameras."""

import torch
import walk

from skelgraph.geometry.epipolar import epipolar_distance, fundamental
from skelgraph.geometry.human36m import human36m_cameras


def test_epipolar_distance_is_zero_for_one_point_and_nearly_the_distance_in_px_else(device):
    a, b = list(walk.RIG.values())[:2]
    px = walk.film(walk.dance())[0].to(device)
    one, two = a.undistort(px[0]), b.undistort(px[1])
    assert epipolar_distance(a, one, b, two).abs().max() < 1e-8
    moved = two + torch.tensor([0.0, 10.0], device=device)  # the lines are nearly level
    off = epipolar_distance(a, one, b, moved).abs()
    assert ((off > 4) & (off < 10)).all()
    assert epipolar_distance(a, one, b, two * torch.nan).isnan().all()


def test_fundamental_matrices_of_a_batch_are_singular_and_take_points_to_lines_through_them():
    cameras = human36m_cameras(["S1"])[0]
    one, two = cameras[[0, 0, 1]], cameras[[1, 2, 3]]
    F = fundamental(one, two)
    assert F.shape == (3, 3, 3)
    assert (torch.linalg.svdvals(F)[:, 2] < 1e-12 * torch.linalg.svdvals(F)[:, 0]).all()
    world = torch.randn(1, 9, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    (x, y) = (
        torch.nn.functional.pad(each.undistort(each.project(each.to_camera(world))), (0, 1), value=1.0)
        for each in (one, two)
    )
    line = x @ F.mT
    distance = (y * line).sum(-1) / line[..., :2].norm(dim=-1)
    assert distance.abs().max() < 1e-8
