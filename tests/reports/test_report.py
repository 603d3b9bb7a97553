"""The report: self-contained, every figure in it, hostile text shown as text."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
from PIL import Image

from simsearch import schemas
from simsearch.reports import figures
from simsearch.reports.picture_figures import (
    CaptionedPicture,
    neighbours_figure,
    profiles_figure,
    shorten,
)
from simsearch.reports.tables import summary_rows
from tests.support.report_pages import HOSTILE, NETWORK, metrics, page, plan, read
from tests.support.spaces import SPACE


@pytest.mark.slow
def test_hostile_text_is_shown_as_text() -> None:
    report = read(page())
    assert "script" not in report.tags
    assert report.text.count(HOSTILE) == 4  # caption, example, note, settings


@pytest.mark.slow
def test_nothing_is_fetched_from_elsewhere() -> None:
    assert all(source.startswith(("data:", "#")) for source in read(page()).sources)


@pytest.mark.slow
def test_every_score_is_in_the_table() -> None:
    text = read(page()).text
    for row in metrics().to_pylist():
        assert f"{row['mean']:.3f}" in text
    assert "0.9932" in text
    assert "2,500.0/s" in text
    assert "1,234" in text


@pytest.mark.slow
def test_where_the_index_compares_all_vectors_its_column_says_exact() -> None:
    whole = replace(NETWORK, recall=1.0, search_k=None, deeper={59: "exact"})
    text = read(page(networks=[whole])).text
    rows = [row.annoy for row in summary_rows(metrics())]
    assert sum(str(score) in text for score in rows) == len(rows) // 2  # those of "other"
    assert "0.9932" not in text
    approximate = replace(NETWORK, deeper={59: "0.6123", 99: "exact"})
    text = read(page(networks=[approximate])).text
    assert "0.9932 of 59: 0.6123 of 99: exact" in " ".join(text.split())
    assert all(str(score) in text for score in rows)


@pytest.mark.slow
def test_untrained_weights_are_said_loudly() -> None:
    assert "Untrained weights: test ran with random numbers" in page()
    live = SPACE.__class__(**{**SPACE.__dict__, "mode": "study-2018", "trained": True})
    assert "Live dropout" in page(plan=plan(spaces=(live,)))


def test_without_copies_or_rejects_the_page_says_so() -> None:
    text = read(page(schemas.METRICS.empty_table(), rejects=[], charts=[])).text
    assert "No perturbed copies were asked for" in text
    assert "every artwork's image was readable" in text


def test_the_summary_sets_both_searches_side_by_side() -> None:
    rows = summary_rows(metrics())
    assert len(rows) == 2 * 3 * 3
    wanted = {
        (r["space"], r["k"], r["metric"], r["search"]): r["mean"] for r in metrics().to_pylist()
    }
    for row in rows:
        metric = "f1" if row.metric == "F1" else row.metric
        for search, score in (("exact", row.exact), ("annoy", row.annoy)):
            assert score is not None
            assert score.mean == wanted[row.space, row.k, metric, search]


@pytest.mark.slow
def test_figures_draw_anything_and_are_the_same_each_time() -> None:
    picture = Image.new("RGB", (300, 200), (90, 20, 20))
    shown = [CaptionedPicture(picture, shorten(HOSTILE), copy=bool(n % 2)) for n in range(6)]
    made = [
        profiles_figure(shown),
        neighbours_figure([shown, shown[:3]]),
        figures.curves_figure(metrics(), frozenset({"test"})),
        figures.profile_figure(metrics(), frozenset()),
    ]
    for figure in made:
        files = figures.save(figure)
        assert Image.open(io.BytesIO(files["png"])).width > 200
        assert b"<svg" in files["svg"]
        assert b"<script" not in files["svg"]
    again = figures.save(figures.curves_figure(metrics(), frozenset({"test"})))
    assert again == figures.save(figures.curves_figure(metrics(), frozenset({"test"})))


def test_long_or_multiline_text_becomes_one_short_line() -> None:
    assert shorten("a\nb\tc\x00d") == "a b c d"
    assert shorten("x" * 40) == "x" * 25 + "…"
