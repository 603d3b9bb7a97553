"""How close two originals have to be for one of them to be held out from learning when the other is measured;
plain NumPy. What is held out needlessly costs an example. No score depends on it."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from simsearch.features.collapse import CLEARLY_NEARER

Floats = npt.NDArray[np.floating[Any]]

# Use the fifth-nearest original as "another work": nearer ones may be duplicates.
OTHER_WORK = 5
CLOSEST_SHARE = 0.01

# Groups of six and more: at most so many originals show one picture, and at most this share of the
# originals is in such groups. A collection that is all series has its own idea of "near".
LARGEST_GROUP = 30
MOST_IN_GROUPS = 0.4

# How many times as far as a group's own members other works have to be. Of 60 synthetic collections with
# loose series, 1.3 listed the 530 pairs of works of one, 1.35 no pair. At 1.35 all pairs of groups of 6 to 30
# added to 500 paintings were found where members are 0.3 times as far as other works, 31 % at 0.5.
GAP = 1.35
_STEP = 1.03  # ratio of the successive distances that are tried as the end of a group
_SMALLEST = 1e-6  # below which float32 distances are 0


def near_duplicate_threshold(nearest_copy: Floats, others: Floats) -> float:
    """The largest distance (angular) at which two originals count as one picture. Their cosine is at least
    halfway between that of a copy and that of another work.

    `nearest_copy` [n] is the distance of each original from the nearest of its mildest copies (`mildest`),
    ∞ without one; the median stands for a copy. `others` [n, k] are the distances of the same originals
    from their LARGEST_GROUP nearest other originals, ascending, ∞ after the last. The fifth stands for
    another work, in the closest hundredth. Groups of six and more have the fifth among them: where a
    gap separates such groups from all other works, the threshold is halfway across the gap.

    0, so that only equal vectors count, if a copy is not clearly nearer than another work, or if one of
    the two is not known. Always less than the distance of another work in the closest hundredth.
    """
    copy = float(np.median(nearest_copy)) if len(nearest_copy) else np.inf
    fifth = _fifth(others)
    if not np.isfinite(copy) or not len(fifth):
        return 0.0
    other = float(np.quantile(fifth, CLOSEST_SHARE))
    small = _halfway(copy, other) if copy <= CLEARLY_NEARER * other and other else 0.0
    inside, outside = _gap(others, max(copy, other, _SMALLEST))
    large = _halfway(inside, outside) if copy <= CLEARLY_NEARER * outside else 0.0
    return max(small, large)


def _halfway(near: float, far: float) -> float:
    return float(np.hypot(near, far) / np.sqrt(2))  # squares of tiny distances would vanish


def _fifth(others: Floats) -> Floats:
    """The distances [≤ n] of the fifth nearest original, or of the last of fewer, for every original that
    has any."""
    near = others[:, :OTHER_WORK]
    last = np.where(np.isfinite(near), near, -np.inf).max(axis=1, initial=-np.inf)
    return np.asarray(last[np.isfinite(last)])


def _gap(others: Floats, start: float) -> tuple[float, float]:
    """The ends of the widest gap, from `start` on, between groups of six and more and other works. 0 and 0
    if no gap is as wide as GAP. All but the closest hundredth of the originals have no other original
    inside the gap."""
    best = GAP, (0.0, 0.0)
    inside = start
    while inside < 2:
        near = (others <= inside).sum(axis=1)
        grouped = (near >= OTHER_WORK).mean()
        if grouped > MOST_IN_GROUPS or np.quantile(near, 1 - CLOSEST_SHARE) >= LARGEST_GROUP:
            break
        # Distances ascend: the first outside the group is the nearest.
        following = np.where(others > inside, others, np.inf).min(axis=1)
        following = following[np.isfinite(following)]
        if grouped > CLOSEST_SHARE and len(following):
            outside = float(np.quantile(following, CLOSEST_SHARE))
            best = max(best, (outside / inside, (inside, outside)))
        inside *= _STEP
    return best[1]
