"""Vectors of length 1, whatever the length they had."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from simsearch.features.vectors import Vectors, unit_rows

NUMBERS = st.floats(width=32, allow_nan=False, allow_infinity=False)
SHAPES = st.tuples(st.integers(1, 6), st.integers(1, 40))


def direction(row: Vectors) -> np.ndarray:
    """A row scaled to length 1, computed from exact fractions."""
    exact = [Fraction(float(value)) for value in row]
    largest = max(abs(value) for value in exact)
    shares = (
        np.array([float(value / largest) for value in exact]) if largest else np.zeros(len(row))
    )
    return np.asarray(shares / (np.linalg.norm(shares) or 1))


@pytest.mark.slow
@given(arrays.arrays(np.float32, SHAPES, elements=NUMBERS))
def test_every_finite_row_keeps_its_direction_at_length_1(vectors: Vectors) -> None:
    units = unit_rows(vectors)
    assert units.dtype == np.float32
    for row, unit in zip(vectors, units, strict=True):
        assert np.linalg.norm(unit.astype(np.float64)) == pytest.approx(float(row.any()), abs=1e-6)
        np.testing.assert_allclose(unit, direction(row), atol=1e-6)


@pytest.mark.parametrize("scale", [1e-45, 1e-30, 1e-23, 1e-19, 1e-12, 1e-6, 1, 1e12, 1e19, 1e38])
@pytest.mark.parametrize("dimension", [1, 512, 25_088])
def test_no_scale_and_no_length_costs_precision(scale: float, dimension: int) -> None:
    random = np.random.default_rng(dimension)
    vectors = (random.uniform(0.5, 3, (3, dimension)) * scale).astype(np.float32)
    for laid_out in (vectors, np.asfortranarray(vectors)):
        lengths = np.linalg.norm(unit_rows(laid_out).astype(np.float64), axis=1)
        np.testing.assert_allclose(lengths, 1, atol=1e-6)


def test_ordinary_rows_beside_extreme_ones_are_what_they_are_alone() -> None:
    vectors = np.random.default_rng(1).normal(size=(6, 300)).astype(np.float32)
    mixed = vectors.copy()
    mixed[1], mixed[3], mixed[5] = 0, vectors[3] * np.float32(1e-38), np.nan
    units = unit_rows(mixed)
    np.testing.assert_array_equal(units[::2], unit_rows(vectors)[::2])
    assert not units[1].any()
    assert np.isnan(units[5]).all()


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("odd", [np.nan, np.inf, -np.inf])
def test_a_row_that_is_not_finite_has_no_direction_and_spoils_no_other(odd: float) -> None:
    vectors = np.array([[3, 4], [odd, 1], [1, odd], [odd, odd]], np.float32)
    units = unit_rows(vectors)
    np.testing.assert_allclose(units[0], [0.6, 0.8], rtol=1e-6)
    assert np.isnan(units[1:]).all()


def test_no_rows_and_no_numbers_are_no_fault() -> None:
    assert unit_rows(np.empty((0, 4), np.float32)).shape == (0, 4)
    assert unit_rows(np.empty((2, 0), np.float32)).shape == (2, 0)
