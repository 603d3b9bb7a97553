"""Scores of whole rankings, in plain NumPy: recall curve, average precision, pooled precision.

A query is an original. Relevant are its copies in the group that is measured (all profiles, a kind,
or one profile); its other copies and the images of its near-duplicates are taken out of the
ranking, as the junk images of the Oxford buildings protocol are (Philbin et al. 2007): they count
neither for nor against.

Images at the same distance have no order. A score of one ranking is therefore the mean over all their
orders (McSherry and Najork 2008, Computing information retrieval performance measures efficiently in
the presence of tied scores); pooled scores take their worst order.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from simsearch.evaluation.statistics import TAILS, Floats, once_each, resample_counts

Bools = npt.NDArray[np.bool_]
Items = npt.NDArray[np.int64]

CURVE_KS = (1, 2, 3, 5, 10, 20, 30, 50, 70, 100)
REQUIRED_PRECISION = 0.9
# DISC21 takes 500,000 pairs for 50,000 queries: ten a query beyond what is to be found.
POOLED_BEYOND = 10


@dataclass(frozen=True)
class Ranking:
    """What each query found, nearest first: `hits` [n, depth] says which are relevant, `distances`
    float32 [n, depth] how far they are (∞: the ranking ends before). `relevant` [n] are there to
    be found. `beyond` int64 [n, 2]: how many more images are exactly as far as the last of the ranking,
    and how many of them are relevant (None: no more)."""

    hits: Bools
    distances: npt.NDArray[np.float32]
    relevant: npt.NDArray[np.int64]
    beyond: Items | None = None


def ranking_of(
    distances: npt.NDArray[np.float32],
    wanted: Bools,
    junk: Bools,
    relevant: npt.NDArray[np.int64],
    depth: int,
    beyond: Items | None = None,
) -> Ranking:
    """The ranking [n, ≤ depth] that is left of neighbour lists [n, d] without their junk.

    `beyond` [n]: how many images that are neither relevant nor junk are exactly as far as the last of a
    list, but not in it.
    """
    order = np.argsort(junk, axis=1, kind="stable")
    valid = np.take_along_axis(~junk, order, axis=1)
    hits = np.take_along_axis(wanted, order, axis=1) & valid
    sorted_distances = np.take_along_axis(distances, order, axis=1)
    kept = np.where(valid, sorted_distances, np.float32(np.inf)).astype(np.float32)
    if not kept.shape[1]:
        return Ranking(hits, kept, relevant)
    last = kept[:, min(depth, kept.shape[1]) - 1]
    tied = (kept[:, depth:] == last[:, None]) & np.isfinite(last)[:, None]
    more = np.stack([tied.sum(axis=1), (tied & hits[:, depth:]).sum(axis=1)], axis=1)
    if beyond is not None:
        more[:, 0] += np.where(last == distances[:, -1], beyond, 0)
    return Ranking(hits[:, :depth], kept[:, :depth], relevant, more)


@dataclass(frozen=True)
class Ties:
    """For each place of rankings [n, depth] the images at the same distance: `first` is the place of the
    first of them, `count` their number, `hits` the number that is relevant, those beyond the ranking
    included; `before` is the number of relevant images that are nearer. All int64 [n, depth], 0 where
    the ranking has ended."""

    first: Items
    count: Items
    hits: Items
    before: Items

    @property
    def chance(self) -> Floats:
        """The share of the orders of equally distant images that have a relevant one at a place."""
        return np.asarray(self.hits / np.maximum(1, self.count))


def ties_of(ranking: Ranking) -> Ties:
    """The ties of rankings."""
    n, depth = ranking.hits.shape
    places = np.broadcast_to(np.arange(depth), (n, depth))
    changes = ranking.distances[:, 1:] != ranking.distances[:, :-1]
    edge = np.ones((n, min(1, depth)), bool)
    begins = np.concatenate([edge, changes], axis=1)
    ends = np.concatenate([changes, edge], axis=1)
    first = np.maximum.accumulate(np.where(begins, places, 0), axis=1)
    past = np.where(ends, places + 1, depth)[:, ::-1]
    past = np.minimum.accumulate(past, axis=1)[:, ::-1]
    so_far = np.concatenate([np.zeros((n, 1), np.int64), ranking.hits.cumsum(axis=1)], axis=1)
    before = np.take_along_axis(so_far, first, axis=1)
    hits = np.take_along_axis(so_far, past, axis=1) - before
    count = past - first
    if ranking.beyond is not None:
        reaches = past == depth
        count = count + np.where(reaches, ranking.beyond[:, :1], 0)
        hits = hits + np.where(reaches, ranking.beyond[:, 1:], 0)
    valid = np.isfinite(ranking.distances)
    return Ties(first, *(np.where(valid, numbers, 0) for numbers in (count, hits, before)))


def recall_at(ranking: Ranking, k: int) -> Floats:
    """Per query [n]: the share of its relevant images that are among the first k."""
    return np.asarray(expected_hits(ranking, k) / ranking.relevant)


def expected_hits(ranking: Ranking, k: int) -> Floats:
    """Per query [n]: how many relevant images are among the first k."""
    return np.asarray(ties_of(ranking).chance[:, :k].sum(axis=1))


def average_precision(ranking: Ranking) -> Floats:
    """Per query [n]: the mean over its relevant images of the precision at their rank, 0 for those
    that the ranking does not hold (`average_precision_score` of scikit-learn, of each ranking)."""
    ties = ties_of(ranking)
    places = np.arange(ranking.hits.shape[1])
    # Of the other places of a tie that come before, the share that is relevant where this one is.
    others = np.maximum(0, ties.hits - 1) / np.maximum(1, ties.count - 1)
    hits_so_far = ties.before + 1 + (places - ties.first) * others
    precision = hits_so_far / (places + 1)
    return np.asarray((precision * ties.chance).sum(axis=1) / ranking.relevant)


def r_precision(ranking: Ranking) -> Floats:
    """Per query [n]: precision at k = the number of its relevant images."""
    places = np.arange(ranking.hits.shape[1]) < ranking.relevant[:, None]
    return np.asarray((ties_of(ranking).chance * places).sum(axis=1) / ranking.relevant)


def reciprocal_rank(ranking: Ranking) -> Floats:
    """Per query [n]: 1 / the rank of its first relevant image, 0 if there is none."""
    ties = ties_of(ranking)
    missed = np.ones(len(ranking.hits))  # the share of the orders without a relevant one so far
    score = np.zeros(len(ranking.hits))
    for place in range(ranking.hits.shape[1]):
        count, hits, earlier = (
            numbers[:, place] for numbers in (ties.count, ties.hits, place - ties.first)
        )
        left = np.maximum(1, count - earlier)
        first = np.where(ties.before[:, place] == 0, missed * np.minimum(1, hits / left), 0.0)
        score += first / (place + 1)
        missed -= first
    return score


@dataclass(frozen=True)
class PooledPairs:
    """All queries' pairs in one list, nearest first, wrong pairs before right ones at the same
    distance (ties worst case): `hits` [e] and `owner` [e], the query's number, −1 for one that has
    no relevant image at all. `relevant` [n] as in Ranking."""

    hits: Bools
    owner: npt.NDArray[np.int64]
    relevant: npt.NDArray[np.int64]


def pool_pairs(ranking: Ranking, distractors: npt.NDArray[np.float32]) -> PooledPairs:
    """The pooled pairs of DISC21 (Douze et al. 2021), our originals being the queries.

    `distractors` [q, ≥ 0] are the distances of what queries without any copy found, nearest first.
    Every query hands in as many pairs as the most that one of them has to find, and ten more; of images
    at the same distance, the wrong ones first.
    """
    length = int(ranking.relevant.max(initial=0)) + POOLED_BEYOND
    ties = ties_of(ranking)
    worst = np.arange(ranking.hits.shape[1]) - ties.first >= ties.count - ties.hits
    worst &= np.isfinite(ranking.distances)
    pairs = [ranking.distances[:, :length], distractors[:, :length]]
    owners = [
        np.broadcast_to(np.arange(len(pairs[0]))[:, None], pairs[0].shape),
        np.full(pairs[1].shape, -1),
    ]
    hits = [worst[:, :length], np.zeros(pairs[1].shape, bool)]
    distance, owner, hit = (
        np.concatenate([matrix.ravel() for matrix in both]) for both in (pairs, owners, hits)
    )
    order = np.lexsort((hit, distance))
    order = order[np.isfinite(distance[order])]
    return PooledPairs(hit[order], owner[order].astype(np.int64), ranking.relevant)


@dataclass(frozen=True)
class PooledScore:
    """A score of the pooled pairs with its standard error and its 95 % interval from `low` to `high`.
    The bootstrap draws the originals with copies anew; the collection and the other queries stay."""

    value: float
    error: float
    low: float
    high: float


def pooled_scores(
    pool: PooledPairs, *, resamples: int, seed: int
) -> tuple[PooledScore, PooledScore]:
    """Micro-average precision, and the largest recall at which precision is still 0.9.

    Micro-average precision is the area under the precision-recall curve of the whole pool:
    `average_precision_score` of scikit-learn where no distances tie.
    """
    n = len(pool.relevant)
    own = pool.owner >= 0
    # Pairs of queries without copies weigh 1 in every resample: counting them once is enough.
    others = np.cumsum(~own, dtype=np.int64)[own]
    hits, owner = pool.hits[own], np.asarray(pool.owner[own])
    points = _weighted(np.ones((1, n)), hits, owner, others, pool.relevant)
    drawn = [
        _weighted(counts, hits, owner, others, pool.relevant)
        for counts in resample_counts(once_each(n), resamples=resamples, seed=seed, width=len(hits))
    ]
    scores = []
    for point, blocks in zip(points, zip(*drawn, strict=True), strict=True):
        values = np.concatenate(blocks)
        low, high = np.quantile(values, TAILS)
        scores.append(PooledScore(float(point[0]), float(values.std()), float(low), float(high)))
    return scores[0], scores[1]


def _weighted(
    counts: Floats,
    hits: Bools,
    owner: npt.NDArray[np.int64],
    others: npt.NDArray[np.int64],
    relevant: npt.NDArray[np.int64],
) -> tuple[Floats, Floats]:
    """Both scores [r] of r resamples, in which query q occurs counts[r, q] times."""
    weights = counts[:, owner]
    pairs = np.cumsum(weights, axis=1)[:, hits] + others[hits]
    weights = weights[:, hits]  # precision counts only where a hit is
    right = np.cumsum(weights, axis=1)
    precision = np.divide(right, pairs, out=np.zeros_like(right), where=pairs > 0)
    total = np.maximum(counts @ relevant, 1)
    average = (precision * weights).sum(axis=1) / total
    reached = np.where(precision >= REQUIRED_PRECISION, right, 0.0)
    return average, reached.max(axis=1, initial=0.0) / total
