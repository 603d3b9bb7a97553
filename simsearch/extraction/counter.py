"""How many vectors a run's actors and tasks have made so far, over all nodes."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import ray
from ray.exceptions import RayError

from simsearch.runtime.progress import Advance

POLL_SECONDS = 0.5


@dataclass(frozen=True)
class Pace:
    """When vectors came out: the `first` batch of them and `all` of them, that many seconds ago."""

    first: int
    all: int
    first_ago: float
    last_ago: float

    @property
    def rate(self) -> float:
        """Vectors per second once the first batch was out; 0 where it was the only one."""
        seconds = self.first_ago - self.last_ago
        return (self.all - self.first) / seconds if seconds > 0 else 0.0


class ProgressCounter:
    """Counts vectors over all actors and tasks of a run, and sums up what they cost."""

    def __init__(self) -> None:
        self._count = 0
        self._computed: list[tuple[float, int]] = []  # when the first and the last came, and which
        self._timings: dict[tuple[str, str], tuple[int, float]] = {}

    def add(self, count: int) -> None:
        self._count += count

    def read(self) -> int:
        return self._count

    def timed(self, fingerprint: str, device: str, images: int, seconds: float) -> None:
        before = self._timings.get((fingerprint, device), (0, 0.0))
        self._timings[fingerprint, device] = (before[0] + images, before[1] + seconds)
        total = sum(images for images, _ in self._timings.values())
        self._computed[1:] = [(time.monotonic(), total)]

    def pace(self) -> Pace | None:
        """None where nothing was computed."""
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


@dataclass(frozen=True)
class RemoteCounter:
    """A ProgressCounter in an actor of its own, told without waiting.

    Should its process die, a new one counts from zero: progress and rates miss what came before,
    and no result does.
    """

    handle: Any

    @classmethod
    def start(cls) -> RemoteCounter:
        remote: Any = ray.remote
        endless = {"max_restarts": -1, "max_task_retries": -1}
        return cls(remote(ProgressCounter).options(num_cpus=0, **endless).remote())

    def add(self, count: int) -> None:
        self.handle.add.remote(count)

    def timed(self, fingerprint: str, device: str, images: int, seconds: float) -> None:
        self.handle.timed.remote(fingerprint, device, images, seconds)

    def read(self) -> int:
        return int(ray.get(self.handle.read.remote()))

    def timings(self) -> list[dict[str, Any]]:
        return list(ray.get(self.handle.timings.remote()))

    def pace(self) -> Pace | None:
        pace: Pace | None = ray.get(self.handle.pace.remote())
        return pace


@contextmanager
def polled(read: Callable[[], int], advance: Advance) -> Iterator[None]:
    """Call `advance(read())` in the background until the block ends, and once after.

    Where Ray breaks down, the background gives up in silence: the block's own failure says it, or
    the call after the block does.
    """
    stop = threading.Event()

    def poll() -> None:
        with suppress(RayError):
            while not stop.wait(POLL_SECONDS):
                advance(read())

    thread = threading.Thread(target=poll, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
    advance(read())
