"""How many vectors a run's actors and tasks have made so far, over all nodes."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import ray

from simsearch.features.space import FeatureSpace
from simsearch.runtime import metrics
from simsearch.runtime.remote_count import read_here, start_here


@dataclass(frozen=True)
class Pace:
    """When a pool made vectors: its `first` batch, that many vectors, was out after `startup` seconds,
    `first_ago` seconds ago, and `all` of them were out `last_ago` seconds ago."""

    first: int
    all: int
    first_ago: float
    last_ago: float
    startup: float = 0.0

    @property
    def rate(self) -> float:
        """Vectors per second once the first batch was out; 0 where it was the only one."""
        seconds = self.first_ago - self.last_ago
        return (self.all - self.first) / seconds if seconds > 0 else 0.0


def joint_rate(paces: Sequence[Pace]) -> float:
    """Vectors per second over pools that worked one after the other, start-ups left out."""
    seconds = sum(pace.first_ago - pace.last_ago for pace in paces)
    return sum(pace.all - pace.first for pace in paces) / seconds if seconds > 0 else 0.0


class ProgressCounter:
    """Counts vectors over all actors and tasks of a run, and sums up what they cost.

    A vector is known by its place in [artworks, variants, spaces] and counts once, however often it
    is computed again after the loss of a node; `places` is the number of places.
    """

    def __init__(self, places: int) -> None:
        self._done = np.zeros(places, dtype=bool)
        self._computed: list[tuple[float, int]] = []  # when the first and the last came, and which
        self._timings: dict[tuple[str, str], tuple[int, float]] = {}

    def add(self, places: npt.NDArray[np.int64]) -> None:
        self._done[places] = True

    def read(self) -> int:
        return int(self._done.sum())

    def took(self, fingerprint: str, device: str, images: int, seconds: float) -> None:
        before = self._timings.get((fingerprint, device), (0, 0.0))
        self._timings[fingerprint, device] = (before[0] + images, before[1] + seconds)
        total = sum(images for images, _ in self._timings.values())
        self._computed[1:] = [(time.monotonic(), total)]

    def pace(self) -> Pace | None:
        """The pace so far; None where nothing was computed."""
        if not self._computed:
            return None
        (first_at, first), (last_at, total) = self._computed[0], self._computed[-1]
        now = time.monotonic()
        return Pace(first, total, now - first_at, now - last_at)

    def timings(self) -> list[dict[str, Any]]:
        """Rows of schemas.TIMINGS."""
        return [
            {"fingerprint": fingerprint, "device": device, "images": images, "seconds": seconds}
            for (fingerprint, device), (images, seconds) in sorted(self._timings.items())
        ]


class MeteredCounter:
    """What stages report besides progress: to the metrics of the node that they work on."""

    def timed(self, space: FeatureSpace, device: str, images: int, seconds: float) -> None:
        metrics.embedded(space.name, device, images, seconds)

    def decoded(self, artworks: int, images: int, size: int) -> None:
        metrics.decoded(artworks, images, size)

    def rejected(self, stage: str, reason: str) -> None:
        metrics.rejected(stage, reason)

    def written(self, space: FeatureSpace, vectors: int, size: int) -> None:
        metrics.written(space.name, vectors, size)


class LocalCounter(ProgressCounter, MeteredCounter):
    """A ProgressCounter for stages that run in this process."""

    def timed(self, space: FeatureSpace, device: str, images: int, seconds: float) -> None:
        self.took(space.fingerprint, device, images, seconds)
        super().timed(space, device, images, seconds)


@dataclass(frozen=True)
class RemoteCounter(MeteredCounter):
    """A ProgressCounter in an actor of its own, to which stages report without waiting.

    If its process dies, a new one counts from zero: progress and rates then lack what came before,
    the results of the run lack nothing.
    """

    handle: Any

    @classmethod
    def start(cls, places: int) -> RemoteCounter:
        return cls(start_here(ProgressCounter, places))

    def add(self, places: npt.NDArray[np.int64]) -> None:
        self.handle.add.remote(places)

    def timed(self, space: FeatureSpace, device: str, images: int, seconds: float) -> None:
        self.handle.took.remote(space.fingerprint, device, images, seconds)
        super().timed(space, device, images, seconds)

    def read(self) -> int:
        """How many vectors are done. Raises RayError where no answer comes within READ_SECONDS."""
        return read_here(self.handle)

    def timings(self) -> list[dict[str, Any]]:
        return list(ray.get(self.handle.timings.remote()))

    def pace(self) -> Pace | None:
        pace: Pace | None = ray.get(self.handle.pace.remote())
        return pace
