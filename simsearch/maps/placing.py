"""Maps carried over from the previous snapshot: known artworks stay where they were, and new ones are
placed among them. A map is fitted anew only when too many artworks have come or left.

Pure functions of tables and vectors; `simsearch.maps.projection` runs them.
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
Doubles = npt.NDArray[np.float64]

DEPARTED = b"simsearch.departed"  # key of a stored map's metadata


FEWEST_FITTED = 4  # fewest artworks of a carried-over map that can place new ones
# Fitted artworks lie on a line if their spread across it is less than this share of that along it.
THINNEST = 1e-5
# Most artworks from which the axes of a map are recovered: many times the dimension of vectors.
MOST_FITTED = 16_384
# Axes of principal components have length 1. They are shorter if they are recovered from vectors that do
# not span them: 0.999 for an error of 1 % of a map's spread, 0.92 for 47 %.
SHORTEST_AXIS = 0.98
# Directions with less than this share of the widest spread hold only rounding.
SMALLEST_SPREAD = 1e-5


@dataclass(frozen=True)
class Carried:
    """An earlier map, for today's originals [n]: `points` float32 [n, 2] for those that are `known`. The map
    was fitted to those that are `fitted`, and to `departed` artworks that have left since."""

    points: Coordinates
    known: npt.NDArray[np.bool_]
    fitted: npt.NDArray[np.bool_]
    departed: int = 0

    @property
    def new_share(self) -> float:
        """The share, 0 to 1, of today's originals to which the map was not fitted."""
        return 1.0 - float(self.fitted.mean()) if len(self.fitted) else 1.0

    @property
    def departed_share(self) -> float:
        """The share, 0 to 1, of the fitted artworks that have left."""
        fitted = self.departed + int(self.fitted.sum())
        return self.departed / fitted if fitted else 1.0

    def why_anew(self, refit_share: float) -> str | None:
        """Why the map cannot be carried over, in words. None if it can."""
        fitted = int(self.fitted.sum())
        if fitted < FEWEST_FITTED:
            return f"{fitted} of the artworks it was fitted for are left"
        changed = self.new_share + self.departed_share
        if changed >= refit_share:
            return f"{self.new_share:.1%} of the artworks are new to it, {self.departed_share:.1%} left"
        spread = np.linalg.svd(_centre(self.points[self.fitted]), compute_uv=False)
        if spread[1] <= THINNEST * spread[0]:
            return "the artworks it was fitted for lie on one line"
        return None


def carry(earlier: pa.Table, before: pa.Table, now: pa.Table) -> Carried:
    """Carry the map `earlier` (schemas.PROJECTION) of the images `before` over to the originals `now` (both
    schemas.IMAGES). Pictures are matched by their content: a renamed artwork stays where it was, a changed
    one is new."""
    if not earlier.num_rows:
        nothing = np.zeros(now.num_rows, dtype=bool)
        return Carried(np.zeros((now.num_rows, 2), np.float32), nothing, nothing)
    of_row = pc.index_in(
        earlier["image_id"].combine_chunks(), value_set=before["image_id"].combine_chunks()
    )
    hashes = before["content_hash"].combine_chunks().take(of_row)
    places = pc.index_in(now["content_hash"].combine_chunks(), value_set=hashes)
    known = places.is_valid().to_numpy(zero_copy_only=False)
    rows = pc.fill_null(places, 0).to_numpy()
    points = np.stack([earlier["x"].to_numpy(), earlier["y"].to_numpy()], axis=1)
    fitted = earlier["fitted"].to_numpy()
    stayed = np.asarray(pc.is_in(hashes, value_set=now["content_hash"].combine_chunks()))
    return Carried(
        np.where(known[:, None], points[rows], np.float32(0)),
        known,
        known & fitted[rows],
        count_departed(earlier) + int((fitted & ~stayed).sum()),
    )


def count_departed(earlier: pa.Table) -> int:
    """The number of fitted artworks that had left when a map (schemas.PROJECTION) was stored. 0 for a map
    without that number."""
    return int((earlier.schema.metadata or {}).get(DEPARTED, b"0"))


def place(vectors: Vectors, carried: Carried, method: str, neighbours: int) -> Coordinates:
    """The map [n, 2] of `vectors` [n, d]. Known artworks stay where they were, and new ones are placed among
    the fitted ones.

    `pca` places them by the map's components, as far as the remaining fitted artworks determine these.
    `umap` places them at the mean of their `neighbours` nearest fitted artworks, weighted by nearness, as
    umap-learn's own `transform` begins.
    """
    points = carried.points.copy()
    new = ~carried.known
    if not new.any():
        return points
    units = unit_rows(vectors)
    fitted, fitted_points = units[carried.fitted], carried.points[carried.fitted]
    if method == "pca":
        points[new] = _place_on_components(fitted, fitted_points, units[new])
    else:
        points[new] = _place_among_nearest(fitted, fitted_points, units[new], neighbours)
    return points


def span_components(vectors: Vectors, carried: Carried) -> bool:
    """Whether the remaining fitted artworks determine the components of a `pca` map, so that new ones can be
    placed on it. Always true if none has left."""
    if not carried.departed:
        return True
    axes, _, _ = _axes(unit_rows(vectors[carried.fitted]), carried.points[carried.fitted])
    return bool(np.linalg.svd(axes, compute_uv=False)[-1] >= SHORTEST_AXIS)


def _place_on_components(fitted: Vectors, points: Coordinates, units: Vectors) -> Coordinates:
    axes, mean, middle = _axes(fitted, points)
    return np.asarray((units - mean) @ axes + middle, dtype=np.float32)


def _axes(fitted: Vectors, points: Coordinates) -> tuple[Doubles, Doubles, Doubles]:
    """The axes [d, 2] of a map of principal components, and the vector [d] and the point [2] at which they
    start. The map is linear in the unit vectors, so the axes follow by least squares from any fitted
    artworks that span the directions in which the vectors vary."""
    step = -(-len(fitted) // MOST_FITTED)
    sample, middle = fitted[::step].astype(np.float64), points[::step].mean(axis=0, dtype=float)
    mean = sample.mean(axis=0)
    return _least_squares(sample - mean, points[::step] - middle), mean, middle


def _least_squares(given: Doubles, wanted: Doubles) -> Doubles:
    """The smallest `axes` [d, 2] for which `given` [n, d] @ axes is nearest to `wanted` [n, 2], from the
    smaller of the two matrices of products."""
    wide = given.shape[1] > given.shape[0]
    products = given @ given.T if wide else given.T @ given
    variances, directions = np.linalg.eigh(products)
    kept = variances > variances[-1] * SMALLEST_SPREAD**2
    directions = directions[:, kept]
    right = wanted if wide else given.T @ wanted
    solved = directions @ ((directions.T @ right) / variances[kept, None])
    return np.asarray(given.T @ solved if wide else solved)


def _centre(points: Coordinates) -> Doubles:
    return np.asarray(points - points.mean(axis=0, dtype=np.float64))


def _place_among_nearest(
    fitted: Vectors, points: Coordinates, units: Vectors, neighbours: int
) -> Coordinates:
    nearest = exact_search(fitted, units, neighbours)
    beyond = nearest.distances.astype(np.float64) - nearest.distances[:, :1]
    weights = np.exp(-beyond / np.maximum(beyond.mean(axis=1, keepdims=True), 1e-12))
    weights /= weights.sum(axis=1, keepdims=True)
    return np.asarray(np.einsum("mk,mkc->mc", weights, points[nearest.items]), dtype=np.float32)
