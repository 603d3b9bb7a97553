"""What the judgements on one question say: preferences, a ranking, and how far to trust the judges."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from simsearch.judgements.agreement import alpha_interval, krippendorff_alpha
from simsearch.judgements.judgements import Answer, Judgement
from simsearch.judgements.preferences import Preference, bradley_terry, preference
from simsearch.judgements.triplets import Kind

FINGERPRINT_SHOWN = 8  # digits, where two spaces of different snapshots have one name
FEWEST_RANKED = 3  # spaces of which a ranking says more than their preferences


@dataclass(frozen=True)
class Judge:
    """What a judge answered: so many questions, so many of the repeats as the first time, so many of the
    checks with the work itself."""

    who: str
    answers: int
    repeats: int
    repeats_agreeing: int
    checks: int
    checks_passed: int


@dataclass(frozen=True)
class Outcome:
    """The outcome of one question. `ranking` is empty for fewer than FEWEST_RANKED spaces. `shared` is how
    many triplets several judges answered, of which `alpha` is the agreement."""

    question: str
    preferences: Mapping[tuple[str, str], Preference]
    ranking: Mapping[str, float]
    alpha: float | None
    alpha_interval: tuple[float, float] | None
    shared: int
    judges: list[Judge]


def outcomes(judgements: Iterable[Judgement], seed: int = 0) -> list[Outcome]:
    """The outcome of each question, in alphabetical order."""
    by_question: dict[str, list[Judgement]] = defaultdict(list)
    for judgement in judgements:
        by_question[judgement.question].append(judgement)
    return [_outcome(name, by_question[name], seed) for name in sorted(by_question)]


def _outcome(question: str, judgements: list[Judgement], seed: int) -> Outcome:
    names = _names(judgements)
    counted = [judgement for judgement in judgements if judgement.kind in (Kind.OWN, Kind.SHARED)]
    by_pair: dict[tuple[str, str], list[tuple[float, Judgement]]] = defaultdict(list)
    wins: dict[tuple[str, str], float] = defaultdict(float)
    for judgement in counted:
        left = names[judgement.left_space, judgement.left_fingerprint]
        right = names[judgement.right_space, judgement.right_fingerprint]
        score = {Answer.LEFT.value: 1.0, Answer.RIGHT.value: 0.0}.get(judgement.answer, 0.5)
        wins[left, right] += score
        wins[right, left] += 1 - score  # a tie is half a win for both
        pair, score = ((left, right), score) if left < right else ((right, left), 1 - score)
        by_pair[pair].append((score, judgement))
    preferences = {
        pair: preference(
            [score for score, _ in by_pair[pair]],
            [judgement.work_hash for _, judgement in by_pair[pair]],
            [judgement.who for _, judgement in by_pair[pair]],
            seed,
        )
        for pair in sorted(by_pair)
    }
    answers = _shared_answers(counted)
    spaces = {name for pair in preferences for name in pair}
    return Outcome(
        question,
        preferences,
        bradley_terry(wins) if len(spaces) >= FEWEST_RANKED else {},
        krippendorff_alpha(answers),
        alpha_interval(answers, seed),
        len(answers),
        [
            _judge(who, [judgement for judgement in judgements if judgement.who == who])
            for who in sorted({judgement.who for judgement in judgements})
        ],
    )


def _shared_answers(judgements: Iterable[Judgement]) -> list[list[str]]:
    """The answers of the judges of each triplet that several answered, as places, so that one answer means
    the same in all triplets."""
    units: dict[tuple[str, str, str], dict[str, str]] = defaultdict(dict)
    for judgement in judgements:
        units[judgement.triplet].setdefault(judgement.who, judgement.chosen)
    return [
        [_place(chosen, triplet) for chosen in unit.values()]
        for triplet, unit in units.items()
        if len(unit) > 1
    ]


def _names(judgements: Iterable[Judgement]) -> dict[tuple[str, str], str]:
    """What to call each space: its name, with the beginning of its fingerprint where others share it."""
    spaces = {
        space
        for judgement in judgements
        for space in (
            (judgement.left_space, judgement.left_fingerprint),
            (judgement.right_space, judgement.right_fingerprint),
        )
    }
    alike = Counter(name for name, _ in spaces)
    return {
        (name, fingerprint): name
        if alike[name] == 1
        else f"{name} ({fingerprint[:FINGERPRINT_SHOWN]})"
        for name, fingerprint in spaces
    }


def _place(chosen: str, triplet: tuple[str, str, str]) -> str:
    _, first, other = triplet
    return {first: "first", other: "other"}.get(chosen, chosen)


def _judge(who: str, judgements: list[Judgement]) -> Judge:
    first = {
        judgement.triplet: judgement.chosen
        for judgement in reversed(judgements)
        if judgement.kind in (Kind.OWN, Kind.SHARED)
    }
    repeats = [
        first[judgement.triplet] == judgement.chosen
        for judgement in judgements
        if judgement.kind == Kind.REPEAT and judgement.triplet in first
    ]
    checks = [
        judgement.chosen == judgement.work_hash
        for judgement in judgements
        if judgement.kind == Kind.CHECK
    ]
    return Judge(who, len(judgements), len(repeats), sum(repeats), len(checks), sum(checks))
