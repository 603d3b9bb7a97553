"""Comparisons of spaces with the best one: which a run's copies show to be worse or as good, and whether
there are enough copies to show either."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from simsearch.evaluation.statistics import fewest_pairs
from simsearch.reports.tables import SIGNIFICANT

# The largest difference by which the mean average precision of an advised space may be below that of the
# best. Two copies in a hundred are a fair price for a cheaper space.
MARGIN = 0.02


def quality_of(metrics: pa.Table, group: str) -> dict[str, tuple[float, float, float]]:
    """The mean average precision of each space over a group's copies, with its 95 % interval."""
    rows = metrics.filter(
        (pc.field("search") == "exact")
        & (pc.field("metric") == "map")
        & (pc.field("scope") == group)
    ).to_pylist()
    return {row["space"]: (row["mean"], row["ci_low"], row["ci_high"]) for row in rows}


def compare_with_best(comparisons: pa.Table, group: str, best: str) -> tuple[set[str], set[str]]:
    """The spaces that are significantly worse than the best, and those that are shown to be as good."""
    worse, as_good = set(), set()
    for row in comparisons.filter(
        (pc.field("scope") == group) & (pc.field("metric") == "map")
    ).to_pylist():
        if best not in (row["first"], row["second"]):
            continue
        other, most = row["second"], row["ci_high"]  # `most` is how much better the best may be
        if row["second"] == best:
            other, most = row["first"], -row["ci_low"]
        if row["p_holm"] < SIGNIFICANT:
            worse.add(other)
        elif most <= MARGIN:
            as_good.add(other)
    return worse, as_good


def describe_shortage(comparisons: pa.Table) -> str:
    """A sentence if no test of a run could be significant. Empty if one could be."""
    tests, n = comparisons.num_rows, max(comparisons["n"].to_pylist(), default=0)
    needed = fewest_pairs(tests, SIGNIFICANT)
    if n >= needed:
        return ""
    originals = "1 original with copies is" if n == 1 else f"{n} originals with copies are"
    return (
        f"{originals} too few to compare spaces by; {needed} are the fewest from which "
        f"{tests:,} test{'s' if tests > 1 else ''} can show a difference"
    )
