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


def near_duplicate_threshold(nearest_copy: npt.NDArray[np.floating[Any]]) -> float:
    """How close two originals have to be to count as one picture in a space: as close as half of the
    originals are to their own nearest copy. `nearest_copy` [n], ∞ where none was found.

    0, so that only equal vectors count, where there are no copies to judge by.
    """
    if not len(nearest_copy):
        return 0.0
    middle = float(np.median(nearest_copy))
    return middle if np.isfinite(middle) else 0.0
