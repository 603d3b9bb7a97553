"""Scores of whole rankings against scikit-learn, by hand, and by trying every order."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, precision_recall_curve

from simsearch.evaluation.pooling import PooledPairs, pool_pairs, pooled_scores
from simsearch.evaluation.ranking import (
    Ranking,
    average_precision,
    r_precision,
    ranking_of,
    recall_at,
    reciprocal_rank,
)

N, DEPTH = 30, 12


def ranking(seed: int, relevant: int = 3) -> Ranking:
    """Random rankings that hold all that is relevant, at random distances without ties."""
    rng = np.random.default_rng(seed)
    hits = rng.permuted(np.tile(np.arange(DEPTH) < relevant, (N, 1)), axis=1)
    distances = np.sort(rng.random((N, DEPTH)), axis=1).astype(np.float32)
    return Ranking(hits, distances, np.full(N, relevant))


@pytest.mark.slow
@given(seed=st.integers(0, 500), relevant=st.integers(1, DEPTH))
@settings(max_examples=30, deadline=None)
def test_average_precision_is_scikit_learns(seed: int, relevant: int) -> None:
    ranked = ranking(seed, relevant)
    expected = [
        average_precision_score(hits, -row_distances)
        for hits, row_distances in zip(ranked.hits, ranked.distances, strict=True)
    ]
    np.testing.assert_allclose(average_precision(ranked), expected, atol=1e-12)


@pytest.mark.slow
@given(seed=st.integers(0, 500))
@settings(max_examples=20, deadline=None)
def test_micro_average_precision_is_scikit_learns_on_the_pool(seed: int) -> None:
    ranked = ranking(seed)
    drawn = np.random.default_rng(seed + 1).random((40, DEPTH))
    strangers = np.sort(drawn, axis=1).astype(np.float32)
    micro, recall = pooled_scores(pool_pairs(ranked, strangers), resamples=5, seed=0)
    truth = np.concatenate([ranked.hits.ravel(), np.zeros(strangers.size, bool)])
    score = -np.concatenate([ranked.distances.ravel(), strangers.ravel()])
    assert micro.value == pytest.approx(average_precision_score(truth, score))
    precisions, recalls, _ = precision_recall_curve(truth, score)
    at_hits = np.append(np.diff(recalls) < 0, False)  # where a relevant pair comes in
    reached = recalls[at_hits & (precisions >= 0.9)].max(initial=0.0)
    assert recall.value == pytest.approx(reached)


@pytest.mark.slow
def test_a_resample_is_scikit_learns_score_with_weights() -> None:
    ranked = ranking(3)
    pool = pool_pairs(ranked, np.zeros((0, DEPTH), np.float32))
    micro, _ = pooled_scores(pool, resamples=40, seed=9)
    relevant = ranked.relevant
    weights = np.random.default_rng(9).standard_exponential((40, N + 1))
    weights *= (N + 1) / weights.sum(axis=1, keepdims=True)
    hits = np.append(True, ranked.hits.ravel())  # first the query that finds all before all others
    nearness = np.append(1.0, -ranked.distances.ravel())
    plain, lowest, highest = [], [], []
    for *own, rest in weights.tolist():
        more = rest * relevant.mean()
        pairs = np.repeat(own, DEPTH)
        plain.append(average_precision_score(hits[1:], nearness[1:], sample_weight=pairs))
        known = float(np.dot(own, relevant))
        lowest.append(plain[-1] * known / (known + more))
        all_pairs = np.append(more, pairs)
        highest.append(average_precision_score(hits, nearness, sample_weight=all_pairs))
    assert micro.error == pytest.approx(np.std(plain), rel=1e-6)
    assert micro.low == pytest.approx(np.quantile(lowest, 0.025), rel=1e-6)
    assert micro.high == pytest.approx(np.quantile(highest, 0.975), rel=1e-6)


@pytest.mark.parametrize("n", [1, 2, 5, 9])
def test_a_pooled_score_of_few_queries_lies_within_a_wide_interval(n: int) -> None:
    """All images at one distance: each order is as good, the worst one counts."""
    hits = np.arange(DEPTH) < np.full((n, 1), 5)
    ranked = Ranking(hits, np.zeros((n, DEPTH), np.float32), np.full(n, 5))
    for score in pooled_scores(
        pool_pairs(ranked, np.zeros((3, 15), np.float32)), resamples=99, seed=1
    ):
        assert 0 <= score.low <= score.value <= score.high <= 1
        assert score.high - score.low > 0.2


def test_equal_distances_count_in_their_worst_order() -> None:
    hits = np.array([[True, False, False, True]])
    distances = np.array([[0.1, 0.1, 0.1, 0.2]], dtype=np.float32)
    ranked = Ranking(hits, distances, np.array([2]))
    micro, _ = pooled_scores(pool_pairs(ranked, np.zeros((0, 4), np.float32)), resamples=2, seed=0)
    orders = (
        Ranking(np.array([[*order, True]]), np.arange(4, dtype=np.float32)[None], np.array([2]))
        for order in permutations([True, False, False])
    )
    assert micro.value == pytest.approx(min(float(average_precision(order)[0]) for order in orders))


def test_a_query_without_copies_can_only_do_harm() -> None:
    ranked = ranking(1)
    alone, _ = pooled_scores(pool_pairs(ranked, np.zeros((0, 3), np.float32)), resamples=2, seed=0)
    nearer = np.full((5, 3), -1.0, np.float32)
    farther = np.full((5, 3), 9.0, np.float32)
    harmed, _ = pooled_scores(pool_pairs(ranked, nearer), resamples=2, seed=0)
    spared, _ = pooled_scores(pool_pairs(ranked, farther), resamples=2, seed=0)
    assert harmed.value < alone.value == spared.value


def test_the_other_scores_worked_by_hand() -> None:
    hits = np.array([[False, True, True, False, True], [False] * 5])
    ranked = Ranking(hits, np.arange(10, dtype=np.float32).reshape(2, 5), np.array([4, 2]))
    np.testing.assert_allclose(recall_at(ranked, 3), [2 / 4, 0])
    np.testing.assert_allclose(r_precision(ranked), [2 / 4, 0])
    np.testing.assert_allclose(reciprocal_rank(ranked), [1 / 2, 0])
    np.testing.assert_allclose(average_precision(ranked), [(1 / 2 + 2 / 3 + 3 / 5) / 4, 0])


def test_junk_counts_neither_for_nor_against() -> None:
    distances = np.array([[0.1, 0.2, 0.3, 0.4]], dtype=np.float32)
    wanted = np.array([[False, False, True, False]])
    junk = np.array([[True, True, False, False]])
    ranked = ranking_of(distances, wanted, junk, np.array([1]), 3)
    assert ranked.hits.tolist() == [[True, False, False]]
    np.testing.assert_allclose(ranked.distances[0], [0.3, 0.4, np.inf])
    assert average_precision(ranked).tolist() == [1.0]


@given(seed=st.integers(0, 200))
@settings(max_examples=20, deadline=None)
def test_a_perfect_search_scores_one_everywhere(seed: int) -> None:
    relevant = np.random.default_rng(seed).integers(1, 6, N)
    hits = np.arange(DEPTH) < relevant[:, None]
    distances = np.where(hits, 0.1, 0.9).astype(np.float32)
    ranked = Ranking(hits, distances, relevant)
    for scores in (average_precision(ranked), r_precision(ranked), reciprocal_rank(ranked)):
        np.testing.assert_allclose(scores, 1)
    pool = pool_pairs(ranked, np.full((7, DEPTH), 0.95, np.float32))
    for pooled in pooled_scores(pool, resamples=20, seed=0):
        assert (pooled.value, pooled.error, pooled.high) == pytest.approx((1, 0, 1))
        assert 0.5 < pooled.low < 1  # one more query may find nothing


@pytest.mark.slow
def test_the_pooled_interval_covers_the_truth_and_follows_from_its_seed() -> None:
    """Queries that find their one copy with a distance from one law, strangers from another."""
    rng = np.random.default_rng(5)

    def simulated(n: int) -> PooledPairs:
        copies, strangers = rng.normal(0, 1, n), rng.normal(2, 1, n)
        distances = np.stack([copies, strangers], axis=1)
        order = np.argsort(distances, axis=1)
        hits = np.take_along_axis(np.array([[True, False]]).repeat(n, 0), order, axis=1)
        drawn = np.take_along_axis(distances, order, axis=1).astype(np.float32)
        return pool_pairs(Ranking(hits, drawn, np.ones(n, np.int64)), np.zeros((0, 2), np.float32))

    truth = pooled_scores(simulated(100_000), resamples=1, seed=0)[0].value
    trials = 200
    covered = 0
    for trial in range(trials):
        pool = simulated(150)
        scores = pooled_scores(pool, resamples=300, seed=trial)
        covered += scores[0].low <= truth <= scores[0].high
        if trial == 0:
            assert scores == pooled_scores(pool, resamples=300, seed=trial)
    assert 0.90 <= covered / trials <= 0.99  # the standard error is 0.015
