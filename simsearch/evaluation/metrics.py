"""Recovery metrics, in plain NumPy.

As the study defines them: of an original with m copies, `hits` of which are among its k nearest,
precision is hits / k, recall hits / m, F1 their harmonic mean; each is taken per original, then
averaged. Standard deviations are of the population of originals.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from simsearch import schemas

Floats = npt.NDArray[np.float64]
Profiles = npt.NDArray[np.int16]

METRICS = ("precision", "recall", "f1")
CONFIDENCE = 0.95
_RESAMPLED_AT_ONCE = 2**22  # numbers drawn at a time: 32 MiB


def hit_profiles(
    neighbour_artworks: npt.NDArray[np.int64],
    neighbour_profiles: npt.NDArray[np.int16],
    query_artworks: npt.NDArray[np.int64],
) -> Profiles:
    """Which copy of the query each neighbour is: its profile's number, or −1.

    Artworks and profiles are numbered; `neighbour_*` [n, k] describe the images found, nearest
    first (profile −1: an original; artwork −1: none found), `query_artworks` [n] the originals
    asked for. Returns int16 [n, k].
    """
    own = neighbour_artworks == query_artworks[:, None]
    return np.where(own, neighbour_profiles, np.int16(-1)).astype(np.int16)


def precision_recall_f1(
    hits: npt.NDArray[np.bool_], relevant: npt.NDArray[np.int64], k: int
) -> tuple[Floats, Floats, Floats]:
    """Per original [n] each: `hits` [n, ≥ k] says which neighbours are copies, `relevant` [n] how
    many copies there are. Raises ValueError for an original without any."""
    if (relevant < 1).any():
        raise ValueError("every original needs at least one copy to be found")
    found = hits[:, :k].sum(axis=1).astype(np.float64)
    return _scores(found, relevant, k)


def ceilings(relevant: npt.NDArray[np.int64], k: int) -> tuple[Floats, Floats, Floats]:
    """The same for a perfect search: with m copies at most min(k, m) hits are to be had."""
    return _scores(np.minimum(k, relevant).astype(np.float64), relevant, k)


def _scores(
    found: Floats, relevant: npt.NDArray[np.int64], k: int
) -> tuple[Floats, Floats, Floats]:
    precision, recall = found / k, found / relevant
    total = precision + recall
    f1 = np.divide(2 * precision * recall, total, out=np.zeros_like(total), where=total > 0)
    return precision, recall, f1


def bootstrap_interval(values: Floats, *, resamples: int, seed: int) -> tuple[float, float]:
    """The 95 % percentile bootstrap interval of the mean of `values` [n] (Efron 1979)."""
    random = np.random.default_rng(seed)
    means = np.empty(resamples)
    step = max(1, _RESAMPLED_AT_ONCE // len(values))
    for start in range(0, resamples, step):
        count = min(step, resamples - start)
        drawn = random.integers(0, len(values), (count, len(values)))
        means[start : start + count] = values[drawn].mean(axis=1)
    low, high = np.quantile(means, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return float(low), float(high)


def metrics_table(
    *,
    backbone: str,
    search: str,
    hit_profiles: Profiles,
    relevant: npt.NDArray[np.int64],
    profiles: Sequence[str],
    ks: Sequence[int],
    bootstrap: int,
    seed: int,
) -> pa.Table:
    """schemas.METRICS of one backbone and search.

    Group `all` has precision, recall and F1 at each k; the group of a profile has `recovered`, the
    share of originals whose copy of that profile is among the k nearest.
    """
    measured = _measure(hit_profiles, relevant, profiles, ks)
    rows = []
    for group, k, metric, values, ceiling in measured:
        low, high = bootstrap_interval(values, resamples=bootstrap, seed=seed)
        rows.append(
            {
                "backbone": backbone,
                "search": search,
                "group": group,
                "k": k,
                "metric": metric,
                "mean": float(values.mean()),
                "std": float(values.std()),
                "ci_low": low,
                "ci_high": high,
                "ceiling": float(ceiling.mean()),
                "n": len(values),
            }
        )
    return pa.Table.from_pylist(rows, schema=schemas.METRICS)


def _measure(
    hit_profiles: Profiles,
    relevant: npt.NDArray[np.int64],
    profiles: Sequence[str],
    ks: Sequence[int],
) -> Iterator[tuple[str, int, str, Floats, Floats]]:
    if not len(hit_profiles):
        return
    for k in ks:
        scores = precision_recall_f1(hit_profiles >= 0, relevant, k)
        for metric, values, ceiling in zip(METRICS, scores, ceilings(relevant, k), strict=True):
            yield "all", k, metric, values, ceiling
    for place, profile in enumerate(profiles):
        for k in ks:
            recovered = (hit_profiles[:, :k] == place).any(axis=1).astype(np.float64)
            # One copy each: a perfect search has room for k of an original's m copies.
            yield profile, k, "recovered", recovered, np.minimum(k, relevant) / relevant
