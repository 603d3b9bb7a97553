"""Works that look alike and are by different artists."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from simsearch.evaluation.labels import label_matrix
from simsearch.indexes.exact import cosine
from simsearch.reading.findings.neighbour_lists import Distances, NeighbourLists, Numbers
from simsearch.reading.view import SnapshotView


@dataclass(frozen=True)
class AlikePair:
    """Two artworks, by number, and their cosine in each space in which they are neighbours."""

    first: int
    second: int
    scores: dict[str, float]


def alike_pairs(
    view: SnapshotView, lists: Mapping[str, NeighbourLists], duplicates: set[tuple[int, int]]
) -> list[AlikePair]:
    """Pairs that are neighbours in all spaces and whose artists are known and differ, nearest first.

    Near-duplicates and artworks with the same picture are left out, as they are one work twice. Distances
    are averaged over spaces, relative to the usual distance in each.
    """
    n = len(view)
    pairs_of = {space: _pairs(space_lists, n) for space, space_lists in lists.items()}
    keys = np.unique(next(iter(pairs_of.values()))[0])
    for pairs, _ in pairs_of.values():
        keys = np.intersect1d(keys, pairs)
    distances = np.stack([_at(keys, *pairs) for pairs in pairs_of.values()], axis=1)
    keep = _other_hands(view, keys // n, keys % n)
    keep &= ~np.isin(keys, np.array([a * n + b for a, b in duplicates], np.int64))
    keys, distances = keys[keep], distances[keep]
    if not len(keys):
        return []
    usual = [max(1e-9, float(np.median(pairs[1]))) for pairs in pairs_of.values()]
    order = np.lexsort((keys, (distances / usual).mean(axis=1)))
    return [
        AlikePair(
            int(keys[place] // n),
            int(keys[place] % n),
            {
                space: cosine(float(distance))
                for space, distance in zip(pairs_of, distances[place], strict=True)
            },
        )
        for place in order
    ]


def _pairs(lists: NeighbourLists, n: int) -> tuple[Numbers, Distances]:
    """The pairs of neighbours a < b as sorted keys a × n + b, each once, and their distances."""
    rows, columns = np.nonzero(lists.numbers >= 0)
    others = lists.numbers[rows, columns]
    keys = np.minimum(rows, others) * n + np.maximum(rows, others)
    unique, first = np.unique(keys, return_index=True)
    return unique, lists.distances[rows, columns][first]


def _at(keys: Numbers, pairs: Numbers, distances: Distances) -> Distances:
    return np.asarray(distances[np.searchsorted(pairs, keys)])


def _other_hands(view: SnapshotView, first: Numbers, second: Numbers) -> npt.NDArray[np.bool_]:
    artists = label_matrix([names or () for names in view.catalog["artists"].to_pylist()])
    known = np.diff(artists.indptr) > 0
    shared = np.asarray(artists[first].multiply(artists[second]).sum(axis=1)).ravel() > 0
    hashes = np.array(view.hashes.take(view.item_of_artwork).to_pylist(), dtype=object)
    return np.asarray(known[first] & known[second] & ~shared & (hashes[first] != hashes[second]))
