"""Scores of whole rankings, in plain NumPy: recall curve, average precision, reciprocal rank.

A query is an original. Its relevant images are its copies in the measured group (all profiles, a kind, or
one profile). Its other copies and the images of its near-duplicates are removed from the ranking and count
neither for nor against, as the junk images of the Oxford buildings protocol (Philbin et al. 2007).

Images at the same distance have no order. A score of one ranking is therefore the mean over all their
orders (McSherry and Najork 2008, Computing information retrieval performance measures efficiently in the
presence of tied scores).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from simsearch.evaluation.statistics import Floats

Bools = npt.NDArray[np.bool_]
Items = npt.NDArray[np.int64]

CURVE_KS = (1, 2, 3, 5, 10, 20, 30, 50, 70, 100)


@dataclass(frozen=True)
class Ranking:
    """The images retrieved for each query, nearest first.

    - `hits` [n, depth] marks the relevant images.
    - `distances` float32 [n, depth], ∞ where the ranking has ended.
    - `relevant` [n]: the number of relevant images in the collection.
    - `beyond` int64 [n, 2]: the number of further images exactly as far as the last of the ranking, and the
      number of relevant ones among these (None: there are none)."""

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
    """The ranking [n, ≤ depth] of neighbour lists [n, d] without their junk.

    `beyond` [n] is the number of images that are exactly as far as the last of a list but not in the list,
    and neither relevant nor junk.
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
    """The images at the same distance as each place of rankings [n, depth], also those beyond the ranking.

    `first` is the place of the first of them, `count` their number, `hits` the number of relevant ones.
    `before` is the number of relevant images that are nearer. All int64 [n, depth], 0 where the ranking has
    ended."""

    first: Items
    count: Items
    hits: Items
    before: Items

    @property
    def chance(self) -> Floats:
        """The share of the orders of equally distant images in which a relevant one is at the place."""
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
    """The share [n] of each query's relevant images that are among the first k."""
    return np.asarray(expected_hits(ranking, k) / ranking.relevant)


def expected_hits(ranking: Ranking, k: int) -> Floats:
    """The expected number [n] of each query's relevant images among the first k."""
    return np.asarray(ties_of(ranking).chance[:, :k].sum(axis=1))


def average_precision(ranking: Ranking, k: int | None = None) -> Floats:
    """Average precision [n]: the mean, over each query's relevant images, of the precision at their rank. An
    image that the ranking does not hold among its first k (None: at all) counts 0. (scikit-learn's
    `average_precision_score` of each ranking, and trec_eval's `map_cut`.)"""
    ties = ties_of(ranking)
    places = np.arange(ranking.hits.shape[1])
    # The share of relevant images among the other places of the tie, if this place is relevant.
    others = np.maximum(0, ties.hits - 1) / np.maximum(1, ties.count - 1)
    hits_so_far = ties.before + 1 + (places - ties.first) * others
    precision = hits_so_far / (places + 1)
    return np.asarray((precision * ties.chance)[:, :k].sum(axis=1) / ranking.relevant)


def r_precision(ranking: Ranking) -> Floats:
    """R-precision [n]: each query's precision at k = the number of its relevant images."""
    places = np.arange(ranking.hits.shape[1]) < ranking.relevant[:, None]
    return np.asarray((ties_of(ranking).chance * places).sum(axis=1) / ranking.relevant)


def reciprocal_rank(ranking: Ranking) -> Floats:
    """Reciprocal rank [n]: 1 / the rank of each query's first relevant image, 0 if there is none."""
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
