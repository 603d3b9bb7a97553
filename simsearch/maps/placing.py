"""Maps carried over from the previous snapshot: artworks that were on it stay where they were, and new
ones are placed among them; a map is fitted anew only when too many artworks are new.

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


FEWEST_FITTED = 4  # of so few a map says where others belong
# Fitted artworks that lie this much nearer to a line than they spread along it, lie on it.
THINNEST = 1e-5
# Artworks that the axes of a map are recovered from: many times as many as vectors have numbers.
MOST_FITTED = 16_384
# Axes of principal components have length 1. Recovered from vectors that do not span them they are
# shorter: 0.999 where the error is 1 % of a map's spread, 0.92 where it is 47 %.
SHORTEST_AXIS = 0.98
# Directions in which vectors spread less than this share of the widest hold only rounding.
SMALLEST_SPREAD = 1e-5


@dataclass(frozen=True)
class Carried:
    """An earlier map as it holds for today's originals [n]: `points` float32 [n, 2] of those that are
    `known`, and which of them it was `fitted` for. `departed` of the artworks that it was fitted for
    have left since."""

    points: Coordinates
    known: npt.NDArray[np.bool_]
    fitted: npt.NDArray[np.bool_]
    departed: int = 0

    @property
    def new_share(self) -> float:
        """The share, 0 to 1, of today's originals that the map was not fitted for."""
        return 1.0 - float(self.fitted.mean()) if len(self.fitted) else 1.0

    @property
    def departed_share(self) -> float:
        """The share, 0 to 1, of the artworks that the map was fitted for which have left."""
        fitted = self.departed + int(self.fitted.sum())
        return self.departed / fitted if fitted else 1.0

    def why_anew(self, refit_share: float) -> str | None:
        """Why the map cannot be carried over, in words; None where it can."""
        fitted = int(self.fitted.sum())
        if fitted < FEWEST_FITTED:
            return f"{fitted} of the artworks it was fitted for are left"
        changed = self.new_share + self.departed_share
        if changed >= refit_share:
            return f"{self.new_share:.1%} of the artworks are new to it, {self.departed_share:.1%} left"
        spread = np.linalg.svd(_centred(self.points[self.fitted]), compute_uv=False)
        if spread[1] <= THINNEST * spread[0]:
            return "the artworks it was fitted for lie on one line"
        return None


def carry(earlier: pa.Table, before: pa.Table, now: pa.Table) -> Carried:
    """Take over the map `earlier` (schemas.PROJECTION) of the images `before` for the originals `now`
    (both schemas.IMAGES). Pictures are matched by their content: a renamed artwork stays where it was,
    a changed one is new."""
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
        departed_before(earlier) + int((fitted & ~stayed).sum()),
    )


def departed_before(earlier: pa.Table) -> int:
    """How many of the artworks that a map (schemas.PROJECTION) was fitted for had left when it was
    stored; 0 for a map without a record of it."""
    return int((earlier.schema.metadata or {}).get(DEPARTED, b"0"))


def place(vectors: Vectors, carried: Carried, method: str, neighbours: int) -> Coordinates:
    """The map [n, 2] of `vectors` [n, d]: the known where they were, the others placed among those
    that it was fitted for.

    `pca`: where the fitted components put them, as far as the vectors of the fitted artworks that are
    left determine the components. `umap`: the mean of their `neighbours` nearest fitted artworks, the
    nearer the heavier, as umap-learn's own `transform` begins.
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


def span_components(vectors: Vectors, carried: Carried) -> bool:
    """Whether the fitted artworks that are left determine the components of a `pca` map, for new ones to
    be placed on it; always where none has left."""
    if not carried.departed:
        return True
    axes, _, _ = _axes(unit_rows(vectors[carried.fitted]), carried.points[carried.fitted])
    return bool(np.linalg.svd(axes, compute_uv=False)[-1] >= SHORTEST_AXIS)


def _on_components(fitted: Vectors, points: Coordinates, units: Vectors) -> Coordinates:
    axes, mean, middle = _axes(fitted, points)
    return np.asarray((units - mean) @ axes + middle, dtype=np.float32)


def _axes(fitted: Vectors, points: Coordinates) -> tuple[Doubles, Doubles, Doubles]:
    """The axes [d, 2] of a map of principal components, and the vector [d] and the point [2] that they
    start from. The map is linear in the unit vectors, so the axes follow by least squares from any
    fitted artworks that span what the vectors vary in, whoever has left."""
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


def _centred(points: Coordinates) -> Doubles:
    return np.asarray(points - points.mean(axis=0, dtype=np.float64))


def _among_nearest(
    fitted: Vectors, points: Coordinates, units: Vectors, neighbours: int
) -> Coordinates:
    nearest = exact_search(fitted, units, neighbours)
    beyond = nearest.distances.astype(np.float64) - nearest.distances[:, :1]
    weights = np.exp(-beyond / np.maximum(beyond.mean(axis=1, keepdims=True), 1e-12))
    weights /= weights.sum(axis=1, keepdims=True)
    return np.asarray(np.einsum("mk,mkc->mc", weights, points[nearest.items]), dtype=np.float32)
