"""Catalogs in a root: each a Parquet file, named by the digest of its rows."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import pyarrow as pa

from simsearch.errors import DamagedError, NotFoundError
from simsearch.storage.inside import make_relative, resolve
from simsearch.storage.parquet import encode_table
from simsearch.storage.storage import Storage

NEWEST = "CATALOG"  # a file with the id of the newest catalog; it lies beside no Parquet file
PLACEHOLDER = "placeholder"  # the reason of rejecting an artwork whose picture stands for many


@dataclass(frozen=True)
class Catalog:
    """A stored catalog: its id, and its `table` of schemas.CATALOG."""

    catalog_id: str
    table: pa.Table


def write_catalog(storage: Storage, table: pa.Table) -> str:
    """Store a catalog under the digest of its rows, then note it as the newest. Returns its id.

    A catalog from which a takedown removed rows keeps its id, which snapshots name. If those artworks
    are allowed again, the whole catalog gets another id.
    """
    data = encode_table(make_relative(storage.root, table))
    catalog_id, again = _id_of(data), 0
    while _lost_rows(storage, catalog_id, table.num_rows):
        again += 1
        catalog_id = _id_of(data + str(again).encode())
    storage.write_bytes(_path(catalog_id), data)
    storage.write_bytes(NEWEST, catalog_id.encode())
    return catalog_id


def _id_of(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:16]


def _path(catalog_id: str) -> str:
    return f"catalog/{catalog_id}.parquet"


def _lost_rows(storage: Storage, catalog_id: str, rows: int) -> bool:
    """Whether the stored catalog of an id has fewer rows. False for a damaged one, which is written anew."""
    try:
        stored = storage.read_table(_path(catalog_id), ["artwork_id"])
    except (NotFoundError, DamagedError):
        return False
    return len(stored) < rows


def load_catalog(storage: Storage, catalog_id: str | None = None) -> Catalog:
    """The catalog of an id (None: the newest). Raises NotFoundError if there is none."""
    try:
        catalog_id = catalog_id or storage.read_bytes(NEWEST).decode().strip()
    except NotFoundError:
        raise NotFoundError(
            f"{storage.root}: no catalog here yet; run `simsearch ingest` first"
        ) from None
    table = storage.read_table(_path(catalog_id))
    return Catalog(catalog_id, resolve(storage.root, table))
