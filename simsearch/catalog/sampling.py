"""Seeded samples that do not depend on the order of the ids."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable


def seeded_sample(ids: Iterable[str], size: int | None, seed: int) -> list[str]:
    """A random sample of `size` ids, sorted. All ids if `size` is None or larger than their number.

    Each id draws a number from a hash of the seed and the id, and the ids with the smallest numbers are
    chosen (bottom-k sampling). An id added to a collection thus displaces at most one other.
    """
    unique = set(ids)
    if size is None or size >= len(unique):
        return sorted(unique)
    return sorted(
        sorted(unique, key=lambda identifier: (_draw(identifier, seed), identifier))[:size]
    )


def _draw(identifier: str, seed: int) -> bytes:
    return hashlib.sha256(f"{seed}:{identifier}".encode()).digest()
