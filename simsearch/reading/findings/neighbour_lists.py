"""Every artwork's nearest other artworks in a space, as two arrays. Findings are counted from them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from simsearch.reading.artworks import StoredNeighbours
from simsearch.reading.view import SnapshotView
from simsearch.snapshots.layout import ORIGINALS

Numbers = npt.NDArray[np.int64]
Distances = npt.NDArray[np.float32]


@dataclass(frozen=True)
class NeighbourLists:
    """`numbers` [artworks, k] are the artworks nearest to each artwork, nearest first, −1 where a list ends.
    `distances` [artworks, k] are their angular distances, ∞ where a list ends."""

    numbers: Numbers
    distances: Distances

    @property
    def k(self) -> int:
        return int(self.numbers.shape[1])


def neighbour_lists(view: SnapshotView, space: str) -> NeighbourLists:
    """The lists that are stored by exact search among originals. Raises NotFoundError."""
    return fold(view, view.stored(space, ORIGINALS))


def fold(view: SnapshotView, stored: StoredNeighbours) -> NeighbourLists:
    """Turn lists of images into lists of artworks. An artwork is listed once, at its nearest image. The
    copies of the list's own artwork are left out."""
    numbers = np.where(stored.items >= 0, view.artwork_of_item[stored.items], -1).astype(np.int64)
    numbers[numbers == np.arange(len(numbers))[:, None]] = -1
    for place in range(1, numbers.shape[1]):
        again = (numbers[:, :place] == numbers[:, place, None]).any(axis=1)
        numbers[again, place] = -1
    order = np.argsort(numbers < 0, axis=1, kind="stable")
    numbers = np.take_along_axis(numbers, order, axis=1)
    distances = np.take_along_axis(stored.distances, order, axis=1)
    distances = np.where(numbers >= 0, distances, np.float32(np.inf))
    longest = max(1, int((numbers >= 0).sum(axis=1).max(initial=0)))
    return NeighbourLists(numbers[:, :longest], distances[:, :longest].astype(np.float32))
