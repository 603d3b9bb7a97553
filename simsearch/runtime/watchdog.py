"""Waits are watched: a line says what a step is waiting for, and a step that never moves is ended."""

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


def watched(
    step: str,
    config: RayConfig,
    work: Callable[[], T],
    done: Callable[[], int],
    advance: Advance = lambda _: None,
    describe: Callable[[], str] | None = None,
    total: int = 0,
) -> T:
    """Run `work` on a thread and return or raise what it does.

    Every half second and at the end `done()` is passed to `advance`, and the metrics are given what
    is left of `total`. As long as `done()` stands still, a line every `config.stall_warn` seconds
    says what is waiting for what (`describe()`, where it is given). After `config.stall_fail`
    seconds StallError is raised, and the thread is left behind.
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
        metrics.moved(step, 0, 0.0)  # a process tells a gauge's last value as long as it lives
    count = _read(done)
    if count is not None:
        advance(count)
    return thread.result()


def followed(
    step: str,
    total: int,
    unit: str,
    config: RayConfig,
    work: Callable[[], T],
    done: Callable[[], int],
) -> T:
    """`watched`, and the step's progress is shown."""
    with progress(step, total, unit, config.log_seconds) as advance:
        return watched(step, config, work, done, advance, total=total)


class Count:
    """How many items are done, the sum over the parts of a step: some threads set it, one reads it."""

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
        """Raises StallError where nothing has moved for too long, NodeError where a node was refused."""
        if refused := refusal():
            raise refused
        now = time.monotonic()
        if count is not None and count != self._count:
            self._count, self._moved, self._warned = count, now, now
        still = now - self._moved
        metrics.moved(self._step, max(0, self._total - (self._count or 0)), still)
        limit = self._config.stall_fail
        if limit is not None and still >= limit:
            raise StallError(
                f"{self._step}: nothing moved for {duration(still)} (ray.stall_fail): {self._words()}; "
                "give the cluster what is asked for, then run the same command again: what is stored is "
                "not computed again"
            )
        if now - self._warned >= self._config.stall_warn:
            self._warned = now
            metrics.stalled(self._step)
            log.warning("%s: nothing moved for %s: %s", self._step, duration(still), self._words())

    def _words(self) -> str:
        try:
            return self._describe()
        except (RayError, RuntimeError) as error:
            return f"the cluster's head does not answer ({' '.join(str(error).split())[:200]})"


def _read(done: Callable[[], int]) -> int | None:
    """The count, or None where Ray gives no answer: `work` will raise whatever is wrong with it."""
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
    """The value of one Ray task, waited for as `watched` does."""
    return watched(step, config, lambda: ray.get(reference), lambda: 0, describe=describe)
