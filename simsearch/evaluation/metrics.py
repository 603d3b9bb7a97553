"""Recovery metrics and their tables.

The study defines them for an original with m copies, `hits` of which are among its k nearest: precision is
hits / k, recall is hits / m, and F1 is their harmonic mean. Each is computed per original, then averaged.
Images of near-duplicates are left out before. Standard deviations are those of the population of
originals. Scores of deeper rankings come from `simsearch.evaluation.ranking`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from simsearch import schemas
from simsearch.evaluation.pooling import PooledPairs, pooled_scores
from simsearch.evaluation.ranking import (
    CURVE_KS,
    Ranking,
    average_precision,
    expected_hits,
    r_precision,
    recall_at,
    reciprocal_rank,
)
from simsearch.evaluation.statistics import Floats, bootstrap_intervals, skewness_interval

STUDY_METRICS = ("precision", "recall", "f1")


@dataclass(frozen=True)
class Scores:
    """One metric of a group at one k: its `values` float64 [n] for every original, and its `ceiling` float64
    [n], the values of a perfect search."""

    group: str
    k: int
    metric: str
    values: Floats
    ceiling: Floats

    @property
    def most(self) -> float:
        """The highest score that an original can have. For a profile it is 1, as its copy may come before the
        others, and the `ceiling` is only that of the mean over profiles."""
        return 1.0 if self.metric == "recovered" else float(self.ceiling.max())


def precision_recall_f1(
    hits: Floats, relevant: npt.NDArray[np.int64], k: int
) -> tuple[Floats, Floats, Floats]:
    """Precision, recall and F1 at k, each [n], one value an original.

    `hits` [n] is the number of copies among the k nearest, `relevant` [n] the number of all copies. Raises
    ValueError for an original without any copy."""
    if (relevant < 1).any():
        raise ValueError("every original needs at least one copy to be found")
    return _scores(hits, relevant, k)


def ceilings(relevant: npt.NDArray[np.int64], k: int) -> tuple[Floats, Floats, Floats]:
    """Precision, recall and F1 at k of a perfect search, each [n]. It has min(k, m) of m copies among the k
    nearest."""
    return _scores(np.minimum(k, relevant).astype(np.float64), relevant, k)


def _scores(hits: Floats, relevant: npt.NDArray[np.int64], k: int) -> tuple[Floats, Floats, Floats]:
    precision, recall = hits / k, hits / relevant
    total = precision + recall
    f1 = np.divide(2 * precision * recall, total, out=np.zeros_like(total), where=total > 0)
    return precision, recall, f1


def study_measures(ranking: Ranking, ks: Sequence[int]) -> Iterator[Scores]:
    """The study's scores of all copies together: precision, recall and F1 at each k."""
    for k in ks:
        scores = precision_recall_f1(expected_hits(ranking, k), ranking.relevant, k)
        tops = ceilings(ranking.relevant, k)
        for metric, values, ceiling in zip(STUDY_METRICS, scores, tops, strict=True):
            yield Scores("all", k, metric, values, ceiling)


def recovery_scores(
    profile: str, ranking: Ranking, copies: npt.NDArray[np.int64], ks: Sequence[int]
) -> Iterator[Scores]:
    """The study's score of one profile: 1 if the original's copy of that profile is among the k nearest. Only
    these copies are relevant in `ranking`. `copies` [n] is the number of an original's copies."""
    for k in ks:
        # A perfect search has room for k of an original's m copies. One profile may be above this ceiling if
        # its copy comes before the others. The mean over all profiles never is.
        ceiling = np.minimum(k, copies) / copies
        yield Scores(profile, k, "recovered", expected_hits(ranking, k), ceiling)


def ranking_measures(group: str, ranking: Ranking) -> Iterator[Scores]:
    """`recall_curve` at the ks of CURVE_KS that the ranking reaches, and at its whole depth k:
    `map` (average precision), `r_precision` and `mrr` (reciprocal rank)."""
    depth, relevant = ranking.hits.shape[1], ranking.relevant
    reachable = np.minimum(relevant, depth) / relevant
    for k in (k for k in CURVE_KS if k <= depth):
        ceiling = np.minimum(k, relevant) / relevant
        yield Scores(group, k, "recall_curve", recall_at(ranking, k), ceiling)
    yield Scores(group, depth, "map", average_precision(ranking), reachable)
    yield Scores(group, depth, "r_precision", r_precision(ranking), reachable)
    yield Scores(group, depth, "mrr", reciprocal_rank(ranking), np.ones(len(relevant)))


def summary(
    scores: Sequence[Scores], *, space: str, search: str, bootstrap: int, seed: int
) -> pa.Table:
    """schemas.METRICS of scores: their means over originals, with intervals."""
    sizes = sorted({len(score.values) for score in scores} - {0})
    rows: dict[int, dict[str, Any]] = {}
    for size in sizes:
        places = [place for place, score in enumerate(scores) if len(score.values) == size]
        values = np.stack([scores[place].values for place in places], axis=1)
        most = np.array([scores[place].most for place in places])
        lows, highs = bootstrap_intervals(values, resamples=bootstrap, seed=seed, most=most)
        for place, low, high in zip(places, lows, highs, strict=True):
            score = scores[place]
            rows[place] = {
                "space": space,
                "search": search,
                "scope": score.group,
                "k": score.k,
                "metric": score.metric,
                "mean": float(score.values.mean()),
                "std": float(score.values.std()),
                "ci_low": float(low),
                "ci_high": float(high),
                "ceiling": float(score.ceiling.mean()),
                "n": size,
            }
    return pa.Table.from_pylist([rows[place] for place in sorted(rows)], schema=schemas.METRICS)


def pooled_rows(
    group: str, k: int, pool: PooledPairs, *, space: str, search: str, bootstrap: int, seed: int
) -> pa.Table:
    """schemas.METRICS of a pool: `micro_ap` and `recall_at_p90`. `std` is their standard error, as
    they are scores of all originals together. The rankings are `k` deep."""
    if not len(pool.relevant):
        return schemas.METRICS.empty_table()
    reachable = np.minimum(pool.relevant, k).sum() / pool.relevant.sum()
    scores = pooled_scores(pool, resamples=bootstrap, seed=seed)
    rows = [
        {
            "space": space,
            "search": search,
            "scope": group,
            "k": k,
            "metric": metric,
            "mean": score.value,
            "std": score.error,
            "ci_low": score.low,
            "ci_high": score.high,
            "ceiling": float(reachable),
            "n": len(pool.relevant),
        }
        for metric, score in zip(("micro_ap", "recall_at_p90"), scores, strict=True)
    ]
    return pa.Table.from_pylist(rows, schema=schemas.METRICS)


def hubness_rows(
    occurrence: Scores, *, space: str, search: str, bootstrap: int, seed: int
) -> pa.Table:
    """schemas.METRICS of hubness: the skewness of the number of times that each original is a neighbour of
    others. `std` is that of these numbers."""
    n = len(occurrence.values)
    value, low, high = skewness_interval(occurrence.values, resamples=bootstrap, seed=seed)
    row = {
        "space": space,
        "search": search,
        "scope": occurrence.group,
        "k": occurrence.k,
        "metric": "hubness",
        "mean": value,
        "std": float(occurrence.values.std()),
        "ci_low": low,
        "ci_high": high,
        "ceiling": max(0.0, (n - 2) / max(1, n - 1) ** 0.5),  # one hub for all
        "n": n,
    }
    return pa.Table.from_pylist([row], schema=schemas.METRICS)


def scores_table(
    scores: Sequence[Scores], *, space: str, search: str, artwork_ids: Sequence[str]
) -> pa.Table:
    """schemas.SCORES of every original. `artwork_ids` [n] are their ids."""
    n, count = len(artwork_ids), len(scores)
    repeated = {
        name: np.repeat([getattr(score, name) for score in scores], n)
        for name in ("group", "k", "metric")
    }
    values = np.concatenate([score.values for score in scores]) if scores else np.zeros(0)
    return pa.table(
        {
            "space": pa.array([space] * (n * count), pa.string()),
            "search": pa.array([search] * (n * count), pa.string()),
            "scope": pa.array(repeated["group"].tolist(), pa.string()),
            "k": pa.array(repeated["k"], pa.int32()),
            "metric": pa.array(repeated["metric"].tolist(), pa.string()),
            "artwork_id": pa.array(list(artwork_ids) * count, pa.string()),
            "value": pa.array(values, pa.float64()),
        },
        schema=schemas.SCORES,
    )


RANKING_METRICS = {
    "map": "Mean average precision",
    "r_precision": "R-precision",
    "mrr": "Mean reciprocal rank",
    "micro_ap": "Micro-average precision",
    "recall_at_p90": "Recall at precision 0.9",
}
