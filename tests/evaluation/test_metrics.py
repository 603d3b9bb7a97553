"""Recovery metrics: worked by hand, and laws that hold for any input."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from simsearch.evaluation.metrics import (
    ceilings,
    pooled_rows,
    precision_recall_f1,
    study_measures,
    summary,
)
from simsearch.evaluation.pooling import pool_pairs
from simsearch.evaluation.ranking import Ranking, recall_at
from simsearch.evaluation.statistics import bootstrap_interval
from tests.support.scores import ranking, study_scores_of

FIVE = np.array([5])


def table(
    hits: list[list[int]], copies: list[int], profiles: list[str]
) -> dict[tuple[str, int, str], dict[str, float]]:
    """The study's scores of rankings that hold copies of the profiles `hits`, −1 for other images."""
    scores = study_scores_of(np.array(hits), np.array(copies), profiles, (1, 3, 5))
    table = summary(scores, space="b", search="exact", bootstrap=200, seed=1)
    return {(row["scope"], row["k"], row["metric"]): row for row in table.to_pylist()}


def test_the_studys_definition_worked_by_hand() -> None:
    # Five copies; ranks 1, 2 and 4 are copies.
    hits = np.array([[True, True, False, True, False]])
    for k, precision, recall in ((1, 1, 1 / 5), (3, 2 / 3, 2 / 5), (5, 3 / 5, 3 / 5)):
        scores = precision_recall_f1(hits[:, :k].sum(axis=1), FIVE, k)
        f1 = 2 * precision * recall / (precision + recall)
        np.testing.assert_allclose([float(score[0]) for score in scores], [precision, recall, f1])


def test_nothing_found_scores_zero_everywhere() -> None:
    assert [score.tolist() for score in precision_recall_f1(np.zeros(1), FIVE, 3)] == [
        [0],
        [0],
        [0],
    ]


def test_the_ceilings_of_five_copies() -> None:
    highest = {k: [round(float(score[0]), 4) for score in ceilings(FIVE, k)] for k in (1, 3, 5, 10)}
    assert highest == {1: [1, 0.2, 0.3333], 3: [1, 0.6, 0.75], 5: [1, 1, 1], 10: [0.5, 1, 0.6667]}


def test_an_original_without_copies_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one copy"):
        precision_recall_f1(np.zeros(1), np.array([0]), 1)


def test_the_table_averages_over_originals_and_tells_profiles_apart() -> None:
    rows = table([[0, 1, -1, -1, -1], [1, -1, -1, -1, 0]], [2, 2], ["grey", "small"])
    assert rows["all", 1, "precision"]["mean"] == 1.0
    assert rows["all", 3, "recall"]["mean"] == 0.75  # 2 of 2 and 1 of 2
    assert rows["all", 3, "recall"]["std"] == 0.25  # of the population
    assert rows["all", 5, "recall"]["mean"] == 1.0
    assert rows["grey", 1, "recovered"]["mean"] == 0.5
    assert rows["small", 1, "recovered"]["mean"] == 0.5
    assert rows["grey", 5, "recovered"]["mean"] == 1.0
    assert rows["grey", 1, "recovered"]["ceiling"] == 0.5  # one place for two copies
    assert {row["n"] for row in rows.values()} == {2}
    assert all(row["ci_low"] <= row["mean"] <= row["ci_high"] for row in rows.values())


def test_no_originals_give_an_empty_table() -> None:
    nothing = ranking(np.zeros((0, 5), bool), np.zeros(0, np.int64))
    empty = summary(
        list(study_measures(nothing, (1,))),
        space="b",
        search="exact",
        bootstrap=10,
        seed=0,
    )
    assert empty.num_rows == 0


@pytest.mark.parametrize("depth", [1, 2, 3, 5])
def test_a_perfect_space_reaches_the_ceilings_of_the_pool_in_shallow_rankings_too(
    depth: int,
) -> None:
    copies = np.array([3, 2, 3])
    hits = (np.arange(5) < copies[:, None])[:, :depth]
    shallow = Ranking(hits, np.where(hits, 0.5, 1).astype(np.float32), copies)
    pool = pool_pairs(shallow, np.zeros((0, depth), np.float32))
    rows = pooled_rows("all", depth, pool, space="b", search="exact", bootstrap=5, seed=0)
    assert rows["mean"].to_pylist() == pytest.approx(rows["ceiling"].to_pylist())


hit_arrays = st.integers(1, 12).flatmap(lambda n: arrays.arrays(bool, (n, 10)))


@pytest.mark.slow
@given(hits=hit_arrays, k=st.integers(1, 10), data=st.data())
def test_scores_stay_below_their_ceilings_and_ignore_order(
    hits: np.ndarray, k: int, data: st.DataObject
) -> None:
    hit_counts = hits.sum(axis=1)
    relevant = np.maximum(1, hit_counts + data.draw(st.integers(0, 4)))
    at_k = hits[:, :k].sum(axis=1)
    scores, tops = precision_recall_f1(at_k, relevant, k), ceilings(relevant, k)
    for score, top in zip(scores, tops, strict=True):
        assert (score >= 0).all()
        assert (score <= top + 1e-12).all()
    order = np.array(data.draw(st.permutations(range(len(hits)))))
    for score, shuffled in zip(
        scores, precision_recall_f1(at_k[order], relevant[order], k), strict=True
    ):
        np.testing.assert_array_equal(score[order], shuffled)


@pytest.mark.slow
@given(hits=hit_arrays)
def test_recall_never_falls_as_k_grows(hits: np.ndarray) -> None:
    relevant = np.maximum(1, hits.sum(axis=1))
    recalls = np.stack([recall_at(ranking(hits, relevant), k) for k in range(1, 11)])
    assert (np.diff(recalls, axis=0) >= 0).all()


def test_the_interval_follows_from_its_seed() -> None:
    values = np.random.default_rng(0).random(50)
    assert bootstrap_interval(values, resamples=300, seed=5) == bootstrap_interval(
        values, resamples=300, seed=5
    )
    assert bootstrap_interval(values, resamples=300, seed=5) != bootstrap_interval(
        values, resamples=300, seed=6
    )
