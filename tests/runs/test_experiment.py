"""The study as a preset: four settings over the same originals, and what may be said of them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from simsearch.errors import MismatchError, UnknownNameError
from simsearch.evaluation.metrics import Scores, scores_table
from simsearch.images.suites import STUDY_PROFILES
from simsearch.reports.experiment import PUBLISHED, verdicts
from simsearch.runs.experiment import STUDY_2018, compare_runs, run_experiment, variant_of
from simsearch.settings.config import Config, load_config
from simsearch.snapshots.snapshot import Snapshot
from simsearch.storage.storage import Storage
from tests.support.report_pages import plan, read
from tests.support.spaces import SPACE


def config_for(root: Path, *overrides: str) -> Config:
    return load_config(
        None,
        [
            f"root={root}",
            "catalog.size=8",
            "extract.backbones=[shufflenet_v2_x0_5]",
            "extract.weights=['random:0']",
            "extract.precision=float32",
            "extract.batch_size=4",
            "evaluate.bootstrap=50",
            "report.examples=1",
            "projection.methods=[pca]",  # UMAP compiles for half a minute
            *overrides,
        ],
    )


def test_four_settings_share_ingest_and_are_put_side_by_side(
    tmp_path: Path, ray_local: None
) -> None:
    config = config_for(tmp_path / "root", "perturbations.suite=mild")
    uri = run_experiment("study-2018", config)
    storage = Storage(config.root)
    assert not storage.exists("LATEST")  # an experiment publishes nothing
    assert len([f for f in storage.files("catalog") if f.path.endswith(".parquet")]) == 1
    folder = uri.removeprefix(storage.root + "/").removesuffix("/report.html")
    ids = storage.read_json(f"{folder}/experiment.json")["snapshots"]
    plans = {name: Snapshot(storage, snapshot_id).plan() for name, snapshot_id in ids.items()}
    assert set(plans) == {"published", "eval-only", "transforms-only", "corrected"}
    assert len({variant.images_sha256 for variant in plans.values()}) == 1
    assert all(variant.profiles == STUDY_PROFILES for variant in plans.values())
    modes = {
        name: (variant.spaces[0].mode, variant.spaces[0].preprocessing)
        for name, variant in plans.items()
    }
    assert modes["published"][0] == modes["transforms-only"][0] == "study-2018"
    assert modes["eval-only"][0] == modes["corrected"][0] == "eval"
    assert modes["published"][1] == modes["eval-only"][1] != modes["corrected"][1]
    results = storage.read_table(f"{folder}/results/results.parquet")
    text = read(storage.read_bytes(f"{folder}/report.html").decode()).text
    for row in results.to_pylist():
        if (row["scope"], row["metric"], row["search"]) == ("all", "f1", "exact"):
            assert f"{row['mean']:.3f} ± {row['std']:.3f}" in text
    assert "can neither confirm nor refute" in text
    assert "Untrained: shufflenet_v2_x0_5" in text
    before = {info.path: info.etag for info in storage.files("features")}
    assert run_experiment("study-2018", config) == uri
    assert {info.path: info.etag for info in storage.files("features")} == before


def test_a_variant_keeps_the_users_collection_and_fixes_the_studys_terms(tmp_path: Path) -> None:
    config = config_for(tmp_path, "evaluate.ks=[2]", "perturbations.reencode_jpeg=false", "seed=5")
    variants = [variant_of(config, setting) for setting in STUDY_2018]
    for variant in variants:
        assert variant.perturbations.originals == 1000
        assert variant.perturbations.reencode_jpeg
        assert variant.evaluate.ks == (1, 3, 5)
        assert (variant.seed, variant.catalog) == (5, config.catalog)
    assert len({(v.extract.mode, v.extract.preprocessing) for v in variants}) == 4
    few = config_for(tmp_path, "perturbations.originals=7")
    assert variant_of(few, STUDY_2018[0]).perturbations.originals == 7


def test_an_unknown_experiment_lists_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match="no experiment named 'study'; known: study-2018"):
        run_experiment("study", config_for(tmp_path))


def said(*spaces: tuple[str, bool]) -> str:
    made: Any = tuple(
        replace(SPACE, name=name, encoder=name, trained=trained) for name, trained in spaces
    )
    return " ".join(verdicts(plan(spaces=made), None))


def test_the_report_says_what_it_cannot_say() -> None:
    random_and_foreign = said(("vgg16", False), ("efficientnet_lite0", True))
    assert "Untrained: vgg16" in random_and_foreign
    assert "Not the study's networks: efficientnet_lite0" in random_and_foreign
    assert "can neither confirm nor refute" in random_and_foreign
    real = said(("vgg16", True), ("resnet152", True))
    assert "The study's networks with trained weights: vgg16, resnet152" in real
    assert "neither confirm" not in real


def test_the_published_values_agree_with_one_another() -> None:
    precision, recall = PUBLISHED["resnet152", 3, "precision"], PUBLISHED["resnet152", 3, "recall"]
    assert precision[0] is not None
    assert recall[0] is not None
    # hits / 3 against hits / 5
    assert recall[0] == pytest.approx(precision[0] * 3 / 5, abs=1e-3)
    assert recall[1] == pytest.approx((precision[1] or 0) * 3 / 5, abs=1e-3)


def test_settings_and_spaces_are_tested_in_one_family() -> None:
    rng = np.random.default_rng(0)
    ids = [f"w{number}" for number in range(40)]

    def scores(shift: float) -> pa.Table:
        return pa.concat_tables(
            scores_table(
                [Scores("all", 3, "f1", rng.random(40) + shift * (name == "a"), np.ones(40))],
                space=name,
                search="exact",
                artwork_ids=ids,
            )
            for name in ("a", "b")
        )

    rows = compare_runs(
        {"published": scores(0), "corrected": scores(2)}, resamples=50, seed=1
    ).to_pylist()
    kinds = [row["compared"] for row in rows]
    assert (kinds.count("spaces"), kinds.count("settings")) == (2, 2)
    p_values = sorted(row["p_value"] for row in rows)
    smallest = min(rows, key=lambda row: row["p_value"])
    assert smallest["p_holm"] == pytest.approx(4 * p_values[0])
    (moved,) = (
        row for row in rows if row["compared"] == "settings" and row["first"].startswith("a,")
    )
    assert abs(moved["difference"]) == pytest.approx(2, abs=0.3)
    assert moved["p_holm"] < 0.001


def test_settings_that_rejected_different_artworks_are_compared_on_those_that_both_have() -> None:
    rng = np.random.default_rng(1)
    true = {f"w{number}": value for number, value in enumerate(rng.random(40))}

    def scores(shift: float, gone: set[str]) -> pa.Table:
        ids = [name for name in true if name not in gone]
        values = np.array([true[name] + shift for name in ids])
        scored = Scores("all", 3, "f1", values, np.ones(len(ids)))
        return scores_table([scored], space="a", search="exact", artwork_ids=ids)

    # As many in both, so that pairs by position would not be noticed.
    tables = {"published": scores(0.25, {"w3"}), "corrected": scores(0, {"w30"})}
    (row,) = compare_runs(tables, resamples=50, seed=1).to_pylist()
    assert row["n"] == 38
    assert row["difference"] == pytest.approx(0.25)
    apart = {"published": scores(0, set(true) - {"w1"}), "corrected": scores(0, {"w1"})}
    with pytest.raises(MismatchError, match="published and corrected were measured on different"):
        compare_runs(apart, resamples=50, seed=1)
