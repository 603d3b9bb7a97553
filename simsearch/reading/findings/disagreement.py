"""Artworks on whose neighbours the spaces disagree, and artworks on whose neighbours all agree."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt

from simsearch.evaluation.neighbourhood import overlap
from simsearch.reading.findings.neighbour_lists import NeighbourLists, Numbers


@dataclass(frozen=True)
class Disagreement:
    """`order` are artwork numbers, from the least to the most agreement. `agreement` [artworks] is the share
    of the `k` nearest that two spaces have in common, averaged over all pairs of spaces."""

    k: int
    order: Numbers
    agreement: npt.NDArray[np.float64]

    @property
    def none(self) -> int:
        """The number of artworks with no common neighbour in any two spaces."""
        return int((self.agreement == 0).sum())


def disagreement(lists: Mapping[str, NeighbourLists]) -> Disagreement:
    """The disagreement of at least two spaces, from their neighbour lists.

    Among artworks with the same agreement, those with the nearest neighbours come first: there every space
    is sure, and the spaces still differ."""
    k = min(space_lists.k for space_lists in lists.values())
    shared = [
        overlap(first.numbers, second.numbers, k)
        for first, second in combinations(lists.values(), 2)
    ]
    agreement = np.mean(shared, axis=0)
    sure = np.mean([_relative(space_lists) for space_lists in lists.values()], axis=0)
    order = np.lexsort((np.arange(len(sure)), sure, agreement))
    return Disagreement(k, order, agreement[order])


def _relative(lists: NeighbourLists) -> npt.NDArray[np.float64]:
    """The distance of each artwork's nearest neighbour, relative to the usual distance in its space."""
    nearest = lists.distances[:, 0].astype(np.float64)
    usual = np.median(nearest[np.isfinite(nearest)]) if np.isfinite(nearest).any() else 1.0
    return np.where(np.isfinite(nearest), nearest / max(usual, 1e-9), np.inf)
