"""Annoy indexes: principal axes of vectors, building with a seed, and searching."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from simsearch.features.vectors import Vectors
from simsearch.indexes.exact import Neighbours

if TYPE_CHECKING:
    from annoy import AnnoyIndex

METRIC: Final = "angular"

SELF_CHECK_QUERIES = 200  # at recall 0.99 of 2,000 neighbours the standard error is 0.002


def principal_axes(units: Vectors, count: int, seed: int) -> Vectors:
    """The first `count` principal axes [d, count] of unit rows [n, d], by sklearn's randomized_svd.

    The axes pass through the origin, not the mean: centring would change the angles between vectors.
    """
    from sklearn.utils.extmath import randomized_svd  # seconds to import, and few indexes need it

    _, _, axes = randomized_svd(units, count, random_state=seed)
    return np.asarray(axes.T, dtype=np.float32)


def build_annoy(vectors: Vectors, path: Path, *, trees: int, seed: int) -> None:
    """Write an Annoy file of `vectors` [n, d]. The same input gives the same bytes.

    One job builds the file: with several jobs, the same seed gives a different file each time.
    """
    from annoy import AnnoyIndex  # compiled at installation; readers of vectors do without Annoy

    index = AnnoyIndex(vectors.shape[1], METRIC)
    index.set_seed(seed)
    for item, vector in enumerate(vectors):
        index.add_item(item, vector)
    index.build(trees, n_jobs=1)
    index.save(str(path))
    index.unload()


def open_annoy(path: Path, dimension: int) -> AnnoyIndex:
    from annoy import AnnoyIndex

    index = AnnoyIndex(dimension, METRIC)
    index.load(str(path))
    return index


def annoy_search(
    index: AnnoyIndex, queries: Sequence[int] | Vectors, n: int, search_k: int
) -> Neighbours:
    """The nearest `n` that Annoy finds for item numbers or for vectors [q, d]."""
    search = index.get_nns_by_vector if isinstance(queries, np.ndarray) else index.get_nns_by_item
    items = np.full((len(queries), n), -1, dtype=np.int64)
    distances = np.full((len(queries), n), np.inf, dtype=np.float32)
    for row, query in enumerate(queries):
        nearest, nearest_distances = search(query, n, search_k, include_distances=True)
        items[row, : len(nearest)] = nearest
        distances[row, : len(nearest_distances)] = nearest_distances
    return Neighbours(items, distances)


def check_queries(items: int, seed: int) -> npt.NDArray[np.int64]:
    random = np.random.default_rng(seed)
    return np.sort(random.choice(items, min(SELF_CHECK_QUERIES, items), replace=False))
