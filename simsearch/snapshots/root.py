"""A storage root: whether a place is one of ours, and of which format."""

from __future__ import annotations

from simsearch import __version__
from simsearch.errors import StorageError
from simsearch.storage.storage import Storage

ROOT_MARKER = "simsearch.json"

ROOT_FORMAT = 1


def root_exists(storage: Storage) -> bool:
    return storage.exists(ROOT_MARKER)


def open_root(storage: Storage) -> None:
    """Claim an empty root, or recognise one of ours. Raises StorageError for anything else."""
    if root_exists(storage):
        found = storage.read_json(ROOT_MARKER).get("format")
        if found != ROOT_FORMAT:
            raise StorageError(
                f"{storage.root}: format {found!r}, this simsearch reads {ROOT_FORMAT}; use the version that wrote it"
            )
        return
    if strangers := storage.files()[:1]:
        raise StorageError(
            f"{storage.root}: holds files that are not simsearch's (such as {strangers[0].path}); "
            "choose an empty folder or prefix as root"
        )
    storage.write_json(ROOT_MARKER, {"format": ROOT_FORMAT, "created_by": __version__})
