"""The picture of a run: loss and error over its epochs."""

import json
from pathlib import Path

import numpy as np
import pytest
from matplotlib.image import imread

from skelgraph.training.curve import draw_curve


def a_run(folder: Path, metrics: bool = True) -> Path:
    rows = ["epoch,step,lr,loss,train_mpjpe_mm,test_mpjpe_mm,poses_per_s,seconds"]
    rows += [f"{e},{e},0.001,{1 / e},{100 / e},{120 / e if e % 2 else ''},1000,{e}" for e in range(1, 6)]
    (folder / "log.csv").write_text("\n".join(rows) + "\n")
    if metrics:
        (folder / "metrics.json").write_text(json.dumps({"mpjpe_mm": 24.0, "mean_pose": {"mpjpe_mm": 200.0}}))
    return folder


def test_draw_curve(drawn, tmp_path):
    assert draw_curve(a_run(tmp_path)) == tmp_path / "curve.png"
    loss, error = drawn[0].axes
    np.testing.assert_allclose(loss.lines[0].get_xydata(), [[e, 1 / e] for e in range(1, 6)])
    train, test, mean_pose = error.lines
    assert list(test.get_xdata()) == [1, 3, 5]
    assert mean_pose.get_ydata()[0] == 200 and mean_pose.get_linestyle() == "--"
    assert imread(tmp_path / "curve.png").std() > 0.01


def test_draw_curve_without_metrics_log_or_rows(drawn, tmp_path):
    draw_curve(a_run(tmp_path, metrics=False))
    assert len(drawn[0].axes[1].lines) == 2
    (tmp_path / "log.csv").write_text("epoch,step,lr,loss,train_mpjpe_mm,test_mpjpe_mm,poses_per_s,seconds\n")
    with pytest.raises(ValueError, match="no epoch is finished"):
        draw_curve(tmp_path)
    with pytest.raises(FileNotFoundError, match="no log.csv"):
        draw_curve(tmp_path / "none")
