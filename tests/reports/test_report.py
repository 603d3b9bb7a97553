"""The report: self-contained, every figure in it, hostile text shown as text."""

from __future__ import annotations

import io
from html.parser import HTMLParser
from typing import Any

import numpy as np
import pyarrow as pa
from PIL import Image

from simsearch import schemas
from simsearch.evaluation.metrics import study_measures, summary
from simsearch.reports import figures
from simsearch.reports.conclusion import evaluation_rows
from simsearch.reports.figures import Shown, shortened
from simsearch.reports.report import metrics_text, render, summary_rows
from simsearch.snapshots.snapshot import Plan
from tests.indexes.test_index import SPACE

HOSTILE = '<script>alert("x")</script> $\\frac{1}{0}$ & "quotes"'


def metrics(seed: int = 0) -> pa.Table:
    rng = np.random.default_rng(seed)
    return pa.concat_tables(
        summary(
            list(
                study_measures(
                    rng.integers(-1, 2, (40, 10)).astype(np.int16),
                    np.full(40, 5),
                    ["grayscale", "sharpen"],
                    (1, 3, 5),
                )
            ),
            space=space,
            search=search,
            bootstrap=50,
            seed=1,
        )
        for space in ("test", "other")
        for search in ("annoy", "exact")
    )


def plan(**values: Any) -> Plan:
    return Plan(
        **{
            "catalog_id": "c",
            "code_version": "0",
            "seed": 71,
            "profiles": ("grayscale", "sharpen"),
            "reencode_jpeg": True,
            "spaces": (SPACE,),
            "precision_reasons": {"test": "as set"},
            "index": {},
            "evaluate": {},
            "projection": {},
            "report": {},
            "artworks": 1234,
            "images": 240,
            "rejects": 3,
            "images_sha256": "",
            "settings": {},
            **values,
        }
    )


def page(table: pa.Table | None = None, **values: Any) -> str:
    given: dict[str, Any] = {
        "snapshot_id": "abc",
        "created": "today",
        "plan": plan(),
        "metrics": metrics() if table is None else table,
        "evaluation": evaluation_rows(
            metrics() if table is None else table,
            schemas.COMPARISONS.empty_table(),
            schemas.NEAR_DUPLICATES.empty_table(),
            {},
            [],
        ),
        "networks": [
            {
                **SPACE.to_json(),
                "precision_reason": "as set",
                "recall": 0.99321,
                "search_k": 5500,
                "components": None,
            }
        ],
        "rejects": [{"stage": "decode", "reason": "broken", "count": 3, "example": HOSTILE}],
        "charts": [{"source": "data:image/png;base64,AAAA", "caption": HOSTILE}],
        "pictures": [],
        "steps": [
            {"name": "extract", "seconds": 2.0, "items": 5000, "unit": "vectors", "note": HOSTILE}
        ],
        "environment": {"python": "3"},
        "settings": HOSTILE,
    }
    return render(**{**given, **values})


class Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.sources: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.sources += [value or "" for name, value in attrs if name in ("src", "href")]

    def handle_data(self, data: str) -> None:
        self.text += data


def read(html: str) -> Reader:
    reader = Reader()
    reader.feed(html)
    return reader


def test_hostile_text_is_shown_as_text() -> None:
    found = read(page())
    assert "script" not in found.tags
    assert found.text.count(HOSTILE) == 4  # caption, example, note, settings


def test_nothing_is_fetched_from_elsewhere() -> None:
    assert all(source.startswith(("data:", "#")) for source in read(page()).sources)


def test_every_score_is_in_the_table() -> None:
    text = read(page()).text
    for row in metrics().to_pylist():
        assert f"{row['mean']:.3f}" in text
    assert "0.9932" in text
    assert "2,500.0/s" in text
    assert "1,234" in text


def test_untrained_weights_are_said_loudly() -> None:
    assert "Untrained weights: test ran with random numbers" in page()
    assert "test (untrained)" in metrics_text(metrics(), frozenset({"test"}))
    live = SPACE.__class__(**{**SPACE.__dict__, "mode": "study-2018", "trained": True})
    assert "Live dropout" in page(plan=plan(spaces=(live,)))


def test_without_copies_or_rejects_the_page_says_so() -> None:
    text = read(page(schemas.METRICS.empty_table(), rejects=[], charts=[])).text
    assert "No perturbed copies were asked for" in text
    assert "every artwork's image was readable" in text
    assert "no recovery to measure" in metrics_text(schemas.METRICS.empty_table(), frozenset())


def test_the_summary_sets_both_searches_side_by_side() -> None:
    rows = summary_rows(metrics())
    assert len(rows) == 2 * 3 * 3
    wanted = {
        (r["space"], r["k"], r["metric"], r["search"]): r["mean"] for r in metrics().to_pylist()
    }
    for row in rows:
        metric = "f1" if row["metric"] == "F1" else row["metric"]
        for search in ("exact", "annoy"):
            assert row[search].mean == wanted[row["space"], row["k"], metric, search]


def test_figures_draw_anything_and_are_the_same_each_time() -> None:
    picture = Image.new("RGB", (300, 200), (90, 20, 20))
    shown = [Shown(picture, shortened(HOSTILE), copy=bool(n % 2)) for n in range(6)]
    made = [
        figures.profiles_figure(shown),
        figures.examples_figure([shown, shown[:3]]),
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
    assert shortened("a\nb\tc\x00d") == "a b c d"
    assert shortened("x" * 40) == "x" * 25 + "…"
