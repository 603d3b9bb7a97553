"""Neighbour quality without copies: labels, agreement, hubs; plain NumPy.

A collection's originals are numbered 0 to n − 1. Neighbour lists [n, k] hold such numbers, nearest first,
−1 where a list ends.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from simsearch.evaluation.labels import Labels
from simsearch.evaluation.statistics import Floats

Items = npt.NDArray[np.int64]


def label_precision(items: Items, labels: Labels, k: int) -> tuple[Floats, Floats, Floats]:
    """Three values [q] for each original with a label: the share of its first k neighbours that share a
    label with it, the share expected for random neighbours, and the largest possible share.

    Only originals with k neighbours in their list count.
    """
    matrix = labels.matrix
    labelled = np.diff(matrix.indptr) > 0
    queries = np.flatnonzero(labelled & (items[:, :k] >= 0).all(axis=1) & (items.shape[1] >= k))
    hits = np.zeros(len(queries))
    for place in range(k):
        both = matrix[queries].multiply(matrix[items[queries, place]])
        hits += np.asarray(both.sum(axis=1)).ravel() > 0
    alike = labels.alike[queries]
    others = np.maximum(1, labels.others[queries])
    return hits / k, alike / others, np.minimum(k, alike) / k


def overlap(first: Items, second: Items, k: int) -> Floats:
    """The share of each original's [n] k nearest neighbours that two spaces have in common. If an original
    has fewer neighbours, all count; if it has none, the share is 0."""
    a, b = first[:, :k], second[:, :k]
    both = (a[:, :, None] == b[:, None, :]) & (a >= 0)[:, :, None]
    listed = np.maximum((a >= 0).sum(axis=1), (b >= 0).sum(axis=1))
    return np.asarray(both.any(axis=2).sum(axis=1) / np.maximum(1, listed))


def k_occurrence(items: Items, k: int) -> Floats:
    """The number of others that have each original [n] among their k nearest. If these numbers are
    strongly skewed, there are hubs: originals that are near to everything (Radovanović, Nanopoulos and
    Ivanović 2010)."""
    neighbours = items[:, :k]
    return np.bincount(neighbours[neighbours >= 0], minlength=len(items)).astype(np.float64)
