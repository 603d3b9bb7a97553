"""Sets stored in the root, by artwork ids, so that they outlive the snapshot on which they were made."""

from __future__ import annotations

import json
import logging
import re
import secrets
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import Any

from simsearch.errors import ConflictError, DamagedError, NotFoundError, StorageError, UsageError
from simsearch.reading.set_names import remove_title
from simsearch.reading.sets import MOST, ArtworkSet, clean_name
from simsearch.reading.view import SnapshotView
from simsearch.storage.storage import Storage, read_uri

log = logging.getLogger(__name__)

SETS = "sets"
MOST_BYTES = 12 * 2**20  # of a file: MOST ids of 2,000 characters, as many as a form takes
MOST_STORED = 500  # in one root: somebody can still look through so many
_ID = re.compile(r"[0-9a-f]{16}\Z")
_ONE_AT_A_TIME = threading.Lock()


@dataclass(frozen=True)
class StoredSet:
    """A set as it lies in the root, in `<root>/sets/<set_id>.json`."""

    set_id: str
    name: str
    created: str  # ISO 8601, UTC
    artwork_ids: tuple[str, ...]


def list_sets(storage: Storage) -> tuple[list[StoredSet], list[str]]:
    """All sets of a root, the newest first, and the ids of sets whose files are damaged. Files that are not
    named as sets are ignored."""
    sets, damaged = [], []
    for set_id in _ids(storage):
        try:
            sets.append(_read(storage, set_id))
        except NotFoundError:
            continue  # removed since it was listed
        except StorageError as error:
            log.warning("explore: a set is left out: %s", error)
            damaged.append(set_id)
    sets.sort(key=lambda stored: (stored.created, stored.set_id), reverse=True)
    return sets, damaged


def _ids(storage: Storage) -> list[str]:
    names = (info.path for info in storage.files(SETS) if info.path.endswith(".json"))
    return [set_id for name in names if _ID.match(set_id := name.removesuffix(".json"))]


def read_set(storage: Storage, set_id: str) -> StoredSet:
    """The set of an id. Raises NotFoundError for an id that no set has."""
    if not _ID.match(set_id):
        raise _no_set()
    try:
        return _read(storage, set_id)
    except NotFoundError:
        raise _no_set() from None


def store_set(view: SnapshotView, chosen: ArtworkSet) -> StoredSet:
    """Store a set in the view's root. Raises UsageError if there are too many sets, or if the root cannot be
    written."""
    storage = view.snapshot.storage
    with _ONE_AT_A_TIME:
        if len(_ids(storage)) >= MOST_STORED:
            raise UsageError(f"{MOST_STORED} sets are kept here; remove one first")
        stored = StoredSet(
            set_id=secrets.token_hex(8),
            name=chosen.name,
            created=datetime.now(UTC).isoformat(timespec="seconds"),
            artwork_ids=tuple(view.artwork_at(number).artwork_id for number in chosen.numbers),
        )
        with _write():
            storage.write_bytes(_path(stored.set_id), _bytes_of(stored))
    return stored


def rename_set(storage: Storage, set_id: str, name: str) -> StoredSet:
    """Give a set another name in place. Returns the set as it was. Raises NotFoundError for an id that no set
    has, UsageError if the root cannot be written."""
    return _change(storage, set_id, lambda stored: replace(stored, name=name))


def leave_out(storage: Storage, set_id: str, artwork_id: str) -> StoredSet:
    """Take an artwork out of a set in place. Returns the set as it was. Raises the errors of `rename_set`,
    and UsageError for the last artwork."""

    def without(stored: StoredSet) -> StoredSet:
        rest = tuple(other for other in stored.artwork_ids if other != artwork_id)
        if not rest:
            raise UsageError("a set holds at least one artwork; remove the whole set instead")
        return replace(stored, artwork_ids=rest)

    return _change(storage, set_id, without)


def put_back(storage: Storage, set_id: str, artwork_id: str) -> StoredSet:
    """Put an artwork into a set in place. Returns the set as it was. Raises the errors of `rename_set`, and
    UsageError for more than MOST artworks."""

    def with_it(stored: StoredSet) -> StoredSet:
        if artwork_id in stored.artwork_ids:
            return stored
        if len(stored.artwork_ids) >= MOST:
            raise UsageError(f"a set holds {MOST:,} artworks at most; leave one out first")
        return replace(stored, artwork_ids=(*stored.artwork_ids, artwork_id))

    return _change(storage, set_id, with_it)


def _change(storage: Storage, set_id: str, changed: Callable[[StoredSet], StoredSet]) -> StoredSet:
    """Swap a set for the changed one. Of two changes at once, in any processes, the later one applies to the
    result of the other."""
    with _ONE_AT_A_TIME:
        while True:
            if not _ID.match(set_id):
                raise _no_set()
            try:
                data, version = storage.read_versioned(_path(set_id))
            except NotFoundError:
                raise _no_set() from None
            before = _parse(storage, set_id, data)
            with suppress(ConflictError):
                with _write():
                    storage.replace(_path(set_id), _bytes_of(changed(before)), version)
                return before


def remove_set(storage: Storage, set_id: str) -> None:
    """Remove a set. Raises NotFoundError for an id that no set has, UsageError if the root cannot be
    written."""
    with _ONE_AT_A_TIME:
        if not _ID.match(set_id) or not storage.exists(_path(set_id)):
            raise _no_set()
        with _write():
            storage.delete(_path(set_id))


def forget_artwork(storage: Storage, artwork_id: str, titles: Iterable[str]) -> None:
    """Take an artwork out of all sets, and its id and titles out of names that pages proposed.
    A set that held nothing else is removed, and so is a damaged one that may hold it.
    """
    sets, damaged = list_sets(storage)
    for set_id in damaged:
        remove_set(storage, set_id)
    for stored in sets:
        name = stored.name
        for title in (artwork_id, *titles):
            name = remove_title(name, title)
        if name != stored.name:
            rename_set(storage, stored.set_id, name)
        if artwork_id not in stored.artwork_ids:
            continue
        if set(stored.artwork_ids) == {artwork_id}:
            remove_set(storage, stored.set_id)
        else:
            leave_out(storage, stored.set_id, artwork_id)


def numbers_of(view: SnapshotView, stored: StoredSet) -> tuple[ArtworkSet, int]:
    """The set by the numbers of a snapshot, and how many of its artworks that snapshot does not
    hold."""
    numbers = [view.number_of(artwork_id) for artwork_id in stored.artwork_ids]
    here = sorted({number for number in numbers if number is not None})
    return ArtworkSet(stored.name, tuple(here)), sum(number is None for number in numbers)


def _no_set() -> NotFoundError:
    return NotFoundError("no set of that id here; it may have been removed")


@contextmanager
def _write() -> Iterator[None]:
    """Say that the root cannot be written where that is so."""
    try:
        yield
    except ConflictError:
        raise
    except StorageError as error:
        log.warning("explore: %s", error)
        raise UsageError("the set cannot be changed: the root is not writable") from None


def _bytes_of(stored: StoredSet) -> bytes:
    return json.dumps(asdict(stored), indent=2, sort_keys=True, ensure_ascii=False).encode()


def _path(set_id: str) -> str:
    return f"{SETS}/{set_id}.json"


def _read(storage: Storage, set_id: str) -> StoredSet:
    return _parse(storage, set_id, _read_bounded(storage, set_id))


def _read_bounded(storage: Storage, set_id: str) -> bytes:
    """The bytes of a set's file. Raises DamagedError for more than a set can have."""
    data = read_uri(storage.uri(_path(set_id)), storage.config, MOST_BYTES)
    if len(data) > MOST_BYTES:
        problem = f"longer than the {MOST_BYTES // 2**20} MiB that a set can have"
        raise DamagedError(storage.root, _path(set_id), problem, "remove the file")
    return data


def _parse(storage: Storage, set_id: str, data: bytes) -> StoredSet:
    """A set of its file's bytes. Raises DamagedError for another file."""
    try:
        values: dict[str, Any] = json.loads(data)
        if not isinstance(values["artwork_ids"], list):
            raise TypeError("artwork_ids is no list")
        ids = tuple(dict.fromkeys(str(artwork_id) for artwork_id in values["artwork_ids"]))
        if len(ids) > MOST:
            raise ValueError("too many artworks")
        return StoredSet(set_id, clean_name(str(values["name"])), str(values["created"]), ids)
    except (KeyError, TypeError, ValueError, RecursionError):
        problem = "no set as the explorer writes it"
        raise DamagedError(storage.root, _path(set_id), problem, "remove the file") from None
