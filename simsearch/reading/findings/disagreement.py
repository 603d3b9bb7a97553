"""Artworks whose neighbours no two spaces agree on, and artworks that all agree are near each other."""

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
    """`order` are artwork numbers, those that the spaces agree on least first; `agreement` [artworks]
    the share of the `k` nearest that two spaces have in common, averaged over all pairs of spaces."""

    k: int
    order: Numbers
    agreement: npt.NDArray[np.float64]

    @property
    def none(self) -> int:
        """How many artworks no two spaces agree on at all."""
        return int((self.agreement == 0).sum())


def disagreement(lists: Mapping[str, NeighbourLists]) -> Disagreement:
    """The disagreement of at least two spaces, by their neighbour lists.

    Among artworks with the same agreement those come first whose nearest neighbours are nearest:
    every space is sure of its answer there, and the answers differ."""
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
    """How far each artwork's nearest is, in units of what is usual in its space."""
    nearest = lists.distances[:, 0].astype(np.float64)
    usual = np.median(nearest[np.isfinite(nearest)]) if np.isfinite(nearest).any() else 1.0
    return np.where(np.isfinite(nearest), nearest / max(usual, 1e-9), np.inf)
