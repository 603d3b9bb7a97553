"""Notes of which snapshots an explorer shows: small files that expire. `snapshots gc` keeps those snapshots.

    <root>/viewing/<snapshot>-<viewer>.json

An explorer writes its note anew as long as pages of the snapshot are requested. Then the note expires.
"""

from __future__ import annotations

import re
import time
from dataclasses import asdict, dataclass

from simsearch.errors import StorageError
from simsearch.storage.storage import Storage

FOLDER = "viewing"
SECONDS = 3600.0  # that a note holds: long enough to read a page before asking for the next
RENEW_SECONDS = 600.0
NOTE = re.compile(r"[0-9a-f]{16}-[0-9a-f]+\.json")


@dataclass(frozen=True)
class Viewing:
    """A note. `holder` names the machine and process that shows the snapshot. `expires` is in seconds
    since 1970."""

    snapshot_id: str
    holder: str
    expires: float


def note_viewing(storage: Storage, viewing: Viewing, viewer: str) -> None:
    """Store a note that a snapshot is shown. `viewer`, in hex digits, distinguishes the explorers."""
    storage.write_json(f"{FOLDER}/{viewing.snapshot_id}-{viewer}.json", asdict(viewing))


def list_viewings(storage: Storage) -> list[Viewing]:
    """The notes that have not expired. A note that cannot be read is ignored."""
    current = []
    for info in storage.files(FOLDER):
        if not NOTE.fullmatch(info.path):
            continue
        try:
            viewing = Viewing(**storage.read_json(f"{FOLDER}/{info.path}"))
            if time.time() < viewing.expires <= time.time() + SECONDS:
                current.append(viewing)
        except (StorageError, TypeError):
            continue
    return current
