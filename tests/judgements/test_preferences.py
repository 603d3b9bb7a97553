"""Preferences: intervals that cover, a stopping rule that seldom errs, rankings and agreement by reference."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import optimize, stats

from simsearch.judgements.agreement import alpha_interval, krippendorff_alpha
from simsearch.judgements.preferences import (
    FEWEST,
    MOST,
    answers_needed,
    bradley_terry,
    is_decided,
    preference,
)


def test_alpha_is_that_of_the_paper() -> None:
    """Krippendorff, Computing Krippendorff's alpha-reliability (2011), section C: four observers, twelve
    units, some without an answer; .743 for nominal data."""
    units = [
        "11 1",
        "2232",
        "3333",
        "3333",
        "2222",
        "1234",
        "4444",
        "1121",
        "2222",
        " 555",
        "  11",
        " 3  ",
    ]
    answers = [[answer for answer in unit if answer != " "] for unit in units]
    assert krippendorff_alpha(answers) == pytest.approx(0.743, abs=5e-4)


def test_alpha_says_nothing_of_one_answer() -> None:
    assert krippendorff_alpha([["a"], ["b"]]) is None
    assert krippendorff_alpha([["a", "a"], ["a", "a"]]) is None
    assert alpha_interval([]) is None
    random = np.random.default_rng(0)
    units = [list(random.choice(["a", "b"], 2)) for _ in range(300)]
    alpha, interval = krippendorff_alpha(units), alpha_interval(units)
    assert alpha is not None
    assert interval is not None
    assert interval[0] < 0 < interval[1] < 0.2
    assert interval[0] < alpha < interval[1]


@pytest.mark.parametrize("prior", [0.0, 1.0])
def test_strengths_are_the_most_likely_ones(prior: float) -> None:
    """Against a general optimiser."""
    names = ("a", "b", "c", "d")
    random = np.random.default_rng(3)
    wins = {
        (first, other): float(random.integers(1, 30))
        for first in names
        for other in names
        if first != other
    }

    def loss(strengths: np.ndarray) -> float:
        likelihood = sum(
            (count + prior / 2)
            * np.log1p(np.exp(strengths[names.index(b)] - strengths[names.index(a)]))
            for (a, b), count in wins.items()
        )
        return float(likelihood + strengths.mean() ** 2)

    best = optimize.minimize(loss, np.zeros(4), tol=1e-12).x
    strengths = bradley_terry(wins, prior)
    assert [strengths[name] for name in names] == pytest.approx(best, abs=1e-4)
    assert list(strengths.values()) == sorted(strengths.values(), reverse=True)


def test_a_space_that_never_wins_is_last() -> None:
    assert list(bradley_terry({("good", "bad"): 40, ("good", "fair"): 30, ("fair", "bad"): 9})) == [
        "good",
        "fair",
        "bad",
    ]


@pytest.mark.parametrize(("share", "needed"), [(0.6, 210), (0.65, 97)])
def test_so_many_answers_tell_a_preference(share: float, needed: int) -> None:
    """Against SciPy's binomial distribution."""

    def power(count: int) -> float:
        rejected = int(stats.binom.ppf(0.025, count, 0.5))
        if stats.binom.cdf(rejected, count, 0.5) > 0.025:
            rejected -= 1
        return float(stats.binom.sf(count - rejected - 1, count, share))

    assert answers_needed(share) == needed
    assert power(needed - 1) < 0.8 <= min(power(count) for count in range(needed, needed + 60))


def simulate(
    seed: int, judges: int, count: int, share: float
) -> tuple[list[float], list[int], list[int]]:
    random = np.random.default_rng(seed)
    scores = np.where(random.random(count) < 0.2, 0.5, random.random(count) < share)
    return scores.tolist(), list(range(count)), random.integers(judges, size=count).tolist()


def coverage(seeds: int, judges: int, count: int, share: float) -> float:
    truth = 0.8 * share + 0.1
    intervals = [preference(*simulate(seed, judges, count, share)) for seed in range(seeds)]
    return sum(said.low <= truth <= said.high for said in intervals) / seeds


def test_intervals_cover() -> None:
    """Of 60 intervals of 95 %, at least 52 cover; fewer have a probability below .2 %."""
    assert coverage(60, 3, 60, 0.65) >= 52 / 60


@pytest.mark.drill
@pytest.mark.parametrize("judges", [2, 5])
@pytest.mark.parametrize("count", [30, 100, 400])
@pytest.mark.parametrize("share", [0.5, 0.65, 0.8])
def test_intervals_cover_as_often_as_they_say(judges: int, count: int, share: float) -> None:
    assert 0.93 <= coverage(1000, judges, count, share) <= 0.97


def test_answers_on_few_works_say_less() -> None:
    random = np.random.default_rng(1)
    scores = np.repeat(random.random(20) < 0.7, 10).astype(float).tolist()
    alike = preference(scores, np.repeat(np.arange(20), 10).tolist(), [0] * 200)
    apart = preference(scores, list(range(200)), [0] * 200)
    assert alike.high - alike.low > 2.5 * (apart.high - apart.low)


def test_judges_who_differ_say_less_of_others() -> None:
    scores = [1.0] * 100 + [0.0] * 60 + [1.0] * 40
    who = ["Ada"] * 100 + ["Ben"] * 100
    differing = preference(scores, list(range(200)), who)
    one_judge = preference(scores, list(range(200)), ["Ada"] * 200)
    assert differing.high - differing.low > 2 * (one_judge.high - one_judge.low)
    assert one_judge.clear
    assert not differing.clear


@pytest.mark.slow
def test_looking_after_each_answer_seldom_errs() -> None:
    """Equal spaces are called different in at most 6 % of 3,000 sessions; a preference of 65 % is seen."""
    random = np.random.default_rng(5)

    def decided(share: float, sessions: int) -> float:
        ahead = np.cumsum(random.random((sessions, MOST)) < share, axis=1)
        counts = np.arange(1, MOST + 1)
        stops = [
            any(
                is_decided(int(wins), int(count - wins))
                for wins, count in zip(row[FEWEST - 1 :], counts[FEWEST - 1 :], strict=True)
            )
            for row in ahead
        ]
        return sum(stops) / sessions

    assert decided(0.5, 3000) <= 0.06
    assert decided(0.65, 300) >= 0.97


def test_more_is_fewer_the_clearer_it_is() -> None:
    def more(wins: int, losses: int) -> int:
        scores = [1.0] * wins + [0.0] * losses
        return preference(scores, list(range(wins + losses)), [0] * len(scores)).more

    assert more(60, 40) < more(54, 46) < more(0, 0) + 400
    assert more(100, 0) == 0
    assert more(200, 200) == 0  # more answers than MOST change nothing
    assert 2 < more(63, 37) < 30 < more(58, 42)
