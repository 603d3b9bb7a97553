"""Neighbour quality without copies: labels, agreement, hubs, near-duplicates; plain NumPy and SciPy.

Everything here is about a collection's originals, numbered 0 to n − 1; neighbour lists [n, k] hold
such numbers, nearest first, −1 where a list ends.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.sparse

from simsearch.evaluation.statistics import Floats

Items = npt.NDArray[np.int64]

# Says that nobody knows, which no two works share.
NO_LABEL = ("unknown", "anonymous", "unidentified", "various")
_ROWS_AT_ONCE = 256


def label_matrix(labels: Sequence[Iterable[str | None]]) -> Any:
    """Which of all labels each original has: a sparse matrix [n, labels] of 0 and 1.

    Empty labels and those that say "unknown" are none.
    """
    columns: dict[str, int] = {}
    rows, places = [], []
    for row, words in enumerate(labels):
        for word in {" ".join(word.split()).casefold() for word in words if word}:
            if word and not word.startswith(NO_LABEL):
                rows.append(row)
                places.append(columns.setdefault(word, len(columns)))
    shape = (len(labels), max(1, len(columns)))
    return scipy.sparse.csr_array((np.ones(len(rows), np.int32), (rows, places)), shape=shape)


def label_precision(items: Items, matrix: Any, k: int) -> tuple[Floats, Floats, Floats]:
    """Three values [q] for each original that has a label: the share of its first k neighbours that
    have a label in common with it; the share expected of neighbours drawn at random; the largest
    share possible.

    Only originals with k neighbours in their list are taken.
    """
    labelled = np.diff(matrix.indptr) > 0
    queries = np.flatnonzero(labelled & (items[:, :k] >= 0).all(axis=1) & (items.shape[1] >= k))
    hits = np.zeros(len(queries))
    for place in range(k):
        both = matrix[queries].multiply(matrix[items[queries, place]])
        hits += np.asarray(both.sum(axis=1)).ravel() > 0
    alike = _alike(matrix, queries)
    others = max(1, matrix.shape[0] - 1)
    return hits / k, alike / others, np.minimum(k, alike) / k


def _alike(matrix: Any, queries: Items) -> Floats:
    """For each query [q] the number of other originals that it has a label in common with."""
    counts = np.zeros(len(queries))
    for start in range(0, len(queries), _ROWS_AT_ONCE):
        part = queries[start : start + _ROWS_AT_ONCE]
        shared = (matrix[part] @ matrix.T).tocsr()
        counts[start : start + len(part)] = np.diff(shared.indptr) - 1  # itself
    return counts


def overlap(first: Items, second: Items, k: int) -> Floats:
    """Per original [n]: the share of its k nearest that two spaces have in common."""
    a, b = first[:, :k], second[:, :k]
    both = (a[:, :, None] == b[:, None, :]) & (a >= 0)[:, :, None]
    return np.asarray(both.any(axis=2).sum(axis=1) / max(1, a.shape[1]))


def k_occurrence(items: Items, k: int) -> Floats:
    """For each original [n] the number of others that have it among their k nearest. If these numbers
    are strongly skewed, there are hubs: originals that are near to everything (Radovanović,
    Nanopoulos and Ivanović 2010)."""
    neighbours = items[:, :k]
    return np.bincount(neighbours[neighbours >= 0], minlength=len(items)).astype(np.float64)


@dataclass(frozen=True)
class ClosePairs:
    """Pairs of `originals` originals that a space puts within its threshold: `codes` int64 [p], the lower
    number × originals + the higher, ascending, and `distances` float32 [p]."""

    codes: Items
    distances: npt.NDArray[np.float32]
    originals: int


def close_pairs(items: Items, distances: npt.NDArray[np.float32], threshold: float) -> ClosePairs:
    """The pairs within `threshold` in neighbour lists `items` [n, k] with `distances` [n, k]."""
    rows, columns = np.nonzero((items >= 0) & (distances <= threshold))
    others = items[rows, columns]
    codes = np.minimum(rows, others) * len(items) + np.maximum(rows, others)
    # A pair that is in both lists has the distance of the later one.
    unique, last = np.unique(codes[::-1], return_index=True)
    return ClosePairs(unique, distances[rows, columns][::-1][last], len(items))


def near_pairs(close: Mapping[str, ClosePairs]) -> dict[tuple[int, int], dict[str, float]]:
    """Pairs of originals, the lower number first, that every space puts within its threshold, with
    their distance in each.

    All spaces have to agree: a space judged by its own near-duplicates alone could excuse any error.
    """
    agreed = reduce(np.intersect1d, [pairs.codes for pairs in close.values()])
    distances_of = {
        space: pairs.distances[np.searchsorted(pairs.codes, agreed)]
        for space, pairs in close.items()
    }
    count = next(iter(close.values())).originals
    return {
        (int(code // count), int(code % count)): {
            space: float(distances[place]) for space, distances in distances_of.items()
        }
        for place, code in enumerate(agreed)
    }
