"""PCA whitening: every direction of the collection's vectors gets the same say.

Jégou and Chum, “Negative evidences and co-occurences in image retrieval: the benefit of PCA and
whitening”, 2012.
"""

from __future__ import annotations

import numpy as np

from simsearch.encoders.heads.head import Head, Layer
from simsearch.encoders.heads.moments import products
from simsearch.features.vectors import Vectors


def fit_whitening(vectors: Vectors, *, dimensions: int | None, power: float) -> Head:
    """The head that projects on the principal components of `vectors` float32 [n, d], after bringing
    them to unit length, and divides each by its standard deviation to the `power`.

    `dimensions` components are kept, those of the largest variance (None: as many as the vectors
    have); `power` 1 whitens whole, 0 only turns the axes. In closed form: the eigenvectors of the
    covariance matrix, in double precision. A component that is no more than rounding is left out,
    so fewer than `dimensions` may come back.
    """
    scatter, mean, _ = products(vectors, vectors)
    variances, components = np.linalg.eigh(scatter / max(1, len(vectors) - 1))
    variances, components = variances[::-1], components[:, ::-1]
    rank = int((variances > variances[0] * len(variances) * np.finfo(np.float32).eps).sum())
    kept = min(len(variances) if dimensions is None else dimensions, rank, max(1, len(vectors) - 1))
    components = components[:, :kept]
    # An eigenvector's sign is the library's choice: the largest entry is made positive.
    components = components * np.sign(
        components[np.abs(components).argmax(axis=0), np.arange(kept)]
    )
    weight = components * variances[:kept] ** (-power / 2)
    return Head((Layer(weight.astype(np.float32), (-mean @ weight).astype(np.float32)),))
