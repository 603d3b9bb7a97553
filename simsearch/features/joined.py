"""Vectors of several spaces joined into one, in which cosine is the weighted mean of theirs; plain NumPy."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from simsearch.features.vectors import Vectors, unit_rows


def join_vectors(vectors: Sequence[Vectors], weights: Sequence[float]) -> Vectors:
    """Vectors float32 [n, Σ d] of which two have the cosine Σ wᵢ cosᵢ / Σ wᵢ, where cosᵢ is the cosine of the
    same two pictures among the i-th of `vectors` [n, dᵢ] and wᵢ > 0 its weight."""
    shares = np.sqrt(np.asarray(weights, np.float64) / np.sum(weights))
    parts = [
        unit_rows(rows) * np.float32(share) for rows, share in zip(vectors, shares, strict=True)
    ]
    return np.concatenate(parts, axis=1)
