"""The conclusion: what is advised, at which cost, and what is never advised."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pyarrow as pa
import pytest

from simsearch import schemas
from simsearch.features.space import FeatureSpace
from simsearch.reports import figures
from simsearch.reports.conclusion import (
    candidates,
    conclusion_words,
    picks,
    ran_on,
)
from simsearch.reports.evaluation_section import evaluation_section
from simsearch.reports.tables import interval, near_duplicate_rows, ranking_table
from tests.support.report_pages import page, read
from tests.support.spaces import SPACE


def space(name: str, **values: Any) -> FeatureSpace:
    return replace(
        SPACE, **{"name": name, "encoder": name, "trained": True, "dimension": 100, **values}
    )


SPACES = (space("fast"), space("slow", dimension=4096), space("random", trained=False))


def metrics(**quality: float) -> pa.Table:
    rows = [
        {
            "space": space,
            "search": search,
            "scope": group,
            "k": k,
            "metric": metric,
            "mean": mean,
            "std": 0.1,
            "ci_low": mean - 0.01,
            "ci_high": mean + 0.01,
            "ceiling": 1.0 if metric != "recall_curve" else 0.2,
            "n": 90,
        }
        for space, mean in quality.items()
        for search in ("exact", "annoy")
        for group in ("all", "overlay", "text-3")
        for metric, k in (
            ("map", 100),
            ("r_precision", 100),
            ("mrr", 100),
            ("micro_ap", 100),
            ("recall_at_p90", 100),
            ("recall_curve", 1),
        )
    ]
    return pa.Table.from_pylist(rows, schema=schemas.METRICS)


def comparisons(p_holm: float, *, low: float = -0.2, high: float = -0.05, n: int = 90) -> pa.Table:
    rows = [
        {
            "search": "exact",
            "scope": group,
            "k": 100,
            "metric": "map",
            "first": "fast",
            "second": "slow",
            "difference": -0.1,
            "ci_low": low,
            "ci_high": high,
            "p_value": p_holm / 2,
            "p_holm": p_holm,
            "n": n,
        }
        for group in ("all", "overlay")
    ]
    return pa.Table.from_pylist(rows, schema=schemas.COMPARISONS)


def timings() -> pa.Table:
    rows = [
        {
            "fingerprint": SPACES[0].fingerprint,
            "device": "cpu, 2 threads",
            "images": 100,
            "seconds": 2.0,
        },
        {
            "fingerprint": SPACES[0].fingerprint,
            "device": "cpu, 2 threads",
            "images": 300,
            "seconds": 6.0,
        },
        {"fingerprint": SPACES[0].fingerprint, "device": "cuda", "images": 10, "seconds": 0.01},
        {
            "fingerprint": SPACES[1].fingerprint,
            "device": "cpu, 2 threads",
            "images": 100,
            "seconds": 20.0,
        },
    ]
    return pa.Table.from_pylist(rows, schema=schemas.TIMINGS)


def test_cost_is_what_the_runs_measured() -> None:
    ranked = candidates(metrics(fast=0.8, slow=0.9, random=0.5), SPACES, timings())
    assert [candidate.space.name for candidate in ranked] == ["slow", "fast", "random"]
    assert [candidate.images_per_second for candidate in ranked] == [5.0, 50.0, None]
    assert [candidate.bytes_per_image for candidate in ranked] == [16384, 400, 400]
    assert ranked[1].device == "cpu, 2 threads"  # where most of its images were embedded


def test_the_conclusion_is_said_in_one_line() -> None:
    table = metrics(fast=0.8, slow=0.9, random=0.99)
    ranked = candidates(table, SPACES, timings())
    assert conclusion_words(table, comparisons(0.2, low=-0.01), ranked) == (
        "search with fast: mean average precision 0.800 [0.790, 0.810] over all perturbed copies; "
        "slow is within 0.02 of it"
    )
    assert conclusion_words(table, comparisons(0.2), ranked) == (
        "search with slow: mean average precision 0.900 [0.890, 0.910] over all perturbed copies; "
        "90 originals do not show whether fast is as good"
    )
    assert conclusion_words(table, comparisons(0.001), ranked) == (
        "search with slow: mean average precision 0.900 [0.890, 0.910] over all perturbed copies; "
        "fast is worse"
    )
    untrained = candidates(table, [space("random", trained=False)], timings())
    assert conclusion_words(table, comparisons(1), untrained).startswith("no advice: every network")
    assert "nothing to conclude" in conclusion_words(table, comparisons(1), [])


def shared_labels(**precision: tuple[float, float]) -> pa.Table:
    """Rows of `label_precision` by artist: at k = 5 the first value, at k = 10 the second."""
    return pa.Table.from_pylist(
        [
            {
                "space": name,
                "search": "exact",
                "scope": "artist",
                "k": k,
                "metric": "label_precision",
                "mean": mean,
                "std": 0.1,
                "ci_low": mean - 0.01,
                "ci_high": mean + 0.01,
                "ceiling": 1.0,
                "n": 90,
            }
            for name, values in precision.items()
            for k, mean in zip((5, 10), values, strict=True)
        ],
        schema=schemas.METRICS,
    )


@pytest.mark.slow
def test_a_pick_that_finds_copies_and_loses_artists_is_advised_with_a_warning() -> None:
    ranked = candidates(metrics(fast=0.8, slow=0.9, random=0.5), SPACES, timings())
    # The random network shares most artists and may not be advised; at k = 5 nothing differs.
    labels = shared_labels(fast=(0.1, 0.16), slow=(0.1, 0.05), random=(0.9, 0.9))
    table = pa.concat_tables([metrics(fast=0.8, slow=0.9, random=0.5), labels])
    warning = (
        "of the 10 artworks nearest by slow, 5.0% share the artist, by fast 16.0%: for works that "
        "are alike without being copies, search with fast"
    )
    assert conclusion_words(table, comparisons(0.001), ranked).endswith(f"worse; {warning}")
    section = evaluation_section(
        table, comparisons(0.001), schemas.NEAR_DUPLICATES.empty_table(), {}, ranked
    )
    assert warning in read(page(evaluation=section)).text

    close = pa.concat_tables(
        [
            metrics(fast=0.8, slow=0.9, random=0.5),
            shared_labels(fast=(0.1, 0.16), slow=(0.1, 0.145)),
        ]
    )
    assert "share" not in conclusion_words(close, comparisons(0.001), ranked)


def test_a_network_in_the_studys_mode_is_not_advised() -> None:
    table = metrics(live=0.9)
    ranked = candidates(table, [space("live", mode="study-2018")], timings())
    assert picks(table, comparisons(1), ranked) == []


@pytest.mark.slow
def test_the_page_says_it_in_tables_and_a_plot() -> None:
    table = metrics(fast=0.8, slow=0.9, random=0.5)
    ranked = candidates(table, SPACES, timings())
    near = [
        {
            "artwork_id": "a",
            "other_id": "b",
            "relation": "version",
            "inliers": 85,
            "false_alarms": 1e-9,
            "mirrored": True,
        }
    ]
    section = evaluation_section(
        table,
        comparisons(0.001),
        pa.Table.from_pylist(near, schema=schemas.NEAR_DUPLICATES),
        {"a": "<b>Twin</b>"},
        ranked,
    )
    text = read(page(evaluation=section)).text
    assert "50.0 (cpu, 2 threads)" in text
    assert "16,384" in text
    assert "<b>Twin</b> (a)" in text
    assert "version, mirrored" in text
    assert "85" in text
    assert "0.900 [0.890, 0.910]" in text
    assert "0.800 [0.790, 0.810] of 0.200" in text
    assert b"<svg" in figures.save(figures.cost_figure(ranked))["svg"]


@pytest.mark.slow
def test_the_axis_of_costs_has_readable_numbers() -> None:
    ranked = candidates(metrics(fast=0.8, slow=0.9), SPACES[:2], timings())
    assert [candidate.images_per_second for candidate in ranked] == [5, 50]
    figure = figures.cost_figure(ranked)
    figure.canvas.draw()
    (axes,) = figure.axes
    shown = [float(label.get_text()) for label in axes.get_xticklabels()]
    assert [number for number in shown if 5 <= number <= 50] == [5, 7, 10, 20, 30, 50]
    assert axes.xaxis.get_minorticklocs().size == 0


def test_a_ceiling_below_one_is_named_and_annoys_loss_too() -> None:
    row = {"mean": 0.15, "ci_low": 0.1, "ci_high": 0.2, "ceiling": 0.2}
    assert interval(row) == "0.150 [0.100, 0.200] of 0.200"
    table = metrics(fast=0.8)
    assert all(not cell.annoy for row in ranking_table(table).lines for cell in row.cells)
    lost = table.to_pylist()
    for row in lost:
        if (row["search"], row["metric"]) == ("annoy", "map"):
            row["mean"] = 0.7
    (first, *_) = ranking_table(pa.Table.from_pylist(lost, schema=schemas.METRICS)).lines
    assert first.cells[0].annoy.startswith("0.700")
    assert [row.single for row in ranking_table(table).lines] == [False, False, True]


def test_near_duplicates_are_listed_surest_first() -> None:
    rows = [
        {"artwork_id": "a", "other_id": "b", "relation": "edited", "inliers": 9, "false_alarms": 0.4},
        {"artwork_id": "c", "other_id": "d", "relation": "same picture", "inliers": 90,
         "false_alarms": 1e-30},
        {"artwork_id": "e", "other_id": "f", "relation": "same file"},
    ]  # fmt: skip
    table = pa.Table.from_pylist(rows, schema=schemas.NEAR_DUPLICATES)
    pairs = near_duplicate_rows(table, {"c": "Sea"})
    assert [row.first for row in pairs] == ["e (e)", "Sea (c)", "a (a)"]
    assert [row.inliers for row in pairs] == ["–", "90", "9"]
    assert pairs[2].false_alarms == "0.4"


def test_preprocessing_is_told_with_three_decimals() -> None:
    described = space("net", preprocessing="centre 224, mean (0.4980392156862745, 0.5)")
    assert described.preprocessing_words == "centre 224, mean (0.498, 0.5)"


def test_the_devices_that_a_space_ran_on_are_named_with_their_images() -> None:
    rows = [
        {"fingerprint": "a", "device": "cuda", "images": 600, "seconds": 1.0},
        {"fingerprint": "a", "device": "cpu, 1 thread", "images": 1200, "seconds": 60.0},
        {"fingerprint": "a", "device": "cuda", "images": 700, "seconds": 1.0},
        {"fingerprint": "b", "device": "cpu, 2 threads", "images": 5, "seconds": 1.0},
    ]
    timings = pa.Table.from_pylist(rows, schema=schemas.TIMINGS)
    assert ran_on(timings, "a") == "cpu, 1 thread: 1,200 images; cuda: 1,300 images"
    assert ran_on(timings, "c") == ""
