"""Intervals and tests against simulation, SciPy and published figures."""

from __future__ import annotations

from fractions import Fraction
from itertools import product
from typing import Any

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from simsearch.evaluation import statistics
from simsearch.evaluation.statistics import (
    bootstrap_interval,
    bootstrap_intervals,
    fewest_pairs,
    holm,
    paired_test,
    resample_counts,
    signed_rank_p,
    skewness_interval,
)

LAWS: dict[str, tuple[Any, float]] = {
    "nearly perfect": (lambda rng, shape: (rng.random(shape) < 0.95).astype(float), 0.95),
    "nearly useless": (lambda rng, shape: (rng.random(shape) < 0.1).astype(float), 0.1),
    "shares": (lambda rng, shape: rng.binomial(5, 0.7, shape) / 5, 0.7),
    "skewed": (lambda rng, shape: rng.beta(2, 6, shape), 0.25),
}


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("n", [1, 5, 10, 20, 50, 150])
def test_intervals_of_the_mean_cover_the_truth_however_few_originals_there_are(
    law: str, n: int
) -> None:
    draw, truth = LAWS[law]
    samples = draw(np.random.default_rng(11), (n, 1000))  # a column is a trial
    low, high = bootstrap_intervals(samples, resamples=400, seed=n)
    assert ((low <= truth) & (truth <= high)).mean() > 0.935  # the standard error is 0.007


@pytest.mark.slow
def test_intervals_of_many_originals_are_no_wider_than_they_need_to_be() -> None:
    values = np.random.default_rng(3).binomial(5, 0.7, 2000) / 5
    low, high = bootstrap_interval(values, resamples=2000, seed=1)
    assert high - low == pytest.approx(2 * 1.96 * values.std() / 2000**0.5, rel=0.05)


@pytest.mark.parametrize(("right", "n"), [(0, 9), (9, 9), (18, 20), (60, 60)])
def test_of_scores_of_0_and_1_the_interval_is_clopper_and_pearsons(right: int, n: int) -> None:
    values = np.array([1.0] * right + [0.0] * (n - right))
    reference = scipy.stats.binomtest(right, n).proportion_ci()
    interval = bootstrap_interval(values, resamples=20_000, seed=2)
    assert interval == pytest.approx((reference.low, reference.high), abs=0.006)


def test_no_interval_reaches_beyond_what_a_score_can_be() -> None:
    low, high = bootstrap_intervals(
        np.full((8, 2), 0.2), resamples=300, seed=1, most=np.array([0.2, 1.0])
    )
    assert high[0] == pytest.approx(0.2)
    assert high[1] > 0.3
    assert low[0] == low[1] > 0


@pytest.mark.slow
def test_intervals_of_a_paired_difference_cover_the_truth() -> None:
    rng = np.random.default_rng(2)
    covered = 0
    for trial in range(300):
        shared = rng.random(120)  # hard originals are hard for both
        first, second = (shared * rng.random(120) * most for most in (1.0, 0.8))
        test = paired_test(first, second, resamples=300, seed=trial)
        covered += test.ci_low <= 0.05 <= test.ci_high
    assert 0.91 <= covered / 300 <= 0.99


def lossy(rng: np.random.Generator, n: int) -> np.ndarray:
    return np.where(rng.random(n) < 0.1, 0.0, 1.0)


@pytest.mark.parametrize("n", [9, 20, 60])
def test_a_loss_on_few_originals_may_be_missed_by_those_measured(n: int) -> None:
    """A space that fails on a tenth of the originals is seldom shown to be as good."""
    rng = np.random.default_rng(n)
    highs = [
        paired_test(np.ones(n), lossy(rng, n), resamples=200, seed=trial).ci_high
        for trial in range(150)
    ]
    assert np.mean(np.array(highs) <= 0.02) <= 0.05


def test_many_small_gains_do_not_make_a_few_large_losses_good() -> None:
    """Ranks favour the first space, the mean favours the second: neither is shown to be better."""
    first, second = np.full(100, 0.5), np.full(100, 0.5)
    first[:90] += 0.01 + np.arange(90) * 1e-5
    second[90:] += 0.5
    assert signed_rank_p(first - second) < 1e-6
    assert paired_test(first, second, resamples=50, seed=0).p_value == 1
    assert paired_test(second, first, resamples=50, seed=0).p_value == 1


def test_columns_have_the_intervals_they_have_alone() -> None:
    values = np.random.default_rng(0).random((80, 3))
    low, high = bootstrap_intervals(values, resamples=200, seed=4)
    for column in range(3):
        alone = bootstrap_interval(values[:, column], resamples=200, seed=4)
        np.testing.assert_allclose((low[column], high[column]), alone, rtol=1e-12)


@pytest.mark.slow
def test_of_many_originals_the_interval_is_scipys(monkeypatch: pytest.MonkeyPatch) -> None:
    values = np.random.default_rng(8).beta(2, 3, 4000)
    ours = bootstrap_interval(values, resamples=2000, seed=1)
    theirs = scipy.stats.bootstrap(
        (values,), np.mean, n_resamples=2000, method="percentile", rng=np.random.default_rng(2)
    ).confidence_interval
    np.testing.assert_allclose(ours, (theirs.low, theirs.high), rtol=0.002)
    monkeypatch.setattr(statistics, "_NUMBERS_AT_ONCE", 50_000)
    assert bootstrap_interval(values, resamples=2000, seed=1) == pytest.approx(ours, rel=1e-12)


def test_every_resample_draws_as_many_originals_as_there_are() -> None:
    blocks = list(resample_counts(np.full(10, 5), resamples=30, seed=3))
    assert sum(len(block) for block in blocks) == 30
    assert all((block.sum(axis=1) == 50).all() for block in blocks)


def test_skewness_is_scipys() -> None:
    values = np.random.default_rng(1).poisson(3, 400).astype(float)
    reference = scipy.stats.bootstrap(
        (values,), scipy.stats.skew, n_resamples=2000, method="percentile", rng=2
    ).confidence_interval
    value, low, high = skewness_interval(values, resamples=2000, seed=0)
    assert value == pytest.approx(scipy.stats.skew(values))
    assert (low, high) == pytest.approx(reference, abs=0.03)
    assert low < value < high
    assert skewness_interval(np.full(9, 4.0), resamples=20, seed=0) == (0, 0, 0)


def test_the_p_value_of_many_differences_is_that_of_scipys_normal_approximation() -> None:
    rng = np.random.default_rng(6)
    first, second = rng.random(80), rng.random(80) + 0.2
    expected = scipy.stats.wilcoxon(first, second, zero_method="pratt", method="asymptotic")
    test = paired_test(first, second, resamples=200, seed=0)
    assert test.p_value == pytest.approx(expected.pvalue)
    assert test.difference == pytest.approx((first - second).mean())


def exact_p(differences: list[Fraction]) -> Fraction:
    """The share of all signs whose rank sum is as far from 0, by plain loops over exact numbers."""
    sizes = [abs(value) for value in differences]
    ranks = [
        Fraction(2 * sum(other < size for other in sizes) + sizes.count(size) + 1, 2)
        for size in sizes
    ]
    signed = [(rank, value) for rank, value in zip(ranks, differences, strict=True) if value]
    none = Fraction(0)
    observed = abs(sum((rank if value > 0 else -rank for rank, value in signed), none))
    sums = [
        abs(sum((sign * rank for sign, (rank, _) in zip(signs, signed, strict=True)), none))
        for signs in product((-1, 1), repeat=len(signed))
    ]
    return Fraction(sum(total >= observed for total in sums), len(sums))


@pytest.mark.slow
@given(st.lists(st.integers(-4, 4), min_size=1, max_size=9), st.integers(0, 40))
def test_few_differences_have_the_exact_p_value_ties_and_zeros_too(
    tenths: list[int], equal: int
) -> None:
    differences = [Fraction(value, 10) for value in tenths + [0] * equal]
    assert signed_rank_p(np.array(tenths + [0] * equal) / 10) == float(exact_p(differences))


@pytest.mark.slow
@given(st.lists(st.floats(-1, 1), min_size=1, max_size=9), st.randoms())
def test_a_p_value_depends_on_neither_direction_nor_order(values: list[float], random: Any) -> None:
    expected = signed_rank_p(np.array(values))
    assert signed_rank_p(-np.array(values)) == expected
    random.shuffle(values)
    assert signed_rank_p(np.array(values)) == expected
    assert 0 < expected <= 1


@pytest.mark.parametrize("count", [1, 4, 5, 14])
def test_a_few_that_all_differ_one_way_are_as_likely_as_a_fair_coin_says(count: int) -> None:
    first, second = np.full(1000, 0.5), np.full(1000, 0.5)
    first[:count] += np.linspace(0.1, 0.3, count)
    assert paired_test(first, second, resamples=20, seed=0).p_value == 2 * 0.5**count


def test_rounding_breaks_no_ties() -> None:
    # 0.3 − 0.1, 0.9 − 0.7 and 0.5 − 0.3 are three float64 numbers, all of them 0.2.
    first, second = np.array([0.3, 0.9, 0.3, 0.7]), np.array([0.1, 0.7, 0.5, 0.7])
    tied = exact_p([Fraction(1, 5), Fraction(1, 5), Fraction(-1, 5), Fraction(0)])
    assert paired_test(first, second, resamples=20, seed=0).p_value == float(tied) == 1


@pytest.mark.parametrize(("higher", "lower"), [(12, 3), (21, 9), (32, 18), (40, 19)])
def test_equally_large_differences_have_the_p_value_of_the_sign_test(
    higher: int, lower: int
) -> None:
    """So it is for F1 of few copies, where most originals have the same score in both spaces."""
    expected = scipy.stats.binomtest(higher, higher + lower).pvalue
    for equal in (0, 1000):
        differences = np.repeat([0.2, -0.2, 0.0], [higher, lower, equal])
        assert signed_rank_p(differences) == pytest.approx(expected, rel=1e-9)


def test_without_ties_and_zeros_p_is_that_of_scipys_exact_mode() -> None:
    for seed in range(5):
        values = np.random.default_rng(seed).normal(0.3, 1, 14)
        expected = scipy.stats.wilcoxon(values, method="exact").pvalue
        assert signed_rank_p(values) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("tests", [1, 2, 6, 30, 500, 20_000])
def test_from_the_fewest_pairs_on_one_of_the_tests_can_be_significant(tests: int) -> None:
    n = fewest_pairs(tests, 0.05)
    others = [1.0] * (tests - 1)
    assert min(holm([signed_rank_p(np.ones(n)), *others])) < 0.05
    assert min(holm([signed_rank_p(np.ones(n - 1)), *others])) >= 0.05
    if n < 15:
        assert tests * 2 * 0.5**n < 0.05 <= tests * 2 * 0.5 ** (n - 1)


def test_equal_scores_differ_by_nothing() -> None:
    same = np.linspace(0, 1, 9)
    test = paired_test(same, same, resamples=50, seed=0)
    assert (test.difference, test.p_value) == (0, 1)
    assert test.ci_low < 0 < test.ci_high  # of nine, a tenth of all originals is easily missed
    with pytest.raises(ValueError, match="different originals"):
        paired_test(same, same[1:], resamples=5, seed=0)


@pytest.mark.parametrize("odd", [np.nan, np.inf])
@pytest.mark.parametrize("count", [1, 5, 40])
def test_a_score_that_is_no_number_has_no_p_value(odd: float, count: int) -> None:
    scores = np.linspace(0.1, 0.9, count)
    scores[0] = odd
    with pytest.raises(ValueError, match="not finite"):
        paired_test(scores, np.zeros(count), resamples=5, seed=0)


def test_holms_correction_worked_by_hand() -> None:
    # Sorted, 0.005, 0.01, 0.03 and 0.04 are multiplied by 4, 3, 2 and 1: 0.02, 0.03, 0.06 and 0.04.
    # None may be less than the one before, so the last is 0.06 too.
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([]) == []


@pytest.mark.slow
@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_holm_lies_between_the_p_values_and_bonferroni(p_values: list[float]) -> None:
    for raw, corrected in zip(p_values, holm(p_values), strict=True):
        assert raw <= corrected <= min(1.0, raw * len(p_values)) + 1e-12
