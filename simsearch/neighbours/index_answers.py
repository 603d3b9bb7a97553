"""The neighbours that an index finds for its own items, from its candidates and exact lists."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from simsearch.indexes.exact import Neighbours, drop_query
from simsearch.indexes.index import OpenIndex
from simsearch.neighbours.lists import Items, Lists
from simsearch.neighbours.numbering import NumberedImages

_ITEMS_AT_ONCE = 2**20  # neighbours held at once: 12 MiB


def search_by_index(index: OpenIndex, queries: Items, n: int, true: Lists) -> Neighbours:
    """The nearest `n` others that the index finds for its items `queries`.

    `true` are the queries' lists by exact search. The index's candidates are compared only if too few of
    them are in the list.
    """
    if index.manifest.exact_for(n + 1):
        return true.first(n)
    candidates = index.candidates(queries, n + 1)  # the query finds itself
    if candidates is None:
        return drop_query(index.near(queries, n + 1), queries, n)
    answers, short = order_candidates(candidates, true, n, len(index.images))
    if len(short):
        anew = drop_query(index.near(queries[short], n + 1), queries[short], n)
        answers.items[short], answers.distances[short] = anew.items, anew.distances
    return answers


def leave_out_near_duplicates(
    index: Callable[[], OpenIndex], numbered: NumberedImages, answered: Neighbours
) -> Neighbours:
    """The neighbours [originals, n] that the index finds, without images of near-duplicates.

    The index is searched again for originals with near-duplicates, each for as many more neighbours as
    the near-duplicates have images, so that n others are left. The index is opened only for these.
    """
    items, distances = answered.items.copy(), answered.distances.copy()
    n, more = items.shape[1], numbered.near_images()
    opened = index() if more.any() else None
    for extra in np.unique(more[more > 0]).tolist():
        assert opened is not None
        deep = min(n + extra + 1, len(opened.images))
        step = max(1, _ITEMS_AT_ONCE // deep)
        alike = np.flatnonzero(more == extra)
        for places in np.split(alike, range(step, len(alike), step)):
            queries = numbered.originals[places]
            retrieved = opened.near(queries, deep)
            near = numbered.near_to(retrieved.items, places)
            others = Neighbours(np.where(near, -1, retrieved.items), retrieved.distances)
            kept = drop_query(others, queries, n)
            items[places], distances[places] = kept.items, kept.distances
    return Neighbours(items, distances)


def order_candidates(
    candidates: Items, true: Lists, n: int, count: int
) -> tuple[Neighbours, Items]:
    """The `n` of each row's `candidates` [q, c] that come first in the row's list, and the rows whose list
    holds fewer. Items are numbered 0 to `count` − 1."""
    items = np.full((len(candidates), n), -1, dtype=np.int64)
    squared = np.full((len(candidates), n), np.inf)
    is_candidate = np.zeros(count + 1, dtype=bool)  # the last place is for −1, which is no item
    for row, own in enumerate(candidates):
        is_candidate[own] = True
        is_candidate[-1] = False
        places = np.flatnonzero(is_candidate[true.items[row]])[:n]
        is_candidate[own] = False
        items[row, : len(places)] = true.items[row, places]
        squared[row, : len(places)] = true.squared[row, places]
    short = np.flatnonzero(items[:, -1] < 0)
    return Neighbours(items, np.sqrt(squared).astype(np.float32)), short
