"""The distance up to which two originals count as one picture, held against collections whose duplicates are
known."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simsearch.features.vectors import unit_rows
from simsearch.training.near_threshold import LARGEST_GROUP, near_duplicate_threshold


def alike(others: np.ndarray) -> np.ndarray:
    """Lists of four other originals [n, 4] that are equally far, too few for a large group."""
    return np.repeat(np.asarray(others, np.float64)[:, None], 4, axis=1)


def test_the_threshold_is_halfway_in_cosine_from_a_copy_to_another_work() -> None:
    copies = np.sqrt(2 - 2 * np.array([0.99, 0.96, 0.5]))
    others = alike(np.sqrt(2 - 2 * np.full(3, 0.4)))
    threshold = near_duplicate_threshold(copies, others)
    assert 1 - threshold**2 / 2 == pytest.approx((0.96 + 0.4) / 2)
    assert near_duplicate_threshold(copies, np.zeros((0, 30))) == 0
    assert near_duplicate_threshold(copies, np.zeros((3, 0))) == 0
    assert near_duplicate_threshold(copies, np.full((3, 2), np.inf)) == 0
    assert near_duplicate_threshold(np.zeros(0), others) == 0
    assert near_duplicate_threshold(np.array([0.1, np.inf, np.inf]), others) == 0


def test_the_last_of_fewer_than_five_stands_for_another_work() -> None:
    copies = np.full(3, 0.1)
    few = np.array([[0.5, 0.8, np.inf], [0.6, 0.8, np.inf], [0.7, 0.8, np.inf]])
    assert near_duplicate_threshold(copies, few) == near_duplicate_threshold(
        copies, alike(np.full(3, 0.8))
    )


@pytest.mark.slow
@given(copies=st.lists(st.floats(0, 2), max_size=12), others=st.lists(st.floats(0, 2), max_size=12))
def test_only_equal_vectors_count_where_a_copy_is_not_clearly_nearer_than_another_work(
    copies: list[float], others: list[float]
) -> None:
    threshold = near_duplicate_threshold(np.array(copies), alike(np.array(others)))
    if threshold:
        assert np.median(copies) <= np.quantile(others, 0.01) / 2
        assert np.median(copies) < threshold < np.quantile(others, 0.01)
    else:
        assert not copies or not others or np.median(copies) * 2 >= np.quantile(others, 0.01)


def judged(units: np.ndarray, group: np.ndarray, moved: float, seed: int) -> tuple[int, int, int]:
    """How many pairs of a group are listed, how many other pairs, and how many pairs groups have. A copy of
    each original is `moved` away."""
    drawn = np.random.default_rng(seed).uniform(0.5, 2, len(units)) * moved
    cosines = units.astype(np.float64) @ units.T
    distances = np.sqrt(np.maximum(0, 2 - 2 * cosines))
    np.fill_diagonal(distances, np.inf)
    others = np.sort(distances, axis=1)[:, :LARGEST_GROUP]
    threshold = near_duplicate_threshold(drawn, others)
    first, second = np.nonzero(np.triu(distances <= threshold, 1))
    right = int((group[first] == group[second]).sum())
    sizes = np.unique(group, return_counts=True)[1]
    return right, len(first) - right, int((sizes * (sizes - 1) // 2).sum())


@pytest.mark.parametrize("share", [0.01, 0.1, 0.3])
@pytest.mark.parametrize("size", [2, 4, 5, 6, 10, 20, 30])
@pytest.mark.parametrize("seed", range(2))
def test_photographs_of_a_picture_are_found_however_many_there_are(
    size: int, share: float, seed: int
) -> None:
    """Each picture of a group photographed anew: twice as far apart as a copy, half as far as another work."""
    random = np.random.default_rng([seed, size])
    n = 600
    group = np.arange(n)
    grouped = max(1, round(n * share / size)) * size
    group[:grouped] = np.arange(grouped) // size * size
    works = random.normal(size=(n, 64))[group]
    works[:grouped] += 0.3 * random.normal(size=(grouped, 64))
    units = unit_rows(works.astype(np.float32))
    right, wrong, there = judged(units, group, 0.2, seed)
    assert (right, wrong) == (there, 0)


def test_all_pictures_may_be_there_four_times() -> None:
    random = np.random.default_rng(0)
    group = np.arange(800) // 4
    works = unit_rows(random.normal(size=(200, 64)).astype(np.float32))[group]
    units = unit_rows((works + 0.05 * random.normal(size=(800, 64))).astype(np.float32))
    assert judged(units, group, 0.16, 0) == (1200, 0, 1200)


def test_equal_vectors_of_many_files_hide_no_other_duplicates() -> None:
    random = np.random.default_rng(0)
    group = np.arange(300)
    group[:10], group[10:20] = 0, 10
    works = random.normal(size=(300, 64))[group]
    works[10:20] += 0.1 * random.normal(size=(10, 64))
    assert judged(unit_rows(works.astype(np.float32)), group, 0.1, 0) == (90, 0, 90)


@pytest.mark.parametrize(("share", "spread"), [(0.1, 0.55), (0.1, 0.8), (1.0, 0.3)])
def test_works_of_a_series_are_no_duplicates(share: float, spread: float) -> None:
    """Series of twenty: loose ones without a gap around them, and a collection that is all series."""
    random = np.random.default_rng(1)
    series = np.arange(600)
    inside = int(600 * share)
    series[:inside] = np.arange(inside) // 20 * 20
    works = random.normal(size=(600, 64))[series]
    works[:inside] += spread * random.normal(size=(inside, 64))
    right, wrong, _ = judged(unit_rows(works.astype(np.float32)), np.arange(600), 0.15, 1)
    assert (right, wrong) == (0, 0)


@pytest.mark.slow
@pytest.mark.parametrize("dimension", [3, 8, 32])
@pytest.mark.parametrize("n", [20, 300])
def test_independent_works_are_judged_by_the_fifth_nearest_alone(n: int, dimension: int) -> None:
    for seed in range(10):
        units = unit_rows(np.random.default_rng(seed).normal(size=(n, dimension)))
        distances = np.sort(np.sqrt(np.maximum(0, 2 - 2 * units.astype(float) @ units.T)))[:, 1:31]
        copies = np.full(n, 0.1 * np.median(distances[:, 0]))
        expected = near_duplicate_threshold(copies, alike(distances[:, 4]))
        assert near_duplicate_threshold(copies, distances) == expected
