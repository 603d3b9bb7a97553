"""Sets kept in the root, by artwork id, so that they outlive the snapshot they were made on."""

from __future__ import annotations

import re
import secrets
import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import Any

from simsearch.errors import NotFoundError, StorageError, UsageError
from simsearch.reading.sets import MOST, ArtworkSet, clean_name
from simsearch.reading.view import SnapshotView
from simsearch.storage.storage import Storage

FOLDER = "sets"
MOST_STORED = 500  # in one root: a list that someone still looks through
_ID = re.compile(r"^[0-9a-f]{16}$")
_ONE_AT_A_TIME = threading.Lock()


@dataclass(frozen=True)
class StoredSet:
    """A set as it lies in the root, in `<root>/sets/<set_id>.json`."""

    set_id: str
    name: str
    created: str  # ISO 8601, UTC
    artwork_ids: tuple[str, ...]


def list_sets(storage: Storage) -> list[StoredSet]:
    """All sets of a root, the newest first; files that are not named as sets are left out."""
    sets = []
    for info in storage.files(FOLDER):
        set_id = info.path.removesuffix(".json")
        if _ID.match(set_id):
            sets.append(_read(storage, set_id))
    return sorted(sets, key=lambda stored: (stored.created, stored.set_id), reverse=True)


def read_set(storage: Storage, set_id: str) -> StoredSet:
    """Raises NotFoundError for an id that no set has."""
    if not _ID.match(set_id) or not storage.exists(_path(set_id)):
        raise NotFoundError("no set of that id here; it may have been removed")
    return _read(storage, set_id)


def store_set(view: SnapshotView, chosen: ArtworkSet) -> StoredSet:
    """Store a set in the view's root. Raises UsageError where there are too many already, or the
    root cannot be written."""
    storage = view.snapshot.storage
    with _ONE_AT_A_TIME:
        if len(storage.files(FOLDER)) >= MOST_STORED:
            raise UsageError(f"{MOST_STORED} sets are kept here; remove one first")
        stored = StoredSet(
            set_id=secrets.token_hex(8),
            name=chosen.name,
            created=datetime.now(UTC).isoformat(timespec="seconds"),
            artwork_ids=tuple(view.artwork_at(number).artwork_id for number in chosen.numbers),
        )
        _write(storage, stored)
    return stored


def rename_set(storage: Storage, set_id: str, name: str) -> StoredSet:
    """Give a set another name in place; returns the set as it was. Raises NotFoundError for an id that no
    set has, UsageError where the root cannot be written."""
    return _change(storage, set_id, lambda stored: replace(stored, name=name))


def leave_out(storage: Storage, set_id: str, artwork_id: str) -> StoredSet:
    """Take an artwork out of a set in place; returns the set as it was. Raises as `rename_set`, and
    UsageError for the last artwork."""

    def without(stored: StoredSet) -> StoredSet:
        rest = tuple(other for other in stored.artwork_ids if other != artwork_id)
        if not rest:
            raise UsageError("a set holds at least one artwork; remove the whole set instead")
        return replace(stored, artwork_ids=rest)

    return _change(storage, set_id, without)


def put_back(storage: Storage, set_id: str, artwork_id: str) -> StoredSet:
    """Put an artwork into a set in place; returns the set as it was. Raises as `rename_set`, and UsageError
    for more than MOST."""

    def with_it(stored: StoredSet) -> StoredSet:
        if artwork_id in stored.artwork_ids:
            return stored
        if len(stored.artwork_ids) >= MOST:
            raise UsageError(f"a set holds {MOST:,} artworks at most; leave one out first")
        return replace(stored, artwork_ids=(*stored.artwork_ids, artwork_id))

    return _change(storage, set_id, with_it)


def _change(storage: Storage, set_id: str, changed: Callable[[StoredSet], StoredSet]) -> StoredSet:
    with _ONE_AT_A_TIME:
        before = read_set(storage, set_id)
        _write(storage, changed(before))
    return before


def remove_set(storage: Storage, set_id: str) -> None:
    """Raises NotFoundError for an id that no set has."""
    storage.delete(_path(read_set(storage, set_id).set_id))


def numbers_of(view: SnapshotView, stored: StoredSet) -> tuple[ArtworkSet, int]:
    """The set by the numbers of a snapshot, and how many of its artworks that snapshot does not
    hold."""
    numbers = [view.number_of(artwork_id) for artwork_id in stored.artwork_ids]
    here = sorted({number for number in numbers if number is not None})
    return ArtworkSet(stored.name, tuple(here)), sum(number is None for number in numbers)


def _write(storage: Storage, stored: StoredSet) -> None:
    try:
        storage.write_json(_path(stored.set_id), asdict(stored))
    except StorageError as error:
        raise UsageError(f"the set cannot be kept, the root is not writable: {error}") from None


def _path(set_id: str) -> str:
    return f"{FOLDER}/{set_id}.json"


def _read(storage: Storage, set_id: str) -> StoredSet:
    values: dict[str, Any] = storage.read_json(_path(set_id))
    try:
        ids = tuple(str(artwork_id) for artwork_id in values["artwork_ids"])
        return StoredSet(set_id, clean_name(str(values["name"])), str(values["created"]), ids)
    except (KeyError, TypeError):
        raise StorageError(
            f"{storage.root}/{_path(set_id)}: no set as the explorer writes it; remove the file"
        ) from None
