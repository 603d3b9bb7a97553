"""What two pictures that agree are to one another, by rule."""

from __future__ import annotations

from enum import StrEnum

from simsearch.geometry.agreement import Agreement


class Relation(StrEnum):
    SAME_PICTURE = "same picture"  # whole with whole, to a camera's precision
    EDITED = "edited"  # cropped, turned or squeezed
    MIRRORED = "mirrored"
    VERSION = "version"  # the composition agrees, the hand does not
    DETAIL_OF = "detail of"  # the first picture is a part of the second
    HAS_DETAIL = "has detail"  # the second picture is a part of the first
    SHARED_DETAIL = "shared detail"


def relation_of(agreement: Agreement) -> Relation:
    """What the first picture of an agreement is to the second."""
    raise NotImplementedError
