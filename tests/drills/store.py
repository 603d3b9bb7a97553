"""A store that fails: one root for each kind of fault, injected by the proxy."""

from __future__ import annotations

import subprocess
from collections.abc import Callable

from tests.drills import proxy as proxies
from tests.drills.harness import (
    Harness,
    Place,
    Row,
    checks,
    one_line,
    outcome,
    problems_or_empty,
    undisturbed,
)
from tests.drills.run_job import Job

SHARES = {
    "500": 0.1,
    "503": 0.1,
    "reset": 0.1,
    "stall": 0.02,
    "403": 0.02,
    "expired": 0.02,
    "rotated": 0.02,
    "truncated": 0.1,
    "full": 0.1,
}


def store_faults(harness: Harness, place: Place) -> None:
    """One root per kind of fault: a run with faults, then one without."""
    assert place.endpoint is not None
    expected, _ = undisturbed(harness, place.job("calm"), "s3-calm")
    with proxies.faulty_proxy(place.endpoint, harness.seed) as proxy:
        for kind, share in SHARES.items():
            job = place.job(f"fault-{kind}", proxy.endpoint)
            proxy.inject(kind, share)
            _strike(harness, job, place.name, kind, expected, proxy.injected.total, proxy)


def _strike(
    harness: Harness,
    job: Job,
    place: str,
    kind: str,
    expected: dict[str, str],
    struck: Callable[[], int],
    proxy: proxies.FaultyProxy,
) -> None:
    name = f"{place}-fault-{kind}"
    try:
        first = job.finish(harness.log(name))
    except subprocess.TimeoutExpired:
        first = -1
    injected = struck()
    proxy.inject(None, 0)
    whole = not problems_or_empty(job)
    resumed = first if first == 0 else job.finish(harness.log(f"{name}-resumed"))
    harness.add(
        Row(
            place,
            kind,
            f"{injected} requests",
            outcome(first, harness.log(name)),
            "nothing to resume" if first == 0 else f"resumed, exit {resumed}",
            {
                "faults were injected": injected > 0,
                "not hung": first != -1,
                "ended in one line": first == 0 or one_line(harness.log(name)),
                "LATEST whole before": whole,
                "ends well": resumed == 0,
                **checks(job, expected),
            },
        )
    )
