"""Several rows of one file, and the table that compares them."""

import csv
import json
from pathlib import Path

import pytest
import tiny

from skelgraph.training import config, train, variants


def settings(**train_settings: object) -> dict:
    return {
        **tiny.settings(epochs=1, **train_settings),
        "variants": {"plain": None, "wide": {"model": {"hidden": 32}, "loss": {"bone": 0.1}}},
        "published": {
            "plain": 50.5,
            "wide": {"mpjpe_mm": 40.25, "parameters": 1000},
            "source": "Somebody 2020, Table 1",
        },
    }


def test_rows_are_the_file_with_its_changes() -> None:
    plain, wide = variants.rows(settings())
    assert (plain.variant, plain.folder, wide.folder) == ("plain", Path("plain"), Path("wide"))
    assert wide.settings["model"] == {"name": "TinyNet", "hidden": 32} and plain.settings["model"] == {
        "name": "TinyNet"
    }
    assert wide.settings["loss"] == {"mpjpe": 1.0, "bone": 0.1} and "variants" not in wide.settings
    seeded = variants.rows(settings(seeds=[3, 5]), "wide")
    assert [(r.seed, str(r.folder), r.settings["train"]["seed"]) for r in seeded] == [
        (3, "wide/seed3", 3),
        (5, "wide/seed5", 5),
    ]
    assert all("seeds" not in row.settings["train"] for row in seeded)
    (single,) = variants.rows(tiny.settings())
    assert single.folder == Path() and single.variant is None


@pytest.mark.parametrize(
    ("change", "only", "words"),
    [
        ({}, "wid", "did you mean 'wide'"),
        ({"published": {"wid": 3}}, None, "did you mean 'wide'"),
        ({"variants": {"wide": 3}, "published": None}, None, "wide: expected a section"),
        ({"variants": {"wide": {"modle": {}}}, "published": None}, None, "did you mean 'model'"),
        ({"train": {"epochs": 1, "seeds": [1, 1]}}, None, "seeds"),
        ({"train": {"epochs": 1, "seeds": []}}, None, "seeds"),
    ],
)
def test_wrong_rows(change: dict, only: str | None, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        variants.rows(config.parse(config.dump({**settings(), **change}), "x.yaml"), only)


def test_all_rows_are_trained_and_compared(tmp_path: Path) -> None:
    out = train.fit(settings(seeds=[0, 1]), tmp_path / "table", plugins=[tiny])
    runs = [out / name / f"seed{seed}" for name in ("plain", "wide") for seed in (0, 1)]
    found = [json.loads((run / "metrics.json").read_text()) for run in runs]
    with open(out / "table.csv", newline="") as file:
        mean_pose, plain, wide = csv.DictReader(file)
    assert (mean_pose["variant"], plain["variant"], wide["variant"]) == ("mean pose", "plain", "wide")
    ours = [m["mpjpe_mm"] for m in found[:2]]
    assert float(plain["mpjpe_mm_mean"]) == pytest.approx(sum(ours) / 2)
    assert float(plain["mpjpe_mm_spread"]) == pytest.approx(abs(ours[0] - ours[1]) / 2**0.5)
    assert (plain["mpjpe_mm_seeds"], plain["mpjpe_mm_published"], wide["mpjpe_mm_published"]) == ("2", "50.5", "40.25")
    assert float(mean_pose["mpjpe_mm_mean"]) == pytest.approx(found[0]["mean_pose"]["mpjpe_mm"])

    head, _, *lines = [line.split(" | ") for line in (out / "table.md").read_text().splitlines()[:5]]
    assert head[-2:] == ["published MPJPE mm", "published params |"] and "MPJPE mm" in head
    assert "±" in lines[1][1] and lines[1][-2] == "50.5" and "Somebody 2020" in (out / "table.md").read_text()
    assert variants.read_table(out).markdown() == (out / "table.md").read_text()


def test_a_variant_alone_then_the_rest(tmp_path: Path) -> None:
    out = train.fit(settings(), tmp_path / "table", variant="wide", plugins=[tiny])
    assert not (out / "plain").exists() and "| wide |" in (out / "table.md").read_text()
    weights = (out / "wide" / "last.safetensors").read_bytes()
    train.resume(out, plugins=[tiny])
    assert "| plain |" in (out / "table.md").read_text() and (out / "wide" / "last.safetensors").read_bytes() == weights
    with pytest.raises(ValueError, match="holds a run already"):
        train.fit(settings(), out, plugins=[tiny])
