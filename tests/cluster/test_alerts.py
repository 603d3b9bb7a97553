"""Each alert fires when it should, by promtool's simulation."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.cluster.manifests import CLUSTER
from tests.support.alerts import play_alerts
from tests.support.prometheus import program

ALERTS = CLUSTER / "dashboards" / "alerts.yaml"
SUCCEEDED = "simsearch_run_succeeded_timestamp_seconds"

# For each case: series over minutes in promtool's notation, the minute of the test, the alerts that fire then.
CASES = {
    "a stall of a running job": (
        {'ray_simsearch_stalled_seconds{step="extract"}': "0+60x20", "ray_running_jobs": "1x20"},
        11,
        ["SimsearchStalled"],
    ),
    "a stall that is short": (
        {'ray_simsearch_stalled_seconds{step="extract"}': "0+60x20", "ray_running_jobs": "1x20"},
        9,
        [],
    ),
    "a driver that was killed while it stood still": (
        {'ray_simsearch_stalled_seconds{step="extract"}': "700x20", "ray_running_jobs": "0x20"},
        11,
        [],
    ),
    "a night without success": ({SUCCEEDED: "60x2000"}, 26 * 60 + 2, ["SimsearchNoSuccess"]),
    "runs of which none ever succeeded": ({SUCCEEDED: "0x2000"}, 26 * 60 + 1, ["SimsearchUnheard"]),
    "a night with it": ({SUCCEEDED: "60x1000 60000x1000"}, 26 * 60 + 1, []),
    "a run that nobody hears of": ({}, 26 * 60 + 1, ["SimsearchUnheard"]),
    "a run that failed": (
        {'simsearch_run_outcome{outcome="failed"}': "1x5", SUCCEEDED: "0x5"},
        1,
        ["SimsearchRunFailed"],
    ),
    "a run that was interrupted": (
        {'simsearch_run_outcome{outcome="interrupted"}': "1x5", SUCCEEDED: "0x5"},
        1,
        [],
    ),
    "one of ten refused": (
        {"ray_simsearch_rejects_total": "100x30", "ray_simsearch_artworks_total": "900x30"},
        16,
        ["SimsearchManyRejects"],
    ),
    "one of a hundred refused": (
        {"ray_simsearch_rejects_total": "10x30", "ray_simsearch_artworks_total": "990x30"},
        16,
        [],
    ),
    "a full memory": (
        {'ray_node_mem_used{instance="a"}': "94x10", 'ray_node_mem_total{instance="a"}': "100x10"},
        6,
        ["SimsearchNodeMemory"],
    ),
    "a full disk": (
        {'ray_node_disk_utilization_percentage{instance="a"}': "91x10"},
        6,
        ["SimsearchNodeDisk"],
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_an_alert_fires_when_it_should_and_no_other(case: str, tmp_path: Path) -> None:
    series, minute, expected = CASES[case]
    play_alerts(ALERTS, series, minute, expected, tmp_path)


def test_the_rules_are_valid() -> None:
    done = subprocess.run(
        [program("promtool"), "check", "rules", str(ALERTS)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
