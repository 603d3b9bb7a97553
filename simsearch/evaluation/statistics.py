"""Intervals and tests over originals, in plain NumPy and SciPy.

An original is the unit: its copies are not independent of one another, so resampling draws whole
originals.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

CONFIDENCE = 0.95
TAILS = ((1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2)
_NUMBERS_AT_ONCE = 2**22  # 32 MiB of resampled values at a time

# Non-zero differences below which the signs of all of them are enumerated: 2^14 sums take 2 ms. The
# normal approximation was wrong by a factor of 2.7 for four of 1,000.
EXACT_BELOW = 15

# Decimals to which differences of scores in [0, 1] are compared: float64 rounding, some 1e-16, would
# break their ties.
_DECIMALS = 12


def resample_counts(
    times: npt.NDArray[np.int64], *, resamples: int, seed: int, width: int = 0
) -> Iterator[Floats]:
    """How often each of m different originals, that are there `times` [m], is drawn in each resample, in
    blocks [some, m].

    Blocks hold so few resamples that [some, max(m, width)] numbers fit in memory; the draws do not
    depend on the blocks.
    """
    random = np.random.default_rng(seed)
    n = times.sum()
    step = max(1, _NUMBERS_AT_ONCE // max(len(times), width))
    for start in range(0, resamples, step):
        count = min(step, resamples - start)
        drawn = random.multinomial(n, times / n, count)
        yield drawn.astype(np.float64)


def once_each(n: int) -> npt.NDArray[np.int64]:
    """The `times` [n] of originals that are all different."""
    return np.ones(n, dtype=np.int64)


def bootstrap_intervals(values: Floats, *, resamples: int, seed: int) -> tuple[Floats, Floats]:
    """95 % percentile bootstrap intervals (Efron 1979) of the column means of `values` [n, c]."""
    means = [
        counts @ values / len(values)
        for counts in resample_counts(once_each(len(values)), resamples=resamples, seed=seed)
    ]
    low, high = np.quantile(np.concatenate(means), TAILS, axis=0)
    return low, high


def bootstrap_interval(values: Floats, *, resamples: int, seed: int) -> tuple[float, float]:
    """The same for the mean of one row of numbers [n]."""
    low, high = bootstrap_intervals(values[:, None], resamples=resamples, seed=seed)
    return float(low[0]), float(high[0])


def skewness_interval(values: Floats, *, resamples: int, seed: int) -> tuple[float, float, float]:
    """The skewness of `values` [n] (third standardised moment, 0 where all are equal) with its 95 %
    percentile bootstrap interval."""
    distinct, times = np.unique(values - values.mean(), return_counts=True)
    powers = np.stack([distinct, distinct**2, distinct**3], axis=1)
    drawn = np.concatenate(
        [
            _skewness(counts @ powers / len(values))
            for counts in resample_counts(times, resamples=resamples, seed=seed)
        ]
    )
    low, high = np.quantile(drawn, TAILS)
    return float(_skewness(times[None] @ powers / len(values))[0]), float(low), float(high)


def _skewness(moments: Floats) -> Floats:
    first, second, third = moments.T
    variance = second - first**2
    central = third - 3 * first * second + 2 * first**3
    flat = variance <= 1e-12 * np.maximum(second, 1e-300)
    return np.where(flat, 0.0, central / np.where(flat, 1.0, variance) ** 1.5)


@dataclass(frozen=True)
class PairedTest:
    """The outcome of a test whether one row of scores is higher than another over the same originals.

    `difference` is the mean of first − second with its 95 % bootstrap interval; `p_value` is of the
    two-sided Wilcoxon signed-rank test (see `signed_rank_p`).
    """

    difference: float
    ci_low: float
    ci_high: float
    p_value: float
    n: int


def paired_test(first: Floats, second: Floats, *, resamples: int, seed: int) -> PairedTest:
    """Compare two scores [n] of the same originals, in the same order."""
    if first.shape != second.shape:
        raise ValueError(f"scores of different originals: {first.shape} and {second.shape}")
    difference = first - second
    p_value = signed_rank_p(difference)
    low, high = bootstrap_interval(difference, resamples=resamples, seed=seed)
    return PairedTest(float(difference.mean()), low, high, p_value, len(difference))


def signed_rank_p(differences: Floats) -> float:
    """The two-sided p-value of the Wilcoxon signed-rank test, 1 where all differences are 0.

    Zeros are ranked with the others and then left out (Pratt 1959), ties have the mean of their ranks.
    Below EXACT_BELOW non-zero differences the p-value is exact: the share of all assignments of signs to
    those ranks whose sum lies as far from its mean. Above, it is that of the normal approximation.
    Raises ValueError for a difference that is not finite.
    """
    if not np.isfinite(differences).all():
        raise ValueError("a difference of scores is not finite: its original has no score")
    # Takes two seconds to import, which every worker of an evaluation would wait for.
    from scipy.stats import rankdata, wilcoxon

    rounded = np.round(differences, _DECIMALS)
    nonzero = rounded != 0
    if not nonzero.any():
        return 1.0
    if nonzero.sum() >= EXACT_BELOW:
        return float(wilcoxon(rounded, zero_method="pratt", method="asymptotic").pvalue)
    ranks = np.rint(2 * rankdata(np.abs(rounded))).astype(np.int64)  # mid-ranks are halves
    sums = np.zeros(1, np.int64)
    for rank in ranks[nonzero]:
        sums = np.concatenate([sums - rank, sums + rank])
    observed = abs(int((np.sign(rounded).astype(np.int64) * ranks).sum()))
    return float((np.abs(sums) >= observed).mean())


def fewest_pairs(tests: int, level: float) -> int:
    """The fewest originals with which one of `tests` signed-rank tests can come out below `level` after
    Holm's correction: where every original speaks for the same side."""
    n = 1
    while tests * signed_rank_p(np.ones(n)) >= level:
        n += 1
    return n


def holm(p_values: Sequence[float]) -> list[float]:
    """p-values of one family adjusted for their number (Holm 1979), in the order given."""
    values = np.asarray(p_values, dtype=np.float64)
    order = np.argsort(values, kind="stable")
    stepped = np.maximum.accumulate(values[order] * np.arange(len(values), 0, -1))
    adjusted = np.empty_like(values)
    adjusted[order] = np.minimum(stepped, 1.0)
    return [float(value) for value in adjusted]
