"""Prepare a process before PyTorch and Ray are imported."""

from __future__ import annotations

import gc
import os

IDLE_WORKERS = ("RAY_idle_worker_killing_time_threshold_ms", "60000")
"""By default Ray ends a process that is idle for a second if there are more processes than CPUs. The next
task then waits for a new process: five seconds of a core. If processes may be idle for longer, a small run
starts 10 instead of 15."""

NO_USAGE_REPORTS = ("RAY_USAGE_STATS_ENABLED", "0")
"""Nothing is reported to Ray's makers unasked. Collecting reports would also take a process."""

LOST_POWER = (
    ("RAY_grpc_client_keepalive_time_ms", "60000"),
    ("RAY_grpc_client_keepalive_timeout_ms", "20000"),
)
"""How often a process that gave a task to a node checks its connection, and how long it waits for an
answer.

A machine that loses its power closes no connection. With Ray's default of 300 and 120 seconds a run stood
still for seven minutes. Ray's servers end a connection that is checked more than once a minute, unless they
have the same setting.
"""

GARBAGE_AFTER = 100_000
"""Python collects garbage after this many new objects, not after every 700. PyTorch and Ray create half a
million objects that stay. Going through them took a tenth of the imports' time."""


def prepare_environment() -> None:
    """Set the variables that are not set yet. Call this before Ray is imported: Ray then reads them."""
    gc.set_threshold(GARBAGE_AFTER)
    for name, value in LOST_POWER:
        os.environ.setdefault(name, value)
