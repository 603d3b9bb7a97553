"""Which snapshot is published: LATEST, the one mutable object of a root."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass

from simsearch.errors import (
    ConflictError,
    DamagedError,
    LeaseError,
    NotFoundError,
    StorageError,
    UsageError,
)
from simsearch.snapshots.layout import SNAPSHOTS
from simsearch.snapshots.root import recognise
from simsearch.snapshots.snapshot import Snapshot
from simsearch.storage.storage import Storage

LATEST = "LATEST"
REPOINT = "point it anew with `simsearch snapshots rollback ID`"
SNAPSHOT_ID = re.compile(r"[0-9a-f]{16}")
SEALED = re.compile(rf"({SNAPSHOT_ID.pattern})/manifest\.json")


def latest_snapshot(storage: Storage) -> Snapshot:
    """The published snapshot. Raises NotFoundError before the first publication, StorageError if LATEST is
    damaged or names a snapshot that is not there."""
    recognise(storage)
    latest = read_latest(storage)
    if latest is None:
        raise NotFoundError(
            f"{storage.root}: no published snapshot here; run `simsearch run` first"
        )
    snapshot = Snapshot(storage, latest.snapshot_id)
    if not snapshot.sealed():
        raise StorageError(
            f"{storage.uri(LATEST)}: points to {latest.snapshot_id}, which is not there; run `simsearch run` "
            f"again, which makes it anew if nothing else changed, or {REPOINT}"
        )
    return snapshot


def list_snapshots(storage: Storage) -> list[Snapshot]:
    """Every sealed snapshot, the newest first. Those with a damaged manifest come last."""
    snapshots = [
        Snapshot(storage, name[1])
        for info in storage.files(SNAPSHOTS)
        if (name := SEALED.fullmatch(info.path))
    ]
    return sorted(
        snapshots,
        key=lambda snapshot: (_created_or_empty(snapshot), snapshot.snapshot_id),
        reverse=True,
    )


def _created_or_empty(snapshot: Snapshot) -> str:
    try:
        return snapshot.created()
    except StorageError:
        return ""


def find_snapshot(storage: Storage, name: str) -> Snapshot:
    """The sealed snapshot that an id, the beginning of an id or `latest` names. Raises UsageError."""
    if name == "latest":
        return latest_snapshot(storage)
    ids = [snapshot.snapshot_id for snapshot in list_snapshots(storage)]
    fitting = [snapshot_id for snapshot_id in ids if name and snapshot_id.startswith(name)]
    if len(fitting) != 1:
        problem = "several ids begin with this" if fitting else "no such snapshot"
        raise UsageError(f"{name!r}: {problem}; there are: {', '.join(fitting or ids) or 'none'}")
    return Snapshot(storage, fitting[0])


@dataclass(frozen=True)
class Latest:
    """The content of LATEST: the published snapshot, the fencing token of the run that swapped LATEST, and
    the snapshots that `rollback` withdrew. Only a forced run publishes a withdrawn snapshot again."""

    snapshot_id: str
    fencing_token: int
    withdrawn: tuple[str, ...] = ()


def read_latest(storage: Storage) -> Latest | None:
    """The content of LATEST; None before the first publication. Raises DamagedError."""
    return _read_versioned(storage)[0]


def _read_versioned(storage: Storage) -> tuple[Latest | None, str | None]:
    """LATEST and its version for the next swap; (None, None) before the first publication."""
    try:
        data, version = storage.read_versioned(LATEST)
        values = json.loads(data)
        latest = Latest(**{**values, "withdrawn": tuple(values["withdrawn"])})
        if not (
            SNAPSHOT_ID.fullmatch(latest.snapshot_id) and isinstance(latest.fencing_token, int)
        ):
            raise ValueError("it names no snapshot")
        return latest, version
    except NotFoundError:
        return None, None
    except (TypeError, KeyError, ValueError) as error:
        problem = f"not a pointer to a snapshot ({' '.join(str(error).split())})"
        raise DamagedError(storage.root, LATEST, problem, REPOINT) from None


def point_latest(snapshot: Snapshot, fencing_token: int, withdrawn: tuple[str, ...] = ()) -> None:
    """Publish a sealed snapshot: swap LATEST, last and atomically.

    Raises LeaseError if a later holder of the lease has already swapped LATEST, StorageError for a
    snapshot that is not sealed.
    """
    storage = snapshot.storage
    if not snapshot.sealed():
        raise StorageError(
            f"{storage.uri(snapshot.path('manifest.json'))}: not there, this snapshot is unfinished; "
            "run `simsearch run` again"
        )
    wanted = Latest(snapshot.snapshot_id, fencing_token, withdrawn)
    while True:
        current, version = _read_versioned(storage)
        if current is not None and current.fencing_token > fencing_token:
            raise LeaseError(
                f"{storage.uri(LATEST)}: a later run has published {current.snapshot_id}; this one "
                "no longer may"
            )
        if current == wanted:
            return
        try:
            storage.replace(LATEST, json.dumps(asdict(wanted), indent=2).encode(), version)
            return
        except ConflictError:
            continue
