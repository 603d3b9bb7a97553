"""A storage root: whether a place is a root of simsearch, and of which format."""

from __future__ import annotations

import json
from contextlib import suppress

from simsearch.errors import ConflictError, DamagedError, StorageError, UsageError
from simsearch.settings.version import __version__
from simsearch.storage.storage import Storage
from simsearch.storage.uris import ROOT_MARKER

ROOT_FORMAT = 3  # from version 1.0 on, each version reads the formats of earlier versions


def root_exists(storage: Storage) -> bool:
    return storage.exists(ROOT_MARKER)


def check_format(storage: Storage) -> None:
    """Raise StorageError for a root of another format or with a damaged marker. The message says what to
    do."""
    try:
        stored: object = storage.read_json(ROOT_MARKER).get("format")
    except DamagedError as error:
        # Without a marker the root's files would count as somebody else's.
        advice = f'write {{"format": {ROOT_FORMAT}}} into it'
        raise DamagedError(error.root, error.path, error.problem, advice) from None
    if stored != ROOT_FORMAT:
        raise StorageError(
            f"{storage.root}: format {stored!r}, this simsearch reads {ROOT_FORMAT}; choose an empty folder or "
            "prefix as root and run again, or use the version that wrote this one"
        )


def recognise(storage: Storage) -> None:
    """Raise StorageError for a root of another format. It is no error if there is no root."""
    if root_exists(storage):
        check_format(storage)


def require_root(storage: Storage) -> None:
    """Raise UsageError if there is no root, StorageError for a root of another format."""
    if not root_exists(storage):
        raise UsageError(
            f"{storage.root}: no simsearch root; correct `root` or run `simsearch run`"
        )
    check_format(storage)


def open_root(storage: Storage) -> None:
    """Claim an empty place as a root, or accept a root of simsearch. Raises StorageError for other places."""
    if root_exists(storage):
        check_format(storage)
        return
    strangers = storage.files()[:1]
    if strangers and not root_exists(storage):  # another process may have claimed it meanwhile
        raise StorageError(
            f"{storage.root}: holds files that are not simsearch's (such as {strangers[0].path}); "
            "choose an empty folder or prefix as root"
        )
    marker = {"created_by": __version__, "format": ROOT_FORMAT}
    with suppress(ConflictError):  # the other process's marker stays
        storage.replace(ROOT_MARKER, json.dumps(marker, indent=2).encode(), None)
    check_format(storage)
