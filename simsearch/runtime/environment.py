"""What a process is prepared with before PyTorch and Ray are imported."""

from __future__ import annotations

import gc
import os

IDLE_WORKERS = ("RAY_idle_worker_killing_time_threshold_ms", "60000")
"""Ray ends a process that is idle for a second where there are more than CPUs, and the next task waits
for a new one: five seconds of a core. Of a small run's 15 processes 10 are left when they may wait."""

NO_USAGE_REPORTS = ("RAY_USAGE_STATS_ENABLED", "0")
"""Nothing is reported to Ray's makers unasked; collecting it takes a process, too."""

LOST_POWER = (
    ("RAY_grpc_client_keepalive_time_ms", "60000"),
    ("RAY_grpc_client_keepalive_timeout_ms", "20000"),
)
"""Who has handed a task to a node asks this often whether the connection lives, and waits so long.

A machine that loses its power closes no connection. With Ray's 300 and 120 seconds a run stood still
for seven minutes. Ray's servers end a connection that is asked about more than once a minute, unless
they have the same setting.
"""

GARBAGE_AFTER = 100_000
"""Python looks for garbage after so many new objects, not after every 700. PyTorch and Ray come with
half a million that live on; looking through them was a tenth of the time that they take to import."""


def prepare_environment() -> None:
    """Set what is not set yet. To be called before Ray is imported, which reads it then."""
    gc.set_threshold(GARBAGE_AFTER)
    for name, value in LOST_POWER:
        os.environ.setdefault(name, value)
