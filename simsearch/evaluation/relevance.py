"""Scores of neighbour lists by published answers: which artworks are relevant to which, and how much.

A query is an artwork with at least one relevant artwork. An artwork that the answers do not name for a query
counts as not relevant, and the share of such artworks is reported as `unjudged`. Artworks that are left out
for a query (its near-duplicates, the query itself) count neither for nor against, also where the answers name
them. Artworks at the same distance have no order, as in `simsearch.evaluation.ranking`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from simsearch.catalog.answer_files import pairs_of_members
from simsearch.evaluation.metrics import Scores
from simsearch.evaluation.pooling import POOLED_BEYOND, PooledPairs, pool_pairs
from simsearch.evaluation.ranking import (
    Items,
    Ranking,
    Ties,
    average_precision,
    expected_hits,
    ranking_of,
    recall_at,
    ties_of,
)
from simsearch.evaluation.statistics import Floats
from simsearch.indexes.exact import Neighbours, exact_search

GROUP = "relevance"
_CELLS_AT_ONCE = 2**21  # of whole lists: some 200 MB for all that is computed of them


@dataclass(frozen=True)
class Answers:
    """Published answers for a collection of n artworks, which are numbered from 0.

    - `queries` [q]: the artworks that answers are known for, ascending.
    - `starts` [q + 1]: the answers of query i are those from `starts[i]` up to `starts[i + 1]`.
    - `items` [p]: the judged artworks, ascending within a query, each once.
    - `grades` float64 [p]: their grades. An artwork is relevant if its grade is above 0."""

    n: int
    queries: Items
    starts: Items
    items: Items
    grades: Floats

    def of_query(self, query: int) -> tuple[Items, Floats]:
        """The judged artworks of query number `query` and their grades."""
        span = slice(self.starts[query], self.starts[query + 1])
        return self.items[span], self.grades[span]

    def part(self, start: int, stop: int) -> Answers:
        """The answers of the queries from number `start` up to `stop`."""
        starts = self.starts[start : stop + 1]
        span = slice(starts[0], starts[-1])
        queries = self.queries[start:stop]
        return Answers(self.n, queries, starts - starts[0], self.items[span], self.grades[span])


def answers_of_groups(groups: Sequence[str | None]) -> Answers:
    """Artworks with the same text in `groups` [n] are relevant to each other, with grade 1. Those without a
    text, or with one of their own, have no answers."""
    numbers = np.full(len(groups), -1, np.int64)
    known: dict[str, int] = {}
    for place, group in enumerate(groups):
        if group:
            numbers[place] = known.setdefault(group, len(known))
    members = np.flatnonzero(numbers >= 0)
    queries, items = pairs_of_members(members, numbers[members])
    return answers_of_pairs(len(groups), queries, items, np.ones(len(items)))


def answers_of_pairs(n: int, queries: Items, items: Items, grades: Floats) -> Answers:
    """Answers of `queries` [p] that `items` [p] have the grades [p]. A repeated pair has its highest grade.
    A query is not an answer to itself. Raises ValueError for a number that is not one of the n artworks, or a
    grade that is not finite."""
    for numbers in (queries, items):
        if len(numbers) and not 0 <= numbers.min() <= numbers.max() < n:
            raise ValueError(f"an answer names an artwork that is not one of the {n}")
    if not np.isfinite(grades).all():
        raise ValueError("a grade is not a finite number")
    order = np.lexsort((-grades, items, queries))
    order = order[queries[order] != items[order]]
    queries, items, grades = queries[order], items[order], grades[order]
    new = np.ones(len(order), bool)
    new[1:] = (queries[1:] != queries[:-1]) | (items[1:] != items[:-1])
    asking, counts = np.unique(queries[new], return_counts=True)
    starts = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    return Answers(n, asking, starts, items[new], grades[new].astype(np.float64))


@dataclass(frozen=True)
class Judged:
    """The neighbour lists of the queries that have an answer to find.

    - `queries` [q]: their artworks.
    - `ranking`: their rankings, without what is left out.
    - `gains` float64 [q, depth]: the grade of each place, at least 0, as the mean over its ties.
    - `unjudged` float64 [q, depth]: the share of the orders of its ties in which a place has an artwork that
      no answer of the query names.
    - `ideal` float64 [q, depth]: the gains of a perfect ranking."""

    queries: Items
    ranking: Ranking
    gains: Floats
    unjudged: Floats
    ideal: Floats


def judge(
    answers: Answers, neighbours: Neighbours, left_out: Sequence[Items], depth: int | None = None
) -> Judged:
    """The neighbour lists [q, d] of `answers.queries`, judged, of which `depth` places (None: all) are kept.

    `left_out` [q] has the artworks that count neither for nor against each query. A query all of whose
    relevant artworks are left out is left out too. Lists have to hold all artworks, or end where the next
    artwork is farther than their last."""
    items = neighbours.items
    count, width = items.shape
    depth = width if depth is None else min(depth, width)
    if count != len(answers.queries) or count != len(left_out):
        raise ValueError(f"{count} lists for {len(answers.queries)} queries")
    grades, junk = np.full((count, width), np.nan), items < 0
    ideal, relevant = np.zeros((count, depth)), np.zeros(count, np.int64)
    row = np.full(answers.n, np.nan)
    out = np.zeros(answers.n, bool)
    for query, own in enumerate(answers.queries.tolist()):
        named, values = answers.of_query(query)
        row[named], out[left_out[query]], out[own] = values, True, True
        grades[query] = row[items[query]]
        junk[query] |= out[items[query]]
        gains = np.sort(values[(values > 0) & ~out[named]])[::-1]
        relevant[query] = len(gains)
        ideal[query, : len(gains)] = gains[:depth]
        row[named], out[left_out[query]], out[own] = np.nan, False, False
    kept = relevant > 0
    grades, junk, ideal = grades[kept], junk[kept], ideal[kept]
    whole = ranking_of(neighbours.distances[kept], grades > 0, junk, relevant[kept], width)
    ties = ties_of(whole)
    order = np.argsort(junk, axis=1, kind="stable")  # the order of `ranking_of`
    sorted_grades = np.take_along_axis(np.where(junk, 0.0, grades), order, axis=1)
    return Judged(
        answers.queries[kept],
        ranking_of(neighbours.distances[kept], grades > 0, junk, relevant[kept], depth),
        _expected(np.nan_to_num(np.maximum(sorted_grades, 0.0)), ties)[:, :depth],
        _expected(np.isnan(sorted_grades).astype(np.float64), ties)[:, :depth],
        ideal,
    )


def search_and_judge(
    units: npt.NDArray[np.float32], answers: Answers, left_out: Sequence[Items], depth: int
) -> Judged:
    """The artworks nearest to each query, by exact search over `units` [n, dimension], judged to `depth` places,
    or as many more as `relevance_pool` takes.

    All artworks are ranked, for a few queries at a time, so that ties at the last place are known."""
    sizes = np.diff(np.concatenate([[0], np.cumsum(answers.grades > 0)])[answers.starts])
    depth = min(answers.n, max(depth, int(sizes.max(initial=0)) + POOLED_BEYOND))
    step = max(1, _CELLS_AT_ONCE // max(1, answers.n))
    parts = []
    for start in range(0, len(answers.queries), step):
        part = answers.part(start, start + step)
        nearest = exact_search(units, units[part.queries], answers.n)
        parts.append(judge(part, nearest, left_out[start : start + step], depth))
    return _join(parts)


def _join(parts: Sequence[Judged]) -> Judged:
    """One of several queries after another. Their lists are equally deep."""
    rankings = [part.ranking for part in parts]
    beyond = [ranking.beyond for ranking in rankings if ranking.beyond is not None]
    return Judged(
        np.concatenate([part.queries for part in parts]),
        Ranking(
            np.concatenate([ranking.hits for ranking in rankings]),
            np.concatenate([ranking.distances for ranking in rankings]),
            np.concatenate([ranking.relevant for ranking in rankings]),
            np.concatenate(beyond),
        ),
        np.concatenate([part.gains for part in parts]),
        np.concatenate([part.unjudged for part in parts]),
        np.concatenate([part.ideal for part in parts]),
    )


def relevance_scores(judged: Judged, ks: Sequence[int]) -> Iterator[Scores]:
    """`recall`, `precision`, `map_at`, `ndcg` and `unjudged` at each k, and `map` of the whole lists, with one
    value a query."""
    ranking = judged.ranking
    depth, relevant = ranking.hits.shape[1], ranking.relevant
    discounts = 1 / np.log2(np.arange(depth) + 2)
    for k in ks:
        if k > depth:
            raise ValueError(f"lists of {depth} neighbours have no score at {k}")
        reachable = np.minimum(k, relevant)
        ideal = judged.ideal[:, :k] @ discounts[:k]
        ones = np.ones(len(relevant))
        yield Scores(GROUP, k, "recall", recall_at(ranking, k), reachable / relevant)
        yield Scores(GROUP, k, "precision", expected_hits(ranking, k) / k, reachable / k)
        yield Scores(GROUP, k, "map_at", average_precision(ranking, k), reachable / relevant)
        yield Scores(GROUP, k, "ndcg", judged.gains[:, :k] @ discounts[:k] / ideal, ones)
        yield Scores(GROUP, k, "unjudged", judged.unjudged[:, :k].mean(axis=1), ones)
    whole = np.minimum(relevant, depth) / relevant
    yield Scores(GROUP, depth, "map", average_precision(ranking), whole)


def relevance_pool(judged: Judged) -> PooledPairs:
    """The pairs of all queries in one list, for micro-average precision."""
    return pool_pairs(judged.ranking, np.zeros((0, 1), np.float32))


def _expected(values: Floats, ties: Ties) -> Floats:
    """The mean of `values` [n, depth] over the places of each tie, 0 where a ranking has ended."""
    sums = np.concatenate([np.zeros((len(values), 1)), values.cumsum(axis=1)], axis=1)
    past = np.minimum(ties.first + ties.count, values.shape[1])
    total = np.take_along_axis(sums, past, axis=1) - np.take_along_axis(sums, ties.first, axis=1)
    return np.where(ties.count > 0, total / np.maximum(1, past - ties.first), 0.0)
