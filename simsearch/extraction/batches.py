"""What travels from stage to stage of an extraction."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

Batch = dict[str, npt.NDArray[Any]]


class Counter(Protocol):
    """Counts vectors done, by their places in [artworks, variants, spaces], and what they cost; in a
    run `simsearch.extraction.counter.RemoteCounter`."""

    def add(self, places: npt.NDArray[np.int64]) -> None: ...

    def timed(self, fingerprint: str, device: str, images: int, seconds: float) -> None: ...


def needed(need: npt.NDArray[np.uint64], position: int) -> npt.NDArray[np.bool_]:
    """Which rows of a `need` bit mask ask for the space at `position`."""
    return ((need >> np.uint64(position)) & np.uint64(1)).astype(bool)


def _reject(row: Mapping[str, Any], stage: str, reason: str, detail: str) -> dict[str, Any]:
    return {**row, "stage": stage, "reason": reason, "detail": detail}
