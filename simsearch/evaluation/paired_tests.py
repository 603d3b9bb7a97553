"""Paired tests between spaces over the same originals."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from simsearch import schemas
from simsearch.evaluation.statistics import Floats, holm, paired_test

COMPARED = ("f1", "map")


@dataclass(frozen=True)
class OriginalScores:
    """The scores `values` [n] of the originals of the artworks `ids` [n], which are in alphabetical order."""

    ids: npt.NDArray[np.object_]
    values: Floats

    def beside(self, other: OriginalScores) -> tuple[Floats, Floats]:
        """The scores, here and there, of the originals that both have."""
        if np.array_equal(self.ids, other.ids):
            return self.values, other.values
        _, own, theirs = np.intersect1d(
            self.ids, other.ids, assume_unique=True, return_indices=True
        )
        return self.values[own], other.values[theirs]


def read_scores(
    scores: pa.Table, search: str
) -> dict[tuple[str, int, str], dict[str, OriginalScores]]:
    """The scores by (group, k, metric) and then by the space's name."""
    read: dict[tuple[str, int, str], dict[str, OriginalScores]] = defaultdict(dict)
    chosen = scores.filter((pc.field("search") == search) & pc.field("metric").isin(COMPARED))
    keys = ["scope", "k", "metric", "space"]
    for key in chosen.group_by(keys).aggregate([]).to_pylist():
        rows = chosen
        for name, value in key.items():
            rows = rows.filter(pc.field(name) == value)
        rows = rows.sort_by("artwork_id")
        own = OriginalScores(rows["artwork_id"].to_numpy(), rows["value"].to_numpy())
        read[key["scope"], key["k"], key["metric"]][key["space"]] = own
    return dict(read)


def compare_spaces(scores: pa.Table, *, resamples: int, seed: int) -> pa.Table:
    """schemas.COMPARISONS of F1 at each k and of average precision, for each two spaces, by exact search.
    p-values are corrected after Holm over all comparisons together."""
    rows: list[dict[str, Any]] = []
    for (group, k, metric), by_space in sorted(read_scores(scores, "exact").items()):
        for first, second in combinations(sorted(by_space), 2):
            test = paired_test(
                *by_space[first].beside(by_space[second]), resamples=resamples, seed=seed
            )
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
