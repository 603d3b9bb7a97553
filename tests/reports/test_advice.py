"""Advice from few originals: never for lack of evidence."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simsearch import schemas
from simsearch.evaluation.metrics import Scores, scores_table, summary
from simsearch.evaluation.paired_tests import compare_spaces
from simsearch.reports.conclusion import candidates, conclusion_words, picks
from simsearch.reports.evaluation_section import evaluation_section
from tests.reports.test_conclusion import SPACES, comparisons, metrics, space, timings
from tests.support.report_pages import page, read


@pytest.mark.parametrize(
    ("p_holm", "low", "choice", "undecided"),
    [
        (0.001, -0.2, "slow", ()),  # worse
        (0.2, -0.2, "slow", ("fast",)),  # shown neither to be worse nor to be as good
        (0.2, -0.021, "slow", ("fast",)),
        (0.2, -0.019, "fast", ()),  # as good
        (0.04, -0.019, "slow", ()),  # worse by little, but significantly
    ],
)
def test_the_fastest_that_is_shown_to_be_as_good_as_the_best_is_advised(
    p_holm: float, low: float, choice: str, undecided: tuple[str, ...]
) -> None:
    table = metrics(fast=0.8, slow=0.9, random=0.99)
    tests = comparisons(p_holm, low=low, high=0.01)
    advice = picks(table, tests, candidates(table, SPACES, timings()))
    assert [pick.group for pick in advice] == ["all", "overlay"]
    for pick in advice:
        assert pick.best == "slow"  # the random network scored higher and is no candidate
        assert pick.choice.space.name == choice
        assert pick.equals == (() if choice == "slow" else ("slow",))
        assert pick.undecided == undecided


def measured_over(
    *spaces: Any, names: Sequence[str] = ("fast", "slow")
) -> tuple[pa.Table, pa.Table]:
    """The metrics and comparisons of the average precisions [n] of some spaces."""
    ids = [f"{number:04}" for number in range(len(spaces[0]))]
    tables, scores = [], []
    for name, values in zip(names, spaces, strict=True):
        score = Scores("all", 100, "map", np.array(values), np.ones(len(values)))
        keys = {"space": name, "search": "exact"}
        tables.append(summary([score], **keys, bootstrap=300, seed=1))
        scores.append(scores_table([score], **keys, artwork_ids=ids))
    compared = compare_spaces(pa.concat_tables(scores), resamples=300, seed=1)
    return pa.concat_tables(tables), compared


@pytest.mark.parametrize("n", [1, 2, 5, 6, 7, 8, 9, 12, 40])
@pytest.mark.parametrize("equal", [0, 1, 5])  # originals on which both are perfect
def test_a_bad_network_is_never_advised_for_lack_of_evidence(n: int, equal: int) -> None:
    fast = np.concatenate([np.ones(min(equal, n - 1)), np.full(n - min(equal, n - 1), 0.3)])
    slow = np.where(fast < 1, 0.95, 1.0)
    table, compared = measured_over(fast, slow)
    ranked = candidates(table, SPACES[:2], timings())
    words = conclusion_words(table, compared, ranked)
    if n < 6:  # one test: 2 × 2^-6 is the first share of signs below 0.05
        originals = "1 original with copies is" if n == 1 else f"{n} originals with copies are"
        assert words == (
            f"no advice: {originals} too few to compare spaces by; 6 are the fewest "
            "from which 1 test can show a difference"
        )
        assert picks(table, compared, ranked) == []
    else:
        assert words.startswith("search with slow")


@pytest.mark.slow
@given(st.integers(1, 60), st.integers(0, 2**16), st.floats(0, 0.4), st.floats(0, 1))
@settings(max_examples=40, deadline=None)
def test_whatever_is_advised_scores_nearly_as_well_as_the_best(
    n: int, seed: int, worse: float, share: float
) -> None:
    random = np.random.default_rng(seed)
    slow = random.beta(6, 2, n)
    fast = np.clip(slow - worse * (random.random(n) < share), 0, 1)
    table, compared = measured_over(fast, slow)
    for pick in picks(table, compared, candidates(table, SPACES[:2], timings())):
        assert pick.quality >= max(fast.mean(), slow.mean()) - 0.02
        assert n >= 6


@pytest.mark.slow
def test_many_networks_are_listed_in_a_sentence() -> None:
    names = ("fast", "slow", "third", "fourth")
    spaces = [space(name) for name in names]
    values = [np.full(400, quality) for quality in (0.9, 0.9, 0.5, 0.4)]
    table, compared = measured_over(*values, names=names)
    words = conclusion_words(table, compared, candidates(table, spaces, timings()))
    assert words.endswith("; slow is within 0.02 of it; third and fourth are worse")
    values[0] += 0.1
    table, compared = measured_over(*values, names=names)
    words = conclusion_words(table, compared, candidates(table, spaces, timings()))
    assert words.endswith("; slow, third and fourth are worse")


def test_one_network_needs_no_test() -> None:
    table = metrics(fast=0.8, random=0.7)
    few = comparisons(1, n=3)
    ranked = candidates(table, (SPACES[0], SPACES[2]), timings())
    assert conclusion_words(table, few, ranked).startswith("search with fast")


@pytest.mark.slow
def test_the_page_says_why_there_is_no_advice() -> None:
    table = metrics(fast=0.8, slow=0.9, random=0.99)
    ranked = candidates(table, SPACES, timings())
    near = schemas.NEAR_DUPLICATES.empty_table()
    section = evaluation_section(table, comparisons(1, n=5), near, {}, ranked)
    text = read(page(evaluation=section)).text
    assert "No advice: 5 originals with copies are too few to compare spaces by; 7 are the" in text
