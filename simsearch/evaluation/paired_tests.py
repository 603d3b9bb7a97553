"""Paired tests between spaces over the same originals."""

from __future__ import annotations

from collections import defaultdict
from itertools import combinations
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from simsearch import schemas
from simsearch.evaluation.statistics import Floats, holm, paired_test

COMPARED = ("f1", "map")


def align_scores(scores: pa.Table, search: str) -> dict[tuple[str, int, str], dict[str, Floats]]:
    """The scores [n] by (group, k, metric) and then by the space's name. Originals are in the order of
    their ids."""
    aligned: dict[tuple[str, int, str], dict[str, Floats]] = defaultdict(dict)
    chosen = scores.filter((pc.field("search") == search) & pc.field("metric").isin(COMPARED))
    keys = ["scope", "k", "metric", "space"]
    for key in chosen.group_by(keys).aggregate([]).to_pylist():
        rows = chosen
        for name, value in key.items():
            rows = rows.filter(pc.field(name) == value)
        values = rows.sort_by("artwork_id")["value"].to_numpy()
        aligned[key["scope"], key["k"], key["metric"]][key["space"]] = values
    return dict(aligned)


def compare_spaces(scores: pa.Table, *, resamples: int, seed: int) -> pa.Table:
    """schemas.COMPARISONS of F1 at each k and of average precision, for each two spaces, by exact search.
    p-values are corrected after Holm over all comparisons together."""
    rows: list[dict[str, Any]] = []
    for (group, k, metric), by_space in sorted(align_scores(scores, "exact").items()):
        for first, second in combinations(sorted(by_space), 2):
            test = paired_test(by_space[first], by_space[second], resamples=resamples, seed=seed)
            rows.append(
                {
                    "search": "exact",
                    "scope": group,
                    "k": k,
                    "metric": metric,
                    "first": first,
                    "second": second,
                    **test.__dict__,
                }
            )
    corrected = holm([row["p_value"] for row in rows])
    for row, p_holm in zip(rows, corrected, strict=True):
        row["p_holm"] = p_holm
    return pa.Table.from_pylist(rows, schema=schemas.COMPARISONS)
