"""Pairs of pictures that are worth comparing, because a space has one among the nearest of the other; plain
NumPy."""

from __future__ import annotations

from collections.abc import Collection, Iterable

import numpy as np

from simsearch.features.vectors import Vectors
from simsearch.indexes.exact import Neighbours, nearest
from simsearch.neighbours.lists import Items
from simsearch.neighbours.numbering import NumberedImages


def spaces_asked(
    spaces: Iterable[str], collapsed: Collection[str], untrained: Collection[str]
) -> tuple[str, ...]:
    """The spaces whose nearest pictures are compared: trained ones that tell pictures apart, or any such
    where none of these is trained."""
    apart = tuple(space for space in spaces if space not in collapsed)
    return tuple(space for space in apart if space not in untrained) or apart


def first_of_picture(numbered: NumberedImages) -> Items:
    """For each original [n] the place of the first one that shows the same picture."""
    _, first, number = np.unique(
        numbered.pictures[numbered.originals], return_index=True, return_inverse=True
    )
    return np.asarray(first[number])


def nearest_pictures(
    numbered: NumberedImages, lists: Neighbours, units: Vectors, k: int
) -> Neighbours:
    """The nearest `k` other pictures of each original [n, k], each under the first original that shows it;
    −1 and ∞ where there are fewer, and in all rows but those of such first originals.

    `lists` are the nearest originals, by item. Where a list holds too few other pictures, as many
    originals show one, the vectors `units` [items, d] are searched.
    """
    first = first_of_picture(numbered)
    firsts = np.unique(first)
    places = numbered.places_of(lists.items)
    shown = np.where(places < 0, -1, first[places])[firsts]
    left_out = (shown < 0) | (shown == firsts[:, None]) | _repeated(shown)
    order = np.argsort(left_out, axis=1, kind="stable")
    shown = np.where(left_out, -1, shown)
    distances = np.where(left_out, np.float32(np.inf), lists.distances[firsts])
    shown, distances = (_wide(np.take_along_axis(m, order, axis=1), k) for m in (shown, distances))
    short = np.flatnonzero((shown >= 0).sum(axis=1) < min(k, len(firsts) - 1))
    if len(short):
        pictures = units[numbered.originals[firsts]]
        near, squared = nearest(pictures, pictures[short], k + 1)
        others = near != short[:, None]
        for row, own, apart, kept in zip(short, near, np.sqrt(squared), others, strict=True):
            count = min(k, int(kept.sum()))
            shown[row, :count] = firsts[own[kept][:count]]
            distances[row, :count] = apart[kept][:count]
    items = np.full((len(first), k), -1, np.int64)
    apart_all = np.full((len(first), k), np.inf, np.float32)
    items[firsts], apart_all[firsts] = shown, distances
    return Neighbours(items, apart_all)


def pair_codes(numbered: NumberedImages, lists: Items) -> Items:
    """The pairs of pictures in the originals' lists [n, k] of places, −1 where one ends: each once, as the
    lower number of a picture × all pictures + the higher, ascending."""
    pictures = numbered.pictures[numbered.originals]
    rows, columns = np.nonzero(lists >= 0)
    first, second = pictures[rows], pictures[lists[rows, columns]]
    lower, higher = np.minimum(first, second), np.maximum(first, second)
    return np.unique(lower * (int(pictures.max(initial=0)) + 1) + higher)


def _wide(matrix: Items, k: int) -> Items:
    """The first `k` columns, filled up where there are fewer."""
    missing = max(0, k - matrix.shape[1])
    nothing = -1 if matrix.dtype.kind == "i" else np.inf
    return np.pad(matrix, ((0, 0), (0, missing)), constant_values=nothing)[:, :k]


def _repeated(matrix: Items) -> np.ndarray:
    """Which entries of the rows stand in their row before."""
    order = np.argsort(matrix, axis=1, kind="stable")
    ordered = np.take_along_axis(matrix, order, axis=1)
    again = np.zeros(matrix.shape, dtype=bool)
    again[:, 1:] = ordered[:, 1:] == ordered[:, :-1]
    repeated = np.zeros(matrix.shape, dtype=bool)
    np.put_along_axis(repeated, order, again, axis=1)
    return repeated
