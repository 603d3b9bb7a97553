"""The trace of one artwork in a root: its ids, digests, addresses and words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from simsearch.catalog.forgotten import Record
from simsearch.catalog.stored import load_catalog
from simsearch.catalog.stored_downloads import downloads_of
from simsearch.snapshots.layout import SNAPSHOTS
from simsearch.snapshots.snapshot import Snapshot
from simsearch.storage.inside import resolve
from simsearch.storage.parts import PART
from simsearch.storage.storage import Storage

HELD_IN = ("features", "sources", "rejects")


@dataclass(frozen=True)
class Trace:
    """Everything by which a root knows an artwork. `hashes` are the digests of its pictures that no other
    artwork shows, `addresses` the addresses of these pictures. `words` identify stored documents about it.
    `shared_with` are artworks that also show one of its pictures. `snapshots` are the ids of snapshots
    that hold it, finished or not."""

    artwork_id: str
    hashes: frozenset[str]
    addresses: frozenset[str]
    words: frozenset[str]
    shared_with: tuple[str, ...]
    snapshots: tuple[str, ...]

    @property
    def empty(self) -> bool:
        return not (
            self.hashes or self.addresses or self.words or self.shared_with or self.snapshots
        )


def find_trace(storage: Storage, artwork_id: str) -> Trace:
    """Look through all catalogs, snapshots and tables of a root."""
    catalogs = dict(_catalogs(storage))
    images = dict(_images(storage))
    rows = [row for table in catalogs.values() for row in _rows_of(table, artwork_id)]
    naming = {name for name, table in catalogs.items() if _rows_of(table, artwork_id)}
    held = [(name, table) for name, table in images.items() if _rows_of(table, artwork_id)]
    addresses = {row["image_uri"] for row in rows if row["image_uri"]}
    addresses |= downloads_of(storage, artwork_id)
    hashes = {row["content_hash"] for _, table in held for row in _rows_of(table, artwork_id)}
    for folder in HELD_IN:
        for table in _tables(storage, folder):
            for row in _rows_of(table, artwork_id, addresses):
                hashes.add(row.get("content_hash"))
                addresses.add(row.get("image_uri"))
    hashes.discard(None)
    others = _others(artwork_id, hashes, images.values())
    shown = {content_hash for content_hash, _ in others}
    elsewhere = {
        uri
        for table in catalogs.values()
        for uri in table.filter(pc.field("artwork_id") != artwork_id)["image_uri"].to_pylist()
    }
    words = {row[name] for row in rows for name in ("artwork_id", "title", "url", "image_uri")}
    return Trace(
        artwork_id,
        frozenset(hashes - shown),
        frozenset(addresses - elsewhere - {None}),
        frozenset(words - {None, ""}),
        tuple(sorted({other for _, other in others})),
        tuple(sorted({*dict(held), *_find_made_of(storage, images, naming)})),
    )


def trace_of(record: Record) -> Trace:
    """The trace that an interrupted removal had found."""
    return Trace(
        record.artwork_id,
        frozenset(record.content_hashes),
        frozenset(record.addresses),
        frozenset(record.words),
        record.shared_with,
        record.snapshots,
    )


def _find_made_of(storage: Storage, names: Iterable[str], catalogs: set[str]) -> Iterator[str]:
    """The snapshots made from one of the catalogs, which may hold the artwork as a reject."""
    for name in names:
        snapshot = Snapshot(storage, name)
        if storage.exists(snapshot.plan_path) and snapshot.plan().catalog_id in catalogs:
            yield name


def _images(storage: Storage) -> Iterator[tuple[str, pa.Table]]:
    """The images of each snapshot, finished or not, by its id."""
    for info in storage.files(SNAPSHOTS):
        name = info.path.partition("/")[0]
        path = Snapshot(storage, name).images_path
        if f"{SNAPSHOTS}/{info.path}" == path:
            yield name, storage.read_table(path)


def _catalogs(storage: Storage) -> Iterator[tuple[str, pa.Table]]:
    """Each stored catalog by its id."""
    for info in storage.files("catalog"):
        if info.path.endswith(".parquet"):
            name = info.path.removesuffix(".parquet")
            yield name, load_catalog(storage, name).table


def _tables(storage: Storage, folder: str) -> Iterator[pa.Table]:
    """The tables of a folder. Tables of features come without their vectors."""
    columns = ["artwork_id", "content_hash"] if folder == "features" else None
    for info in storage.files(folder):
        if PART.fullmatch(info.path.rpartition("/")[2]):
            yield resolve(storage.root, storage.read_table(f"{folder}/{info.path}", columns))


def _rows_of(
    table: pa.Table, artwork_id: str, addresses: set[Any] | None = None
) -> list[dict[str, Any]]:
    """The rows that name the artwork, or one of its addresses."""
    chosen = pa.array([False] * table.num_rows, pa.bool_())
    if "artwork_id" in table.column_names:
        chosen = pc.equal(table["artwork_id"], artwork_id)
    elif "image_uri" in table.column_names and addresses:
        wanted = pa.array(sorted(filter(None, addresses)), pa.string())
        chosen = pc.is_in(table["image_uri"], value_set=wanted)
    return list(table.filter(chosen).to_pylist())


def _others(artwork_id: str, hashes: set[str], images: Iterable[pa.Table]) -> set[tuple[str, str]]:
    """The content hash and id of each other artwork that shows one of the pictures."""
    wanted = pa.array(sorted(hashes), pa.string())
    others = set()
    for table in images:
        same = table.filter(pc.is_in(table["content_hash"], value_set=wanted))
        for row in same.filter(pc.field("artwork_id") != artwork_id).to_pylist():
            others.add((row["content_hash"], row["artwork_id"]))
    return others
