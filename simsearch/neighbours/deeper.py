"""Search again for neighbour lists that are too short to be scored: lists full of near-duplicates, and
lists that end among images at the same distance."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from simsearch.features.vectors import Vectors
from simsearch.indexes.exact import Neighbours, cosine_error, pair_distances
from simsearch.neighbours.lists import Items

_NUMBERS_AT_ONCE = 2**24  # 64 MiB of cosines at a time


@dataclass(frozen=True)
class Deeper:
    """Lists that replace those of the queries `rows` [r]: their `neighbours` [r, width], and `beyond` int64
    [r], the number of further images as far as the last one."""

    rows: Items
    neighbours: Neighbours
    beyond: Items

    def over(self, lists: Neighbours) -> tuple[Neighbours, Items]:
        """All lists, with these in place of the ones that they replace, and the `beyond` of each list."""
        items, distances = lists.items.copy(), lists.distances.copy()
        beyond = np.zeros(len(items), np.int64)
        items[self.rows] = self.neighbours.items
        distances[self.rows] = self.neighbours.distances
        beyond[self.rows] = self.beyond
        return Neighbours(items, distances), beyond


def find_too_short(
    lists: Neighbours, left_out: npt.NDArray[np.bool_], needed: int, following: Vectors
) -> Items:
    """The rows of incomplete `lists` [n, width] that are too short without the images `left_out`
    [n, width]: fewer than `needed` images remain, or the last needed one is as far as the image after the
    list, whose distance is `following` [n] (∞: no image follows)."""
    if not lists.items.shape[1]:
        return np.zeros(0, np.int64)
    kept = ~left_out & (lists.items >= 0)
    few = kept.sum(axis=1) < needed
    enough = np.minimum(kept.sum(axis=1), needed)
    place = np.argmax((kept.cumsum(axis=1) == enough[:, None]) & kept, axis=1)
    last = lists.distances[np.arange(len(place)), place]
    return np.flatnonzero(np.isfinite(following) & (few | (last == following)))


class DeepSearch:
    """Exact search among the items `among` of `units` [items, d], without some items for each query.
    Equally distant images are in random order. If a list ends among them, the rest is counted."""

    def __init__(self, units: Vectors, among: Items, seed: int) -> None:
        self._units, self._among, self._seed = units, among, seed
        digests = [hashlib.blake2b(row.tobytes(), digest_size=16).digest() for row in units[among]]
        # Equal vectors are compared once: all images may have the same one.
        _, self._first, self._vector = np.unique(
            np.array(digests, dtype="S16"), return_index=True, return_inverse=True
        )

    def __call__(
        self,
        queries: Items,
        left_out: Sequence[Items],
        first: Sequence[Items],
        width: int,
    ) -> tuple[Neighbours, Items]:
        """The nearest `width` items of each of `queries` [q] without the query and the items `left_out`.
        Among equally distant items those of `first` come first. Also the number [q] of further items as
        far as the last."""
        items = np.full((len(queries), width), -1, np.int64)
        distances = np.full((len(queries), width), np.inf, np.float32)
        beyond = np.zeros(len(queries), np.int64)
        step = max(1, _NUMBERS_AT_ONCE // len(self._units))
        for start in range(0, len(queries), step):
            rows = range(start, min(start + step, len(queries)))
            cosines = (self._units[queries[rows]] @ self._units.T)[:, self._among[self._first]]
            for row, own in zip(rows, cosines, strict=True):
                query = int(queries[row])
                allowed = ~np.isin(self._among, np.append(left_out[row], query))
                near, near_distances = self._crowd(query, own, allowed, width)
                later = ~np.isin(near, first[row])
                drawn = np.random.default_rng([self._seed, query]).random(len(near))
                kept = min(width, len(near))
                order = _first(near_distances, later + drawn, kept)
                items[row, :kept] = near[order]
                distances[row, :kept] = near_distances[order]
                if kept:
                    last = near_distances[order[-1]]
                    beyond[row] = (near_distances == last).sum() - (distances[row] == last).sum()
        return Neighbours(items, distances), beyond

    def _crowd(
        self, query: int, cosines: Vectors, allowed: npt.NDArray[np.bool_], width: int
    ) -> tuple[Items, Vectors]:
        """Items, in no order, that include the nearest `width` and all as far as the last of them."""
        counts = np.bincount(self._vector[allowed], minlength=len(cosines))
        order = np.argsort(-cosines, kind="stable")
        reached = np.searchsorted(counts[order].cumsum(), width)
        low = cosines[order[min(int(reached), len(order) - 1)]]
        return self._measured(query, cosines, allowed, float(low))

    def _measured(
        self, query: int, cosines: Vectors, allowed: npt.NDArray[np.bool_], low: float
    ) -> tuple[Items, Vectors]:
        """The items whose float32 cosine may be at least `low`, with their distances."""
        chosen = cosines >= low - 2 * cosine_error(self._units.shape[1])
        vectors = np.flatnonzero(chosen)
        measured = np.full(len(cosines), np.inf)
        measured[vectors] = pair_distances(
            self._units, np.full(len(vectors), query), self._among[self._first[vectors]]
        )
        places = np.flatnonzero(allowed & chosen[self._vector])
        return self._among[places], measured[self._vector[places]].astype(np.float32)


def _first(distances: Vectors, ranks: npt.NDArray[np.float64], count: int) -> Items:
    """The places of the `count` lowest `distances` in order, equal ones by their `ranks`.

    Only these are sorted: sorting 35,000 equal ones would take 6 ms.
    """
    if not count:
        return np.zeros(0, np.int64)
    last = np.partition(distances, count - 1)[count - 1]
    nearer = np.flatnonzero(distances < last)
    tied = np.flatnonzero(distances == last)
    more = count - len(nearer)
    drawn = tied[np.argpartition(ranks[tied], more - 1)[:more]]
    chosen = np.concatenate([nearer, drawn])
    return np.asarray(chosen[np.lexsort((ranks[chosen], distances[chosen]))])
