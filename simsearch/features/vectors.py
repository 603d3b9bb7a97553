"""Arithmetic of vectors that search, training and evaluation share; plain NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Vectors = npt.NDArray[np.float32]


# Between these norms the squares of float32 numbers neither vanish nor overflow: the smallest normal
# one is 1e-38, the largest 3e38.
SMALL_NORM, LARGE_NORM = 1e-12, 1e18


def unit_rows(vectors: npt.NDArray[np.floating[Any]]) -> Vectors:
    """Rows [n, d] scaled to length 1, within 1e-6, whatever their length. A zero vector stays zero. A row
    with a number that is not finite has no direction and becomes NaN throughout: extraction rejects
    its image, so that no such row is ever stored."""
    vectors = np.ascontiguousarray(vectors)  # whose rows NumPy adds up in pairs, to fewer roundings
    with np.errstate(over="ignore", invalid="ignore"):
        norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    extreme = ~((norms > SMALL_NORM) & (norms < LARGE_NORM))[:, 0]
    if not extreme.any():
        return np.asarray(vectors / norms, dtype=np.float32)
    units = np.empty(vectors.shape, dtype=np.float32)
    units[~extreme] = vectors[~extreme] / norms[~extreme]
    units[extreme] = _extreme_unit_rows(vectors[extreme].astype(np.float64))
    return units


def _extreme_unit_rows(vectors: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """`unit_rows` of very short, very long and not finite vectors: divided by the largest number of
    each first, so that no square vanishes or overflows."""
    largest = np.abs(vectors).max(axis=1, keepdims=True, initial=0)
    divisors = np.where(np.isfinite(largest), np.where(largest > 0, largest, 1), np.nan)
    scaled = vectors / divisors
    lengths = np.linalg.norm(scaled, axis=1, keepdims=True)
    return np.asarray(scaled / np.where(lengths > 0, lengths, 1))


# Of the other originals, the one that is told as another work however many doubles a picture has.
OTHER_WORK = 5
CLOSEST_SHARE = 0.01


def near_duplicate_threshold(
    nearest_copy: npt.NDArray[np.floating[Any]], other_work: npt.NDArray[np.floating[Any]]
) -> float:
    """How close (angular) two originals have to be to count as one picture in a space: their cosine is
    at least halfway between that of a copy and that of another work.

    `nearest_copy` [n] says how far each original that has copies is from the nearest of them, ∞ where
    none was found; its median stands for a copy. `other_work` [n] says how far the same originals are
    from the fifth nearest other original, as the nearest may be their doubles; the closest hundredth
    stands for another work. 0, so that only equal vectors count, where there are no copies to judge by.
    """
    copy = float(np.median(nearest_copy)) if len(nearest_copy) else np.inf
    if not np.isfinite(copy):
        return 0.0
    others = other_work[np.isfinite(other_work)]
    other = float(np.quantile(others, CLOSEST_SHARE)) if len(others) else copy
    return float(np.sqrt((copy**2 + other**2) / 2))
