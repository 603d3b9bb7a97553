"""Damaged files of the tables that a run only adds to: set aside, so that the next run makes them anew."""

from __future__ import annotations

from simsearch.errors import DamagedError
from simsearch.storage.storage import Storage

FOLDER = "damaged"
MADE_ANEW = ("features", "sources", "rejects", "timings", "downloads", "iiif")
"""Folders whose files a run makes again where they are missing."""


def set_aside(storage: Storage, error: DamagedError) -> DamagedError:
    """Move the damaged file out of the way where a run makes it anew; the error that says so."""
    if error.root != storage.root or error.path.partition("/")[0] not in MADE_ANEW:
        return error
    kept = f"{FOLDER}/{error.path}"
    storage.write_bytes(kept, storage.read_bytes(error.path))
    storage.delete(error.path)
    return DamagedError(
        error.root,
        error.path,
        error.problem,
        f"it lies in {kept} now; run the same command again, which makes it anew",
    )
