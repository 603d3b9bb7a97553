"""A snapshot that was removed while it was open."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from simsearch.errors import GoneError, NotFoundError
from simsearch.snapshots.snapshot import Snapshot


@contextmanager
def naming_removal(snapshot: Snapshot) -> Iterator[None]:
    """Raise GoneError within the block if a file is missing because the snapshot was removed after it was
    opened."""
    try:
        yield
    except NotFoundError as error:
        if snapshot.sealed():
            raise
        raise GoneError(
            f"{snapshot.storage.uri(snapshot.folder)}: the snapshot was removed; open the collection again"
        ) from error
