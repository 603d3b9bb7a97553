"""Maps carried over from the snapshot before: who stays, who is placed and where."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from simsearch import schemas
from simsearch.features.vectors import unit_rows
from simsearch.placing import Carried, carry, place
from simsearch.projection import SpaceMap, align, project, projection_table, together
from simsearch.sections.analysis import ProjectionConfig


def images(pictures: dict[str, str]) -> pa.Table:
    rows = [
        {"image_id": name, "artwork_id": name, "profile": None, "content_hash": picture}
        for name, picture in sorted(pictures.items())
    ]
    return pa.Table.from_pylist(rows, schema=schemas.IMAGES)


def test_a_picture_stays_where_it_was_whatever_it_is_called() -> None:
    before = images({"a": "1", "b": "2", "c": "3"})
    points = np.array([[0, 1], [2, 3], [4, 5]], np.float32)
    earlier = projection_table(before, points, np.array([True, False, True]))
    now = images({"a": "1", "b": "9", "d": "2", "e": "3", "f": "3"})  # b changed, d is the old b
    carried = carry(earlier, before, now)
    assert carried.known.tolist() == [True, False, True, True, True]
    assert carried.fitted.tolist() == [True, False, False, True, True]
    np.testing.assert_array_equal(carried.points[carried.known], points[[0, 1, 2, 2]])
    assert carried.new_share == pytest.approx(2 / 5)


def test_a_map_from_before_others_were_placed_was_fitted_for_all() -> None:
    before = images({"a": "1", "b": "2"})
    earlier = projection_table(before, np.zeros((2, 2), np.float32)).drop(["fitted"])
    assert carry(earlier, before, before).fitted.all()


def vectors(count: int) -> np.ndarray:
    """Clusters of 30 in 40 dimensions, one after the other."""
    random = np.random.default_rng(5)
    centres = np.repeat(random.normal(size=(count // 30, 40)), 30, axis=0)
    return (centres + random.normal(scale=0.05, size=centres.shape)).astype(np.float32)


def carried(points: np.ndarray, known: np.ndarray) -> Carried:
    return Carried(np.where(known[:, None], points, 0).astype(np.float32), known, known)


def test_principal_components_are_carried_exactly() -> None:
    """Even of a map that was turned, an artwork comes to lie where its components put it."""
    everything, known = vectors(120), np.arange(120) % 10 > 0
    fitted = project(everything[known], "pca", settings=ProjectionConfig(), seed=1)
    turned = align(fitted, fitted[:, ::-1] * [1, -2]) + 3
    units = unit_rows(everything).astype(np.float64)
    centred = units - units[known].mean(axis=0)
    axes = np.linalg.svd(centred[known], full_matrices=False)[2][:2].T
    true = centred @ axes  # the fitted components of all, in their own directions
    points = np.zeros((120, 2))
    points[known] = turned
    placed_points = place(everything, carried(points, known), "pca", 15)
    np.testing.assert_array_equal(placed_points[known], turned.astype(np.float32))
    for new, placed in zip(true[~known], placed_points[~known], strict=True):
        gaps = np.linalg.norm(placed_points[known] - placed, axis=1)
        np.testing.assert_allclose(gaps, np.linalg.norm(true[known] - new, axis=1), atol=1e-3)


def test_on_a_umap_an_artwork_lies_among_its_nearest() -> None:
    everything, known = vectors(120), np.arange(120) % 10 > 0
    corners = (
        np.repeat([[0, 0], [10, 0], [0, 10], [10, 10]], 30, axis=0) + np.arange(120)[:, None] / 100
    )
    points = place(everything, carried(corners, known), "umap", 15)
    clusters = [corners[start : start + 30] for start in range(0, 120, 30)]
    for row in np.flatnonzero(~known):
        own = clusters[row // 30]
        assert (points[row] >= own.min(axis=0)).all()
        assert (points[row] <= own.max(axis=0)).all()


def test_a_map_that_was_carried_over_is_not_turned() -> None:
    random = np.random.default_rng(2)
    old, other, new = (
        SpaceMap(random.normal(size=(9, 2)).astype(np.float32), np.ones(9, bool), anew)
        for anew in (False, False, True)
    )
    first, second, third = together([old, other, new])
    assert first is old.points
    assert second is other.points
    np.testing.assert_array_equal(third, align(new.points, old.points))
    turned = together([new, old])[1]
    np.testing.assert_array_equal(turned, align(old.points, new.points))
