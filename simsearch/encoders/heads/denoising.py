"""A denoising head: from a perturbed copy's vector back to its original's, by ridge regression."""

from __future__ import annotations

import numpy as np

from simsearch.encoders.heads.head import Head, Layer
from simsearch.encoders.heads.moments import products
from simsearch.features.vectors import SAME_SQUARED, Vectors


def fit_denoising(copies: Vectors, originals: Vectors, *, ridge: float) -> Head:
    """The linear head that brings `copies` float32 [n, d] nearest to their rows of `originals` [n, d], in
    squared distance at unit length.

    `ridge` is the penalty, as a share of the copies' mean variance. With too little the head learns the
    noise of its training data, with too much every vector becomes the mean. In closed form, in double
    precision (Hoerl and Kennard 1970). The head has no dimension if all copies have the same vector.
    """
    covariance, given_mean, _ = products(copies, copies)
    if np.trace(covariance) <= len(copies) * SAME_SQUARED:
        return Head((Layer(np.zeros((len(covariance), 0), np.float32), np.zeros(0, np.float32)),))
    towards, _, wanted_mean = products(copies, originals)
    held_back = ridge * np.trace(covariance) / len(covariance)
    weight = np.linalg.solve(covariance + held_back * np.eye(len(covariance)), towards)
    bias = wanted_mean - given_mean @ weight
    return Head((Layer(weight.astype(np.float32), bias.astype(np.float32)),))
