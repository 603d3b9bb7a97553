"""What two pictures that agree are to one another, by rule."""

from __future__ import annotations

from enum import StrEnum

import numpy as np

from simsearch.geometry.agreement import Agreement

# Share of the overlap, by contrast, from which the pictures agree as a whole. Of 900 pairs of edited paintings
# 95 of 100 have .79 or more, and copies by another hand .55; frames and mounts have up to .48.
WHOLE = 0.5
# Share of a picture that the other shows, from which it is shown wholly, and below which a part only.
ALL, PART = 0.85, 0.5
# Degrees of turn, and the ratio of the two sides' scales, that a camera gives.
TILT, STRETCH = 5.0, 1.1
# Correlation below, and pixels above, which another hand made the picture. 99 of 100 pairs of edited paintings
# have at least .71 and at most .77 pixels; copies by another hand 1 to 2.3 pixels.
OWN_LIKENESS, OWN_RESIDUAL = 0.7, 1.0


class Relation(StrEnum):
    """What the first of two pictures is to the second."""

    SAME_PICTURE = "same picture"  # whole with whole, upright, to a camera's precision
    EDITED = "edited"  # cropped, turned or squeezed
    MIRRORED = "mirrored"
    NEGATIVE = "negative"  # what is light in one picture is dark in the other
    VERSION = "version"  # the composition agrees, the hand does not
    DETAIL_OF = "detail of"  # the first picture is a part of the second
    HAS_DETAIL = "has detail"  # the second picture is a part of the first
    SHARED_DETAIL = "shared detail"
    ONE_FRAME = "one frame"  # the same surround, with other things in it


def relation_of(agreement: Agreement) -> Relation:
    """What the first picture of an agreement is to the second."""
    if agreement.framed:
        return Relation.ONE_FRAME
    smaller, larger = sorted((agreement.overlap_a, agreement.overlap_b))
    if agreement.coverage < WHOLE or (larger < ALL and smaller < PART):
        return Relation.SHARED_DETAIL
    if smaller < PART:
        first = agreement.overlap_a > agreement.overlap_b
        return Relation.DETAIL_OF if first else Relation.HAS_DETAIL
    if agreement.negative:
        return Relation.NEGATIVE
    if agreement.likeness < OWN_LIKENESS or agreement.residual > OWN_RESIDUAL:
        return Relation.VERSION
    if agreement.mirrored:
        return Relation.MIRRORED
    return Relation.SAME_PICTURE if smaller >= ALL and _upright(agreement) else Relation.EDITED


def _upright(agreement: Agreement) -> bool:
    """Whether the transform neither turns nor squeezes the picture."""
    linear = agreement.transform[:2, :2]
    largest, smallest = np.linalg.svd(linear, compute_uv=False)
    turn = np.arctan2(linear[1, 0] - linear[0, 1], linear[0, 0] + linear[1, 1])
    return bool(np.abs(np.degrees(turn)) < TILT and largest < STRETCH * smallest)
