"""At which rank a space finds the copies of each artwork, with near-duplicates left out as in scores."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from simsearch.indexes.exact import drop_query, exact_search
from simsearch.indexes.index import OpenIndex
from simsearch.neighbours.numbering import Items, NumberedImages
from simsearch.reading.artworks import ImageNumbers

_ITEMS_AT_ONCE = 2**20  # neighbours held at once: 12 MiB

Ranks = npt.NDArray[np.int16]


def rank_copies(
    listed: ImageNumbers, copies: ImageNumbers, numbered: NumberedImages, queries: Items,
    index: Callable[[], OpenIndex],
) -> Ranks:  # fmt: skip
    """The exact ranks of copies [artworks, profiles] among the nearest images. Images of near-duplicates have
    no rank. 0: not within the depth of the lists, −1: not made.

    `queries` [artworks] are the artworks' own items, `listed` [artworks, depth] their nearest others, and
    `copies` [artworks, profiles] their copies. Where near-duplicates filled a list in which a copy is
    missing, as many more images are searched. The index is opened only for these.
    """
    places = numbered.places_of(queries)
    near = numbered.near_to(listed.astype(np.int64), places)
    order = np.argsort(near, axis=1, kind="stable")
    kept = np.take_along_axis(np.where(near, -1, listed), order, axis=1)
    ranks = _ranks(kept, copies)
    short = np.flatnonzero(near.any(axis=1) & (ranks == 0).any(axis=1))
    if len(short):
        again = _search(index(), numbered, places[short], listed.shape[1])
        ranks[short] = _ranks(again, copies[short])
    return ranks


def _ranks(listed: npt.NDArray[np.signedinteger], copies: ImageNumbers) -> Ranks:
    ranks = np.where(copies < 0, -1, 0).astype(np.int16)
    for place in range(copies.shape[1]):
        own = (listed == copies[:, place, None]) & (copies[:, place, None] >= 0)
        present = own.any(axis=1)
        ranks[present, place] = own[present].argmax(axis=1) + 1
    return ranks


def _search(index: OpenIndex, numbered: NumberedImages, places: Items, n: int) -> Items:
    """The nearest `n` images [places, n] of the originals at `places`, without themselves and images of
    their near-duplicates. All vectors are compared."""
    kept = np.full((len(places), n), -1, dtype=np.int64)
    more = numbered.near_images()[places]
    for extra in np.unique(more).tolist():
        deep = min(n + extra + 1, len(index.units))
        alike = np.flatnonzero(more == extra)
        step = max(1, _ITEMS_AT_ONCE // deep)
        for rows in np.split(alike, range(step, len(alike), step)):
            items = numbered.originals[places[rows]]
            nearest = exact_search(index.units, index.units[items], deep)
            near = numbered.near_to(nearest.items, places[rows])
            nearest.items[near] = -1
            kept[rows] = drop_query(nearest, items, n).items
    return kept
