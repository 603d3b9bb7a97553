"""Scores by published answers against trec_eval's definitions, written here a second time, and by their laws."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pytest
from sklearn.metrics import average_precision_score

from simsearch.evaluation import pooling, relevance
from simsearch.evaluation.metrics import pooled_rows, summary
from simsearch.evaluation.pooling import PooledPairs, pooled_scores
from simsearch.evaluation.relevance import (
    Answers,
    answers_of_groups,
    answers_of_pairs,
    judge,
    relevance_pool,
    relevance_scores,
    search_and_judge,
)
from simsearch.indexes.exact import Neighbours, exact_search

Floats = npt.NDArray[np.float64]


def lists_of(distances: npt.NDArray[np.float32]) -> Neighbours:
    items = np.argsort(distances, axis=1, kind="stable")
    return Neighbours(items, np.take_along_axis(distances, items, axis=1))


def trec_eval(ranked: list[int], qrels: Mapping[int, float], k: int) -> dict[str, float]:
    """The measures of trec_eval for one query, from their definitions, in plain Python."""
    relevant = {item for item, grade in qrels.items() if grade > 0}
    hits, precisions, cut = 0, 0.0, 0.0
    for rank, item in enumerate(ranked, 1):
        if item in relevant:
            hits += 1
            precisions += hits / rank
            cut += hits / rank if rank <= k else 0.0
    gain = sum(
        max(qrels.get(item, 0.0), 0.0) / math.log2(rank + 1)
        for rank, item in enumerate(ranked[:k], 1)
    )
    best = sorted((grade for grade in qrels.values() if grade > 0), reverse=True)[:k]
    return {
        "recall": len(relevant.intersection(ranked[:k])) / len(relevant),
        "precision": len(relevant.intersection(ranked[:k])) / k,
        "map": precisions / len(relevant),
        "map_at": cut / len(relevant),
        "ndcg": gain / sum(grade / math.log2(rank + 1) for rank, grade in enumerate(best, 1)),
        "unjudged": sum(item not in qrels for item in ranked[:k]) / k,
    }


def random_case(seed: int) -> tuple[Answers, npt.NDArray[np.float32]]:
    rng = np.random.default_rng(seed)
    n, pairs = 40, 150
    answers = answers_of_pairs(
        n,
        rng.integers(0, n, pairs),
        rng.integers(0, n, pairs),
        rng.integers(-1, 4, pairs).astype(np.float64),
    )
    return answers, rng.random((len(answers.queries), n)).astype(np.float32)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("k", [1, 3, 10])
def test_scores_are_those_of_trec_eval(seed: int, k: int) -> None:
    answers, distances = random_case(seed)
    rng = np.random.default_rng(seed)
    near = [rng.choice(40, 3, replace=False) for _ in answers.queries]
    judged = judge(answers, lists_of(distances), near)
    expected = []
    for query, own in enumerate(answers.queries.tolist()):
        out = {own, *near[query].tolist()}
        ranked = [item for item in np.argsort(distances[query]).tolist() if item not in out]
        items, grades = answers.of_query(query)
        named = zip(items.tolist(), grades.tolist(), strict=True)
        qrels = {item: grade for item, grade in named if item not in out}
        if any(grade > 0 for grade in qrels.values()):
            expected.append(trec_eval(ranked, qrels, k))
    scores = list(relevance_scores(judged, [k]))
    assert {score.metric for score in scores} == set(expected[0])
    for score in scores:
        assert score.values == pytest.approx([values[score.metric] for values in expected])
        if score.metric != "unjudged":
            assert (score.values <= score.ceiling + 1e-9).all()


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_ties_score_as_the_mean_of_their_orders(seed: int) -> None:
    answers, distances = random_case(seed)
    nothing = [np.zeros(0, np.int64)] * len(answers.queries)
    coarse = np.floor(distances * 8).astype(np.float32)
    rng = np.random.default_rng(seed)
    orders = [
        list(relevance_scores(judge(answers, lists_of(coarse + noise), nothing), [5]))
        for noise in rng.random((400, *coarse.shape)).astype(np.float32) * 0.9
    ]
    for place, score in enumerate(relevance_scores(judge(answers, lists_of(coarse), nothing), [5])):
        drawn = np.mean([order[place].values.mean() for order in orders])
        assert score.values.mean() == pytest.approx(drawn, abs=0.006), score.metric


def test_a_perfect_space_scores_1_and_a_useless_one_as_chance_says() -> None:
    groups = [f"work {place // 4}" for place in range(200)]
    answers = answers_of_groups(groups)
    nothing = [np.zeros(0, np.int64)] * 200
    same = np.equal.outer(np.array(groups), np.array(groups))
    perfect = judge(answers, lists_of(1 - same.astype(np.float32)), nothing)
    constant = judge(answers, lists_of(np.ones((200, 200), np.float32)), nothing)
    best = {(s.metric, s.k): s.values.mean() for s in relevance_scores(perfect, [3])}
    chance = {(s.metric, s.k): s.values.mean() for s in relevance_scores(constant, [3])}
    for metric in ("recall", "precision", "map_at", "ndcg"):
        assert best[metric, 3] == pytest.approx(1)
    for metric in ("recall", "precision", "ndcg"):
        assert chance[metric, 3] == pytest.approx(3 / 199)
    micro = [
        pooled_scores(relevance_pool(judged), resamples=2, seed=0)[0].value
        for judged in (perfect, constant)
    ]
    assert micro[0] == pytest.approx(1)
    assert micro[1] < 0.02


def test_micro_average_precision_is_scikit_learns() -> None:
    answers, distances = random_case(3)
    nothing = [np.zeros(0, np.int64)] * len(answers.queries)
    judged = judge(answers, lists_of(distances), nothing)
    length = int(judged.ranking.relevant.max()) + 10
    hits = judged.ranking.hits[:, :length].ravel()
    nearness = -judged.ranking.distances[:, :length].ravel()
    valid = np.isfinite(nearness)
    share = hits[valid].sum() / judged.ranking.relevant.sum()
    expected = average_precision_score(hits[valid], nearness[valid]) * share
    rows = pooled_rows(
        "relevance", 40, relevance_pool(judged), space="s", search="exact", bootstrap=50, seed=0
    ).to_pylist()
    assert rows[0]["mean"] == pytest.approx(expected)
    assert rows[0]["ci_low"] <= expected <= rows[0]["ci_high"] <= rows[0]["ceiling"] + 0.5


@pytest.mark.parametrize("kind", ["random", "ties", "constant"])
def test_a_search_in_parts_scores_as_whole_lists(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers, _ = random_case(2)
    rng = np.random.default_rng(2)
    units = rng.normal(size=(40, 6)).astype(np.float32)
    if kind != "random":
        units = units[np.arange(40) % (7 if kind == "ties" else 1)]
    units /= np.linalg.norm(units, axis=1, keepdims=True)
    near = [rng.choice(40, 2, replace=False) for _ in answers.queries]
    whole = judge(answers, exact_search(units, units[answers.queries], 40), near)
    monkeypatch.setattr(relevance, "_CELLS_AT_ONCE", 40 * 7)
    parts = search_and_judge(units, answers, near, 10)
    assert parts.ranking.hits.shape[1] < 40
    assert parts.queries.tolist() == whole.queries.tolist()
    for cut, full in zip(
        relevance_scores(parts, [1, 10]), relevance_scores(whole, [1, 10]), strict=True
    ):
        if cut.metric != "map":  # of whole lists
            assert cut.values == pytest.approx(full.values), cut.metric
            assert cut.ceiling == pytest.approx(full.ceiling), cut.metric
    pools = [
        pooled_scores(relevance_pool(judged), resamples=5, seed=0) for judged in (parts, whole)
    ]
    assert pools[0] == pools[1]


def test_answers_of_groups_and_pairs_leave_out_what_has_no_answer() -> None:
    answers = answers_of_groups(["a", None, "b", "a", "", "c", "a"])
    assert answers.queries.tolist() == [0, 3, 6]
    assert [answers.of_query(q)[0].tolist() for q in range(3)] == [[3, 6], [0, 6], [0, 3]]
    assert not len(answers_of_groups([None, "a", "b"]).queries)
    ones = np.array([0, 0, 0, 2])
    pairs = answers_of_pairs(3, ones, np.array([1, 1, 0, 0]), np.array([1.0, 3.0, 9.0, 0.0]))
    assert pairs.of_query(0)[1].tolist() == [3.0]
    nothing = [np.zeros(0, np.int64)] * 2
    lists = lists_of(np.array([[0, 1, 2], [2, 1, 0]], np.float32))
    assert judge(pairs, lists, nothing).queries.tolist() == [0]  # nothing is relevant to work 2
    with pytest.raises(ValueError, match="not one of the 3"):
        answers_of_pairs(3, np.array([3]), np.array([0]), np.ones(1))
    with pytest.raises(ValueError, match="finite"):
        answers_of_pairs(3, np.array([1]), np.array([0]), np.array([np.nan]))


def test_a_score_at_every_k_comes_with_its_interval() -> None:
    answers, distances = random_case(1)
    nothing = [np.zeros(0, np.int64)] * len(answers.queries)
    judged = judge(answers, lists_of(distances), nothing)
    scores = list(relevance_scores(judged, [1, 5]))
    rows = summary(scores, space="s", search="exact", bootstrap=100, seed=0).to_pylist()
    assert len(rows) == 11
    assert all(row["ci_low"] <= row["mean"] <= row["ci_high"] for row in rows)
    with pytest.raises(ValueError, match="no score at 41"):
        list(relevance_scores(judged, [41]))


def long_pool(queries: int, relevant: int, seed: int) -> PooledPairs:
    """A pool of queries of different difficulty, `relevant` + 10 pairs each."""
    rng = np.random.default_rng(seed)
    quality = rng.uniform(0.2, 1.0, (queries, 1))
    hits = rng.random((queries, relevant + 10)) < quality
    distances = rng.random(hits.shape) - 0.5 * hits * quality
    order = np.argsort(distances, axis=None)
    owner = np.repeat(np.arange(queries), relevant + 10)
    return PooledPairs(hits.ravel()[order], owner[order], hits.sum(axis=1) + 5)


@pytest.mark.slow
def test_intervals_of_long_pools_are_those_of_all_pairs(monkeypatch: pytest.MonkeyPatch) -> None:
    pool = long_pool(60, 200, seed=5)
    exact = pooled_scores(pool, resamples=60, seed=2)
    monkeypatch.setattr(pooling, "_BINNED_ABOVE", 0)
    binned = pooled_scores(pool, resamples=60, seed=2)
    assert binned != exact
    for fast, slow in zip(binned, exact, strict=True):
        assert fast.value == slow.value
        for name in ("error", "low", "high"):
            assert getattr(fast, name) == pytest.approx(getattr(slow, name), abs=0.006)
