"""The artworks that are nearest to all artworks of a set."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from simsearch.indexes.exact import cosine
from simsearch.reading.artworks import Neighbour
from simsearch.reading.view import SnapshotView

CANDIDATES = 20_000  # most images that the index is asked for


def nearest_to_all(
    view: SnapshotView, space: str, numbers: Sequence[int], n: int
) -> list[Neighbour]:
    """The `n` artworks outside the set with the highest mean cosine to the set's artworks.

    The mean cosine is the product with the mean of the set's unit vectors, so the index searches in that
    direction. `distance` is that of two vectors with the mean cosine. An artwork of the set counts by its
    original. Its copies are no results. If the mean vector is zero, nothing is near.
    """
    variants = 1 + len(view.profiles)
    wanted = min(CANDIDATES, (n + len(numbers)) * variants)
    retrieved, length = view.index(space).around(
        [int(view.item_of_artwork[number]) for number in numbers], wanted
    )
    own = set(numbers)
    nearest: dict[int, float] = {}
    for item, distance in zip(retrieved.items[0], retrieved.distances[0], strict=True):
        number = int(view.artwork_of_item[item]) if item >= 0 else -1
        if number >= 0 and number not in own:
            nearest.setdefault(number, float(distance))
    return [
        Neighbour(rank, int(view.item_of_artwork[number]), _apart(distance, length))
        for rank, (number, distance) in enumerate(list(nearest.items())[:n], start=1)
    ]


def _apart(distance: float, length: float) -> float:
    return float(np.sqrt(max(0.0, 2 - 2 * cosine(distance) * length)))
