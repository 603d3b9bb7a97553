"""Means and products of many vectors in double precision, a part at a time to spare memory."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from simsearch.encoders.heads.head import ROWS_AT_ONCE
from simsearch.features.vectors import Vectors, unit_rows

Doubles = npt.NDArray[np.float64]


def unit_mean(vectors: Vectors) -> Doubles:
    """The mean [d] of vectors [n, d] at unit length."""
    total = np.zeros(vectors.shape[1])
    for start in range(0, len(vectors), ROWS_AT_ONCE):
        total += unit_rows(vectors[start : start + ROWS_AT_ONCE]).sum(axis=0, dtype=np.float64)
    return np.asarray(total / len(vectors))


def products(first: Vectors, second: Vectors) -> tuple[Doubles, Doubles, Doubles]:
    """Σ (a − mean a)(b − mean b)ᵀ [d, e] over the rows of [n, d] and [n, e] at unit length, and both
    means."""
    first_mean, second_mean = unit_mean(first), unit_mean(second)
    total = np.zeros((first.shape[1], second.shape[1]))
    for start in range(0, len(first), ROWS_AT_ONCE):
        a = unit_rows(first[start : start + ROWS_AT_ONCE]).astype(np.float64) - first_mean
        b = unit_rows(second[start : start + ROWS_AT_ONCE]).astype(np.float64) - second_mean
        total += a.T @ b
    return total, first_mean, second_mean
