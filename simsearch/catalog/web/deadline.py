"""The time that one request may take, from its connection to its last byte."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

SLOWEST = 16 * 1024  # bytes a second; a picture of 2 MiB gets two minutes beyond the timeout

_current: ContextVar[Deadline | None] = ContextVar("deadline", default=None)


class Deadline:
    """A number of seconds, and one more for each SLOWEST bytes that have arrived."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    def receive(self, count: int) -> None:
        self._end += count / SLOWEST

    def left(self) -> float:
        """The seconds left; 0 or less after the deadline."""
        return self._end - time.monotonic()

    @contextmanager
    def holding(self) -> Iterator[None]:
        """Make this the deadline of the calling thread's reads within the block."""
        token = _current.set(self)
        try:
            yield
        finally:
            _current.reset(token)


def current_deadline() -> Deadline | None:
    return _current.get()
