"""Arithmetic of vectors that search, training and evaluation share; plain NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Vectors = npt.NDArray[np.float32]


# Between these norms the squares of float32 numbers neither vanish nor overflow. The smallest normal
# float32 number is 1e-38, the largest 3e38.
SMALL_NORM, LARGE_NORM = 1e-12, 1e18


def unit_rows(vectors: npt.NDArray[np.floating[Any]]) -> Vectors:
    """Rows [n, d] of any length scaled to length 1, within 1e-6. A zero vector stays zero.

    A row with a number that is not finite has no direction and becomes NaN. No such row is ever stored,
    because extraction rejects its image."""
    vectors = np.ascontiguousarray(vectors)  # NumPy then adds up a row pairwise, which rounds less
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
    """`unit_rows` of very short, very long and not finite vectors. Each is first divided by its largest
    number, so that no square vanishes or overflows."""
    largest = np.abs(vectors).max(axis=1, keepdims=True, initial=0)
    divisors = np.where(np.isfinite(largest), np.where(largest > 0, largest, 1), np.nan)
    scaled = vectors / divisors
    lengths = np.linalg.norm(scaled, axis=1, keepdims=True)
    return np.asarray(scaled / np.where(lengths > 0, lengths, 1))


# Squared distances of unit vectors below this count as 0 in float32: rounding alone makes up to 1e-13.
SAME_SQUARED = 1e-12
