"""Regions that return at the same place in many works: watermarks, mounts, colour charts, labels.

Each tells of the photographer or of the archive, none of the work.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from simsearch.geometry.agreement import Agreement
from simsearch.geometry.points import PICTURE_SIZE, Floats, Points
from simsearch.geometry.regions import Rectangle, box_around
from simsearch.geometry.relations import WHOLE

# Works in which a region has to return. Series and copies of a figure seldom keep the place in so many.
MIN_WORKS = 5
# Pixels between the places of a matched point in both pictures, as `anchored` has them.
SAME_PLACE = 6.0
# Share of an agreement's points that lie at the same place in both pictures.
IN_PLACE = 0.8
# Pixels around a confuser's places that are masked, and in which two places are one.
AROUND = 8.0
# Share of an agreement's places that a group of agreements knows already.
KNOWN = 0.5


@dataclass(frozen=True)
class Pair:
    """Two works, by number, and what they show in common."""

    a: int
    b: int
    agreement: Agreement


@dataclass(frozen=True)
class Confuser:
    """A region that returns in `works`, ascending. `boxes`: where it lies in each, in pixels. `places`
    float32 [m, 2]: its points, as `anchored` has them."""

    works: tuple[int, ...]
    boxes: tuple[Rectangle, ...]
    places: Floats


def find_confusers(pairs: Sequence[Pair]) -> list[Confuser]:
    """The regions that return at the same place in many works, the most frequent first."""
    groups: list[tuple[dict[int, tuple[int, int]], Floats]] = []
    candidates = [pair for pair in pairs if _keeps_its_place(pair.agreement)]
    for pair in sorted(candidates, key=lambda pair: (-pair.agreement.inliers, pair.a, pair.b)):
        places = anchored(pair.agreement.places_a, pair.agreement.size_a)
        sizes = {pair.a: pair.agreement.size_a, pair.b: pair.agreement.size_b}
        for works, known in groups:
            if near(places, known).mean() >= KNOWN:
                works.update(sizes)
                break
        else:
            groups.append((sizes, places))
    confusers = [
        Confuser(
            tuple(sorted(works)),
            tuple(box_around(_placed(places, works[work]), works[work]) for work in sorted(works)),
            places,
        )
        for works, places in groups
        if len(works) >= MIN_WORKS
    ]
    return sorted(confusers, key=lambda confuser: -len(confuser.works))


def without_confusers(points: Points, confusers: Sequence[Confuser]) -> Points:
    """The points outside of confusers, to agree with what the works themselves show."""
    kept = np.ones(len(points), bool)
    places = anchored(points.positions, (points.width, points.height))
    for confuser in confusers:
        kept &= ~near(places, confuser.places)
    return replace(
        points,
        positions=points.positions[kept],
        sizes=points.sizes[kept],
        angles=points.angles[kept],
        descriptors=points.descriptors[kept],
    )


def anchored(places: Floats, size: tuple[int, int]) -> Floats:
    """Places [n, 2] of a picture of a size, measured from the nearer of two sides: from the left and the
    top, or, beyond the middle, from the right and the bottom and then moved 2 · PICTURE_SIZE on."""
    sides = np.array(size, np.float32)
    return np.where(2 * places < sides, places, places - sides + 2 * PICTURE_SIZE)


def _placed(places: Floats, size: tuple[int, int]) -> Floats:
    """Places in pixels of a picture of a size, of those that `anchored` has."""
    sides = np.array(size, np.float32)
    return np.where(places < PICTURE_SIZE, places, places - 2 * PICTURE_SIZE + sides)


def near(places: Floats, others: Floats) -> npt.NDArray[np.bool_]:
    """Which places [n, 2] lie within AROUND pixels of others [m, 2]."""
    distances = np.abs(places[:, None] - others).max(2)
    flags: npt.NDArray[np.bool_] = (distances < AROUND).any(1)
    return flags


def _keeps_its_place(agreement: Agreement) -> bool:
    """Whether a part only agrees, at the same place in both pictures."""
    if agreement.mirrored or agreement.coverage >= WHOLE:
        return False
    first = anchored(agreement.places_a, agreement.size_a)
    second = anchored(agreement.places_b, agreement.size_b)
    shift = np.abs(first - second).max(1)
    return bool((shift < SAME_PLACE).mean() >= IN_PLACE)
