"""Maps: PCA against NumPy's own SVD, UMAP by what it keeps together, and the step that stores them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simsearch import schemas
from simsearch.errors import ConfigError
from simsearch.features.vectors import unit_rows
from simsearch.maps.placing import Coordinates
from simsearch.maps.projection import align, project
from simsearch.maps.umap_map import epochs
from simsearch.settings.config import load_config
from simsearch.settings.sections.analysis import ProjectionConfig

SETTINGS = ProjectionConfig()


def blobs(count: int = 3, size: int = 20, dimension: int = 40) -> tuple[Coordinates, Coordinates]:
    """Well separated clusters [count × size, dimension] and the number of each row's own."""
    random = np.random.default_rng(5)
    centres = np.repeat(random.normal(size=(count, dimension)), size, axis=0)
    noise = random.normal(scale=0.05, size=centres.shape)
    return (centres + noise).astype(np.float32), np.repeat(np.arange(count), size)


def test_pca_is_the_first_two_singular_directions() -> None:
    vectors, _ = blobs()
    units = unit_rows(vectors).astype(np.float64)
    left, singular, _ = np.linalg.svd(units - units.mean(axis=0), full_matrices=False)
    expected = left[:, :2] * singular[:2]
    points = project(vectors, "pca", settings=SETTINGS, seed=1)
    np.testing.assert_allclose(np.abs(points), np.abs(expected), atol=1e-4)


@pytest.mark.slow
def test_umap_keeps_clusters_together_and_repeats_itself() -> None:
    vectors, labels = blobs()
    told: list[int] = []
    points = project(vectors, "umap", settings=SETTINGS, seed=1, tell=told.append)
    assert told == sorted(told)
    assert told[-1] == epochs("umap", len(vectors))
    distances = np.linalg.norm(points[:, None] - points[None], axis=2)
    np.fill_diagonal(distances, np.inf)
    assert (labels[distances.argmin(axis=1)] == labels).all()
    np.testing.assert_array_equal(points, project(vectors, "umap", settings=SETTINGS, seed=1))


@pytest.mark.parametrize("method", ["pca", pytest.param("umap", marks=pytest.mark.slow)])
@pytest.mark.parametrize("count", [1, 2, 3, 4, 5])
def test_a_handful_of_artworks_still_has_a_map(method: str, count: int) -> None:
    vectors = np.random.default_rng(0).normal(size=(count, 8)).astype(np.float32)
    points = project(vectors, method, settings=SETTINGS, seed=1)
    assert points.shape == (count, 2)
    assert np.isfinite(points).all()


def degenerate() -> dict[str, Coordinates]:
    random = np.random.default_rng(7)
    single, few = random.normal(size=(1, 8)), random.normal(size=(3, 8))
    line = np.array([[1.0, 0.0]]) + np.linspace(0, 1, 30)[:, None] * [[-1.0, 1.0]]
    spaces = {
        "all equal": np.repeat(single, 30, axis=0),
        "equal but for rounding": single + random.normal(scale=1e-8, size=(30, 8)),
        "all zero": np.zeros((30, 8)),
        "one that differs": np.vstack([np.repeat(single, 29, axis=0), few[:1]]),
        "three different": few[random.integers(0, 3, 30)],
        "four different": random.normal(size=(4, 8))[np.arange(40) % 4],
        "mostly doubles": random.normal(size=(6, 8))[np.minimum(np.arange(60), 5)],
        "all twice": np.repeat(random.normal(size=(20, 8)), 2, axis=0),
        "one number": random.normal(size=(30, 1)),
        "on an arc": line,
        "along one line": np.hstack([np.ones((30, 1)), np.linspace(-1e-3, 1e-3, 30)[:, None]]),
        "too short for squares": random.normal(size=(30, 8)) * 1e-30,
        "too long for squares": random.normal(size=(30, 8)) * 1e25,
    }
    return {name: space.astype(np.float32) for name, space in spaces.items()}


@pytest.mark.filterwarnings("error::RuntimeWarning")
@pytest.mark.parametrize("method", ["pca", pytest.param("umap", marks=pytest.mark.slow)])
@pytest.mark.parametrize("kind", degenerate())
def test_every_space_has_a_finite_map(method: str, kind: str) -> None:
    vectors = degenerate()[kind]
    points = project(vectors, method, settings=SETTINGS, seed=1)
    assert points.shape == (len(vectors), 2)
    assert np.isfinite(points).all()
    assert np.isfinite(align(points, points[::-1])).all()
    np.testing.assert_array_equal(points, project(vectors, method, settings=SETTINGS, seed=1))


@pytest.mark.parametrize("method", ["pca", "umap"])
@pytest.mark.parametrize("count", [1, 2, 3, 30])
def test_equal_vectors_lie_at_one_point(method: str, count: int) -> None:
    vectors = degenerate()["all equal"][:count]
    assert not project(vectors, method, settings=SETTINGS, seed=1).any()


@pytest.mark.parametrize("method", ["pca", "umap"])
def test_two_vectors_lie_as_far_apart_as_they_are(method: str) -> None:
    vectors = degenerate()["four different"][:2]
    points = project(vectors, method, settings=SETTINGS, seed=1)
    units = unit_rows(vectors)
    gap = float(np.linalg.norm(units[0] - units[1]))
    assert float(np.linalg.norm(points[0] - points[1])) == pytest.approx(gap, abs=1e-5)
    assert project(vectors[:0], method, settings=SETTINGS, seed=1).shape == (0, 2)


@pytest.mark.parametrize("seed", range(6))
def test_three_vectors_lie_at_three_points_however_often_each_is_there(seed: int) -> None:
    """Rounding makes the components of equal vectors differ, at any decimal."""
    random = np.random.default_rng(seed)
    near = np.array([1, 1, 1e-4])[seed % 3]
    different = random.normal(size=100) + near * random.normal(size=(3, 100))
    owners = np.append([0, 1, 2], random.integers(0, 3, 1500))
    points = project(different[owners].astype(np.float32), "umap", settings=SETTINGS, seed=1)
    centres = np.stack([points[owners == owner].mean(axis=0) for owner in range(3)])
    assert np.abs(points - centres[owners]).max() < 1e-5
    gaps = np.linalg.norm(centres - np.roll(centres, 1, axis=0), axis=1)
    units = unit_rows(different)
    true = np.linalg.norm(units - np.roll(units, 1, axis=0), axis=1)
    np.testing.assert_allclose(gaps, true, atol=1e-5)


@pytest.mark.parametrize("spread", [1, 1e-2, 1e-3, 1e-4, 1e-5])
def test_vectors_that_lie_close_together_have_the_map_of_their_differences(spread: float) -> None:
    """Many vectors of few numbers: float64 SVD is the reference, of the unit vectors as they are stored."""
    random = np.random.default_rng(2)
    scale = np.append([8, 4], np.ones(38))
    vectors = random.normal(size=40) + spread * 0.1 * random.normal(size=(900, 40)) * scale
    units = unit_rows(vectors.astype(np.float32)).astype(np.float64)
    left, singular, _ = np.linalg.svd(units - units.mean(axis=0), full_matrices=False)
    expected = left[:, :2] * singular[:2]
    points = project(vectors.astype(np.float32), "pca", settings=SETTINGS, seed=1)
    expected *= np.sign((points * expected).sum(axis=0))
    assert np.abs(points - expected).max() < 1e-3 * expected.std(axis=0).min() + 3e-7


@pytest.mark.slow
def test_points_lie_along_axes_of_length_1_however_many_vectors_there_are() -> None:
    """Points by sklearn's fit_transform are a quarter of the spread away from the axes here."""
    vectors = np.random.default_rng(4).normal(size=(1200, 600)).astype(np.float32)
    units = unit_rows(vectors).astype(np.float64)
    points = project(vectors, "pca", settings=SETTINGS, seed=1)
    axes, residuals, _, _ = np.linalg.lstsq(units - units.mean(axis=0), points, rcond=None)
    assert np.sqrt(residuals.max() / len(points)) < 1e-4 * points.std()
    np.testing.assert_allclose(axes.T @ axes, np.eye(2), atol=1e-3)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**31), st.floats(0, 6.3), st.booleans())
def test_aligning_undoes_any_turn_and_mirroring(seed: int, angle: float, mirror: bool) -> None:
    points = np.random.default_rng(seed).normal(size=(12, 2))
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    turned = points @ turn * np.array([-1 if mirror else 1, 1]) + 3
    centred = points - points.mean(axis=0)
    np.testing.assert_allclose(align(turned, points), centred, atol=1e-4)


def test_settings_refuse_an_unknown_method() -> None:
    with pytest.raises(ConfigError, match=r"projection\.methods\.0.*'pca' or 'umap'"):
        load_config(None, ["projection.methods=[tsne]"])


@pytest.mark.slow
def test_the_schema_holds_what_the_map_reads() -> None:
    assert schemas.PROJECTION.names == ["image_id", "artwork_id", "x", "y", "fitted"]
