"""The end of a run: its snapshot is sealed and published."""

from __future__ import annotations

import logging
from dataclasses import asdict

from simsearch.runs.context import Run
from simsearch.runs.versions import environment
from simsearch.snapshots.guard import check_publishable
from simsearch.snapshots.mending import end_mending
from simsearch.snapshots.published import point_latest, read_latest
from simsearch.snapshots.snapshot import Snapshot, seal

log = logging.getLogger(__name__)


def finish(run: Run) -> None:
    """Seal the planned snapshot, whose report is there: from now on it never changes. One that was sealed
    before, and lacked files, gets them back."""
    seal(run.snapshot, [asdict(step) for step in run.steps], environment())
    end_mending(run.snapshot)


def publish(run: Run) -> Snapshot:
    """Point LATEST at the planned snapshot, unless that was rolled back. Returns the snapshot that is then
    published.

    Raises GuardError if the planned snapshot is so much worse than the published one that somebody should
    look at it.
    """
    run.lease.check()
    snapshot, storage, config = run.snapshot, run.storage, run.config.publish
    latest = read_latest(storage)
    withdrawn = () if latest is None else latest.withdrawn
    if latest is not None and not config.force:
        if snapshot.snapshot_id in withdrawn:
            log.warning(
                "snapshot %s was rolled back and is not published again; publish.force=true does",
                snapshot.snapshot_id,
            )
            return Snapshot(storage, latest.snapshot_id)
        if latest.snapshot_id != snapshot.snapshot_id:
            check_publishable(Snapshot(storage, latest.snapshot_id), snapshot, config)
    others = tuple(old_id for old_id in withdrawn if old_id != snapshot.snapshot_id)
    point_latest(snapshot, run.lease.token, others)
    log.info("published snapshot %s under %s", snapshot.snapshot_id, storage.root)
    return snapshot
