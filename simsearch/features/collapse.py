"""Detect a collapsed space: constant, zero and coarsely rounded vectors do not distinguish pictures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from simsearch import schemas
from simsearch.features.vectors import SAME_SQUARED, Vectors, unit_rows

# A copy is clearly nearer than another work where it is at most half as far. Trained EfficientNet-Lite0
# has 0.19 for the mild copies of 60 paintings, 0.62 for small rotations alone and 1.33 for large ones;
# 0.65 for the study's copies of generated pictures, of which some are as near to others.
CLEARLY_NEARER = 0.5

SAMPLE = 1000  # pictures; their 1,000,000 cosines and 1,000 eigenvalues take half a second

# Effective ranks below which all vectors have one direction, or lie on one line. Four small networks,
# trained and untrained, on single-coloured and on generated pictures, had at least 1.30 and 1.60.
FEWEST_DIRECTIONS = 1.01
FEWEST_LINES = 1.05

# Share of the pictures that have a zero vector, or one that two different pictures also have. None of
# the same networks gave any two pictures the same vector.
MOST = 0.5


# If a smaller share of the copies keeps its original's vector, pictures with equal vectors are the same
# picture in several files: in a space of 20 different vectors, chance alone keeps one copy in 20.
FEWEST_UNMOVED = 0.05

# From this share on the space is at fault, whatever its copies do. A space with three vectors for all
# originals, and other vectors for each kind of copy, would otherwise pass and score 1.
NEARLY_ALL = 0.9


# The metrics of how well a space distinguishes pictures, and their fields in Spread.
SPREAD_METRICS = {
    "zero_vectors": "zero",
    "shared_vectors": "shared",
    "unmoved_copies": "unmoved",
    "copy_distance_share": "copies_apart",
    "effective_rank": "directions",
    "effective_rank_centred": "lines",
}


@dataclass(frozen=True)
class Spread:
    """How well a space distinguishes `pictures` different pictures.

    - `zero`: the share of zero vectors.
    - `shared`: the share of the pictures whose vector two different pictures also have (in a collection
      of two: the other picture).
    - `unmoved`: the share of the changed copies that have their original's vector; 1 without copies.
    - `copies_apart`: the median distance of the nearest of the mildest copies, divided by that of the
      nearest other picture; 1 without copies.
    - `directions`: the effective rank of the vectors, 1 if all lie on one line through the origin.
    - `lines`: the effective rank of their differences from the mean, 1 if all lie on any line.

    Effective ranks are those of Roy and Vetterli 2007, "The effective rank".
    """

    pictures: int
    zero: float
    shared: float
    directions: float
    lines: float
    unmoved: float = 1.0
    copies_apart: float = 1.0

    @property
    def collapsed(self) -> str:
        """Why the space is of no use, in words. Empty if it distinguishes pictures, or if there are fewer
        than two.

        Vectors of nearly one direction may have a large part in common, beside which search still finds
        the right neighbours. Copies decide: they are then clearly nearer than other pictures. If the rest
        of the vectors is noise, they are as far.
        """
        if self.pictures < 2:
            return ""
        if self.zero >= MOST:
            return f"{self.zero:.0%} of its vectors are zero"
        several_files = self.shared < NEARLY_ALL and self.unmoved < FEWEST_UNMOVED
        if self.shared >= MOST and not several_files:
            return f"{self.shared:.0%} of the pictures share their vector with others"
        if self.directions < FEWEST_DIRECTIONS and self.copies_apart > CLEARLY_NEARER:
            return f"all vectors have nearly one direction (effective rank {self.directions:.4f})"
        if self.pictures > 2 and self.lines < FEWEST_LINES:
            return f"all vectors lie nearly on one line (effective rank {self.lines:.4f})"
        return ""


def spread_of(
    vectors: Vectors,
    content_hashes: npt.NDArray[Any],
    seed: int,
    *,
    unmoved: float = 1.0,
    copies_apart: float = 1.0,
) -> Spread:
    """The spread of a seeded sample of the different pictures of `vectors` [n, d], by their
    `content_hashes` [n], computed in float64. `unmoved` and `copies_apart` are those of Spread."""
    _, first = np.unique(content_hashes, return_index=True)
    if len(first) > SAMPLE:
        first = np.sort(np.random.default_rng(seed).choice(first, SAMPLE, replace=False))
    units = unit_rows(np.asarray(vectors[first])).astype(np.float64)
    zero = ~units.any(axis=1)
    units = units[~zero]
    n = len(units)
    if not n:
        return Spread(len(first), 1.0 if len(first) else 0.0, 0.0, 0.0, 0.0)
    units /= np.linalg.norm(units, axis=1, keepdims=True)
    cosines = units @ units.T
    same = (2 - 2 * cosines < SAME_SQUARED).sum(axis=1) - 1
    centred = units - units.mean(axis=0)
    return Spread(
        pictures=len(first),
        zero=float(zero.mean()),
        shared=float((same >= min(2, max(1, n - 1))).sum() / len(first)),
        directions=_effective_rank(cosines),
        lines=_effective_rank(centred @ centred.T),
        unmoved=unmoved,
        copies_apart=copies_apart,
    )


def _effective_rank(gram: npt.NDArray[np.float64]) -> float:
    """The exponential of the entropy of a Gram matrix's eigenvalues."""
    values = np.maximum(np.linalg.eigvalsh(gram), 0)
    total = values.sum()
    if total < len(gram) * SAME_SQUARED:  # all vectors are equal
        return 0.0
    shares = values[values > 0] / total
    return float(np.exp(-(shares * np.log(shares)).sum()))


def spread_rows(spreads: Mapping[str, Spread]) -> pa.Table:
    """schemas.METRICS of how well each space distinguishes pictures."""
    rows = [
        {
            "space": space,
            "search": "exact",
            "scope": "originals",
            "k": 1,
            "metric": metric,
            **dict.fromkeys(("mean", "ci_low", "ci_high", "ceiling"), getattr(spread, name)),
            "std": 0.0,
            "n": spread.pictures,
        }
        for space, spread in spreads.items()
        for metric, name in SPREAD_METRICS.items()
    ]
    return pa.Table.from_pylist(rows, schema=schemas.METRICS)


def find_collapsed(metrics: pa.Table) -> dict[str, str]:
    """The collapsed spaces: name → the reason in words."""
    values: dict[str, dict[str, Any]] = {}
    for row in metrics.filter(pc.field("metric").isin(list(SPREAD_METRICS))).to_pylist():
        own = values.setdefault(row["space"], {"pictures": row["n"]})
        own[SPREAD_METRICS[row["metric"]]] = row["mean"]
    reasons = {space: Spread(**own).collapsed for space, own in values.items()}
    return {space: reason for space, reason in reasons.items() if reason}


def collapse_warnings(metrics: pa.Table) -> list[str]:
    """A sentence for each collapsed space."""
    return [
        f"{space} does not tell pictures apart: {reason}. Its figures are chance, and it is not "
        "advised."
        for space, reason in find_collapsed(metrics).items()
    ]
