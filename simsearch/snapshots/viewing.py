"""Which snapshots somebody looks at: small files with an expiry, by which `snapshots gc` leaves them.

    <root>/viewing/<snapshot>-<viewer>.json

A viewer writes its file anew while it is asked for the snapshot, and leaves it to expire.
"""

from __future__ import annotations

import re
import time
from dataclasses import asdict, dataclass

from simsearch.errors import StorageError
from simsearch.storage.storage import Storage

FOLDER = "viewing"
SECONDS = 3600.0  # after the last note: long enough for who reads a page and then asks for the next
RENEW_SECONDS = 600.0
NOTE = re.compile(r"[0-9a-f]{16}-[0-9a-f]+\.json")


@dataclass(frozen=True)
class Viewing:
    """`holder` names the machine and process that shows a snapshot; `expires` in seconds since 1970."""

    snapshot_id: str
    holder: str
    expires: float


def note_viewing(storage: Storage, viewing: Viewing, viewer: str) -> None:
    """Store that a snapshot is shown; `viewer` tells apart those who show it, in hex digits."""
    storage.write_json(f"{FOLDER}/{viewing.snapshot_id}-{viewer}.json", asdict(viewing))


def viewings(storage: Storage) -> list[Viewing]:
    """Who looks at which snapshot now. A note that cannot be read holds nothing."""
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
