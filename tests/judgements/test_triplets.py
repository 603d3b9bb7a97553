"""Triplets: what is asked, the same for the same seed, and what simulated judges make of useless spaces."""

from __future__ import annotations

from collections import Counter
from itertools import islice

import numpy as np
import pytest

from simsearch.judgements.judgements import Judgement
from simsearch.judgements.outcome import outcomes
from simsearch.judgements.triplets import Kind, Proposals, Triplet, triplets
from tests.support.judging import judgement, proposals_of

WORKS = 120
COUNT = 100


def spaces(seed: int = 0) -> dict[str, np.ndarray]:
    random = np.random.default_rng(seed)
    truth = random.normal(size=(WORKS, 6))
    return {
        "good": truth + 0.2 * random.normal(size=truth.shape),
        "fair": truth + 1.0 * random.normal(size=truth.shape),
        "random": random.normal(size=truth.shape),
        "constant": np.zeros_like(truth),
        "truth": truth,
    }


def asked(proposals: Proposals, who: str = "Ada", seed: int = 0, n: int = COUNT) -> list[Triplet]:
    return list(islice(triplets(proposals, "style", who, seed), n))


def proposals() -> Proposals:
    made = spaces()
    return proposals_of({name: made[name] for name in ("good", "fair", "random")})


def test_of_twenty_one_is_a_check_one_a_repeat_and_four_are_shared() -> None:
    first, other = asked(proposals()), asked(proposals(), "Ben")
    kinds = Counter(triplet.kind for triplet in first)
    assert kinds == {Kind.OWN: 70, Kind.SHARED: 20, Kind.REPEAT: 5, Kind.CHECK: 5}

    def of_kind(kind: Kind, questions: list[Triplet]) -> list[Triplet]:
        return [triplet for triplet in questions if triplet.kind is kind]

    assert of_kind(Kind.SHARED, first) == of_kind(Kind.SHARED, other)
    # Among 120 works a few are alike by chance.
    assert len(set(of_kind(Kind.OWN, first)) & set(of_kind(Kind.OWN, other))) < 7
    for place, triplet in enumerate(first):
        if triplet.kind is Kind.REPEAT:
            swapped = triplet.swapped()
            earlier = [
                number
                for number, old in enumerate(first[:place])
                if (old.work, old.left, old.right) == (swapped.work, swapped.left, swapped.right)
            ]
            assert max(earlier) <= place - 9


def test_the_same_words_and_seed_ask_the_same() -> None:
    assert asked(proposals()) == asked(proposals())
    assert asked(proposals())[:30] == asked(proposals(), n=30)
    assert asked(proposals()) != asked(proposals(), seed=1)


def test_the_sides_are_what_the_spaces_have_and_disagree_on() -> None:
    known = proposals()
    pairs: Counter[frozenset[str]] = Counter()
    left_first = 0
    for triplet in asked(known, n=400):
        if triplet.kind is Kind.CHECK:
            assert triplet.work in (triplet.left, triplet.right)
            continue
        lists = [
            known.nearest(name, triplet.work, triplet.rank)
            for name in (triplet.left_space, triplet.right_space)
        ]
        assert [neighbours[-1] for neighbours in lists] == [triplet.left, triplet.right]
        assert triplet.left not in lists[1]
        assert triplet.right not in lists[0]
        pairs[frozenset((triplet.left_space, triplet.right_space))] += 1
        left_first += triplet.left_space < triplet.right_space
    assert max(pairs.values()) - min(pairs.values()) < 20
    assert 150 < left_first < 230  # of 380


def test_equal_spaces_leave_nothing_to_ask() -> None:
    truth = spaces()["truth"]
    assert all(
        triplet.kind is Kind.CHECK for triplet in asked(proposals_of({"one": truth, "two": truth}))
    )


def judged(seed: int, names: tuple[str, ...], n: int) -> list[Judgement]:
    """The answers of two judges who see the truth through noise."""
    made = spaces(seed)
    truth, random = made["truth"], np.random.default_rng(seed + 1)
    judgements = []
    for who in ("Ada", "Ben"):
        shown = asked(proposals_of({name: made[name] for name in names}), who, seed, n)
        for number, triplet in enumerate(shown):
            distances = [
                np.linalg.norm(truth[triplet.work] - truth[side]) + random.normal() * 0.5
                for side in (triplet.left, triplet.right)
            ]
            judgements.append(
                judgement(
                    who=who,
                    asked=f"{'0' * 16}/{seed}/{number}",
                    kind=triplet.kind.value,
                    work_hash=str(triplet.work),
                    left_hash=str(triplet.left),
                    right_hash=str(triplet.right),
                    left_space=triplet.left_space,
                    right_space=triplet.right_space,
                    left_fingerprint=triplet.left_space,
                    right_fingerprint=triplet.right_space,
                    answer="left" if distances[0] < distances[1] else "right",
                )
            )
    return judgements


@pytest.mark.slow
@pytest.mark.parametrize("useless", ["random", "constant"])
def test_a_useless_space_never_wins(useless: str) -> None:
    for seed in range(5):
        (outcome,) = outcomes(judged(seed, ("good", "fair", useless), 120))
        for (first, other), said in outcome.preferences.items():
            if useless in (first, other):
                better = said.share if other == useless else 1 - said.share
                assert better > 0.6
        assert list(outcome.ranking) == ["good", "fair", useless]
        assert outcome.shared >= 24
        assert outcome.alpha is not None
        assert outcome.alpha > 0.3
        assert all(judge.checks_passed == judge.checks == 6 for judge in outcome.judges)
        assert all(judge.repeats == 6 for judge in outcome.judges)


@pytest.mark.slow
def test_of_two_useless_spaces_none_is_preferred() -> None:
    decided = 0
    for seed in range(12):
        (outcome,) = outcomes(judged(seed, ("random", "constant"), 120))
        (said,) = outcome.preferences.values()
        decided += said.clear
        assert 0.3 < said.share < 0.7
    assert decided <= 3
