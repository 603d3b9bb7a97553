"""Hold out artworks from training: those that are measured, and those with the same or nearly the same
picture as a measured one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from simsearch.errors import TrainingError
from simsearch.features.collapse import spread_of
from simsearch.features.vectors import SAME_SQUARED, Vectors, unit_rows
from simsearch.training.near_threshold import LARGEST_GROUP, near_duplicate_threshold

Bools = npt.NDArray[np.bool_]

MIN_ARTWORKS = 32
_ROWS_AT_ONCE = 1024
ROUNDING = (
    10 * 2.0**-24
)  # error of a float32 product, to be multiplied by the root of the dimension


@dataclass(frozen=True)
class Holdout:
    """The artworks to learn from, schemas.LEARNED_FROM sorted by id, and the number of held-out artworks by
    the reason: `measured`, `same picture` as a measured one, `near-duplicate` of one."""

    learned_from: pa.Table
    held_out: Mapping[str, int]


def hold_out(originals: pa.Table, measured: Bools, near: Bools) -> Holdout:
    """Split `originals` (schemas.IMAGES, one row per artwork). `measured` [n] marks artworks with copies
    that are measured, `near` [n] those that look like a measured one.

    Raises TrainingError if fewer than 32 artworks are left.
    """
    hashes = originals["content_hash"].to_numpy()
    same = np.isin(hashes, hashes[measured]) & ~measured
    near = near & ~measured & ~same
    allowed = ~(measured | same | near)
    # A repeated picture is learned from once.
    first = np.zeros(len(hashes), dtype=bool)
    first[np.unique(hashes, return_index=True)[1]] = True
    counts = {
        "measured": int(measured.sum()),
        "same picture": int(same.sum()),
        "near-duplicate": int(near.sum()),
    }
    learned_from = originals.select(["artwork_id", "content_hash"]).filter(
        pa.array(allowed & first)
    )
    if learned_from.num_rows < MIN_ARTWORKS:
        raise TrainingError(
            f"{learned_from.num_rows} artworks are left to learn from, at least {MIN_ARTWORKS} are "
            f"needed: {counts['measured']:,} of {len(hashes):,} are measured; "
            "lower perturbations.originals or take a larger collection"
        )
    return Holdout(learned_from.sort_by("artwork_id"), counts)


def find_near_measured(vectors: Vectors, measured: Bools, threshold: float) -> Bools:
    """Whether each original [n], with vectors [n, d], is within `threshold` (angular, 0 to 2) of a measured
    one."""
    wanted = unit_rows(vectors[measured])
    near = np.zeros(len(vectors), dtype=bool)
    if not len(wanted):
        return near
    # Bound of a float32 product's error: pairs closer to the threshold are compared again in float64.
    doubt = ROUNDING * vectors.shape[1] ** 0.5
    cosine = 1 - threshold**2 / 2
    for start in range(0, len(vectors), _ROWS_AT_ONCE):
        part = unit_rows(vectors[start : start + _ROWS_AT_ONCE])
        cosines = part @ wanted.T
        near[start : start + len(part)] = (cosines >= cosine + doubt).any(axis=1)
        filled = np.asarray(part.any(axis=1))
        close = (np.abs(cosines - cosine) < doubt) & filled[:, None]
        for row in np.flatnonzero(close.any(axis=1) & ~near[start : start + len(part)]):
            apart = wanted[close[row]].astype(np.float64) - part[row]
            squared = (apart**2).sum(axis=1)
            near[start + row] = (squared <= max(threshold**2, SAME_SQUARED)).any()
    return near & ~measured


def distances_of_other_works(vectors: Vectors, measured: Bools) -> npt.NDArray[np.float64]:
    """The angular distances of each measured original from its LARGEST_GROUP nearest other originals, or
    from all if there are fewer, ascending (see `near_duplicate_threshold`). `vectors` [n, d] are of
    different pictures."""
    wanted = unit_rows(vectors[measured])
    kept = min(LARGEST_GROUP + 1, len(vectors))  # each is the nearest to itself
    nearest = np.full((len(wanted), kept), -np.inf, dtype=np.float32)
    for start in range(0, len(vectors), _ROWS_AT_ONCE):
        cosines = wanted @ unit_rows(vectors[start : start + _ROWS_AT_ONCE]).T
        nearest = np.partition(np.hstack([nearest, cosines]), -kept, axis=1)[:, -kept:]
    descending = np.sort(nearest.astype(np.float64), axis=1)[:, ::-1]
    return np.asarray(np.sqrt(np.maximum(0, 2 - 2 * descending[:, 1:])))


def distances_of_nearest_copies(
    originals: Vectors, copies: Vectors, owners: npt.NDArray[np.int64]
) -> npt.NDArray[np.float64]:
    """The angular distance of each original from its nearest copy.

    `originals` [m, d] all have copies. `copies` [c, d] belong to the originals at places `owners` [c].
    """
    cosines = (unit_rows(originals)[owners] * unit_rows(copies)).sum(axis=1, dtype=np.float64)
    nearest = np.full(len(originals), -1.0)
    np.maximum.at(nearest, owners, cosines)
    return np.asarray(np.sqrt(np.clip(2 - 2 * nearest[np.unique(owners)], 0, 4)))


def find_lookalikes(
    vectors: Vectors,
    hashes: npt.NDArray[Any],
    measured: Bools,
    copies: npt.NDArray[np.float64],
    seed: int,
) -> Bools:
    """Which originals [n], of vectors [n, d] and content `hashes` [n], look like a measured one. `copies` says
    how far the measured ones are from the nearest of their mildest copies; none of them: only equal vectors
    count."""
    if spread_of(vectors, hashes, seed).collapsed:
        return np.zeros(len(vectors), dtype=bool)
    # Each picture once, under a measured artwork if one shows it.
    order = np.argsort(~measured, kind="stable")
    first = np.sort(order[np.unique(hashes[order], return_index=True)[1]])
    threshold = near_duplicate_threshold(
        copies, distances_of_other_works(vectors[first], measured[first])
    )
    return find_near_measured(vectors, measured, threshold)
