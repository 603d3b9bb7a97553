"""The progress of a run: the vectors that its actors and tasks have made so far, over all nodes."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import ray

from simsearch.errors import NodeError
from simsearch.extraction.trial import TOLERANCES, distance
from simsearch.features.space import FeatureSpace
from simsearch.runtime import metrics
from simsearch.runtime.remote_count import read_here, start_here
from simsearch.storage.uris import is_local, local_path

Vector = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Pace:
    """The times at which a pool made vectors. The first batch had `first` vectors. It was finished after
    `startup` seconds, `first_ago` seconds ago. The last of `all` vectors was finished `last_ago` seconds
    ago."""

    first: int
    all: int
    first_ago: float
    last_ago: float
    startup: float = 0.0

    @property
    def rate(self) -> float:
        """Vectors per second after the first batch. 0 if there was only one batch."""
        seconds = self.first_ago - self.last_ago
        return (self.all - self.first) / seconds if seconds > 0 else 0.0


def joint_rate(paces: Sequence[Pace]) -> float:
    """Vectors per second over pools that worked one after the other, without their start-ups."""
    seconds = sum(pace.first_ago - pace.last_ago for pace in paces)
    return sum(pace.all - pace.first for pace in paces) / seconds if seconds > 0 else 0.0


class ProgressCounter:
    """Counts vectors over all actors and tasks of a run, and sums up their cost.

    A vector is identified by its place in [artworks, variants, spaces]. It counts once, however often it
    is computed again after the loss of a node. `places` is the number of places.
    """

    def __init__(self, places: int) -> None:
        self._done = np.zeros(places, dtype=bool)
        self._computed: list[tuple[float, int]] = []  # when the first and the last came, and which
        self._timings: dict[tuple[str, str], tuple[int, float]] = {}
        self._trials: dict[str, tuple[str, Vector]] = {}

    def add(self, places: npt.NDArray[np.int64]) -> None:
        self._done[places] = True

    def read(self) -> int:
        return int(self._done.sum())

    def took(self, fingerprint: str, device: str, images: int, seconds: float) -> None:
        before = self._timings.get((fingerprint, device), (0, 0.0))
        self._timings[fingerprint, device] = (before[0] + images, before[1] + seconds)
        total = sum(images for images, _ in self._timings.values())
        self._computed[1:] = [(time.monotonic(), total)]

    def first_trial(self, fingerprint: str, vector: Vector, node: str) -> tuple[str, Vector]:
        """The node that first embedded the trial picture in a space, and its vector. For the first call
        these are the arguments."""
        return self._trials.setdefault(fingerprint, (node, vector))

    def sees(self, path: str) -> bool:
        """Whether a file exists on the node of this counter, which is the driver's."""
        return Path(path).exists()

    def pace(self) -> Pace | None:
        """The pace so far. None if nothing was computed."""
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
    """Passes the reports of stages beside progress to the metrics of the node where they work."""

    def timed(self, space: FeatureSpace, device: str, images: int, seconds: float) -> None:
        metrics.count_embedded(space.name, device, images, seconds)

    def decoded(self, artworks: int, images: int, size: int) -> None:
        metrics.count_decoded(artworks, images, size)

    def rejected(self, stage: str, reason: str) -> None:
        metrics.count_rejected(stage, reason)

    def written(self, space: FeatureSpace, vectors: int, size: int) -> None:
        metrics.count_written(space.name, vectors, size)


class LocalCounter(ProgressCounter, MeteredCounter):
    """A ProgressCounter for stages that run in this process."""

    def timed(self, space: FeatureSpace, device: str, images: int, seconds: float) -> None:
        self.took(space.fingerprint, device, images, seconds)
        super().timed(space, device, images, seconds)

    def compare(self, space: FeatureSpace, vector: Vector) -> None:
        """Nothing: no other process embeds."""

    def check_absent(self, uri: str) -> None:
        """Nothing: this process is the driver."""


@dataclass(frozen=True)
class RemoteCounter(MeteredCounter):
    """A ProgressCounter in an actor of its own, to which stages report without waiting.

    If its process dies, a new one counts from zero. Progress and rates then lack the earlier vectors, but
    the run's results lack nothing.
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

    def compare(self, space: FeatureSpace, vector: Vector) -> str | None:
        node = ray.util.get_node_ip_address()
        first, theirs = ray.get(self.handle.first_trial.remote(space.fingerprint, vector, node))
        apart, allowed = distance(vector, theirs), TOLERANCES[space.precision]
        if apart <= allowed:
            return None
        return (
            f"node {node} computes otherwise than node {first}: {space.fingerprint} gives the trial "
            f"picture vectors {apart:.2g} apart (1 − cosine), {allowed:g} is allowed; find out which of "
            "them is right, remove the other, then run the same command again"
        )

    def check_absent(self, uri: str) -> None:
        if not is_local(uri):
            return
        path = Path(local_path(uri))
        # The file is looked for here again, as it may have returned in between.
        if ray.get(self.handle.sees.remote(str(path))) and not path.exists():
            raise NodeError(
                f"node {ray.util.get_node_ip_address()} does not see {path}, which is there on the "
                "driver's node: share its folder among all nodes, or keep the pictures in S3"
            )

    def read(self) -> int:
        """The number of finished vectors. Raises RayError without an answer within READ_SECONDS."""
        return read_here(self.handle)

    def timings(self) -> list[dict[str, Any]]:
        return list(ray.get(self.handle.timings.remote()))

    def pace(self) -> Pace | None:
        pace: Pace | None = ray.get(self.handle.pace.remote())
        return pace
