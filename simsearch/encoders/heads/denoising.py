"""A denoising head: from a perturbed copy's vector back to its original's, by ridge regression."""

from __future__ import annotations

import numpy as np

from simsearch.encoders.heads.head import Head, Layer
from simsearch.encoders.heads.moments import products
from simsearch.features.vectors import SAME_SQUARED, Vectors


def fit_denoising(copies: Vectors, originals: Vectors, *, ridge: float) -> Head:
    """The linear head that takes each of `copies` float32 [n, d] nearest to its row of `originals`
    [n, d] in squared distance, both at unit length.

    `ridge` holds the map back, as a share of the copies' mean variance: too little and it learns
    the training's own noise, too much and every vector becomes the mean. In closed form, in double
    precision (Hoerl and Kennard 1970). It has no dimension where all copies have the same vector.
    """
    covariance, given_mean, _ = products(copies, copies)
    if np.trace(covariance) <= len(copies) * SAME_SQUARED:
        return Head((Layer(np.zeros((len(covariance), 0), np.float32), np.zeros(0, np.float32)),))
    towards, _, wanted_mean = products(copies, originals)
    held_back = ridge * np.trace(covariance) / len(covariance)
    weight = np.linalg.solve(covariance + held_back * np.eye(len(covariance)), towards)
    bias = wanted_mean - given_mean @ weight
    return Head((Layer(weight.astype(np.float32), bias.astype(np.float32)),))
