"""The steps and the rejects of a snapshot's run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from simsearch.reading.view import SnapshotView
from simsearch.settings.shown_places import show_reject
from simsearch.snapshots.step_record import StepRecord

EXAMPLES = 5  # rejects shown per reason


@dataclass(frozen=True)
class RejectGroup:
    """Images rejected at one stage for one reason, with a few examples."""

    stage: str
    reason: str
    count: int
    examples: list[dict[str, Any]]


def reject_groups(view: SnapshotView) -> list[RejectGroup]:
    """The rejects by stage and reason, most first."""
    groups: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for row in map(show_reject, view.rejects.to_pylist()):
        groups.setdefault((row["stage"], row["reason"]), []).append(row)
    rejects = [
        RejectGroup(stage, reason, len(rows), rows[:EXAMPLES])
        for (stage, reason), rows in groups.items()
    ]
    return sorted(rejects, key=lambda group: -group.count)


def steps_of(view: SnapshotView) -> list[StepRecord]:
    """The steps that made the snapshot, in their order. None if they were jobs of their own."""
    return [StepRecord(**row) for row in view.manifest["steps"]]
