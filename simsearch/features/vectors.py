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


# Squared distances of unit vectors that float32 does not tell from 0: rounding alone makes up to 1e-13.
SAME_SQUARED = 1e-12

# Use the fifth-nearest original as "another work": nearer ones may be duplicates.
OTHER_WORK = 5
CLOSEST_SHARE = 0.01

# A copy is clearly nearer than another work where it is at most half as far. Trained EfficientNet-Lite0
# has 0.19 for the mild copies of 60 paintings, 0.62 for small rotations alone and 1.33 for large ones;
# 0.65 for the study's copies of generated pictures, of which some are as near to others.
CLEARLY_NEARER = 0.5


def near_duplicate_threshold(
    nearest_copy: npt.NDArray[np.floating[Any]], other_work: npt.NDArray[np.floating[Any]]
) -> float:
    """How close (angular) two originals have to be to count as one picture in a space: their cosine is
    at least halfway between that of a copy and that of another work.

    `nearest_copy` [n] says how far each original that has copies is from the nearest of the mildest
    ones (`mildest`), ∞ where none was found; its median stands for a copy. `other_work` [n] says how
    far the same originals are from the fifth nearest other original (∞: there is none); the closest
    hundredth stands for another work. 0, so that only equal vectors count, where a copy is not clearly
    nearer than another work, or one of them is not known. Never as far as that other work.
    """
    copy = float(np.median(nearest_copy)) if len(nearest_copy) else np.inf
    others = other_work[np.isfinite(other_work)]
    other = float(np.quantile(others, CLOSEST_SHARE)) if len(others) else 0.0
    if not copy <= CLEARLY_NEARER * other or other == 0:
        return 0.0
    return float(np.hypot(copy, other) / np.sqrt(2))  # squares of tiny distances would vanish
