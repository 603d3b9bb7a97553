"""PCA whitening: every direction of the collection's vectors gets the same weight.

Jégou and Chum, “Negative evidences and co-occurences in image retrieval: the benefit of PCA and
whitening”, 2012.
"""

from __future__ import annotations

import numpy as np

from simsearch.encoders.heads.head import Head, Layer
from simsearch.encoders.heads.moments import products
from simsearch.features.vectors import Vectors


def fit_whitening(vectors: Vectors, *, dimensions: int | None, power: float) -> Head:
    """The head that brings `vectors` float32 [n, d] to unit length, projects them on their principal
    components, and divides each component by its standard deviation to the `power`.

    The `dimensions` components of the largest variance are kept (None: as many as the vectors have
    numbers). `power` 1 whitens fully, 0 only turns the axes. In closed form: the eigenvectors of the
    covariance matrix, in double precision. A component that is mere rounding is left out, so there may be
    fewer than `dimensions`.
    """
    scatter, mean, _ = products(vectors, vectors)
    variances, components = np.linalg.eigh(scatter / max(1, len(vectors) - 1))
    variances, components = variances[::-1], components[:, ::-1]
    rank = int((variances > variances[0] * len(variances) * np.finfo(np.float32).eps).sum())
    kept = min(len(variances) if dimensions is None else dimensions, rank, max(1, len(vectors) - 1))
    components = components[:, :kept]
    # Libraries choose an eigenvector's sign freely, so its largest entry is made positive.
    components = components * np.sign(
        components[np.abs(components).argmax(axis=0), np.arange(kept)]
    )
    weight = components * variances[:kept] ** (-power / 2)
    return Head((Layer(weight.astype(np.float32), (-mean @ weight).astype(np.float32)),))
