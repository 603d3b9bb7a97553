"""How far judges agree: Krippendorff's alpha for answers without an order. Plain NumPy."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

DRAWS = 1000  # bootstrap samples of an interval


def krippendorff_alpha(units: Sequence[Sequence[str]]) -> float | None:
    """Krippendorff's alpha (nominal): 1 for full agreement, 0 for that of chance. None where it says nothing:
    no unit has two answers, or all answers are equal.

    `units` has the answers of each unit, such as a triplet, one a judge. Source: Krippendorff, Computing
    Krippendorff's alpha-reliability (2011)."""
    return _alpha(*_disagreements(units))


def alpha_interval(units: Sequence[Sequence[str]], seed: int = 0) -> tuple[float, float] | None:
    """The 95 % interval of alpha, by a bootstrap over units; None where alpha says nothing."""
    counts, observed = _disagreements(units)
    if _alpha(counts, observed) is None:
        return None
    random = np.random.default_rng(seed)
    chosen = random.integers(0, len(counts), (DRAWS, len(counts)))
    drawn = [_alpha(counts[rows], observed[rows]) for rows in chosen]
    alphas = np.array([alpha for alpha in drawn if alpha is not None])
    low, high = np.quantile(alphas, [0.025, 0.975])
    return float(low), float(high)


def _disagreements(
    units: Sequence[Sequence[str]],
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """The answers of each unit that can be paired, counted [units, answers], and the pairs in each that
    disagree, divided by its answers less one."""
    paired = [unit for unit in units if len(unit) > 1]
    names = sorted({answer for unit in paired for answer in unit})
    counts = np.array([[unit.count(name) for name in names] for unit in map(list, paired)], float)
    counts = counts.reshape(len(paired), len(names))
    totals = counts.sum(axis=1)
    return counts, (totals**2 - (counts**2).sum(axis=1)) / np.maximum(totals - 1, 1)


def _alpha(counts: npt.NDArray[np.float64], observed: npt.NDArray[np.float64]) -> float | None:
    totals = counts.sum(axis=0)
    answers = totals.sum()
    expected = answers**2 - (totals**2).sum()
    if not expected:
        return None
    return float(1 - (answers - 1) * observed.sum() / expected)
