"""The batches between the stages of an extraction, and the counter to which stages report."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from simsearch.features.space import FeatureSpace

Batch = dict[str, npt.NDArray[Any]]


class Counter(Protocol):
    """Takes the reports of stages: finished vectors, by their places in [artworks, variants, spaces], the
    time that they took, the bytes read and written, and the rejects. In a run it is a
    `simsearch.extraction.counter.RemoteCounter`."""

    def add(self, places: npt.NDArray[np.int64]) -> None: ...

    def timed(self, space: FeatureSpace, device: str, images: int, seconds: float) -> None: ...

    def decoded(self, artworks: int, images: int, size: int) -> None: ...

    def rejected(self, stage: str, reason: str) -> None: ...

    def written(self, space: FeatureSpace, vectors: int, size: int) -> None: ...

    def compare(self, space: FeatureSpace, vector: npt.NDArray[np.float32]) -> str | None:
        """Compare the trial picture's vector [d] with that of the run's first process. Returns the
        difference in words, None if there is none."""

    def check_absent(self, uri: str) -> None:
        """Raise NodeError if a file that is missing on this node exists on the driver's node."""


def _reject(row: Mapping[str, Any], stage: str, reason: str, detail: str) -> dict[str, Any]:
    return {**row, "stage": stage, "reason": reason, "detail": detail}
