"""A homography near an affine estimate, by MAGSAC++ (Barath, Noskova, Ivashechkin and Matas, 2020)."""

from __future__ import annotations

import cv2
import numpy as np

from simsearch.geometry.estimation import (
    RADII,
    Complexes,
    Estimate,
    Floats,
    PointMatches,
    moved,
    plausible,
    weigh,
)

# A homography explains any four matches; with few more it bends to their noise.
MIN_INLIERS = 12
# By which factor a plausible homography's zoom may differ between inliers: a photograph from the side.
MAX_FORESHORTENING = 2.0


def bend(matches: PointMatches, affine: Estimate) -> Estimate:
    """The homography near an affine estimate if it is plausible and has more evidence, or the affine one."""
    near = affine.alike & (affine.errors < 2 * RADII[-1])
    if affine.inliers.sum() < MIN_INLIERS:
        return affine
    ends = [np.column_stack([z.real, z.imag])[near] for z in (matches.a, matches.b)]
    matrix, _ = cv2.findHomography(ends[0], ends[1], _magsac())
    if matrix is None or not np.isfinite(matrix).all():
        return affine
    transform = np.asarray(matrix, np.float64)
    linear = jacobians(transform, matches.a[affine.inliers])
    areas = np.linalg.det(linear)
    if not plausible(linear).all() or areas.max() > MAX_FORESHORTENING**2 * areas.min():
        return affine
    zoom = float(np.sqrt(np.median(areas)))
    errors = np.abs(moved(transform, matches.a) - matches.b) / np.sqrt(zoom)
    bent = weigh(matches, transform, zoom, errors, near)
    return bent if bent is not None and bent.evidence > affine.evidence else affine


def jacobians(transform: Floats, places: Complexes) -> Floats:
    """The linear maps [m, 2, 2] that a homography is near places [m] on one side of its horizon."""
    ends = moved(transform, places)
    weights = transform[2] @ np.stack([places.real, places.imag, np.ones(len(places))])
    slopes = np.stack([ends.real, ends.imag], 1)[:, :, None] * transform[2, :2]
    linear: Floats = (transform[:2, :2] - slopes) / weights[:, None, None]
    return linear


def _magsac() -> cv2.UsacParams:
    parameters = cv2.UsacParams()
    parameters.score = cv2.SCORE_METHOD_MAGSAC
    parameters.sampler = cv2.SAMPLING_UNIFORM
    parameters.loMethod = cv2.LOCAL_OPTIM_SIGMA
    parameters.final_polisher = cv2.MAGSAC
    parameters.threshold = RADII[-1] / 2
    parameters.maxIterations = 100  # nearly all matches near the affine transform are right
    parameters.confidence = 0.999
    parameters.randomGeneratorState = 1
    parameters.isParallel = False
    return parameters
