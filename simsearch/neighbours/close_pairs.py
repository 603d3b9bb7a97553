"""Pairs of originals that spaces put close together; plain NumPy.

Originals are numbered 0 to n − 1; neighbour lists [n, k] hold such numbers, nearest first, −1 where a
list ends.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import reduce

import numpy as np
import numpy.typing as npt

Items = npt.NDArray[np.int64]


@dataclass(frozen=True)
class ClosePairs:
    """Pairs of `originals` originals that a space puts within its threshold: `codes` int64 [p], the lower
    number × originals + the higher, ascending, and `distances` float32 [p]."""

    codes: Items
    distances: npt.NDArray[np.float32]
    originals: int

    def with_more(self, more: ClosePairs) -> ClosePairs:
        """These pairs and others of the same originals."""
        codes, place = np.unique(np.concatenate([self.codes, more.codes]), return_index=True)
        return ClosePairs(
            codes, np.concatenate([self.distances, more.distances])[place], self.originals
        )


def close_pairs(items: Items, distances: npt.NDArray[np.float32], threshold: float) -> ClosePairs:
    """The pairs within `threshold` in neighbour lists `items` [n, k] with `distances` [n, k]."""
    rows, columns = np.nonzero((items >= 0) & (distances <= threshold))
    others = items[rows, columns]
    codes = np.minimum(rows, others) * len(items) + np.maximum(rows, others)
    # A pair that is in both lists has the distance of the later one.
    unique, last = np.unique(codes[::-1], return_index=True)
    return ClosePairs(unique, distances[rows, columns][::-1][last], len(items))


def agreed_pairs(
    close: Mapping[str, ClosePairs],
) -> tuple[Items, dict[str, npt.NDArray[np.float32]]]:
    """The codes [p] of the pairs of originals that every space puts within its threshold, and their
    distances [p] in each; none where there is no space.

    All spaces have to agree: a space judged by its own near-duplicates alone could excuse any error.
    """
    if not close:
        return np.zeros(0, np.int64), {}
    agreed = reduce(np.intersect1d, [pairs.codes for pairs in close.values()])
    return agreed, {
        space: pairs.distances[np.searchsorted(pairs.codes, agreed)]
        for space, pairs in close.items()
    }
