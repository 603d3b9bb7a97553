"""Maps carried over from the previous snapshot: artworks that were on it stay where they were, and new
ones are placed among them; a map is fitted anew only when too many artworks are new.

Pure functions of tables and vectors; `simsearch.projection` runs them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from simsearch.features.vectors import Vectors, unit_rows
from simsearch.indexes.exact import exact_search

Coordinates = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Carried:
    """An earlier map as it holds for today's originals [n]: `points` float32 [n, 2] of those that are
    `known`, and which of them it was `fitted` for."""

    points: Coordinates
    known: npt.NDArray[np.bool_]
    fitted: npt.NDArray[np.bool_]

    @property
    def new_share(self) -> float:
        """The share, 0 to 1, of today's originals that the map was not fitted for."""
        return 1.0 - float(self.fitted.mean()) if len(self.fitted) else 1.0


def carry(earlier: pa.Table, before: pa.Table, now: pa.Table) -> Carried:
    """Take over the map `earlier` (schemas.PROJECTION) of the images `before` for the originals `now`
    (both schemas.IMAGES). Pictures are matched by their content: a renamed artwork stays where it was,
    a changed one is new."""
    hashes = before["content_hash"].combine_chunks()
    of_row = pc.index_in(
        earlier["image_id"].combine_chunks(), value_set=before["image_id"].combine_chunks()
    )
    places = pc.index_in(now["content_hash"].combine_chunks(), value_set=hashes.take(of_row))
    known = places.is_valid().to_numpy(zero_copy_only=False)
    rows = pc.fill_null(places, 0).to_numpy()
    points = np.stack([earlier["x"].to_numpy(), earlier["y"].to_numpy()], axis=1)
    fitted = np.ones(earlier.num_rows, dtype=bool)
    if "fitted" in earlier.column_names:
        fitted = earlier["fitted"].to_numpy()
    if not earlier.num_rows:
        nothing = np.zeros(now.num_rows, dtype=bool)
        return Carried(np.zeros((now.num_rows, 2), np.float32), nothing, nothing)
    return Carried(
        np.where(known[:, None], points[rows], np.float32(0)), known, known & fitted[rows]
    )


def place(vectors: Vectors, carried: Carried, method: str, neighbours: int) -> Coordinates:
    """The map [n, 2] of `vectors` [n, d]: the known where they were, the others placed among those
    that it was fitted for.

    `pca`: exactly where the fitted components put them. `umap`: the mean of their `neighbours` nearest
    fitted artworks, the nearer the heavier, as umap-learn's own `transform` begins.
    """
    points = carried.points.copy()
    new = ~carried.known
    if not new.any():
        return points
    units = unit_rows(vectors)
    fitted, fitted_points = units[carried.fitted], carried.points[carried.fitted]
    if method == "pca":
        points[new] = _on_components(fitted, fitted_points, units[new])
    else:
        points[new] = _among_nearest(fitted, fitted_points, units[new], neighbours)
    return points


def _on_components(fitted: Vectors, points: Coordinates, units: Vectors) -> Coordinates:
    """The map of principal components is linear about the mean, and its columns are uncorrelated but
    for a turn, so that it follows from the points themselves: W = Xᵀ P (Pᵀ P)⁻¹."""
    mean, middle = fitted.mean(axis=0, dtype=np.float64), points.mean(axis=0, dtype=np.float64)
    scores = points - middle
    axes = (fitted - mean).T @ scores @ np.linalg.pinv(scores.T @ scores)
    return np.asarray((units - mean) @ axes + middle, dtype=np.float32)


def _among_nearest(
    fitted: Vectors, points: Coordinates, units: Vectors, neighbours: int
) -> Coordinates:
    nearest = exact_search(fitted, units, neighbours)
    beyond = nearest.distances.astype(np.float64) - nearest.distances[:, :1]
    weights = np.exp(-beyond / np.maximum(beyond.mean(axis=1, keepdims=True), 1e-12))
    weights /= weights.sum(axis=1, keepdims=True)
    return np.asarray(np.einsum("mk,mkc->mc", weights, points[nearest.items]), dtype=np.float32)
