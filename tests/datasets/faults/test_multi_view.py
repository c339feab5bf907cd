"""Faults of detectors in clips."""

import pytest
import torch

from skelgraph.datasets.faults.multi_view import Faults, detect_clips
from skelgraph.skeleton.builtin import HUMAN36M

SHAPE = (40, 4, 9, 17)


def found(**faults) -> tuple[torch.Tensor, torch.Tensor]:
    """How far keypoints are moved [N, V, T, J, 2], px, NaN where missing, and the confidence."""
    random = torch.Generator().manual_seed(0)
    keypoints = 300 + 400 * torch.rand(*SHAPE[:2], 1, 17, 2, generator=random).expand(*SHAPE, 2)
    visible = torch.ones(SHAPE, dtype=torch.bool)
    px, confidence = detect_clips(keypoints, visible, HUMAN36M, Faults(**faults), random)
    assert (px[confidence == 0] == 0).all()
    return torch.where(confidence.unsqueeze(-1) > 0, px - keypoints, torch.nan), confidence


def test_no_faults_change_nothing() -> None:
    moved, confidence = found()
    assert (moved == 0).all() and (confidence == 1).all()


def test_noise_has_its_standard_deviation_or_each_clip_its_own() -> None:
    assert found(noise_px=(8.0, 8.0))[0].std() == pytest.approx(8, rel=0.02)
    each = found(noise_px=(2.0, 12.0))[0].flatten(1).std(1)
    assert 2 < each.min() < 4 < 10 < each.max() < 12.5


def test_outliers_are_so_many_and_so_far() -> None:
    far = found(outliers=(0.1, 0.1))[0].norm(dim=-1)
    assert (far > 0).float().mean() == pytest.approx(0.1, rel=0.1)
    assert torch.allclose(far[far > 0], torch.tensor(60.0), atol=1e-3)


def test_joints_and_views_are_missing() -> None:
    assert found(missing=(0.2, 0.2))[1].mean() == pytest.approx(0.8, rel=0.02)
    views = found(missing_views=(1, 3))[1].amax((2, 3)).sum(1)
    assert set(views.tolist()) == {1.0, 2.0, 3.0}


def test_what_is_not_visible_is_missing() -> None:
    visible = torch.rand(SHAPE, generator=torch.Generator().manual_seed(1)) < 0.5
    keypoints = torch.ones(*SHAPE, 2)
    confidence = detect_clips(keypoints, visible, HUMAN36M, Faults(), torch.Generator())[1]
    assert torch.equal(confidence > 0, visible)


def test_lasting_faults_stay_over_time_and_in_their_view() -> None:
    moved = found(lasting=1.0)[0].norm(dim=-1)  # [N, V, T, J]
    off = moved > 1
    assert 0.1 < off.float().mean() < 0.6
    assert (off[:, :, 1:] == off[:, :, :-1]).float().mean() > 0.9
    assert (off.any(2).float().mean((1, 2)) < 1).all()
