"""Watch the waits of a step: a line says what the step waits for, and a step without progress is ended."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import TypeVar

import ray
from ray.exceptions import RayError

from simsearch.errors import StallError
from simsearch.runtime import metrics
from simsearch.runtime.background import Background
from simsearch.runtime.cluster import cluster_state, waiting_line
from simsearch.runtime.node_check import refusal
from simsearch.runtime.progress import Advance, duration, progress
from simsearch.settings.sections.operation import RayConfig

log = logging.getLogger(__name__)

POLL_SECONDS = 0.5

T = TypeVar("T")


def run_watched(
    step: str,
    config: RayConfig,
    work: Callable[[], T],
    done: Callable[[], int],
    advance: Advance = lambda _: None,
    describe: Callable[[], str] | None = None,
    total: int = 0,
) -> T:
    """Run `work` on a thread, and return or raise its result.

    Every half second and at the end, `done()` is passed to `advance`, and the rest of `total` to the
    metrics. While `done()` stands still, a line every `config.stall_warn` seconds says what waits for what
    (by `describe()`, if given). After `config.stall_fail` seconds StallError is raised, and the thread is
    given up.
    """
    thread = Background(work)
    thread.start()
    dog = _Watchdog(step, config, describe or _describe, total)
    try:
        while not thread.ended.wait(POLL_SECONDS):
            count = _read(done)
            if count is not None:
                advance(count)
            dog.look(count)
    finally:
        metrics.set_progress(
            step, 0, 0.0
        )  # a process exports a gauge's last value as long as it lives
    count = _read(done)
    if count is not None:
        advance(count)
    return thread.result()


def run_followed(
    step: str,
    total: int,
    unit: str,
    config: RayConfig,
    work: Callable[[], T],
    done: Callable[[], int],
) -> T:
    """Run `work` as `run_watched` does, and show the step's progress."""
    with progress(step, total, unit, config.log_seconds) as advance:
        return run_watched(step, config, work, done, advance, total=total)


class Count:
    """The number of finished items, summed over the parts of a step. Some threads set it, one reads it."""

    def __init__(self) -> None:
        self._parts: dict[str, int] = {}

    def tell(self, value: int, part: str = "") -> None:
        self._parts[part] = value

    def read(self) -> int:
        return sum(list(self._parts.values()))


class _Watchdog:
    def __init__(
        self, step: str, config: RayConfig, describe: Callable[[], str], total: int
    ) -> None:
        self._step, self._config, self._describe, self._total = step, config, describe, total
        self._count: int | None = None
        self._moved = self._warned = time.monotonic()

    def look(self, count: int | None) -> None:
        """Raise StallError after too long without progress, NodeError if a node was refused."""
        if refused := refusal():
            raise refused
        now = time.monotonic()
        if count is not None and count != self._count:
            self._count, self._moved, self._warned = count, now, now
        still = now - self._moved
        metrics.set_progress(self._step, max(0, self._total - (self._count or 0)), still)
        limit = self._config.stall_fail
        if limit is not None and still >= limit:
            raise StallError(
                f"{self._step}: nothing moved for {duration(still)} (ray.stall_fail): {self._words()}; "
                "give the cluster what is asked for, then run the same command again: what is stored is "
                "not computed again"
            )
        if now - self._warned >= self._config.stall_warn:
            self._warned = now
            metrics.count_stall(self._step)
            log.warning("%s: nothing moved for %s: %s", self._step, duration(still), self._words())

    def _words(self) -> str:
        try:
            return self._describe()
        except (RayError, RuntimeError) as error:
            return f"the cluster's head does not answer ({' '.join(str(error).split())[:200]})"


def _read(done: Callable[[], int]) -> int | None:
    """The count. None if Ray gives no answer: `work` itself reports a fault of Ray."""
    try:
        return done()
    except RayError:
        return None


def _describe() -> str:
    return waiting_line(cluster_state())


def wait_for(
    step: str,
    config: RayConfig,
    reference: ray.ObjectRef[T],
    describe: Callable[[], str] | None = None,
) -> T:
    """The value of one Ray task, with a wait as in `run_watched`."""
    return run_watched(step, config, lambda: ray.get(reference), lambda: 0, describe=describe)
