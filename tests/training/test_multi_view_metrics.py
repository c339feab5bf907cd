"""What several cameras give, by number of views."""

import pytest
import torch

from skelgraph.datasets import MultiView
from skelgraph.geometry.rays import nearest
from skelgraph.nn.models import SkeletonModel
from skelgraph.skeleton.builtin import HUMAN36M
from skelgraph.training.multi_view_metrics import views_report


class Meeting(SkeletonModel):
    """Where the rays meet, moved by a fixed vector in the odd frames."""

    input_kind = "views"

    def __init__(self, shift: tuple[float, float, float]) -> None:
        super().__init__(HUMAN36M, 9, num_frames=3)
        self.shift = torch.tensor(shift)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        points = nearest(x[..., 3:6], x[..., 6:], x[..., 2])[0]
        odd = (torch.arange(x.size(2)) % 2).view(1, -1, 1, 1)
        return points + odd * self.shift


@pytest.fixture(scope="module")
def clips():
    return MultiView(HUMAN36M, "test", recorded=0.0, num_test_clips=8, num_frames=3).draw(0)


def test_a_perfect_model_has_no_error_with_two_views_or_more(clips) -> None:
    report = views_report(Meeting((0.0, 0.0, 0.0)), clips, HUMAN36M, batch_size=3)
    assert list(report["views"]) == ["1", "2", "3", "4"]
    assert "met_mpjpe_mm" not in report["views"]["1"]
    assert all(report["views"][n]["met_mpjpe_mm"] < 1 for n in "234")
    assert report["views"]["1"]["mpjpe_mm"] > 500
    assert report["keypoint_pck"] == 1 and report["keypoint_mse"] < 0.1 and report["reprojection_px"] < 0.1
    assert report["bone_variation"] < 1e-3


def test_the_world_error_is_not_re_centred(clips) -> None:
    report = views_report(Meeting((0.03, 0.0, 0.04)), clips, HUMAN36M)
    assert report["views"]["4"]["met_mpjpe_mm"] == pytest.approx(50, abs=1)
    assert report["origin_mpjpe_mm"] < 1
    assert 50 < report["keypoint_mse"] < 400


def test_views_that_are_missing_are_not_counted() -> None:
    clips = MultiView(HUMAN36M, "test", recorded=0.0, num_test_clips=12, num_frames=3, missing_views=(1, 2)).draw(0)
    report = views_report(Meeting((0.0, 0.0, 0.0)), clips, HUMAN36M)
    assert list(report["views"]) == ["1", "2", "3"]
    assert report["views"]["2"]["mpjpe_mm"] < 100 and report["views"]["2"]["met_mpjpe_mm"] < 1


def test_checks_between_batches(clips) -> None:
    def stop() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        views_report(Meeting((0.0, 0.0, 0.0)), clips, HUMAN36M, check=stop)
