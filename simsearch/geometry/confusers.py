"""Regions that return at the same place in many works: watermarks, mounts, colour charts, labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from simsearch.geometry.agreement import Agreement
from simsearch.geometry.points import Floats, Points


@dataclass(frozen=True)
class Pair:
    """Two works, by number, and what they show in common."""

    a: int
    b: int
    agreement: Agreement


@dataclass(frozen=True)
class Confuser:
    """A region that returns in `works`. `outlines`: one polygon for each work, float32 [m, 2] in pixels."""

    works: tuple[int, ...]
    outlines: tuple[Floats, ...]


def find_confusers(pairs: Sequence[Pair]) -> list[Confuser]:
    """The regions that return at the same place in many works, the most frequent first."""
    raise NotImplementedError


def without_region(points: Points, outline: Floats) -> Points:
    """The points outside of a region: what is left to agree with once a confuser is masked."""
    raise NotImplementedError
