"""Take an artwork down: remove it from all snapshots of a root and from everything that they share.

The record is written first, with the data that the removal needs, and again last, without these data. Each
step in between skips finished work, so that the same command finishes an interrupted removal.
"""

from __future__ import annotations

import getpass
import logging
import secrets
import socket
import time
from dataclasses import dataclass
from datetime import UTC, datetime

from simsearch.catalog.forgotten import Record, list_records, store_record
from simsearch.errors import UsageError
from simsearch.runs.forgetting import sealed, shared
from simsearch.runs.forgetting.trace import Trace, find_trace, trace_of
from simsearch.runs.operations.lease import Lease
from simsearch.settings.config import Config
from simsearch.storage.storage import Storage

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Removal:
    """An artwork to take down. `begun` says that an earlier command was interrupted."""

    record: Record
    trace: Trace
    begun: bool


def find_removal(storage: Storage, artwork_id: str) -> Removal:
    """The removal of an artwork. Raises UsageError if the root holds nothing of the artwork, or if another
    removal is unfinished."""
    records = list_records(storage)
    for record in records:
        if record.finished is None and record.artwork_id == artwork_id:
            return Removal(record, trace_of(record), True)
        if record.finished is None:
            raise UsageError(
                f"{storage.uri(record.path)}: the removal of {record.artwork_id!r} was interrupted; finish it "
                "first with `simsearch snapshots forget`"
            )
    trace = find_trace(storage, artwork_id)
    if trace.empty:
        earlier = [record.finished for record in records if record.artwork_id == artwork_id]
        known = f"it was taken down on {earlier[-1]}" if earlier else "no such artwork"
        raise UsageError(f"{artwork_id!r}: {known}; {storage.root} holds nothing of it")
    record = Record(
        artwork_id=artwork_id,
        stand_in=f"forgotten-{secrets.token_hex(8)}",
        by=f"{_user()}@{socket.gethostname()}",
        started=_now(),
        finished=None,
        snapshots=trace.snapshots,
        content_hashes=tuple(sorted(trace.hashes)),
        addresses=tuple(sorted(trace.addresses)),
        words=tuple(sorted(trace.words)),
        shared_with=trace.shared_with,
    )
    return Removal(record, trace, False)


def forget(config: Config, storage: Storage, removal: Removal, lease: Lease) -> Record:
    """Remove the artwork; returns the finished record."""
    record, trace = removal.record, removal.trace
    started = time.time()
    store_record(storage, record)
    shared.remove_from_catalogs(storage, trace)  # from then on no page shows it
    snapshots = sealed.snapshots_at_hand(storage, record)
    plans = [snapshot.plan() for snapshot in snapshots if snapshot.sealed()]
    spaces = {space.fingerprint: space for plan in plans for space in plan.spaces}
    profiles = {profile for plan in plans for profile in plan.profiles}
    shared.store_stand_ins(storage, spaces.values(), sorted(profiles), record.stand_in)
    for snapshot in snapshots:
        lease.check()
        sealed.forget_in(config, snapshot, record, trace)
        log.info("forget: snapshot %s is done", snapshot.snapshot_id)
    for remove in (
        shared.remove_vectors,
        shared.remove_points,
        shared.remove_pictures,
        shared.remove_notes,
        shared.remove_from_training,
        shared.remove_from_sets,
    ):
        lease.check()
        remove(storage, trace)
    lease.check()
    shared.remove_leftovers(storage, started)
    done = Record(
        record.artwork_id, record.stand_in, record.by, record.started, _now(), record.snapshots
    )
    store_record(storage, done)
    return done


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container's user may have no name
        return "unknown"


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
