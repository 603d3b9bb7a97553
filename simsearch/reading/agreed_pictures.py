"""What one picture is to another: judged against chance, and in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from simsearch.neighbours.chance import EXPECTED, CollectionChance
from simsearch.schemas import SAME_FILE

if TYPE_CHECKING:
    from simsearch.geometry.agreement import Agreement

_WORDS = {
    SAME_FILE: "the same file",
    "same picture": "the same picture",
    "edited": "the same picture, cropped, turned or squeezed",
    "mirrored": "the same picture, mirrored",
    "negative": "the same picture, light and dark exchanged",
    "version": "a version: the composition agrees, the hand does not",
    "detail of": "{first} is a part of {other}",
    "has detail": "{other} is a part of {first}",
    "shared detail": "{first} and {other} share a detail",
    "one frame": "one frame, with other things in it",
}


@dataclass(frozen=True)
class Judged:
    """What the first of two pictures is to the other, and the number of `false_alarms`. `verified`: chance
    does not explain that they agree."""

    relation: str
    false_alarms: float
    verified: bool


def judge(agreement: Agreement, chance: CollectionChance) -> Judged:
    """An agreement, by what chance gives in its collection."""
    from simsearch.geometry.relations import relation_of  # OpenCV takes a while to import

    alarms = float(chance.false_alarms(np.array([agreement.evidence]))[0])
    return Judged(relation_of(agreement).value, alarms, alarms <= EXPECTED)


def relation_words(
    relation: str,
    *,
    mirrored: bool = False,
    first: str = "the first picture",
    other: str = "the second picture",
) -> str:
    """What the `first` picture is to the `other`, for readers."""
    words = _WORDS.get(relation, relation).format(first=first, other=other)
    return f"{words}, mirrored" if mirrored and relation != "mirrored" else words
