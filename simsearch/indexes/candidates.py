"""Search for the nearest items in two steps: Annoy over a few principal components gives candidates, then
the whole vectors order the candidates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from simsearch.features.vectors import Vectors, unit_rows
from simsearch.indexes.annoy import annoy_search, check_queries
from simsearch.indexes.exact import Neighbours, drop_query, exact_search, recall_with_ties

if TYPE_CHECKING:
    from annoy import AnnoyIndex

# An index of few numbers a vector is small and fast, and the whole vectors correct its order. It has a
# sixteenth of the numbers, at least 16 and at most 128. At 2,048 dimensions, more than 128 are no faster
# for the same recall, and with fewer than 16, hundreds of candidates are needed.
SHARE, FEWEST, MOST = 16, 16, 128

# Numbers that exact search reads in sequence while Annoy looks up one item of any number of components:
# 700 to 1,000 on an AMD core with AVX-512, 250 to 400 on one without (10,000 to 47,000 items of 512 to
# 4,096 dimensions, one query at a time).
READ_PER_LOOKUP = 500

# Numbers that exact search reads in sequence while one number of a candidate, whose vector lies anywhere,
# is compared: 10 to 11.
READ_PER_COMPARED = 10


def components_for(dimension: int) -> int:
    """The number of principal components that Annoy gets for vectors of that dimension."""
    return min(dimension, max(FEWEST, min(MOST, dimension // SHARE)))


def is_slower_than_exact(items: int, dimension: int, search_k: int, candidates: int) -> bool:
    """Whether exact search of `items` vectors takes less time than Annoy, which looks up `search_k` items,
    and the comparison of its `candidates`."""
    asked = READ_PER_LOOKUP * search_k + READ_PER_COMPARED * candidates * dimension
    return asked >= items * dimension


@dataclass(frozen=True)
class IndexSearch:
    """A search in two steps. `annoy` holds the components of `units` float32 [items, d] along `axes`
    [d, components] (None: the whole vectors). For the nearest n it gives n × `factor` candidates."""

    annoy: AnnoyIndex
    units: Vectors
    axes: Vectors | None
    factor: int
    search_k: int

    def __call__(self, queries: Vectors, n: int) -> Neighbours:
        """The nearest `n` found for unit rows [q, d], ordered as in `exact_search`. Distances are those of
        the whole vectors."""
        n = min(n, len(self.units))
        candidates = self.candidates(queries, n)
        items = np.full((len(queries), n), -1, dtype=np.int64)
        distances = np.full((len(queries), n), np.inf, dtype=np.float32)
        for row, query in enumerate(queries):
            own = np.sort(candidates[row][candidates[row] >= 0])
            nearest = exact_search(self.units[own], query[None], n)
            width = nearest.items.shape[1]
            items[row, :width] = own[nearest.items[0]]
            distances[row, :width] = nearest.distances[0]
        return Neighbours(items, distances)

    def candidates(self, queries: Vectors, n: int) -> npt.NDArray[np.int64]:
        """Annoy's candidates [q, c] for the nearest `n` of unit rows [q, d], in Annoy's order. −1 where
        there are fewer."""
        reduced = queries if self.axes is None else queries @ self.axes
        wanted = min(len(self.units), n * self.factor)
        return annoy_search(self.annoy, reduced, wanted, max(self.search_k, wanted)).items


def tune(
    annoy: AnnoyIndex,
    units: Vectors,
    axes: Vectors | None,
    *,
    n: int,
    trees: int,
    target: float,
    seed: int,
) -> tuple[IndexSearch, dict[str, float]]:
    """The search that finds `target` of an item's `n` nearest others with the fewest candidates and the
    smallest `search_k`, each from a series that doubles. Also the recall at every `search_k` that was tried.

    The recall is measured on a seeded sample of the index's own items (see `measure_recall`). If even a
    search of everything misses the target, as float32 distances cannot order vectors that lie too close,
    the smallest `search_k` with the best recall is chosen.
    """
    n = min(n, len(units) - 1)
    sample = check_queries(len(units), seed)
    factor = _factor(units, sample, axes, n, (1 + target) / 2)
    tried: dict[str, float] = {}
    search_k = (n + 1) * factor
    while True:
        search = IndexSearch(annoy, units, axes, factor, search_k)
        reached = measure_recall(search, units, sample, n)
        tried[str(search_k)] = reached
        if reached >= target:
            return search, tried
        if search_k >= len(units) * trees:
            best = max(tried, key=lambda value: tried[value])
            return IndexSearch(annoy, units, axes, factor, int(best)), tried
        search_k *= 2


def measure_recall(
    search: IndexSearch, units: Vectors, queries: npt.NDArray[np.int64], n: int
) -> float:
    """The share of the true `n` nearest others of the items `queries` that `search` finds. The search is
    for n + 1, as each item finds itself. Items as near as the last true one count as right."""
    n = min(n, len(units) - 1)
    rows = units[queries]
    retrieved, true = (
        drop_query(neighbours, queries, n)
        for neighbours in (search(rows, n + 1), exact_search(units, rows, n + 1))
    )
    return recall_with_ties(retrieved, true, units, rows)


def _factor(
    units: Vectors,
    sample: npt.NDArray[np.int64],
    axes: Vectors | None,
    n: int,
    target: float,
) -> int:
    """The number of candidates per neighbour that have to be ordered even if Annoy misses none, because
    of the components that were left out."""
    if axes is None or n < 1:
        return 1
    true = drop_query(exact_search(units, units[sample], n + 1), sample, n)
    reduced = unit_rows(units @ axes)
    # Candidates nearer than each true neighbour.
    before = np.empty(true.items.shape, dtype=np.int64)
    for row, query in enumerate(units[sample] @ axes):
        similarity = reduced @ query
        before[row] = (similarity[:, None] > similarity[true.items[row]]).sum(axis=0)
    factor = 1
    while (before < (n + 1) * factor).mean() < target:
        factor *= 2
    return factor
