"""The number of false alarms is what chance gives, seen on pairs that the estimate did not see."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from simsearch.catalog.readers.generated import image_bytes
from simsearch.geometry.agreement import agree
from simsearch.geometry.false_alarms import Chance, estimate_chance
from simsearch.geometry.points import points_of
from simsearch.settings.config import Config
from tests.geometry.works import draw, pixels


def evidence_by_chance(
    random: np.random.Generator, pairs: int, share: float, decade: float
) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    agreeing = random.random(pairs) < share
    return np.where(agreeing, random.exponential(decade / np.log(10), pairs), 0.0)


@pytest.mark.parametrize(("share", "decade"), [(0.02, 1.0), (0.1, 1.6), (0.05, 3.0)])
def test_expected_and_seen_false_pairs_agree_on_other_pairs(share: float, decade: float) -> None:
    """Twenty collections: the law of 2,000 pairs, the list of 20,000 others."""
    seen = []
    for seed in range(20):
        random = np.random.default_rng(seed)
        chance = estimate_chance(evidence_by_chance(random, 2000, share, decade))
        others = evidence_by_chance(random, 20_000, share, decade)
        seen.append((chance.false_alarms(others, len(others)) <= 1).sum())
    assert 0.1 < np.mean(seen) <= 1


def test_pairs_of_the_same_picture_do_not_change_the_law() -> None:
    random = np.random.default_rng(1)
    evidence = evidence_by_chance(random, 2000, 0.05, 1.5)
    before = estimate_chance(evidence)
    evidence[:100] = random.uniform(20, 300, 100)
    assert estimate_chance(evidence).least_evidence(50_000) < 1.15 * before.least_evidence(50_000)


def test_the_cut_is_where_the_number_says() -> None:
    chance = Chance(share=0.01, decade=1.2)
    for expected in (0.01, 1.0, 5.0):
        cut = chance.least_evidence(40_000, expected)
        assert chance.false_alarms(np.array([cut]), 40_000)[0] == pytest.approx(expected)
    alarms = chance.false_alarms(np.array([0.0, 1.0, 2.0]), 40_000)
    assert (np.diff(alarms) < 0).all()
    assert alarms[0] == 40_000


def test_without_pairs_chance_is_as_independent_matches_give_and_never_nothing() -> None:
    for pairs in (0, 100):
        chance = estimate_chance(np.zeros(pairs))
        assert 1 <= chance.decade < 2
        assert 0 < chance.share <= 1


@pytest.mark.slow
def test_among_other_works_no_pair_is_listed() -> None:
    seen = [points_of(pixels(draw(seed))) for seed in range(40, 50)]
    agreements = [agree(*pair) for pair in itertools.combinations(seen, 2)]
    evidence = np.array([agreement.evidence if agreement else 0 for agreement in agreements])
    chance = estimate_chance(evidence[::2])
    others = evidence[1::2]
    assert (chance.false_alarms(others, len(others)) <= 1).sum() <= 1


@pytest.mark.slow
def test_no_two_works_of_the_demo_are_near_duplicates() -> None:
    """Eight of them are portraits by one recipe, which agree in more than chance gives other works."""
    remake = Config().remake()
    works = [remake.original(image_bytes(Config().seed, number)) for number in range(60)]
    seen = [points_of(np.asarray(work)) for work in works]
    agreements = [agree(*pair) for pair in itertools.combinations(seen, 2)]
    evidence = np.array([agreement.evidence if agreement else 0 for agreement in agreements])
    alarms = estimate_chance(evidence).false_alarms(evidence, len(evidence))
    assert (alarms <= 1).sum() == 0
