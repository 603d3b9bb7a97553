"""Hubs: artworks that a space puts near to everything, and those it puts near to nothing."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simsearch.evaluation.neighbourhood import k_occurrence
from simsearch.reading.findings.neighbour_lists import NeighbourLists, Numbers


@dataclass(frozen=True)
class Hubs:
    """How often each artwork is among the `k` nearest of another.

    `order` are artwork numbers, the most often found first, `occurrences` their counts; `never` counts
    the artworks that are among nobody's nearest.
    """

    k: int
    order: Numbers
    occurrences: Numbers
    never: int

    @property
    def total(self) -> int:
        return len(self.order)


def hubs(lists: NeighbourLists) -> Hubs:
    """Count how often each artwork is among the k nearest of another: N_k, the k-occurrence, whose mean
    is k (Radovanović, Nanopoulos and Ivanović 2010)."""
    counts = k_occurrence(lists.numbers, lists.k).astype(np.int64)
    order = np.lexsort((np.arange(len(counts)), -counts))
    return Hubs(lists.k, order, counts[order], int((counts == 0).sum()))
