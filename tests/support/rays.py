"""Ray in a test's own process, which a test must not leave to the next one."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import TypeVar

from simsearch.runtime.background import left_behind

SECONDS = 90

T = TypeVar("T")


def in_time(start: Callable[[], T]) -> T:
    """What the start of a node returns. As `start_ray` does, one that took too long is tried again."""
    from simsearch.runtime.ray_session import STARTS, TOO_LATE

    for more in reversed(range(STARTS)):
        try:
            return start()
        except Exception as error:
            if not more or TOO_LATE not in str(error):
                raise
    raise AssertionError("no start was tried")


def is_up() -> bool:
    """Whether this process is connected to Ray; Ray is not imported to see it."""
    ray = sys.modules.get("ray")
    return ray is not None and bool(ray.is_initialized())


def shut_down() -> None:
    """A session leaves Ray up while work that was given up still asks something of it, as its process is to
    end. A test's process goes on: that work is waited for, then Ray is shut down."""
    deadline = time.monotonic() + SECONDS
    while left_behind() and time.monotonic() < deadline:
        time.sleep(0.1)
    sys.modules["ray"].shutdown()
