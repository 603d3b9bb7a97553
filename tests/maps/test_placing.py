"""Maps carried over from the snapshot before: who stays, who is placed and where."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simsearch import schemas
from simsearch.features.vectors import unit_rows
from simsearch.maps.placing import Carried, carry, place, span_components
from simsearch.maps.projection import SpaceMap, align, align_all, project, projection_table
from simsearch.settings.sections.analysis import ProjectionConfig


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


def vectors(count: int) -> np.ndarray:
    """Clusters of 30 in 40 dimensions, one after the other."""
    random = np.random.default_rng(5)
    centres = np.repeat(random.normal(size=(count // 30, 40)), 30, axis=0)
    return (centres + random.normal(scale=0.05, size=centres.shape)).astype(np.float32)


def carried(points: np.ndarray, known: np.ndarray) -> Carried:
    return Carried(np.where(known[:, None], points, 0).astype(np.float32), known, known)


def test_principal_components_are_carried_exactly() -> None:
    """Even on a map that was turned, an artwork is placed by its principal components."""
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


def spread_out(count: int, dimension: int, seed: int) -> np.ndarray:
    """Vectors in eight clusters of different sizes."""
    random = np.random.default_rng(seed)
    centres = random.normal(size=(8, dimension))
    owners = np.sort(random.integers(0, 8, count))
    noise = random.normal(scale=0.3, size=(count, dimension))
    return np.asarray(centres[owners] + noise, np.float32)


@settings(max_examples=10)
@given(
    seed=st.integers(0, 2**31),
    gone=st.floats(0, 0.09),
    corner=st.booleans(),
    dimension=st.sampled_from([24, 60, 256]),
)
def test_new_works_lie_where_the_components_put_them_whoever_has_left(
    seed: int, gone: float, corner: bool, dimension: int
) -> None:
    """The reference is NumPy's own SVD of all artworks that the map was fitted for."""
    everything, known = spread_out(120, dimension, seed), np.arange(120) % 20 > 0
    units = unit_rows(everything).astype(np.float64)
    centred = units - units[known].mean(axis=0)
    axes = np.linalg.svd(centred[known], full_matrices=False)[2][:2].T
    true = (centred @ axes) @ [[0.8, 0.6], [0.6, -0.8]] + 5  # turned and mirrored
    order = true[:, 0] if corner else np.random.default_rng(seed).random(120)
    leaving = known & (order <= np.quantile(order[known], gone))
    left, stays = ~leaving, known[~leaving]
    before = Carried(
        np.where(stays[:, None], true[left], 0).astype(np.float32), stays, stays, int(leaving.sum())
    )
    if not span_components(everything[left], before):
        return  # fitted anew
    placed = place(everything[left], before, "pca", 15)
    errors = np.linalg.norm(placed[~stays] - true[left][~stays], axis=1)
    assert errors.max() < 0.1 * np.linalg.norm(true[known].std(axis=0))
    if dimension < stays.sum() / 3:
        assert errors.max() < 1e-3


def test_axes_that_only_the_departed_showed_are_not_guessed() -> None:
    """The second axis comes from one cluster alone, and the whole cluster leaves."""
    random = np.random.default_rng(3)
    owners = np.repeat([0, 1, 2], [40, 40, 7])
    everything = np.eye(3, 500)[owners] + random.normal(scale=1e-3, size=(87, 500))
    points = project(everything.astype(np.float32), "pca", settings=ProjectionConfig(), seed=1)
    left = np.flatnonzero(owners < 2)
    whole = np.ones(80, bool)
    before = Carried(points[left], whole, whole, departed=7)
    assert not span_components(everything[left].astype(np.float32), before)
    left = np.flatnonzero(np.arange(87) % 13 > 0)
    whole = np.ones(len(left), bool)
    before = Carried(points[left], whole, whole, departed=87 - len(left))
    assert span_components(everything[left].astype(np.float32), before)


def test_departures_are_counted_over_many_nights() -> None:
    pictures = {f"a{number:02}": str(number) for number in range(40)}
    before = images(pictures)
    points = np.random.default_rng(1).normal(size=(40, 2)).astype(np.float32)
    table = projection_table(before, points)
    for night in range(1, 4):
        del pictures[f"a{night:02}"]
        now = images(pictures)
        carried = carry(table, before, now)
        assert carried.departed == night
        assert carried.departed_share == pytest.approx(night / 40)
        assert (carried.why_anew(0.07) is not None) == (night == 3)
        buffer = pa.BufferOutputStream()
        pq.write_table(
            projection_table(now, carried.points, carried.fitted, carried.departed), buffer
        )
        before, table = now, pq.read_table(buffer.getvalue())
    renamed = images({f"b{number:02}": picture for number, picture in enumerate(pictures.values())})
    assert carry(table, before, renamed).departed == 3


@pytest.mark.parametrize(
    ("points", "reason"),
    [
        (np.zeros((0, 2)), "0 of the artworks"),
        (np.eye(1, 2), "1 of the artworks"),
        (np.eye(2), "2 of the artworks"),
        (np.eye(3, 2), "3 of the artworks"),
        (np.ones((9, 2)), "on one line"),
        (np.arange(9)[:, None] * [[0.1, 0.7]] + 3, "on one line"),
        (np.vstack([np.ones((8, 2)), [[2, 5]]]), "on one line"),
    ],
)
def test_a_map_of_which_too_little_is_left_is_fitted_anew(points: np.ndarray, reason: str) -> None:
    whole = np.ones(len(points), bool)
    why = Carried(points.astype(np.float32), whole, whole).why_anew(1.0)
    assert why is not None
    assert reason in why


def test_a_map_that_few_left_and_few_joined_is_carried_over() -> None:
    points = np.random.default_rng(2).normal(size=(100, 2)).astype(np.float32)
    fitted = np.arange(100) >= 4  # four are new
    assert Carried(points, fitted, fitted, departed=4).why_anew(0.1) is None
    assert Carried(points, fitted, fitted, departed=9).why_anew(0.1) is not None
    assert Carried(points, fitted, fitted).why_anew(0.04) is not None


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
    first, second, third = align_all([old, other, new])
    assert first is old.points
    assert second is other.points
    np.testing.assert_array_equal(third, align(new.points, old.points))
    turned = align_all([new, old])[1]
    np.testing.assert_array_equal(turned, align(old.points, new.points))
