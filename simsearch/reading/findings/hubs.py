"""Hubs: artworks that a space puts near to everything. Also artworks that it puts near to nothing."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simsearch.evaluation.neighbourhood import k_occurrence
from simsearch.reading.findings.neighbour_lists import NeighbourLists, Numbers


@dataclass(frozen=True)
class Hubs:
    """The number of others that have each artwork among their `k` nearest.

    `order` are artwork numbers, the most frequent neighbours first, `occurrences` their counts. `never` is
    the number of artworks that are nobody's neighbours.
    """

    k: int
    order: Numbers
    occurrences: Numbers
    never: int

    @property
    def total(self) -> int:
        return len(self.order)


def hubs(lists: NeighbourLists) -> Hubs:
    """Count the others that have each artwork among their k nearest: N_k, the k-occurrence, whose mean is k
    (Radovanović, Nanopoulos and Ivanović 2010)."""
    counts = k_occurrence(lists.numbers, lists.k).astype(np.int64)
    order = np.lexsort((np.arange(len(counts)), -counts))
    return Hubs(lists.k, order, counts[order], int((counts == 0).sum()))
