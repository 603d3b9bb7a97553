"""Exact search: the true nearest items and their distances."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from simsearch.features.vectors import SAME_SQUARED, Vectors

EXACT_CHUNK = 1024  # queries per matrix product: 1,024 × 100,000 similarities are 0.4 GB

REFINE_BYTES = 2**20  # of float64 differences at once, a core's cache; 64 MiB was half as fast

TIE = 1e-9  # relative difference below which squared distances in float64 are equal

# Queries and items whose cosines are computed in float64 at once: 64 MiB of cosines for 32,768 items, and
# 40 MiB of vectors of 1,280 numbers.
FINE_QUERIES, FINE_ITEMS = 256, 4096

# Share of the items from which a crowd is narrowed by a float64 product of all items. The difference of a
# single pair costs some four times as much as the pair's share of the product.
LARGE_CROWD = 0.25

GROUP = 32  # items of which only the most similar one is read first; 16 to 64 cost the same

Distance = TypeVar("Distance", bound=np.floating[Any])
ItemNumbers = Sequence[int] | npt.NDArray[np.integer[Any]]


@dataclass(frozen=True)
class Neighbours:
    """The nearest items of each query, nearest first: `items` int64 and `distances` float32, both
    [queries, n]. Distances are angular, √(2 − 2·cos), in [0, 2]. −1 and ∞ where fewer were found."""

    items: npt.NDArray[np.int64]
    distances: Vectors

    def first(self, n: int) -> Neighbours:
        return Neighbours(self.items[:, :n], self.distances[:, :n])


def cosine(distance: float) -> float:
    """The cosine similarity, in [−1, 1], of an angular distance √(2 − 2·cos)."""
    return 1 - distance**2 / 2


def exact_search(units: Vectors, queries: Vectors, n: int) -> Neighbours:
    """The true `n` nearest rows of `units` [items, d] for `queries` [q, d]. Both have unit rows. See
    `nearest`."""
    items, squared = nearest(units, queries, n)
    return Neighbours(items, np.sqrt(squared).astype(np.float32))


def nearest(
    units: Vectors, queries: Vectors, n: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    """The numbers and squared distances [q, n] of the true `n` nearest rows of `units` [items, d] for
    `queries` [q, d]. Both have unit rows. Ties are ordered by item number.

    Candidates come from one float32 matrix product. Distances are computed in float64, so that a pair's
    distance is the same to the last bit in every search.
    """
    n = min(n, len(units))
    spare = min(len(units), n + 8)  # the float32 product may order candidates wrongly
    items = np.empty((len(queries), n), dtype=np.int64)
    squared = np.empty((len(queries), n), dtype=np.float64)
    for start in range(0, len(queries), EXACT_CHUNK):
        part = slice(start, start + EXACT_CHUNK)
        similarity = queries[part] @ units.T
        candidates = _most_similar(similarity, spare)
        crowded = _find_crowds(similarity, candidates, n, units.shape[1])
        crowds = _narrow(
            units,
            queries[part],
            [(row, np.flatnonzero(similarity[row] >= low)) for row, low in crowded],
            n,
        )
        del similarity  # before the next product, which is as large
        rows = np.repeat(np.arange(len(candidates)), spare)
        pair_squared = _squared_distances(units, candidates.ravel(), queries[part], rows)
        items[part], squared[part] = nearest_first(
            candidates, pair_squared.reshape(candidates.shape), n
        )
        for row, crowd in crowds:
            same = np.full(len(crowd), start + row)
            pair_squared = _squared_distances(units, crowd, queries, same)
            (items[start + row],), (squared[start + row],) = nearest_first(
                crowd[None], pair_squared[None], n
            )
    return items, squared


def nearest_first(
    candidates: npt.NDArray[np.int64], distances: npt.NDArray[Distance], n: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[Distance]]:
    """The nearest `n` of each row's `candidates` [q, c] at `distances` [q, c], and their distances [q, n],
    nearest first. Ties are ordered by item number."""
    order = np.lexsort((candidates, distances), axis=1)[:, :n]
    return (
        np.take_along_axis(candidates, order, axis=1),
        np.take_along_axis(distances, order, axis=1),
    )


def _find_crowds(
    similarity: Vectors, candidates: npt.NDArray[np.int64], n: int, dimension: int
) -> list[tuple[int, float]]:
    """The crowded rows, in which more items than `candidates` [q, c] may be among the nearest `n`, each with
    the lowest cosine of such items. Crowds come from pictures that occur many times, or from untrained
    networks."""
    if candidates.shape[1] == similarity.shape[1]:
        return []
    error = cosine_error(dimension)
    chosen = np.take_along_axis(similarity, candidates, axis=1)
    place = chosen.shape[1] - n
    low = np.partition(chosen, place, axis=1)[:, place].astype(np.float64) - 2 * error
    rows = np.flatnonzero(chosen.min(axis=1) >= low)
    return [(int(row), float(low[row])) for row in rows]


def _narrow(
    units: Vectors, queries: Vectors, crowds: list[tuple[int, npt.NDArray[np.int64]]], n: int
) -> list[tuple[int, npt.NDArray[np.int64]]]:
    """The crowds of rows of `queries`. A float64 product removes items of large crowds that cannot be among
    the nearest `n`: items clearly farther than n others, and items with n equally distant ones of lower
    numbers before them.

    A space of nearly equal vectors has a crowd of all items for each query.
    """
    large = [row for row, crowd in crowds if len(crowd) > LARGE_CROWD * len(units)]
    narrow: dict[int, npt.NDArray[np.int64]] = {}
    error = 8 * cosine_error(units.shape[1]) * 2.0**-29  # of a squared distance in float64
    for start in range(0, len(large), FINE_QUERIES):
        rows = large[start : start + FINE_QUERIES]
        for row, squared in zip(rows, _multiply(units, queries[rows], error), strict=True):
            last = np.partition(squared, n - 1)[n - 1]
            near = squared <= max(last + 2 * error, SAME_SQUARED + error)  # the latter may be 0
            for certain in (0.0, 2.0):
                near[np.flatnonzero(squared == certain)[n:]] = False
            narrow[row] = np.flatnonzero(near)
    return [(row, narrow.get(row, crowd)) for row, crowd in crowds]


def _multiply(units: Vectors, queries: Vectors, error: float) -> npt.NDArray[np.float64]:
    """Squared distances [q, items] to within `error`. They are exactly 0 only if mere rounding may differ,
    and exactly 2 only for a zero vector."""
    asked = queries.astype(np.float64)
    lengths = np.einsum("qd,qd->q", asked, asked)[:, None]
    squared = np.empty((len(queries), len(units)))
    for start in range(0, len(units), FINE_ITEMS):
        part = units[start : start + FINE_ITEMS].astype(np.float64)
        own = np.einsum("nd,nd->n", part, part)
        block = lengths + own - 2 * (asked @ part.T)
        block[block == 2] += error / 8  # exactly 2 is kept for a zero vector
        same = block < SAME_SQUARED - error
        block = np.where(same, 0, np.maximum(block, error / 8))
        block[(lengths == 0) | (own == 0)] = 2
        squared[:, start : start + FINE_ITEMS] = block
    return squared


def cosine_error(dimension: int) -> float:
    """The largest error of a float32 product of two unit vectors as their cosine: λ√d·2⁻²⁴ with λ = 10. A
    larger error has a probability of 2d·exp(−λ²/2) (Higham and Mary 2019, A new approach to probabilistic
    rounding error analysis)."""
    return 10 * math.sqrt(dimension) * 2.0**-24


def _squared_distances(
    units: Vectors,
    items: npt.NDArray[np.int64],
    queries: Vectors,
    rows: npt.NDArray[np.int64],
) -> npt.NDArray[np.float64]:
    """‖units[items] − queries[rows]‖² [pairs], in float64. 0 if mere rounding may differ, 2 for a zero
    vector, as in Annoy."""
    squared = np.empty(len(items), dtype=np.float64)
    step = max(1, REFINE_BYTES // (8 * units.shape[1]))
    for start in range(0, len(items), step):
        part = slice(start, start + step)
        first, second = units[items[part]], queries[rows[part]]
        difference = first.astype(np.float64) - second
        squared[part] = np.einsum("pd,pd->p", difference, difference)
        squared[part][squared[part] < SAME_SQUARED] = 0
        squared[part][~(first.any(axis=1) & second.any(axis=1))] = 2
    return squared


def pair_distances(
    units: Vectors, first: ItemNumbers, second: ItemNumbers
) -> npt.NDArray[np.float64]:
    """The distances [pairs] between the unit rows first[i] and second[i], as in `exact_search`."""
    left, right = (np.asarray(places, dtype=np.int64) for places in (first, second))
    return np.sqrt(_squared_distances(units, left, units, right))


def _most_similar(similarity: Vectors, count: int) -> npt.NDArray[np.int64]:
    """The columns of the `count` largest values of each row [q, items], in no order.

    These lie in the `count` groups with the largest maxima, so only those groups are partitioned: a pass
    of maxima costs a tenth of a partition of whole rows. Group g is every `groups`-th column from g on.
    """
    items = similarity.shape[1]
    groups = items // GROUP
    if 2 * count > groups:
        return np.asarray(np.argpartition(similarity, items - count, axis=1)[:, items - count :])
    grouped = similarity[:, : groups * GROUP].reshape(len(similarity), GROUP, groups)
    best = np.argpartition(grouped.max(axis=1), groups - count, axis=1)[:, groups - count :]
    columns = (best[:, None] + groups * np.arange(GROUP)[:, None]).reshape(len(best), -1)
    rest = np.broadcast_to(np.arange(groups * GROUP, items), (len(best), items % GROUP))
    columns = np.concatenate([columns, rest], axis=1)
    return np.asarray(
        np.take_along_axis(
            columns, _most_similar(np.take_along_axis(similarity, columns, axis=1), count), axis=1
        )
    )


def drop_query(retrieved: Neighbours, queries: npt.NDArray[np.int64], n: int) -> Neighbours:
    """The first `n` of each row without the query's own item number.

    Dropping the first place would be wrong: a copy at distance 0 may come before the query.
    """
    dropped = (retrieved.items == queries[:, None]) | (retrieved.items < 0)
    order = np.argsort(dropped, axis=1, kind="stable")[:, :n]  # kept items come first
    gone = np.take_along_axis(dropped, order, axis=1)
    items = np.take_along_axis(retrieved.items, order, axis=1)
    distances = np.take_along_axis(retrieved.distances, order, axis=1)
    short = ((0, 0), (0, n - order.shape[1]))
    return Neighbours(
        np.pad(np.where(gone, -1, items), short, constant_values=-1),
        np.pad(np.where(gone, np.float32(np.inf), distances), short, constant_values=np.inf),
    )


def recall(retrieved: Neighbours, true: Neighbours) -> float:
    """The share, 0 to 1, of the true nearest items that were retrieved, by their item numbers."""
    hits = (retrieved.items[:, :, None] == true.items[:, None, :]).any(axis=1)
    return float(hits.mean())


def recall_with_ties(
    retrieved: Neighbours, true: Neighbours, units: Vectors, queries: Vectors
) -> float:
    """`recall` in which every item as near as the last true one counts as right: among sixty copies of
    one picture, no eleven are nearer than the others. 1 if there is no item to find.

    `true` are the exact neighbours of the unit rows `queries` [q, d] among the unit rows `units`
    [items, d]."""
    if not true.items.size:
        return 1.0
    hits = (retrieved.items[:, :, None] == true.items[:, None, :]).any(axis=2)
    rows, columns = np.nonzero(~hits & (retrieved.items >= 0))
    squared = _squared_distances(units, retrieved.items[rows, columns], queries, rows)
    last = _squared_distances(units, true.items[rows, -1], queries, rows)
    hits[rows, columns] = squared <= last * (1 + TIE)
    return float(np.minimum(hits.sum(axis=1), true.items.shape[1]).sum() / true.items.size)
