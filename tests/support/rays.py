"""Ray in the tests' process: a test shuts it down before the next one starts."""

from __future__ import annotations

import sys
import time

from simsearch.runtime.background import work_goes_on

SECONDS = 90


def is_up() -> bool:
    """Whether this process is connected to Ray; Ray is not imported to see it."""
    ray = sys.modules.get("ray")
    return ray is not None and bool(ray.is_initialized())


def shut_down() -> None:
    """A session leaves Ray up while work that was given up still asks something of it, as its process is to
    end. A test's process goes on: that work is waited for, then Ray is shut down."""
    deadline = time.monotonic() + SECONDS
    while work_goes_on() and time.monotonic() < deadline:
        time.sleep(0.1)
    sys.modules["ray"].shutdown()
