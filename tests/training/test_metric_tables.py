"""Metric tables: values, the mean pose beside them, and names as they are."""

import io

import pytest
from rich.console import Console

from skelgraph.training.metric_tables import Row, metric_rows, metrics_table

METRICS = {
    "mpjpe_mm": 50.0,
    "pck": 0.9,
    "parts": {"body": 40.0, "hands": 10.0},
    "joints": {"nose": 30.0, "[red]|": 1.0},
    "actions": {"walking": {"mpjpe_mm": 45.0, "p_mpjpe_mm": 30.0}},
    "poses": 100,
    "mean_pose": {"mpjpe_mm": 200.0, "pck": 0.3, "parts": {"body": 160.0}, "actions": {"walking": {"mpjpe_mm": 90.0}}},
}


def printed(*metrics_and_by) -> str:
    console = Console(width=80, record=True, file=io.StringIO())
    console.print(metrics_table(*metrics_and_by))
    return console.export_text()


def test_rows():
    assert metric_rows(METRICS) == [Row("MPJPE (mm)", 50.0, 200.0), Row("PCK at 150 mm (%)", 90.0, 30.0)]
    assert metric_rows(METRICS, "parts") == [Row("body", 40.0, 160.0), Row("hands", 10.0, None)]
    assert metric_rows(METRICS, "actions") == [Row("walking", 45.0, 90.0)]
    assert metric_rows(METRICS, "h3wb") == []
    assert Row("x", 40.0, 160.0).ratio == 0.25 and Row("x", 0.0, 0.0).ratio is None
    with pytest.raises(ValueError, match="by is 'limbs'; expected one of overall, parts"):
        metric_rows(METRICS, "limbs")  # type: ignore[arg-type]


def test_of_several_seeds_the_spread_is_shown() -> None:
    metrics = {**METRICS, "spread": {"mpjpe_mm": 1.5, "parts": {"body": 0.5}}, "seeds": [0, 1]}
    assert metric_rows(metrics)[0] == Row("MPJPE (mm)", 50.0, 200.0, 1.5)
    assert metric_rows(metrics, "parts")[0] == Row("body", 40.0, 160.0, 0.5)
    assert "50.0 ± 1.5" in printed(metrics)


def test_terminal():
    text = printed(METRICS, "joints")
    assert "[red]|" in text and "mean pose" in text
    lines = [line.split() for line in printed(METRICS, "parts").splitlines()]
    assert lines[1:] == [["body", "40.0", "160.0", "0.25"], ["hands", "10.0", "–", "–"]]
