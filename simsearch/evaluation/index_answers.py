"""What an index answers for its own items, from its candidates and the lists of exact search."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from simsearch.evaluation.lists import Items, Lists
from simsearch.indexes.exact import Neighbours
from simsearch.indexes.index import OpenIndex


def index_answers(index: OpenIndex, queries: Items, n: int, true: Lists) -> Neighbours:
    """The nearest `n` others of the index's items `queries`, as the index finds them.

    `true` are their lists by exact search, so that the index's candidates are compared only where too
    few of them are in the list.
    """
    if index.manifest.exact_for(n + 1):
        return true.first(n)
    candidates = index.candidates(queries, n + 1)  # the query finds itself
    if candidates is None:
        return drop_query(index.near(queries, n + 1), queries, n)
    answers, short = candidates_in_order(candidates, true, n, len(index.images))
    if len(short):
        anew = drop_query(index.near(queries[short], n + 1), queries[short], n)
        answers.items[short], answers.distances[short] = anew.items, anew.distances
    return answers


def candidates_in_order(
    candidates: Items, true: Lists, n: int, count: int
) -> tuple[Neighbours, Items]:
    """Of each row's `candidates` [q, c], of items 0 to `count` − 1, the `n` that come first in its list,
    and the rows whose list holds fewer."""
    items = np.full((len(candidates), n), -1, dtype=np.int64)
    squared = np.full((len(candidates), n), np.inf)
    is_candidate = np.zeros(count + 1, dtype=bool)  # its last place is that of −1, which is no item
    for row, own in enumerate(candidates):
        is_candidate[own] = True
        is_candidate[-1] = False
        places = np.flatnonzero(is_candidate[true.items[row]])[:n]
        is_candidate[own] = False
        items[row, : len(places)] = true.items[row, places]
        squared[row, : len(places)] = true.squared[row, places]
    short = np.flatnonzero(items[:, -1] < 0)
    return Neighbours(items, np.sqrt(squared).astype(np.float32)), short


def drop_query(retrieved: Neighbours, queries: npt.NDArray[np.int64], n: int) -> Neighbours:
    """The first `n` of each row without the query itself, by its item number.

    A copy at distance 0 may come before the query: dropping the first place would lose it.
    """
    dropped = (retrieved.items == queries[:, None]) | (retrieved.items < 0)
    order = np.argsort(dropped, axis=1, kind="stable")[:, :n]  # what is kept comes first
    gone = np.take_along_axis(dropped, order, axis=1)
    items = np.take_along_axis(retrieved.items, order, axis=1)
    distances = np.take_along_axis(retrieved.distances, order, axis=1)
    short = ((0, 0), (0, n - order.shape[1]))
    return Neighbours(
        np.pad(np.where(gone, -1, items), short, constant_values=-1),
        np.pad(np.where(gone, np.float32(np.inf), distances), short, constant_values=np.inf),
    )
