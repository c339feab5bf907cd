"""The metrics equal the authors' and are defined on every pose."""

from collections.abc import Callable

import numpy as np
import pytest
import torch

from skelgraph.nn import metrics

Load = Callable[[str], dict[str, np.ndarray]]


def poses(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_metrics_equal_the_human36m_fixture(
    fixture_npz: Load, dtype: torch.dtype, device: torch.device, record_property: Callable[[str, object], None]
) -> None:
    arrays = fixture_npz("metrics_h36m")
    names = ("pred", "target", "pred_reflected")
    pred, target, reflected = (torch.from_numpy(arrays[name]).to(device, dtype) for name in names)
    ours = {
        "mpjpe": metrics.mpjpe(pred, target),
        "p_mpjpe": metrics.p_mpjpe(pred, target),
        "n_mpjpe": metrics.n_mpjpe(pred, target),
        "mean_velocity_error": metrics.velocity_error(pred, target),
        "p_mpjpe_reflected": metrics.p_mpjpe(reflected, target),
    }
    errors = {name: abs(float(value) - float(arrays[name])) for name, value in ours.items()}
    record_property("metrics_h36m: largest absolute error (m)", max(errors.values()))
    print(f"metrics_h36m, {dtype}: largest absolute error {max(errors.values()):.2g} m")
    assert max(errors.values()) <= (1e-12 if dtype == torch.float64 else 1e-6), errors


@pytest.mark.parametrize(("unit", "scale", "bound"), [("mm", 1.0, 1e-5), ("m", 1e-3, 5e-8)])
def test_h3wb_equals_the_leaderboard_fixture(
    fixture_npz: Load,
    unit: str,
    scale: float,
    bound: float,
    device: torch.device,
    record_property: Callable[[str, object], None],
) -> None:
    """In float32, as the leaderboard computes: its values are rounded to 4e-6 mm."""
    arrays = fixture_npz("h3wb_leaderboard")
    pred, target = (torch.from_numpy(arrays[k] * scale).float().to(device) for k in ("pred", "gt"))
    ours = metrics.h3wb(pred, target)
    assert list(ours) == arrays["order"].tolist()
    errors = [abs(float(v) - w * scale) for v, w in zip(ours.values(), arrays["values"].tolist(), strict=True)]
    record_property(f"h3wb_leaderboard: largest absolute error ({unit})", max(errors))
    print(f"h3wb_leaderboard: largest absolute error {max(errors):.2g} {unit}")
    assert max(errors) <= bound


def test_metrics_of_a_perfect_prediction_are_zero() -> None:
    y = poses(3, 17, 3)
    for metric in (metrics.mpjpe, metrics.p_mpjpe, metrics.n_mpjpe, metrics.velocity_error):
        assert metric(y, y).shape == ()
        assert float(metric(y, y)) < 1e-12
    assert float(metrics.pck(y, y)) == 1


def test_protocols_forgive_what_they_should() -> None:
    y = poses(3, 17, 3)
    assert float(metrics.mpjpe(y + torch.tensor([0.0, 3, 4]), y)) == pytest.approx(5)
    assert float(metrics.p_mpjpe(2 * y + 1, y)) < 1e-12
    assert float(metrics.n_mpjpe(2 * y, y)) < 1e-12
    assert float(metrics.n_mpjpe(2 * y + 1, y)) > 0.1, "N-MPJPE does not re-centre"
    assert float(metrics.velocity_error(y + 1, y)) < 1e-12
    assert float(metrics.p_mpjpe(y * torch.tensor([-1.0, 1, 1]), y)) > 0.1, "a mirrored pose is not a good pose"


def test_metrics_average_over_any_leading_dimensions() -> None:
    pred, y = poses(2, 5, 17, 3), poses(2, 5, 17, 3, seed=1)
    for metric in (metrics.mpjpe, metrics.p_mpjpe, metrics.n_mpjpe, metrics.pck, metrics.auc):
        each = torch.stack([metric(p, t) for p, t in zip(pred.flatten(0, 1), y.flatten(0, 1), strict=True)])
        torch.testing.assert_close(metric(pred, y), each.mean())
    sequences = torch.stack([metrics.velocity_error(p, t) for p, t in zip(pred, y, strict=True)])
    torch.testing.assert_close(metrics.velocity_error(pred, y), sequences.mean())
    torch.testing.assert_close(metrics.per_joint(pred, y), (pred - y).norm(dim=-1))


def test_metrics_of_degenerate_poses_are_finite() -> None:
    y, zero = poses(17, 3), torch.zeros(17, 3, dtype=torch.float64)
    assert float(metrics.p_mpjpe(zero, y)) == float(metrics.mpjpe(zero, y))
    assert float(metrics.p_mpjpe(y, zero)) == float(metrics.mpjpe(y, zero))
    assert float(metrics.n_mpjpe(zero, y)) == float(metrics.mpjpe(zero, y))
    assert float(metrics.p_mpjpe(zero, zero)) == 0


def test_one_degenerate_pose_does_not_spoil_the_mean() -> None:
    pred, y = poses(2, 17, 3), poses(2, 17, 3, seed=1)
    pred[1] = 0.7
    expected = (metrics.p_mpjpe(pred[0], y[0]) + metrics.mpjpe(pred[1], y[1])) / 2
    torch.testing.assert_close(metrics.p_mpjpe(pred, y), expected)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_pck_is_strict_and_auc_counts_31_thresholds(dtype: torch.dtype) -> None:
    y = torch.zeros(1, 4, 3, dtype=dtype)
    pred = y.clone()
    pred[0, :, 2] = torch.tensor([0.0, 0.149, 0.150, 0.151])
    assert float(metrics.pck(pred, y)) == 0.5
    assert float(metrics.pck(pred, y, threshold_mm=150.5)) == 0.75
    assert float(metrics.pck(pred, y, joints=[2, 3])) == 0
    # error 0 is below 30 of the 31 thresholds (not below 0), 149 mm only below the last
    assert float(metrics.auc(pred, y)) == pytest.approx((30 + 1) / (4 * 31))
    assert float(metrics.auc(pred, y, thresholds_mm=range(150))) == pytest.approx(149 / (4 * 150))
    assert float(metrics.auc(pred, y, thresholds_mm=[150], joints=[0, 1])) == 1
    with pytest.raises(ValueError, match="at least one threshold"):
        metrics.auc(pred, y, thresholds_mm=[])


def test_h3wb_aligns_each_part_with_its_own_root() -> None:
    y = poses(2, 133, 3)
    pred = y.clone()
    pred[:, 91:112] += 1
    pred[:, 112:] -= 2
    pred[:, 0] += torch.tensor([0.0, 3, 4])
    result = metrics.h3wb(pred, y)
    assert float(result["hands_wrist"]) < 1e-12
    assert float(result["hands"]) == pytest.approx(1.5 * 3**0.5)
    assert float(result["face"]) < 1e-12 and float(result["face_nose"]) == pytest.approx(5)
    assert float(result["body"]) == pytest.approx(5 / 23)
    assert float(result["all"]) == pytest.approx((5 + 42 * 1.5 * 3**0.5) / 133)


def test_metrics_refuse_what_they_cannot_compare() -> None:
    with pytest.raises(ValueError, match="133 joints"):
        metrics.h3wb(poses(2, 17, 3), poses(2, 17, 3))
    with pytest.raises(ValueError, match="at least 2 frames"):
        metrics.velocity_error(poses(1, 17, 3), poses(1, 17, 3))
    for metric in (metrics.mpjpe, metrics.p_mpjpe, metrics.n_mpjpe, metrics.pck):
        with pytest.raises(ValueError, match=r"\[4, 17, 3\] but target is \[17, 3\]"):
            metric(poses(4, 17, 3), poses(17, 3))


def test_metrics_have_no_gradient() -> None:
    pred = poses(3, 133, 3).requires_grad_()
    y = poses(3, 133, 3, seed=1)
    for metric in (metrics.mpjpe, metrics.p_mpjpe, metrics.n_mpjpe, metrics.velocity_error, metrics.pck, metrics.auc):
        assert not metric(pred, y).requires_grad
    assert not any(value.requires_grad for value in metrics.h3wb(pred, y).values())


def test_bones_of_a_rigid_body_do_not_vary_and_gaps_do_not_count():
    random = torch.Generator().manual_seed(0)
    body = torch.randn(1, 5, 3, generator=random, dtype=torch.float64)
    turn = torch.linalg.qr(torch.randn(20, 3, 3, generator=random, dtype=torch.float64))[0]
    moving = body @ turn + torch.randn(20, 1, 3, generator=random, dtype=torch.float64)
    bones = [(0, 1), (1, 2), (3, 4)]
    assert metrics.bone_variation(moving, bones) < 1e-12
    moving[3, 2] = torch.nan
    assert metrics.bone_variation(moving, bones) < 1e-12
    moving[:19, 4] = torch.nan
    with pytest.raises(ValueError, match=r"\(3, 4\)\] are found in fewer than 2 frames"):
        metrics.bone_variation(moving, bones)


def test_bones_of_several_sequences_are_judged_each_by_itself():
    random = torch.Generator().manual_seed(0)
    sequences, bones = torch.randn(4, 6, 5, 3, generator=random, dtype=torch.float64), [(0, 1), (1, 2), (3, 4)]
    sequences[1, 2, 4] = torch.nan
    each = torch.stack([metrics.bone_variation(sequence, bones) for sequence in sequences])
    torch.testing.assert_close(metrics.bone_variation(sequences, bones), each.mean())
    sequences[2, 1:, 2] = torch.nan
    with pytest.raises(ValueError, match=r"\[\(1, 2\)\] are found in fewer than 2 frames"):
        metrics.bone_variation(sequences, bones)


def test_every_registered_metric_is_reported_where_it_has_what_it_needs():
    random = torch.Generator().manual_seed(0)
    frames, others = torch.randn(2, 4, 6, 133, 3, generator=random)
    pixels = {"pred_px": frames[:, 0, :, :2], "target_px": others[:, 0, :, :2]}
    whole = {"pred_whole_body": frames[:, 0], "target_whole_body": others[:, 0]}
    motion = {"pred_frames": frames, "target_frames": others, "bones": [(0, 1)]}
    poses = {"pred": frames[:, 0], "target": others[:, 0]}
    result = metrics.reported({**poses, **motion, **whole, **pixels})
    assert [name.removesuffix("_mm") for name in result] == metrics.__all__
    assert result["mpjpe_mm"] == float(metrics.mpjpe(frames[:, 0], others[:, 0])) * 1000
    assert {"mpjpe_mm", "p_mpjpe_mm", "n_mpjpe_mm", "pck", "auc"} <= set(metrics.reported(poses))
    assert not {"velocity_error_mm", "keypoint_pck", "bone_variation", "h3wb"} & set(metrics.reported(poses))
    assert metrics.reported({}) == {}


def test_bone_variation_is_the_mean_of_sd_over_mean():
    lengths = torch.tensor([[1.0, 2.0], [2.0, 2.0], [3.0, 2.0]], dtype=torch.float64)
    poses = torch.zeros(3, 3, 3, dtype=torch.float64)
    poses[:, 1, 0], poses[:, 2, 1] = lengths[:, 0], lengths[:, 1]
    assert float(metrics.bone_variation(poses, [(0, 1), (0, 2)])) == pytest.approx((1 / 2 + 0) / 2)


def test_keypoint_metrics_are_in_pixels_and_shares_of_the_figure():
    target = torch.tensor([[[0.0, 0.0], [100.0, 0.0], [50.0, 200.0]]])
    pred = target + torch.tensor([[[9.0, 0.0], [0.0, 11.0], [3.0, 4.0]]])
    assert float(metrics.keypoint_pck(pred, target)) == pytest.approx(2 / 3)  # 5 % of 200 px
    assert float(metrics.keypoint_pck(pred, target, share=0.02)) == 0
    assert float(metrics.keypoint_mse(pred, target)) == pytest.approx((81 + 121 + 25) / 3)
