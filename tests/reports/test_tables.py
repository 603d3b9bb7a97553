"""Rows of the report's tables."""

from __future__ import annotations

import pyarrow as pa

from simsearch import schemas
from simsearch.reports.tables import space_rows


def test_spaces_say_how_crowded_they_are_and_with_which_others_they_agree() -> None:
    figures = {"mean": 0.5, "std": 0.1, "ci_low": 0.4, "ci_high": 0.6, "ceiling": 1.0, "n": 12}
    common = {"space": "one", "search": "exact", "k": 10, **figures}
    metrics = [
        {**common, "scope": "all", "metric": "hubness"},
        {**common, "scope": "two", "metric": "neighbour_overlap"},
        {**common, "scope": "all", "metric": "recall"},
    ]
    rows = space_rows(pa.Table.from_pylist(metrics, schema=schemas.METRICS))
    assert [row.measure for row in rows] == [
        "hubness: skewness of how often a work is among others' 10 nearest",
        "share of the 10 nearest in common with two",
    ]
    assert {(row.space, row.value, row.n) for row in rows} == {("one", "0.500 [0.400, 0.600]", 12)}
