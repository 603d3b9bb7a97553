"""Whitening against scikit-learn's, and what it promises of any collection."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.decomposition import PCA

from simsearch.encoders.heads.whitening import fit_whitening
from simsearch.features.vectors import unit_rows


def _vectors(count: int, dimension: int, seed: int) -> np.ndarray:
    """Correlated vectors whose directions differ in spread by a factor of a hundred."""
    random = np.random.default_rng(seed)
    spread = np.geomspace(1, 0.01, dimension)
    turned = np.linalg.qr(random.normal(size=(dimension, dimension)))[0]
    return np.asarray(random.normal(2, 1, (count, dimension)) * spread @ turned, np.float32)


@pytest.mark.parametrize("dimensions", [5, 24])
def test_whitening_is_scikit_learns_pca_with_whiten(dimensions: int) -> None:
    vectors = _vectors(500, 24, seed=1)
    others = _vectors(40, 24, seed=2)
    head = fit_whitening(vectors, dimensions=dimensions, power=1.0)
    reference = PCA(n_components=dimensions, whiten=True, svd_solver="full").fit(
        unit_rows(vectors).astype(np.float64)
    )
    expected = reference.transform(unit_rows(others).astype(np.float64))
    signs = np.sign((reference.components_ * head.layers[0].weight.T).sum(axis=1))
    np.testing.assert_allclose(head(others), expected * signs, rtol=1e-3, atol=1e-3)


def test_power_0_only_turns_the_axes() -> None:
    vectors = _vectors(300, 12, seed=3)
    head = fit_whitening(vectors, dimensions=None, power=0.0)
    moved = head(vectors)
    for row in range(0, 300, 50):
        np.testing.assert_allclose(
            np.linalg.norm(moved - moved[row], axis=1),
            np.linalg.norm(unit_rows(vectors) - unit_rows(vectors)[row], axis=1),
            atol=1e-5,
        )


@pytest.mark.slow
@settings(deadline=None, max_examples=30)
@given(
    count=st.integers(30, 200),
    dimension=st.integers(2, 16),
    seed=st.integers(0, 2**16),
)
def test_whitened_vectors_have_unit_covariance(count: int, dimension: int, seed: int) -> None:
    vectors = _vectors(count, dimension, seed)
    whitened = fit_whitening(vectors, dimensions=None, power=1.0)(vectors).astype(np.float64)
    np.testing.assert_allclose(whitened.mean(axis=0), 0, atol=1e-2)
    np.testing.assert_allclose(np.cov(whitened.T), np.eye(dimension), atol=2e-2)


def test_directions_without_spread_are_left_out() -> None:
    vectors = np.zeros((50, 6), np.float32)
    vectors[:, :3] = _vectors(50, 3, seed=4)
    head = fit_whitening(vectors, dimensions=6, power=1.0)
    assert head.dimension == 3
    assert np.isfinite(head(vectors)).all()


@pytest.mark.parametrize("shrinkage", [0.0, 0.5])
def test_rounding_is_not_whitened_into_differences(shrinkage: float) -> None:
    """A network that gives every picture one vector, of another length each time or rounded otherwise."""
    random = np.random.default_rng(0)
    direction = random.normal(size=32)
    lengths = np.outer(random.uniform(0.1, 3, 60), direction)
    rounded = direction + 1e-7 * random.normal(size=(60, 32))
    for vectors in (lengths, rounded):
        head = fit_whitening(
            vectors.astype(np.float32), dimensions=None, power=1, shrinkage=shrinkage
        )
        assert head.dimension == 0


def test_the_same_vectors_give_the_same_bytes() -> None:
    vectors = _vectors(100, 8, seed=5)
    first, second = (fit_whitening(vectors, dimensions=4, power=0.5) for _ in range(2))
    assert first.to_bytes() == second.to_bytes()
    assert fit_whitening(vectors, dimensions=4, power=1.0).digest != first.digest
