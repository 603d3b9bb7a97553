"""Damaged files of append-only tables are set aside, so that the next run makes them anew."""

from __future__ import annotations

from simsearch.errors import DamagedError
from simsearch.storage.storage import Storage

FOLDER = "damaged"
MADE_ANEW = (
    "features",
    "points",
    "agreements",
    "sources",
    "rejects",
    "timings",
    "downloads",
    "iiif",
)
"""Folders whose files a run makes again where they are missing."""


def set_aside(
    storage: Storage,
    error: DamagedError,
    advice: str = "run the same command again, which makes it anew",
) -> DamagedError:
    """Move a damaged file away if a run makes such files anew. Returns the error to raise, which names the
    new place and gives the `advice`. The error of another file is returned as it is."""
    if error.root != storage.root or error.path.partition("/")[0] not in MADE_ANEW:
        return error
    kept = move(storage, error.path)
    return DamagedError(error.root, error.path, error.problem, f"it lies in {kept} now; {advice}")


def move(storage: Storage, path: str) -> str:
    """Move a damaged file below `damaged/`; returns its new path."""
    kept = f"{FOLDER}/{path}"
    storage.write_bytes(kept, storage.read_bytes(path))
    storage.delete(path)
    return kept
