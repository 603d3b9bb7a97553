"""Arithmetic of vectors that search, training and evaluation share; plain NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Vectors = npt.NDArray[np.float32]


def unit_rows(vectors: Vectors) -> Vectors:
    """Rows scaled to length 1; a zero vector stays zero."""
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.where(norms > 0, norms, 1), dtype=np.float32)


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
