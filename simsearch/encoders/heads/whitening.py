"""PCA whitening: every direction of the collection's vectors gets the same weight.

Jégou and Chum, “Negative evidences and co-occurences in image retrieval: the benefit of PCA and
whitening”, 2012.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simsearch.encoders.heads.head import Head, Layer
from simsearch.encoders.heads.moments import Doubles, products
from simsearch.features.vectors import SAME_SQUARED, Vectors


@dataclass(frozen=True)
class Spectrum:
    """The principal components of `count` vectors at unit length: their `mean` [d], the `variances` [d] in
    descending order and the `components` [d, d], a column each."""

    count: int
    mean: Doubles
    variances: Doubles
    components: Doubles

    @classmethod
    def of(cls, vectors: Vectors) -> Spectrum:
        """The spectrum of `vectors` float32 [n, d], in double precision."""
        scatter, mean, _ = products(vectors, vectors)
        variances, components = np.linalg.eigh(scatter / max(1, len(vectors) - 1))
        return cls(len(vectors), mean, variances[::-1], components[:, ::-1])

    @property
    def rank(self) -> int:
        """The number of components that are more than rounding. 0 if all vectors are equal but for rounding,
        which a whitening would make as large as differences of pictures."""
        if self.variances.sum() <= SAME_SQUARED:
            return 0
        least = self.variances[0] * len(self.variances) * np.finfo(np.float32).eps
        return min(int((self.variances > least).sum()), max(1, self.count - 1))

    def whitening(self, *, dimensions: int | None, power: float, shrinkage: float) -> Head:
        """The head that `fit_whitening` gives for the vectors of this spectrum."""
        varied = self.rank
        available = len(self.variances) if varied and shrinkage else varied
        kept = available if dimensions is None else min(dimensions, available)
        components = self.components[:, :kept]
        # Libraries choose an eigenvector's sign freely, so its largest entry is made positive.
        components = components * np.sign(
            components[np.abs(components).argmax(axis=0), np.arange(kept)]
        )
        variances = np.maximum(self.variances, 0)
        shrunk = (1 - shrinkage) * variances + shrinkage * variances.mean()
        weight = components * shrunk[:kept] ** (-power / 2)
        return Head((Layer(weight.astype(np.float32), (-self.mean @ weight).astype(np.float32)),))


def fit_whitening(
    vectors: Vectors, *, dimensions: int | None, power: float, shrinkage: float = 0.0
) -> Head:
    """The head that brings `vectors` float32 [n, d] to unit length, projects them on their principal
    components, and divides each component by its standard deviation to the `power`.

    The `dimensions` components of the largest variance are kept (None: as many as the vectors have
    numbers). `power` 1 whitens fully, 0 only turns the axes. `shrinkage` 0 to 1 draws every variance
    towards their mean, as few vectors overstate how much the variances differ (Ledoit and Wolf 2004). In
    closed form: the eigenvectors of the covariance matrix, in double precision. Without shrinkage a
    component that is mere rounding is left out, so there may be fewer than `dimensions`.
    """
    spectrum = Spectrum.of(vectors)
    return spectrum.whitening(dimensions=dimensions, power=power, shrinkage=shrinkage)
