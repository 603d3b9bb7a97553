"""Which of two spaces people prefer, how sure that is, and when to stop asking. Plain NumPy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from math import comb, sqrt

import numpy as np
import numpy.typing as npt

Z = 1.959964  # 95 % of the normal distribution, on both sides
FEWEST = 40  # decided answers before a preference is called decided
MOST = 400  # decided answers after which asking ends: fewer than 56 % prefer either space, or it was seen
ERROR = 0.05  # how often two spaces that are equally good are called different, over all looks
POWER = 0.8
PATHS = 400  # simulated continuations
UNBIASED = 0.5
PRIOR = 1.0  # ties that each compared pair begins with: keeps a space that never wins finite

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Preference:
    """The share of answers for the first of two spaces, a tie counting half, with its 95 % interval.

    `answers` counts all answers, `decided` those that are no ties. `clear` is whether the difference
    is large enough to stop. `more` is how many more answers will probably decide; 0: nothing is gained by
    asking further."""

    share: float
    low: float
    high: float
    answers: int
    decided: int
    clear: bool
    more: int


def preference(
    scores: Sequence[float], works: Sequence[object], judges: Sequence[object], seed: int = 0
) -> Preference:
    """The preference that answers on one pair of spaces show.

    Parameters
    ----------
    scores : sequence of float
        1 for the first space, 0 for the second, 0.5 for both or neither.
    works, judges : sequence
        The work in the middle and the judge of each answer. Answers on one work count as alike.
    """
    values = np.asarray(scores, np.float64)
    if not len(values):
        return Preference(UNBIASED, 0.0, 1.0, 0, 0, False, _more(0, 0, seed))
    share = float(values.mean())
    decided = int((values != UNBIASED).sum())
    single = _variance(values, range(len(values)))
    clustered = _variance(values, works)
    total = clustered + _between(values, judges, single)
    inflation = max(1.0, total / single) if single > 0 else len(values) / len(set(works))
    low, high = _score_interval(share, len(values) / inflation * len(values) / max(decided, 1))
    wins = int((values == 1).sum())
    effective = int(decided / inflation)
    ahead = round(effective * wins / decided) if decided else 0
    clear = is_decided(ahead, effective - ahead)
    more = 0 if clear else round(_more(ahead, effective - ahead, seed) * inflation)
    return Preference(share, low, high, len(values), decided, clear, more)


def _variance(values: Floats, clusters: Sequence[object]) -> float:
    """The variance of the mean of values that come in clusters."""
    _, codes = np.unique([str(name) for name in clusters], return_inverse=True)
    sums = np.bincount(codes, values - values.mean())
    if len(sums) < 2:
        return 0.0
    return float((sums**2).sum() / len(values) ** 2 * len(sums) / (len(sums) - 1))


def _between(values: Floats, judges: Sequence[object], single: float) -> float:
    """The variance that judges add who differ from each other by more than chance; 0 where they do not."""
    count = len(set(judges))
    if count < 2 or single <= 0:
        return 0.0
    by_judge = _variance(values, judges) * (count - 1)
    # The quantile of chi-squared by Wilson and Hilferty: two terms suffice here.
    freedom = count - 1
    limit = freedom * (1 - 2 / (9 * freedom) + 1.6449 * sqrt(2 / (9 * freedom))) ** 3
    return max(0.0, by_judge / freedom - single) if by_judge / single > limit else 0.0


def _score_interval(share: float, count: float) -> tuple[float, float]:
    """Wilson's interval of a share of `count` answers."""
    centre = (share + Z**2 / (2 * count)) / (1 + Z**2 / count)
    half = Z / (1 + Z**2 / count) * sqrt(share * (1 - share) / count + Z**2 / (4 * count**2))
    return max(0.0, centre - half), min(1.0, centre + half)


def is_decided(wins: int, losses: int) -> bool:
    """Whether so many decided answers show a preference, also if one looks after each answer."""
    count = wins + losses
    return count >= FEWEST and abs(wins - losses) >= stopping_limit() * sqrt(count)


@cache
def stopping_limit() -> float:
    """The smallest difference, in square roots of the answers, at which to stop: two equal spaces reach it
    with the probability ERROR while FEWEST to MOST answers come. By exact enumeration."""
    low, high = 2.0, 4.0
    for _ in range(30):
        middle = (low + high) / 2
        low, high = (middle, high) if crossing(UNBIASED, middle) > ERROR else (low, middle)
    return high


def crossing(share: float, limit: float) -> float:
    """The probability that answers, each for the first space with probability `share`, reach the limit."""
    alive = np.zeros(MOST + 2)
    alive[0] = 1.0  # by the number of wins
    for count in range(1, MOST + 1):
        alive[1:] = alive[1:] * (1 - share) + alive[:-1] * share
        alive[0] *= 1 - share
        if count >= FEWEST:
            wins = np.arange(len(alive))
            alive[np.abs(2 * wins - count) >= limit * sqrt(count)] = 0
    return float(1 - alive.sum())


def _more(wins: int, losses: int, seed: int) -> int:
    """How many more decided answers will probably decide: the median of simulated continuations, at most
    so many that MOST are reached."""
    count = wins + losses
    left = MOST - count
    if left <= 0:
        return 0
    random = np.random.default_rng((seed, wins, losses))
    shares = random.beta(wins + 1, losses + 1, PATHS)
    steps = np.where(random.random((PATHS, left)) < shares[:, None], 1, -1)
    ahead = wins - losses + np.cumsum(steps, axis=1)
    counts = count + 1 + np.arange(left)
    stops = (np.abs(ahead) >= stopping_limit() * np.sqrt(counts)) & (counts >= FEWEST)
    first = np.where(stops.any(axis=1), stops.argmax(axis=1) + 1, left)
    return int(np.median(first))


@cache
def answers_needed(share: float) -> int:
    """The fewest answers from which on a two-sided sign test at 5 % always detects a preference of `share`
    with a probability of at least POWER."""
    needed = 1
    for count in range(5, 3000):
        wins = 0
        tail = 0.5**count
        while 2 * tail <= ERROR:
            wins += 1
            tail += comb(count, wins) / 2**count
        # `wins` is the fewest of the rarer side that the test does not reject.
        power = sum(comb(count, k) * (1 - share) ** k * share ** (count - k) for k in range(wins))
        if power < POWER:
            needed = count + 1
        elif count > 2 * needed + 50:
            break
    return needed


def bradley_terry(wins: Mapping[tuple[str, str], float], prior: float = PRIOR) -> dict[str, float]:
    """The strength of each space, the strongest first: log odds, with a mean of 0. A space of strength a is
    preferred to one of strength b with the probability 1 / (1 + exp(b - a)).

    `wins[a, b]` is how often a was preferred to b, a tie being half a win for both. Source: Hunter, MM
    algorithms for generalized Bradley-Terry models, Annals of Statistics 32 (2004)."""
    names = sorted({name for pair in wins for name in pair})
    table = np.zeros((len(names), len(names)))
    for (first, other), count in wins.items():
        table[names.index(first), names.index(other)] += count
    compared = table + table.T
    table = table + np.where(compared > 0, prior / 2, 0)
    compared = table + table.T
    strength = np.ones(len(names))
    for _ in range(10_000):
        sums = strength[:, None] + strength[None, :]
        renewed = table.sum(axis=1) / np.maximum((compared / sums).sum(axis=1), 1e-300)
        renewed /= np.exp(np.log(np.maximum(renewed, 1e-300)).mean())
        change = float(np.abs(np.log(np.maximum(renewed, 1e-300) / strength)).max(initial=0))
        strength = np.maximum(renewed, 1e-300)
        if change < 1e-12:
            break
    logs = np.log(strength)
    order = np.argsort(-logs, kind="stable")
    return {names[place]: float(logs[place]) for place in order}
