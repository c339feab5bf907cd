"""Joints of a frame refined as one body."""

import pytest
import torch

from skelgraph.datasets import MultiView
from skelgraph.geometry.human36m import human36m_cameras
from skelgraph.geometry.triangulation import triangulate
from skelgraph.multiview.body_refinement import refine_body
from skelgraph.nn import metrics
from skelgraph.skeleton.builtin import HUMAN36M

RIG = human36m_cameras(["S1"])[0]


@pytest.fixture(scope="module")
def walk() -> torch.Tensor:
    """A generated person in 12 frames, [12, 17, 3] m, world."""
    return MultiView(HUMAN36M, "test", recorded=0.0, num_test_clips=1, num_frames=12).draw(0).target[0].double()


def filmed(walk: torch.Tensor) -> torch.Tensor:
    return RIG.project(RIG.to_camera(walk[None]))


def test_exact_points_stay(walk) -> None:
    px = filmed(walk)
    refined = refine_body(RIG, walk, px, torch.ones(px.shape[:-1]), HUMAN36M.bones)
    assert (refined - walk).norm(dim=-1).max() < 2e-4


def test_views_that_are_wrong_for_a_while_are_left_and_bones_keep_their_length(walk, device) -> None:
    random = torch.Generator().manual_seed(0)
    walk = walk.to(device)
    px = filmed(walk) + 2 * torch.randn(4, 12, 17, 2, generator=random).to(device)
    px[1, 4:9] = px[1, 4:9][:, HUMAN36M.flip_index]  # left and right traded in one view
    seen = torch.ones(4, 12, 17, device=device)
    start = triangulate(RIG, px, seen).points
    refined = refine_body(RIG, start, px, seen, HUMAN36M.bones, threshold=30.0)
    before, after = ((each - walk).norm(dim=-1).mean() for each in (start, refined))
    assert after < 0.5 * before
    assert metrics.bone_variation(refined, HUMAN36M.bones) < 0.5 * metrics.bone_variation(start, HUMAN36M.bones)


def test_a_joint_that_no_camera_sees_has_its_bones_length(walk) -> None:
    px, seen = filmed(walk), torch.ones(4, 12, 17)
    wrist, elbow = HUMAN36M.index("left_wrist"), HUMAN36M.index("left_elbow")
    seen[:, 5, wrist] = 0
    px[:, 5, wrist] = 0
    start = walk.clone()
    start[5, wrist] += torch.tensor([0.3, 0.0, 0.0])
    refined = refine_body(RIG, start, px, seen, HUMAN36M.bones)
    length = (refined - walk)[5].norm(dim=-1)
    length[wrist] = 0
    assert length.max() < 0.05  # the other joints stay
    before, after, true = ((each[5, wrist] - each[5, elbow]).norm() for each in (start, refined, walk))
    assert (after - true).abs() < 0.2 * (before - true).abs()


def test_frames_do_not_know_of_one_another_but_for_the_lengths(walk) -> None:
    random = torch.Generator().manual_seed(1)
    px, seen = filmed(walk) + 3 * torch.randn(4, 12, 17, 2, generator=random), torch.ones(4, 12, 17)
    start = triangulate(RIG, px, seen).points
    order = torch.randperm(12, generator=random)
    shuffled = refine_body(RIG, start[order], px[:, order], seen, HUMAN36M.bones)
    assert torch.allclose(shuffled, refine_body(RIG, start, px, seen, HUMAN36M.bones)[order], atol=1e-9)


def test_what_cannot_be_refined_is_refused(walk) -> None:
    px, seen = filmed(walk), torch.ones(4, 12, 17)
    with pytest.raises(ValueError, match="points must be finite"):
        refine_body(RIG, torch.where(walk > 1, torch.nan, walk), px, seen, HUMAN36M.bones)
    with pytest.raises(ValueError, match=r"px must be \[4, 12, 17, 2\]"):
        refine_body(RIG, walk, px[:3], seen[:3], HUMAN36M.bones)
