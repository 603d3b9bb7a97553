"""Where everything lies in a snapshot."""

from __future__ import annotations

from simsearch.snapshots.snapshot import Snapshot


def metrics_path(snapshot: Snapshot) -> str:
    return snapshot.path("metrics/metrics.parquet")


def scores_path(snapshot: Snapshot) -> str:
    return snapshot.path("metrics/scores.parquet")


def comparisons_path(snapshot: Snapshot) -> str:
    return snapshot.path("metrics/comparisons.parquet")


def near_duplicates_path(snapshot: Snapshot) -> str:
    return snapshot.path("metrics/near_duplicates.parquet")


SEARCHES = ("annoy", "exact")


def neighbours_path(snapshot: Snapshot, space: str, search: str) -> str:
    return snapshot.path(f"neighbours/{space}.{search}.parquet")


def projection_path(snapshot: Snapshot, space: str, method: str) -> str:
    return snapshot.path(f"projection/{space}-{method}.parquet")


def report_path(snapshot: Snapshot) -> str:
    return snapshot.path("report/report.html")
