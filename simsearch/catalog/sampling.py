"""Seeded choices that do not depend on the order of what is chosen from."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable


def seeded_sample(ids: Iterable[str], size: int | None, seed: int) -> list[str]:
    """`size` of the ids at random (None or more than there are: all), sorted.

    Each id draws a number from a hash of the seed and itself and the smallest win (bottom-k
    sampling), so an id added to a collection displaces at most one other.
    """
    unique = set(ids)
    if size is None or size >= len(unique):
        return sorted(unique)
    return sorted(
        sorted(unique, key=lambda identifier: (_draw(identifier, seed), identifier))[:size]
    )


def _draw(identifier: str, seed: int) -> bytes:
    return hashlib.sha256(f"{seed}:{identifier}".encode()).digest()
