"""Artworks that were taken down: the records of their removal, in `<root>/forgotten/`, and their ids.

A record says who took which artwork from which snapshots, and when. Until the removal is finished, the
record also has what the removal needs: the digests and the addresses of the pictures.
"""

from __future__ import annotations

import logging
from dataclasses import asdict, dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from simsearch.errors import DamagedError
from simsearch.storage.storage import Storage

log = logging.getLogger(__name__)

FOLDER = "forgotten"


@dataclass(frozen=True)
class Record:
    """The removal of an artwork. `stand_in` is the text that has taken the place of its id and of its
    content hash. Times are ISO 8601 in UTC, `finished` is None until all is removed. `content_hashes`,
    `addresses`, `words` and `shared_with` are those of `runs.forgetting.trace.Trace`."""

    artwork_id: str
    stand_in: str
    by: str
    started: str
    finished: str | None
    snapshots: tuple[str, ...] = ()
    content_hashes: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    shared_with: tuple[str, ...] = ()

    @property
    def path(self) -> str:
        return f"{FOLDER}/{self.stand_in}.json"


def store_record(storage: Storage, record: Record) -> None:
    values = {key: value for key, value in asdict(record).items() if value != ()}
    storage.write_json(record.path, values)


def list_records(storage: Storage) -> list[Record]:
    """All records of a root, the earliest first. Raises DamagedError for an unreadable record, or the
    artwork that it names would come back."""
    paths = [f"{FOLDER}/{info.path}" for info in storage.files(FOLDER)]
    records = [_read(storage, path) for path in paths if path.endswith(".json")]
    return sorted(records, key=lambda record: record.started)


def _read(storage: Storage, path: str) -> Record:
    try:
        values: dict[str, Any] = {
            key: tuple(value) if isinstance(value, list) else value
            for key, value in storage.read_json(path).items()
        }
        return Record(**values)
    except (TypeError, AttributeError) as error:
        raise DamagedError(
            storage.root, path, f"not a record of a removal ({error})", "restore it from a backup"
        ) from None


def remove_forgotten(storage: Storage, table: pa.Table) -> pa.Table:
    """The catalog without the artworks that were taken down. The log counts those that the collection
    still names."""
    ids = sorted({record.artwork_id for record in list_records(storage)})
    named = pc.is_in(table["artwork_id"], value_set=pa.array(ids, pa.string()))
    if count := pc.sum(named).as_py():
        log.warning(
            "ingest: %s artworks of the collection are left out: they were taken down (%s); remove them "
            "from the collection too",
            f"{count:,}",
            storage.uri(FOLDER),
        )
    return table.filter(pc.invert(named))
