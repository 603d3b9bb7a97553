"""The plane transform that explains most matches, and how little of that chance explains.

Each match has a place, a size and a direction in both pictures, so each alone gives a similarity
transform. All are tried, without random numbers, and the best are fitted as affine transforms (Philbin,
Chum, Isard, Sivic and Zisserman, Object retrieval with large vocabularies and fast spatial matching, 2007).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Complexes = npt.NDArray[np.complex128]

# Distances in pixels up to which a match is explained. Three, since a version by another hand lies
# further off than a photograph.
RADII = (1.6, 3.2, 6.4)
# Similarity transforms that are fitted further.
STARTS = 4
# Distance in pixels, and as a share of the distance from the match that gives the transform.
NEAR, NEAR_SHARE = 3.0, 0.15
# Degrees, and factors of two, by which a match may differ from the transform's turn and zoom.
TURN, ZOOM = 30.0, 0.8
# An affine transform explains any three matches.
MIN_INLIERS = 4
# Pixels: standard deviation of the inliers across their longest direction. Points on a line fit many
# transforms.
MIN_SPREAD = 3.0
# Factors by which a plausible transform enlarges or reduces, and by which its directions differ.
MAX_ZOOM, MAX_STRETCH = 8.0, 3.0
# Radii in pixels of the rounds of weighted least squares.
ROUNDS = (10.0, 6.4, 6.4, 6.4)


@dataclass(frozen=True)
class PointMatches:
    """Matched points [m]: places in a and b as x + iy in pixels, turns from a to b as complex units, zooms
    as logarithms to base 2; weights, 1 / how many matches are the same observation; and the area of b in
    square pixels."""

    a: Complexes
    b: Complexes
    turns: Complexes
    zooms: Floats
    weights: Floats
    area_b: float

    def __len__(self) -> int:
        return len(self.a)


@dataclass(frozen=True)
class Estimate:
    """A transform [3, 3] from a to b, its zoom, the matches [m] that it explains, those that turn and zoom as it
    does, their distances [m] in pixels, and the evidence (`agreement.Agreement`)."""

    transform: Floats
    zoom: float
    inliers: Flags
    alike: Flags
    errors: Floats
    evidence: float


def estimate(matches: PointMatches) -> Estimate | None:
    """The transform with the most evidence; None where no plausible one explains MIN_INLIERS."""
    if len(matches) < MIN_INLIERS:
        return None
    near = _near_similarities(matches)
    if not len(near):
        return None
    weights = near.astype(np.float64)
    for radius in ROUNDS:
        transforms = _fit_affine(matches, weights)
        errors = transfer_errors(matches, transforms)
        alike = _alike(matches, transforms)
        weights = np.where(alike, np.maximum(1 - (errors / radius) ** 2, 0), 0) ** 2
    zooms = scales(transforms)
    candidates = [
        weigh(matches, transforms[k], zooms[k], errors[k], alike[k])
        for k in np.nonzero(plausible(transforms[:, :2, :2]))[0]
    ]
    return max((c for c in candidates if c), key=lambda c: c.evidence, default=None)


def _near_similarities(matches: PointMatches) -> Flags:
    """Which matches [k, m] lie near each of the best similarity transforms that a single match gives;
    no match lies near two."""
    factor = np.exp2(matches.zooms)[:, None]
    step_a = matches.a - matches.a[:, None]
    step_b = matches.b - matches.b[:, None]
    errors = np.abs(step_b - factor * matches.turns[:, None] * step_a)
    fits = errors < np.sqrt(factor) * (NEAR + NEAR_SHARE * np.sqrt(factor) * np.abs(step_a))
    fits &= (matches.turns[:, None].conj() * matches.turns).real > np.cos(np.radians(TURN))
    fits &= np.abs(matches.zooms[:, None] - matches.zooms) < ZOOM
    chosen = []
    for _ in range(STARTS):
        votes = fits.sum(1)
        best = votes.argmax()
        if votes[best] < MIN_INLIERS - 1:
            break
        chosen.append(fits[best].copy())
        fits &= ~fits[best]
    return np.array(chosen, bool)


def _fit_affine(matches: PointMatches, weights: Floats) -> Floats:
    """The transforms [k, 3, 3] of least squares for weights [k, m]."""
    design = np.column_stack([matches.a.real, matches.a.imag, np.ones(len(matches))])
    target = np.column_stack([matches.b.real, matches.b.imag])
    weighted = weights[:, :, None] * design
    transforms = np.zeros((len(weights), 3, 3))
    # The small weight keeps an unsolvable system solvable; its transform is then implausible.
    normal = weighted.transpose(0, 2, 1) @ design + 1e-6 * np.eye(3)
    solved = np.linalg.solve(normal, weighted.transpose(0, 2, 1) @ target)
    transforms[:, :2] = solved.transpose(0, 2, 1)
    transforms[:, 2, 2] = 1
    return transforms


def inverted(transform: Floats) -> Floats:
    """The transform [3, 3] that leads back."""
    return np.asarray(np.linalg.inv(transform), np.float64)


def moved(transforms: Floats, places: Complexes) -> Complexes:
    """Where transforms [..., 3, 3] put places [m]: [..., m]."""
    x, y, weight = np.moveaxis(
        transforms @ np.stack([places.real, places.imag, np.ones(len(places))]), -2, 0
    )
    shifted: Complexes = (x + 1j * y) / np.where(np.abs(weight) < 1e-9, 1e-9, weight)
    return shifted


def scales(transforms: Floats) -> Floats:
    """By how much affine transforms [..., 3, 3] enlarge lengths; 0 where they turn the picture over."""
    areas = np.linalg.det(transforms[..., :2, :2])
    lengths: Floats = np.sqrt(np.maximum(areas, 0))
    return lengths


def transfer_errors(matches: PointMatches, transforms: Floats) -> Floats:
    """Distances [..., m] in pixels of matches from the transforms [..., 3, 3]: the geometric mean of the
    distance in b and the distance in a."""
    factor = np.sqrt(np.maximum(scales(transforms), 1e-3))[..., None]
    return np.abs(moved(transforms, matches.a) - matches.b) / factor


def _alike(matches: PointMatches, transforms: Floats) -> Flags:
    """Which matches [k, m] turn and zoom as the transforms do."""
    linear = transforms[:, :2, :2]
    # The rotation nearest to a linear map of the plane.
    turns = linear[:, 0, 0] + linear[:, 1, 1] + 1j * (linear[:, 1, 0] - linear[:, 0, 1])
    turns /= np.maximum(np.abs(turns), 1e-9)
    zooms = np.log2(np.maximum(scales(transforms), 1e-3))
    turned = (turns[:, None].conj() * matches.turns).real > np.cos(np.radians(TURN))
    flags: Flags = turned & (np.abs(zooms[:, None] - matches.zooms) < ZOOM)
    return flags


def plausible(linear: Floats) -> Flags:
    """Which linear maps [k, 2, 2] a photograph or a reproduction may have."""
    largest, smallest = np.linalg.svd(linear, compute_uv=False).T
    upright = np.linalg.det(linear) > 0
    within = (largest < MAX_ZOOM) & (smallest > 1 / MAX_ZOOM)
    flags: Flags = upright & within & (largest < MAX_STRETCH * smallest)
    return flags


def weigh(
    matches: PointMatches, transform: Floats, zoom: float, errors: Floats, alike: Flags
) -> Estimate | None:
    """The estimate at the radius that gives the most evidence, among matches `alike` [m]; `zoom`: the
    factor by which the transform enlarges lengths."""
    best = None
    for radius in RADII:
        inliers = alike & (errors < radius)
        if inliers.sum() < MIN_INLIERS:
            continue
        if min(_spread(matches.a[inliers]), _spread(matches.b[inliers])) < MIN_SPREAD:
            continue
        chance = _chance_of_fit(matches, transform, radius * np.sqrt(zoom))
        evidence = _evidence(matches, inliers, chance)
        if best is None or evidence > best.evidence:
            best = Estimate(transform, zoom, inliers, alike, errors, evidence)
    return best


def _spread(places: Complexes) -> float:
    """The standard deviation of places across their longest direction, in pixels."""
    centred = places - places.mean()
    total, along = (np.abs(centred) ** 2).mean(), np.abs((centred**2).mean())
    return float(np.sqrt(max(total - along, 0) / 2))


def _evidence(matches: PointMatches, inliers: Flags, chance: float) -> float:
    """−log10 of the number of transforms with as many inliers among matches that each fit by `chance`.

    As many transforms are tried as there are matches and radii; three inliers fix one. The tail of the
    binomial law is at most exp(−n · divergence) (Chernoff, Hoeffding).
    """
    trials = float(matches.weights.sum()) - 3
    successes = float(matches.weights[inliers].sum()) - 3
    if successes <= 0:
        return 0.0
    rate = min(1.0, successes / trials)
    if rate <= chance:
        return 0.0
    divergence = rate * np.log(rate / chance)
    if rate < 1:
        divergence += (1 - rate) * np.log((1 - rate) / (1 - chance))
    return float(trials * divergence / np.log(10) - np.log10(len(matches) * len(RADII)))


def _chance_of_fit(matches: PointMatches, transform: Floats, radius: float) -> float:
    """The probability that a wrong match fits: how many do when the matches' ends are exchanged among
    them, and no less than if ends lay evenly over b; `radius` in pixels of b."""
    even = np.pi * radius**2 / matches.area_b * 2 * TURN / 360
    near = np.abs(moved(transform, matches.a)[:, None] - matches.b) < radius
    exchanged = (near.sum() - near.trace()) / (len(matches) * (len(matches) - 1))
    return float(min(0.5, max(even, exchanged)))
