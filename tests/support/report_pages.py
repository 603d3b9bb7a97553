"""Report pages made of invented figures, and what a browser would see in them."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any

import numpy as np
import pyarrow as pa

from simsearch import schemas
from simsearch.evaluation.metrics import summary
from simsearch.reports.evaluation_section import evaluation_section
from simsearch.reports.figure_files import PageFigure
from simsearch.reports.learning import LearningSection
from simsearch.reports.network_rows import NetworkRow
from simsearch.reports.rendering import render
from simsearch.reports.report import RejectRow, report_page
from simsearch.settings.config import load_config
from simsearch.snapshots.plan import Plan
from simsearch.snapshots.snapshot import counts_of
from simsearch.snapshots.step_record import StepRecord
from tests.support.scores import study_scores_of
from tests.support.spaces import SPACE

HOSTILE = '<script>alert("x")</script> $\\frac{1}{0}$ & "quotes"'

NETWORK = NetworkRow(
    name=SPACE.name,
    trained=SPACE.trained,
    layer=SPACE.layer,
    dimension=SPACE.dimension,
    components=None,
    weights_source=SPACE.weights_source,
    weights_digest=SPACE.weights_digest,
    preprocessing=SPACE.preprocessing,
    mode=SPACE.mode,
    precision=SPACE.precision,
    precision_reason="as set",
    ran_on="cpu, 1 thread: 6 images",
    recall=0.99321,
    deeper={},
    search_k=5500,
    judged=SPACE.trained,
)


def metrics(seed: int = 0) -> pa.Table:
    rng = np.random.default_rng(seed)
    return pa.concat_tables(
        summary(
            study_scores_of(
                rng.integers(-1, 2, (40, 10)), np.full(40, 5), ["grayscale", "sharpen"], (1, 3, 5)
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
            "spaces": (SPACE,),
            "precision_reasons": {"test": "as set"},
            "artworks": 1234,
            "images": 240,
            "rejects": 3,
            "images_sha256": "",
            "settings": load_config(None, ["perturbations.profiles=[grayscale, sharpen]"]),
            **values,
        }
    )


def page(table: pa.Table | None = None, **values: Any) -> str:
    made = plan()
    given: dict[str, Any] = {
        "snapshot_id": "abc",
        "created": "today",
        "plan": made,
        "counts": counts_of(made, {}),
        "metrics": metrics() if table is None else table,
        "evaluation": evaluation_section(
            metrics() if table is None else table,
            schemas.COMPARISONS.empty_table(),
            schemas.NEAR_DUPLICATES.empty_table(),
            {},
            [],
        ),
        "networks": [NETWORK],
        "rejects": [RejectRow("decode", "broken", 3, HOSTILE)],
        "charts": [PageFigure("data:image/png;base64,AAAA", HOSTILE)],
        "pictures": [],
        "steps": [StepRecord("extract", 2.0, 5000, "vectors", HOSTILE)],
        "environment": {"python": "3"},
        "settings": HOSTILE,
        "learning": LearningSection([], [], [], []),
    }
    return render("report", report_page(**{**given, **values}))


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
